"""The lane live: a backend with real credentials against the vendor, on an ordinary event loop and real time. Opt-in
only.

Checks of this lane cost money, so they are few, cheap and black-box. Without credentials nothing runs and nothing
passes.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping
from typing import Any, Final

from conformance.check import Check
from conformance.conduct import Outcome, scrubbed
from conformance.judge import CheckFailed, Judge
from conformance.requirement import Requirement
from conformance.subject import Subject
from conformance.verdict import Verdict

__all__ = ["LiveTrial", "conduct_live", "missing_variables"]

_PATIENCE: Final = 120.0


def missing_variables(subject: Subject, environ: Mapping[str, str] | None = None) -> str | None:
    """Return what must be set to try a subject live, None when it is set."""
    known = os.environ if environ is None else environ
    if subject.live is None:
        return f"{subject.title} has no live lane yet"
    if any(known.get(variable, "").strip() for variable in subject.live.variables):
        return None
    return f"set {' or '.join(subject.live.variables)} to try {subject.title} live"


class LiveTrial(Judge):
    """What a check of the lane live gets."""

    def __init__(self, subject: Subject, requirement: Requirement, case: str) -> None:
        super().__init__()
        self.subject = subject
        self.requirement = requirement
        self.case = case
        self.random = random.SystemRandom()
        self.traffic = 0
        self._backends: list[Any] = []

    async def backend(self) -> Any:
        """Return a backend with the credentials of the environment; it is closed at the end."""
        assert self.subject.live is not None
        backend = self.subject.live.make(os.environ)
        self._backends.append(backend)
        return backend

    async def call(self, backend: Any, text: str, **options: Any) -> Any:
        """Make the representative call; its attempts are the traffic."""
        reply = await self.subject.call(backend, text, **options)
        self.traffic += int(getattr(reply, "attempts", 0))
        return reply

    async def aclose(self) -> None:
        """Close the backends."""
        for backend in self._backends:
            await backend.aclose()


def conduct_live(subject: Subject, requirement: Requirement, check: Check, case: str = "") -> Outcome:
    """Run one trial against the vendor and return its outcome."""
    return asyncio.run(_trial(subject, requirement, check, case))


async def _trial(subject: Subject, requirement: Requirement, check: Check, case: str) -> Outcome:
    trial = LiveTrial(subject, requirement, case)
    try:
        async with asyncio.timeout(_PATIENCE):
            await check.body(trial)
    except CheckFailed as failed:
        return Outcome(Verdict.FAIL, _masked(subject, str(failed)), "assertion", trial.assertions, trial.traffic)
    except Exception as error:  # whatever it is, it is this trial's outcome
        return Outcome(
            Verdict.FAIL, _masked(subject, f"{type(error).__name__}: {error}"), "error", trial.assertions, trial.traffic
        )
    finally:
        await trial.aclose()
    if not trial.assertions or not trial.traffic:
        return Outcome(
            Verdict.VACUOUS, "the check asserted nothing or sent nothing", "", trial.assertions, trial.traffic
        )
    return Outcome(Verdict.PASS, "", "", trial.assertions, trial.traffic)


def _masked(subject: Subject, text: str) -> str:
    """Return one line that holds no value of the subject's variables."""
    for variable in subject.live.variables if subject.live is not None else ():
        value = os.environ.get(variable, "").strip()
        text = text.replace(value, f"<{variable}>") if value else text
    return scrubbed(text)
