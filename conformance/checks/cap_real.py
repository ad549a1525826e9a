"""Chapter CAP in the lane real: every declared call at a real server on this machine, beside the same at its simulator.

What the real one answers is judged as in the lane simulated, and must have the shape that the simulator's answer has:
so the real server vouches for the simulator that everything else is judged with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from backends.types import Reply
from conformance.check import check
from conformance.subject import CallCase, Subject
from conformance.trial import Trial


def _calls(subject: Subject) -> Iterable[str]:
    return [f"{name} {mode}" for name in subject.declared for mode in ("async", "sync")]


async def _really(trial: Trial) -> tuple[CallCase, Any]:
    """Make the call at a real server, in a thread with a loop and a time of its own."""
    name, _, mode = trial.case.rpartition(" ")
    case = trial.subject.declared[name]
    assert trial.subject.real is not None, "only a subject with a server of its own has this lane"
    assert case.twin is not None, "a declared call has a synchronous twin"
    make, twin = trial.subject.real, case.twin
    async with trial.threads() as side:
        backend = make(side)
        try:
            if mode == "async":
                reply = await side.run(lambda: asyncio.run(_awaited(case, backend)))
            else:
                reply = await side.run(twin, backend)
        finally:
            await side.run(backend.close)
    trial.count_traffic(1)
    return case, reply


async def _awaited(case: CallCase, backend: Any) -> Any:
    return await case.run(backend)


@check("CAP-01", cases=_calls, lanes=("real",))
async def cap_01_real(trial: Trial) -> None:
    """A real server takes the request and answers it, the first time."""
    case, reply = await _really(trial)
    trial.expect(reply is not None or case.empty, "the call returned nothing")
    if isinstance(reply, Reply):
        trial.equal(reply.attempts, 1, "attempts of the reply")


@check("CAP-02", cases=_calls, lanes=("real",))
async def cap_02_real(trial: Trial) -> None:
    """The reply of a real server is read in full, and has the shape of the simulated one."""
    case, reply = await _really(trial)
    simulated = await case.run(await trial.backend())
    seen = [one for one in trial.requests if one.method == case.method and fnmatchcase(one.path, case.path)][-1]
    if case.judge is not None:
        case.judge(trial, reply, seen)
    trial.equal(type(reply), type(simulated), "class of the reply")
    if isinstance(reply, Reply):
        trial.equal(_shape(reply.raw), _shape(simulated.raw), "fields of the real answer, and of the simulated one")


def _shape(value: Any) -> Any:
    """What kinds of values an answer is made of, without the values."""
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        kinds = [_shape(item) for item in value]
        return [kind for index, kind in enumerate(kinds) if kind not in kinds[:index]]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__
