"""Runs one trial from its empty loop to its outcome, and says what kind of failure it was.

Every trial has a loop, a simulator and a random source of its own. What the check raised is judged here and nowhere
else:
an assertion and an error of the backend are findings, an error of the harness itself is a crash and proves nothing.
"""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from conformance.check import Check
from conformance.machines.profiles import QUICK, Profile
from conformance.planted import PLANTED, forms
from conformance.requirement import Requirement
from conformance.simulators.server import Simulator
from conformance.subject import Subject
from conformance.trial import Trial
from conformance.verdict import Verdict
from conformance.virtual_time import MOST_TURNS, Stuck, VirtualTimeLoop

__all__ = ["CATCHES", "Outcome", "conduct", "scrubbed"]

CATCHES: Final = frozenset({"assertion", "error", "stuck", "leak"})
"""Kinds of failure that are findings about the subject; ``crash`` is one about the harness."""

_MISFITS: Final = (AttributeError, ImportError, NameError, TypeError)
"""What a saboteur raises that does not fit the backend it was made from: a defect of its own, which no check has caught."""
_HERE: Final = Path(__file__).resolve().parent
_SABOTEURS: Final = _HERE / "saboteurs"
_LONGEST: Final = 500
_SCRUBBED: Final = (
    *(
        (re.compile(re.escape(written[:16]) + "[^ '\",)]*"), f"<planted {name}>")  # to its end: it may have been cut
        for name, secret in PLANTED.items()
        for written in forms(secret).values()
    ),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:|', |\", )\d+"), r"\1\2<port>"),
    (re.compile(r"0x[0-9a-f]{6,}"), "0x<address>"),
    (re.compile(r"/tmp/[^\s'\":,)]+"), "<temporary>"),  # noqa: S108 - a pattern, not a path
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one trial came to.

    Attributes:
        verdict: pass, fail or vacuous.
        detail: one line for people; empty for a pass.
        kind: of a failure: ``assertion``, ``error`` (the backend raised), ``stuck``, ``leak`` or ``crash`` (of the
            harness).
        assertions, requests: how many were counted.
        parts: of a case that has many, the name of each and what is wrong with it, empty for nothing.
        spared: parts that do not concern the subject, and why.
        threaded: real threads took part, so that what is noticed beyond the clause may differ between runs.
        machines: which machines were driven, and how long.
    """

    verdict: Verdict
    detail: str = ""
    kind: str = ""
    assertions: int = 0
    requests: int = 0
    parts: tuple[tuple[str, str], ...] = ()
    spared: tuple[tuple[str, str], ...] = ()
    threaded: bool = False
    machines: tuple[dict[str, Any], ...] = ()


def conduct(
    subject: Subject,
    requirement: Requirement,
    check: Check,
    *,
    case: str = "",
    seed: int = 0,
    make: Callable[..., Any] | None = None,
    most_turns: int = MOST_TURNS,
    profile: Profile = QUICK,
) -> Outcome:
    """Run one trial and return its outcome; raises nothing that the check or the backend did.

    Args:
        make: the factory to use instead of the subject's own (a saboteur's).
        most_turns: of the loop, after which a trial that does not end has failed.
        profile: how long machines are driven.
    """
    loop = VirtualTimeLoop(most_turns, profile.patience)
    troubles: list[str] = []
    loop.set_exception_handler(lambda _, context: troubles.append(_trouble(context)))
    task = loop.create_task(_trial(subject, requirement, check, case, seed, make, troubles, profile))
    try:
        return replace(_finished(loop, task), threaded=loop.used_threads)
    except Exception as error:  # the scene could not be set: one trial is lost, not the run
        return Outcome(Verdict.FAIL, scrubbed(f"the trial could not be set up: {_described(error)}"), "crash")
    finally:
        loop.finish()


def _finished(loop: VirtualTimeLoop, task: asyncio.Task[Outcome]) -> Outcome:
    try:
        return loop.run_until_complete(task)
    except Stuck as stuck:
        first = stuck
    task.cancel(str(first))
    try:
        return loop.run_until_complete(task)
    except (Stuck, asyncio.CancelledError):
        return Outcome(Verdict.FAIL, scrubbed(f"stuck: {first}"), "stuck")


async def _trial(
    subject: Subject,
    requirement: Requirement,
    check: Check,
    case: str,
    seed: int,
    make: Callable[..., Any] | None,
    troubles: list[str],
    profile: Profile,
) -> Outcome:
    sim = Simulator([subject.provider] if subject.provider is not None else [])
    await sim.start()
    trial = Trial(subject, requirement, sim, case=case, seed=seed, make=make, profile=profile)
    detail = kind = ""
    vacuous: str | None = None
    try:
        await check.body(trial)
        vacuous = trial.vacuity()
    except asyncio.CancelledError as stuck:
        detail, kind = f"stuck: {stuck}", "stuck"
    except Exception as error:  # whatever it is, it is this trial's outcome
        detail, kind = _described(error), _kind(error)
    traffic = trial.traffic
    try:
        leak = await trial.wind_up()
    except Exception as error:
        leak = None
        if not kind:
            detail, kind = f"while closing: {_described(error)}", _kind(error)
    finally:
        trial.abandon()
    if not kind and vacuous is None:
        if leak is not None:
            detail, kind = leak, "leak"
        elif troubles:
            detail = troubles[0]
            kind = "crash" if " simulator failed on " in detail else "error"
    verdict = Verdict.FAIL if kind else Verdict.VACUOUS if vacuous is not None else Verdict.PASS
    parts = tuple((name, scrubbed(wrong)) for name, wrong in trial.parts.items())
    spared = tuple(trial.spared.items())
    told = scrubbed(detail or vacuous or "")
    return Outcome(
        verdict,
        told,
        kind,
        trial.assertions,
        traffic,
        parts,
        spared,
        machines=tuple(trial.machines),
    )


def _kind(error: BaseException) -> str:
    from backends.errors import BackendError

    if isinstance(error, Stuck):
        return "stuck"
    if isinstance(error, BackendError):
        return "error"
    frames = traceback.extract_tb(error.__traceback__)
    where = Path(frames[-1].filename) if frames else Path()
    if where.is_relative_to(_SABOTEURS) and isinstance(error, _MISFITS):
        return "crash"
    ours = _is_harness(where)
    if isinstance(error, AssertionError):
        return "assertion" if ours else "error"
    return "crash" if ours else "error"


def _is_harness(path: Path) -> bool:
    return path.is_relative_to(_HERE) and not path.is_relative_to(_SABOTEURS)


def _described(error: BaseException) -> str:
    if isinstance(error, AssertionError):
        return str(error) or "an assertion without a message does not hold"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _trouble(context: dict[str, Any]) -> str:
    error = context.get("exception")
    text = str(context.get("message", "the event loop reported an error"))
    return f"{text}: {type(error).__name__}: {error}" if error is not None else text


def scrubbed(text: str) -> str:
    """Return one line that UTF-8 can hold, without what differs between runs (ports, ids, addresses, temporary paths)
    and without planted secrets."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    text = " ".join(text.split())
    for pattern, replacement in _SCRUBBED:
        text = pattern.sub(replacement, text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
