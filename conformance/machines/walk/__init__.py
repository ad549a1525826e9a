"""The whole path of a call, walked at random: a real backend, callers, an operator, a provider and a clock.

The other machines are parts of the path; this one has no model of its own beside what callers and server can see.
"""

from __future__ import annotations

from conformance.machines.walk.bench import WalkBench
from conformance.machines.walk.rules import WalkRules, run, walk

__all__ = ["WalkBench", "WalkRules", "run", "walk"]
