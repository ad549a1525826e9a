"""Machines that are wrong on purpose, a few lines each: proof that the checks of this package can fail.

Every class names its sin and the requirement that it violates; most are defects that were found in published clients,
gateways and breakers. A check that lets one of them pass is not a check.
"""

from __future__ import annotations

from conformance.machines.broken import (
    adaptive,
    admission,
    allowance,
    backoff,
    batcher,
    breaker,
    cache,
    decoders,
    hints,
    keys,
    line,
    others,
    walk,
)
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN", "Broken"]

BROKEN: tuple[Broken, ...] = (
    *breaker.BROKEN,
    *line.BROKEN,
    *admission.BROKEN,
    *adaptive.BROKEN,
    *allowance.BROKEN,
    *batcher.BROKEN,
    *keys.BROKEN,
    *backoff.BROKEN,
    *hints.BROKEN,
    *cache.BROKEN,
    *others.BROKEN,
    *decoders.BROKEN,
    *walk.BROKEN,
)
"""All of them."""
