"""Chapter FLT: every mishap of the catalogue (:mod:`conformance.faults`) on every backend, plain and as a stream.

A check has a case for each mode and a part for each cell of its stage. Cells are generated, and so is what each must come to.
What is left when all is over is judged in ``flt_aftermath``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.check import check
from conformance.checks.flt_cell import Bench
from conformance.faults.cells import cells_of, spared_by
from conformance.faults.fault import MODES, Mode, Stage
from conformance.subject import Subject
from conformance.trial import Trial


def _modes(stage: Stage) -> Callable[[Subject], Iterable[str]]:
    """Return what names the modes in which a subject has cells of a stage."""
    return lambda subject: [mode for mode in MODES if any(cells_of(subject, stage, mode))]


async def _judge(trial: Trial, stage: Stage) -> None:
    bench, mode = Bench(trial), Mode(trial.case)
    trial.spared.update(spared_by(trial.subject, stage, mode))
    for cell in cells_of(trial.subject, stage, mode):
        with trial.part(cell.mishap.name):
            await bench.judge(cell)
    trial.conclude()


@check("FLT-01", cases=_modes(Stage.CONNECTION))
async def flt_01(trial: Trial) -> None:
    """A connection that is refused, not taken, reset, closed or silent before an answer is told apart and tried again."""
    await _judge(trial, Stage.CONNECTION)


@check("FLT-02", cases=_modes(Stage.STATUS))
async def flt_02(trial: Trial) -> None:
    """Every status, in the provider's own words, comes to one class, and is repeated or not as that class demands."""
    await _judge(trial, Stage.STATUS)


@check("FLT-03", cases=_modes(Stage.HINTS))
async def flt_03(trial: Trial) -> None:
    """Every way to say when to come back is understood to the tenth of a second; nonsense counts as not said, too long a
    wait ends the call at once."""
    await _judge(trial, Stage.HINTS)


@check("FLT-04", cases=_modes(Stage.HEAD))
async def flt_04(trial: Trial) -> None:
    """A head that is cut, slow, flooded, malformed or points elsewhere ends in its one error, in time."""
    await _judge(trial, Stage.HEAD)


@check("FLT-05", cases=_modes(Stage.FRAMING))
async def flt_05(trial: Trial) -> None:
    """A body whose length, chunks or coding lie ends in its one error; one that is honest in any coding is read."""
    await _judge(trial, Stage.FRAMING)


@check("FLT-06", cases=_modes(Stage.CONTENT))
async def flt_06(trial: Trial) -> None:
    """A well-framed answer that is none ends in its one error and is not repeated; one that is merely odd is read."""
    await _judge(trial, Stage.CONTENT)


@check("FLT-07", cases=_modes(Stage.EVENTS))
async def flt_07(trial: Trial) -> None:
    """A stream that dies before its first content is begun again; one that dies behind it is not, and tells what came."""
    await _judge(trial, Stage.EVENTS)


@check("FLT-08", cases=_modes(Stage.REUSE))
async def flt_08(trial: Trial) -> None:
    """What happens to a kept connection between two calls is never taken for the second's answer, nor makes it fail."""
    await _judge(trial, Stage.REUSE)
