"""How chapter FLT judges one cell: let the mishap happen, and compare what came of it with the one right end."""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.checks.common import shows
from conformance.faults.cells import Cell
from conformance.faults.fault import PATIENCE, Door, End, Mode, Stage
from conformance.faults.hints import dated
from conformance.simulators.faults import Fault
from conformance.trial import Trial

__all__ = ["SETTINGS", "Bench", "made"]

SETTINGS: Final = {
    "max_retries": 1,
    "initial_retry_delay": 0.0,
    "jitter": 0.0,
    "retry_budget": None,
    "failure_threshold": 1_000_000,
    "connect_timeout": PATIENCE,
    "read_timeout": PATIENCE,
    "idle_timeout": PATIENCE,
}
"""One repeat, at once; neither breaker nor budget in the way; short patience."""
_SHORT: Final = "sim:short"
"""What is asked: most mishaps are over before the answer's words matter, so it has few."""
_MOST_TOKENS: Final = 2**53


class Bench:
    """Judges cells one after the other, and keeps a backend for as many of them as leave it whole.

    A cell that strikes the making of connections gets a fresh one, and one that uses up a key or does not end well leaves none.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._kept: dict[tuple[tuple[str, Any], ...], Any] = {}

    async def judge(self, cell: Cell) -> None:
        """Judge one cell.

        Raises:
            CheckFailed: it did not end as is right.
        """
        trial, backend = self._trial, await self._backend(cell)
        try:
            await _strike(trial, cell)
            await _judge(trial, cell, backend)
            unfired = trial.sim.unfired()
            trial.expect(not unfired, f"a scripted fault never fired: {unfired[:1]}")
        except BaseException:
            self._kept.clear()
            raise
        finally:
            trial.sim.forget_faults()
            if cell.mishap.door is not Door.OPEN:
                trial.sim.refuse()
                await trial.sim.listen()
        if cell.end.error is not None and (cell.end.error.fault == "key" or cell.end.error is errors.RateLimitError):
            self._kept.clear()

    async def _backend(self, cell: Cell) -> Any:
        own = tuple(cell.mishap.settings.items())
        if cell.mishap.door is not Door.OPEN:
            self._kept.clear()
        if own not in self._kept:
            self._kept[own] = await self._trial.backend(**{**SETTINGS, **cell.mishap.settings})
        return self._kept[own]


async def _strike(trial: Trial, cell: Cell) -> None:
    """Script what the server does; a date in a header needs a whole second to be exact."""
    wall = trial.clock.time()
    actions = [dated(action, round(wall + 0.5)) for action in cell.actions]
    if actions != list(cell.actions):
        await trial.sleep(round(wall + 0.5) - wall)
    for action in actions:
        trial.script(Fault(action, path=trial.subject.call_path, nth=cell.mishap.nth))
    if cell.mishap.door is Door.REFUSED:
        trial.sim.refuse()
    elif cell.mishap.door is Door.DEAF:
        trial.sim.deafen()


async def _judge(trial: Trial, cell: Cell, backend: Any) -> None:
    end = cell.end
    if cell.mishap.twice:
        await made(trial, backend, cell)
        await trial.sleep(1.0)
    before, sent = trial.now, len(trial.requests)
    reply: Any = None
    error: errors.BackendError | None = None
    try:
        reply = await made(trial, backend, cell)
    except errors.BackendError as raised:
        error = raised
    except Exception as raised:
        trial.expect(False, f"{type(raised).__name__} was raised, which is none of this library's errors: {raised}")
    if error is None:
        _judge_reply(trial, end, reply)
    else:
        _judge_error(trial, end, error)
    if end.seconds is not None:
        trial.close_to(trial.now - before, end.seconds, "virtual seconds until the end", 0.1)
    expected = end.attempts if end.requests is None else end.requests
    trial.equal(len(trial.requests) - sent, expected, "requests at the server")
    trial.equal(backend.queue_status()["active"], 0, "slots in use afterwards")


async def made(trial: Trial, backend: Any, cell: Cell) -> Any:
    """Make the representative call in the mode of a cell, and return its reply."""
    options: dict[str, Any] = {} if cell.mishap.deadline is None else {"deadline": cell.mishap.deadline}
    text = "hello" if cell.mishap.stage is Stage.EVENTS else _SHORT
    if cell.mode is Mode.STREAM:
        return await trial.stream(backend, text, **options).collect()
    return await trial.call(backend, text, **options)


def _judge_reply(trial: Trial, end: End, reply: Any) -> None:
    wanted = end.error.__name__ if end.error is not None else ""
    trial.expect(not wanted, f"{wanted} should have been raised, nothing was")
    trial.equal(reply.attempts, end.attempts, "attempts that the reply tells")
    trial.expect(shows(trial.requests[-1].nonce, str(reply)), "the reply is not the server's last answer")
    counts = getattr(reply, "usage", None)
    counted = None if counts is None else counts.output_tokens
    trial.expect(counted is None or 0 <= counted <= _MOST_TOKENS, f"a count of {str(counted)[:40]} tokens was believed")


def _judge_error(trial: Trial, end: End, error: errors.BackendError) -> None:
    wanted = end.error.__name__ if end.error is not None else "a right answer"
    trial.equal(type(error).__name__, wanted, f"what came of it ({error.message[:200]})")
    if end.code is not None:
        trial.equal(error.code, end.code, "code of the error")
    trial.equal(error.attempts, end.attempts, "attempts that the error tells")
    trial.equal(bool(error.partial), end.partial, "whether the error carries what came")
