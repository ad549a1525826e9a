"""Answers kept and found again: exact, and by the meaning of the question. Off unless a backend is given a cache.

What may be kept is said by the operation (:class:`backends.operation.Cacheable`); how a call passes the cache stands in
:mod:`backends.cache.asking`. Nothing here puts a request on the wire.
"""

from __future__ import annotations

import logging

from backends.cache.cache import Cache, Statistics
from backends.cache.store import Entry

__all__ = ["Cache", "Entry", "Statistics"]

logging.getLogger(__name__).addHandler(logging.NullHandler())  # warnings are for whoever listens; the counters stay
