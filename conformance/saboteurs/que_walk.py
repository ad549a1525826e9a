"""Backends that go wrong only after some sequence of events: what a check of one story may miss.

They are machines of :mod:`conformance.machines.broken.walk`; the other ones there violate what checks of their own judge.
"""

from __future__ import annotations

from conformance.machines.broken import walk
from conformance.saboteurs import saboteur

saboteur("QUE-15", "counts a cancelled call twice", alone=True)(walk.ends_twice)
saboteur("QUE-15", "never finishes counting a stream that was left", alone=True)(walk.abandoned_stream_not_counted)
saboteur("QUE-15", "goes on using a key that was replaced", alone=True)(walk.rotation_keeps_the_old_key)
