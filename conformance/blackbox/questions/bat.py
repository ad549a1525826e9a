"""Chapter BAT: embeddings that callers share, by what arrives and by who gets which answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from conformance.blackbox.findings import Told
from conformance.blackbox.question import question
from conformance.blackbox.trial import Reply, Trial
from conformance.checks.common import marked
from conformance.simulators.faults import Fault, Status

_MARK: Final = b"call-number-"
_SOON: Final = 0.2
_NEVER: Final = 3_000.0
"""Seconds of a batch_timeout that no question waits for."""


def _sizes(trial: Trial, start: int = 0) -> list[int]:
    """Return how many marked texts each request held, in the order of their arrival."""
    return [seen.body.count(_MARK) for seen in trial.requests[start:]]


async def _together(
    trial: Trial, callers: Sequence[Sequence[str]], models: Sequence[str] = ()
) -> list[Reply | BaseException]:
    models = models or [""] * len(callers)
    calls = [trial.embed(texts, model) for texts, model in zip(callers, models, strict=True)]
    ends = await asyncio.gather(*calls, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, Told):
            raise end
    return ends


def _own(reply: Reply | BaseException) -> list[tuple[float, ...]]:
    """Return vectors without their last places, in which the server hides the nonce of the request."""
    return (
        [tuple(round(number, 6) for number in vector) for vector in reply.vectors] if isinstance(reply, Reply) else []
    )


@question("BAT-01", "embed", "batching")
async def bat_01(trial: Trial) -> None:
    """A request leaves when it is full, or when its time has come although nobody else came."""
    await trial.client(max_batch_size=4, batch_timeout=_NEVER, wish={"max_concurrent_requests": 8})
    await _together(trial, [[marked(number)] for number in range(8)])
    trial.equal(_sizes(trial), [4, 4], "texts of the requests of eight callers with max_batch_size=4")
    await trial.client(max_batch_size=4, batch_timeout=_SOON)
    await _together(trial, [[marked(8)], [marked(9)]])
    trial.equal(_sizes(trial), [4, 4, 2], "texts of the requests after batch_timeout, though nobody else came")


@question("BAT-02", "embed", "batching")
async def bat_02(trial: Trial) -> None:
    """Each caller gets the answers to its own texts in its own order, whatever the others asked."""
    callers = [[marked(7)], [marked(3), marked(9), marked(1)], [marked(2)], [marked(8), marked(0)]]
    await trial.client(max_batch_size=1, batch_timeout=_SOON)
    expected = [_own(await trial.embed(texts)) for texts in callers]
    start = len(trial.requests)
    await trial.client(max_batch_size=7, batch_timeout=_NEVER)
    replies = await _together(trial, callers)
    trial.equal(_sizes(trial, start), [7], "texts of the request that four callers share")
    for number, (reply, own) in enumerate(zip(replies, expected, strict=True)):
        trial.equal(_own(reply), own, f"answer to caller {number}")


@question("BAT-03", "embed", "batching")
async def bat_03(trial: Trial) -> None:
    """Another model: another request."""
    one, other = trial.place.embedding_models
    await trial.client(max_batch_size=32, batch_timeout=_SOON, wish={"max_concurrent_requests": 8})
    await _together(trial, [[marked(0)], [marked(1)], [marked(2)]], [one, other, one])
    trial.equal(sorted(_sizes(trial)), [1, 2], "texts of the requests of three callers, one with another model")


@question("BAT-04", "embed", "batching")
async def bat_04(trial: Trial) -> None:
    """What the provider refuses fails alone, and an outage reaches everybody."""
    await trial.client(max_batch_size=5, batch_timeout=_NEVER, max_retries=0, wish={"max_concurrent_requests": 8})
    texts = [marked(0), marked(1), "word " * 9_000, marked(3), marked(4)]
    ends = await _together(trial, [[text] for text in texts])
    failed = [number for number, end in enumerate(ends) if isinstance(end, Told)]
    trial.equal(failed, [2], "callers who got an error, where the text of caller 2 is too long")
    trial.sim.script(Fault(Status(500), path="*embed*"))
    ends = await _together(trial, [[marked(number)] for number in range(5)])
    trial.equal(sum(isinstance(end, Told) for end in ends), 5, "callers who got an error of an outage")


@question("BAT-05", "embed", "batching")
async def bat_05(trial: Trial) -> None:
    """With a size of 1, and without the setting, every call is a request of its own."""
    await trial.client(wish={"max_concurrent_requests": 8})
    await _together(trial, [[marked(number)] for number in range(3)])
    trial.equal(_sizes(trial), [1, 1, 1], "texts of the requests without the setting")
    await trial.client(max_batch_size=1, batch_timeout=_SOON)
    await _together(trial, [[marked(number)] for number in range(3)])
    trial.equal(_sizes(trial, 3), [1, 1, 1], "texts of the requests with a size of 1")
