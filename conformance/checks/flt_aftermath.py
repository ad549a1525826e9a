"""Chapter FLT, last part: what is left of a backend, and with it, when the whole catalogue has struck."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Any, Final

from backends import errors
from conformance.check import check
from conformance.checks.flt_cell import SETTINGS, made
from conformance.faults.cells import Cell, cells_of
from conformance.faults.fault import MODES, Door, Mode, Stage
from conformance.leaks import find_leaks
from conformance.simulators.faults import Fault
from conformance.subject import Subject
from conformance.trial import Trial

_STAGES: Final = tuple(stage for stage in Stage if stage not in (Stage.HINTS, Stage.REUSE))
"""Hints make keys rest, and the right end of reuse is that nothing happens."""
_KIB: Final = 1 << 10
_ALLOWED: Final = 128 * _KIB
_MOST_HELD: Final = 1024 * _KIB
"""What one large answer at a time may cost both sides together while it lasts; what a server would send is no part of it."""
_MOST_KEPT: Final = 64 * _KIB


def _modes(subject: Subject) -> Iterable[str]:
    return MODES if subject.stream is not None else (Mode.PLAIN,)


def _one_of_each(subject: Subject, mode: Mode) -> Iterator[Cell]:
    """Yield the first cell of every family that leaves the key in service."""
    seen: set[str] = set()
    for stage in _STAGES:
        for cell in cells_of(subject, stage, mode):
            spoils_key = cell.end.error is not None and cell.end.error.fault == "key"
            if cell.mishap.family not in seen and cell.mishap.door is Door.OPEN and not spoils_key:
                seen.add(cell.mishap.family)
                yield cell


@check("FLT-09", cases=_modes)
async def flt_09(trial: Trial) -> None:
    """After one mishap of every family nothing is left of them, every request is counted once, and the next call is answered."""
    backend = await trial.backend(
        **{**SETTINGS, "max_retries": 0, "max_response_bytes": _ALLOWED, "max_event_bytes": _ALLOWED}
    )
    cells = list(_one_of_each(trial.subject, Mode(trial.case)))
    await made(trial, backend, cells[0])
    await trial.settle()
    tasks = len(asyncio.all_tasks())
    large = [cell for cell in cells if cell.mishap.family == "bombs"]
    for cell in cells:
        if cell not in large:
            await _struck(trial, backend, cell)
    await _expect_bounded(trial, backend, large)
    trial.equal(find_leaks([backend]), None, "what the idle backend still holds")
    trial.equal(trial.sim.in_flight, 0, "requests still open at the server")
    trial.expect(trial.sim.connections <= 1, f"{trial.sim.connections} connections are open, one would do")
    trial.expect(len(asyncio.all_tasks()) <= tasks, "tasks still run though nothing is asked")
    await made(trial, backend, cells[0])
    told = backend.report()
    trial.equal(told["total_requests"], len(cells) + 2, "requests that the report tells")
    ends = told["successes"] + told["failures"] + told["cancelled"]
    trial.equal(ends, told["total_requests"], "requests and their ends")


async def _expect_bounded(trial: Trial, backend: Any, cells: list[Cell]) -> None:
    """Let what is large happen, and look at what it costs while it lasts and afterwards."""
    tracemalloc.start()
    try:
        for cell in cells:
            await _struck(trial, backend, cell)
        peak = tracemalloc.get_traced_memory()[1]
        await trial.settle()
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    trial.expect(peak < _MOST_HELD, f"{peak // _KIB} KiB were held where {_ALLOWED // _KIB} KiB are allowed")
    trial.expect(kept < _MOST_KEPT, f"{kept // _KIB} KiB are kept afterwards")


async def _struck(trial: Trial, backend: Any, cell: Cell) -> None:
    for action in cell.actions:
        trial.script(Fault(action, path=trial.subject.call_path))
    try:
        await made(trial, backend, cell)
    except errors.BackendError:
        pass  # how each ends is judged by the other requirements of the chapter
    finally:
        trial.sim.forget_faults()
