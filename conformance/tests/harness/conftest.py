"""The parrot in place of every subject, and one trial run from a check body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from conformance import subject
from conformance.check import Check
from conformance.conduct import Outcome, conduct
from conformance.requirement import Level, Requirement

from .parrot import PARROT

Body = Callable[[Any], Awaitable[None]]


@pytest.fixture
def parrot(monkeypatch: pytest.MonkeyPatch) -> subject.Subject:
    """The only subject that is built."""
    monkeypatch.setattr(subject, "built", lambda: ("openai",))
    monkeypatch.setattr(subject, "load", lambda name: PARROT)
    return PARROT


@pytest.fixture
def tried() -> Callable[..., Outcome]:
    """Runs a check body on the parrot and returns the outcome."""

    def run(body: Body, *, traffic: bool = True, make: Any = None, most_turns: int = 20_000) -> Outcome:
        requirement = Requirement("LIFE-01", Level.MUST, "It holds.", "a test", traffic=traffic)
        return conduct(PARROT, requirement, Check("LIFE-01", body), make=make, most_turns=most_turns)

    return run
