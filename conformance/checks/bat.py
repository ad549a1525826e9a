"""Chapter BAT: requests that callers share, judged by what arrives, when, and by who gets which answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from backends import errors
from backends.types import Priority
from conformance.check import check
from conformance.checks.common import marked
from conformance.simulators.faults import Fault, Status
from conformance.simulators.record import Seen
from conformance.subject import BatchCase, Subject
from conformance.trial import Trial

_MARK: Final = b"call-number-"
_NEVER: Final = 3_000.0
"""Seconds of a batch_timeout that no check waits for."""
Run = Callable[..., Any]


def _cases(subject: Subject) -> list[str]:
    return sorted(subject.batched)


def _case(trial: Trial) -> BatchCase:
    return trial.subject.batched[trial.case]


def _arrived(trial: Trial) -> list[Seen]:
    """Return the requests of the call that is tried; what a backend asks besides (a server's limits) is left out."""
    return [seen for seen in trial.requests if fnmatchcase(seen.path, _case(trial).path)]


def _sizes(trial: Trial) -> list[int]:
    """Return how many marked inputs each request held, in the order of their arrival."""
    return [seen.body.count(_MARK) for seen in _arrived(trial)]


async def _in_time(trial: Trial) -> None:
    """Let everything arrive that is under way, and nothing that waits for time."""
    for _ in range(5):
        await trial.settle()


async def _alone(trial: Trial, texts: Sequence[Any]) -> list[Any]:
    """Return what each caller would be told if nobody shared anything."""
    backend, case = await trial.backend(), _case(trial)
    return [case.own(await case.run(backend, text)) for text in texts]


@check("BAT-01", cases=_cases)
async def bat_01(trial: Trial) -> None:
    """A request leaves when it is full or its time has come, and never above the provider's limit."""
    case = _case(trial)
    backend = await trial.backend(max_batch_size=4, batch_timeout=2.0, max_concurrent_requests=8)
    full = [trial.spawn(case.run(backend, marked(number))) for number in range(4)]
    await _in_time(trial)
    trial.equal(_sizes(trial), [4], "inputs of the requests at once, with four callers and max_batch_size=4")
    few = [trial.spawn(case.run(backend, marked(4)))]
    await trial.sleep(1.0)
    few.append(trial.spawn(case.run(backend, marked(5))))
    await trial.sleep(0.9)
    trial.equal(_sizes(trial), [4], "inputs of the requests before batch_timeout")
    await trial.sleep(0.2)
    trial.equal(_sizes(trial), [4, 2], "inputs of the requests after batch_timeout, though nobody else came")
    await asyncio.gather(*full, *few)
    if case.several:
        spans = (range(3), range(3, 6))
        several = [trial.spawn(case.run(backend, [marked(number) for number in span])) for span in spans]
        await trial.sleep(2.1)
        await asyncio.gather(*several)
        trial.equal(_sizes(trial)[2:], [3, 3], "inputs of the requests of two callers with three each")
    if case.most is not None:
        await _judge_the_most(trial, case, case.most)


async def _judge_the_most(trial: Trial, case: BatchCase, most: int) -> None:
    """Let two callers bring more than the provider takes at once, or as many callers as that is, and one more."""
    half = most // 2 + 1
    large = await trial.backend(max_batch_size=10 * most, batch_timeout=1.0, max_concurrent_requests=8)
    texts: list[Any] = [[marked(number) for number in range(start, start + half)] for start in (0, half)]
    expected = [half, half]
    if not case.several:
        texts, expected = [marked(number) for number in range(most + 1)], [most, 1]
    before = len(_arrived(trial))
    await asyncio.gather(*[case.run(large, some, **case.light) for some in texts])
    trial.equal(_sizes(trial)[before:], expected, f"inputs of the requests where the provider takes {most}")


@check("BAT-02", cases=_cases)
async def bat_02(trial: Trial) -> None:
    """Each caller gets the answers to its own inputs in its own order, whatever the others asked."""
    case = _case(trial)
    texts: list[Any] = [marked(7), [marked(3), marked(9), marked(1)], marked(2), [marked(8), marked(0)]]
    if not case.several:
        texts = [marked(number) for number in (7, 3, 9, 1, 2, 8, 0)]
    expected = await _alone(trial, texts)
    before = len(_arrived(trial))
    backend = await trial.backend(max_batch_size=7, batch_timeout=_NEVER)
    replies = await asyncio.gather(*[case.run(backend, text) for text in texts])
    trial.equal(_sizes(trial)[before:], [7], "inputs of the request that all callers share")
    for number, (reply, own) in enumerate(zip(replies, expected, strict=True)):
        trial.equal(case.own(reply), own, f"answer to caller {number}")


@check("BAT-03", cases=_cases)
async def bat_03(trial: Trial) -> None:
    """Another model, another parameter or another header: another request."""
    case = _case(trial)
    others = [*case.different, case.apart]
    backend = await trial.backend(max_batch_size=32, batch_timeout=1.0, max_concurrent_requests=16)
    calls = [case.run(backend, marked(0))]
    calls += [case.run(backend, marked(number), **options) for number, options in enumerate(others, 1)]
    calls.append(case.run(backend, marked(len(others) + 1)))
    await trial.results(calls)
    trial.equal(sorted(_sizes(trial)), [1] * len(others) + [2], "inputs of the requests")
    shared = next(seen.body for seen in _arrived(trial) if seen.body.count(_MARK) == 2)
    for number in (0, len(others) + 1):
        trial.expect(marked(number).encode() in shared, f"call {number} does not share with the one that is like it")


@check("BAT-04", cases=_cases)
async def bat_04(trial: Trial) -> None:
    """What the provider refuses fails alone; an outage reaches everybody, and nobody waits for ever."""
    case = _case(trial)
    backend = await trial.backend(max_batch_size=5, batch_timeout=_NEVER, max_retries=0, max_concurrent_requests=8)
    if case.bad is not None:
        await _judge_bad_input(trial, backend, case, case.bad)
    else:
        await _judge_refusals(trial, backend, case)
    trial.script(Fault(Status(500), path=case.path, nth=1))
    results = await trial.outcomes([case.run(backend, marked(number)) for number in range(5)])
    trial.equal([type(result).__name__ for result in results], ["ServerError"] * 5, "what an outage gives five callers")
    told = {getattr(result, "request_id", None) for result in results}
    trial.equal(len(told), 5, "request ids in the errors of five callers")


async def _judge_bad_input(trial: Trial, backend: Any, case: BatchCase, bad: str) -> None:
    good = [marked(number) for number in range(4)]
    expected = await _alone(trial, good)
    results = await trial.outcomes([case.run(backend, text) for text in (*good[:2], bad, *good[2:])])
    refused = results.pop(2)
    trial.expect(isinstance(refused, errors.InvalidRequestError), f"the caller whose input is bad got {refused!r}")
    for number, (result, own) in enumerate(zip(results, expected, strict=True)):
        failed = isinstance(result, BaseException)
        trial.equal(
            repr(result) if failed else case.own(result), own, f"answer to caller {number}, whose input is good"
        )


async def _judge_refusals(trial: Trial, backend: Any, case: BatchCase) -> None:
    """Where the server takes any text, it is made to refuse the whole and then one of its halves."""
    trial.script(Fault(Status(400), path=case.path, nth=(1, 2)))
    texts = [[marked(0), marked(1), marked(2)], [marked(3), marked(4)]]
    results = await trial.outcomes([case.run(backend, some) for some in texts])
    failed = [result for result in results if isinstance(result, BaseException)]
    trial.equal([type(one).__name__ for one in failed], ["InvalidRequestError"], "errors of two callers, one refused")


@check("BAT-05", cases=_cases)
async def bat_05(trial: Trial) -> None:
    """Without the setting, and with a size of 1, every call is a request of its own and waits for nobody."""
    case = _case(trial)
    for settings in ({}, {"max_batch_size": 1, "batch_timeout": 5.0}):
        before, start = len(_arrived(trial)), trial.now
        backend = await trial.backend(max_concurrent_requests=8, **settings)
        await asyncio.gather(*[case.run(backend, marked(number)) for number in range(3)])
        trial.equal(_sizes(trial)[before:], [1, 1, 1], f"inputs of the requests with {settings or 'no setting'}")
        trial.close_to(trial.now, start, "time that the calls took", 0.5)


@check("BAT-06", cases=_cases)
async def bat_06(trial: Trial) -> None:
    """Who gives up leaves the others untouched, and a request that carries nobody any more is given up."""
    case = _case(trial)
    backend = await trial.backend(max_batch_size=4, batch_timeout=1.0)
    waiting = [trial.spawn(case.run(backend, marked(number))) for number in range(3)]
    await _in_time(trial)
    waiting[0].cancel()
    results = await trial.outcomes(waiting)
    trial.expect(isinstance(results[0], asyncio.CancelledError), f"the caller that gave up got {results[0]!r}")
    trial.equal([result for result in results[1:] if isinstance(result, BaseException)], [], "errors of the others")
    trial.equal(_sizes(trial), [2], "inputs of the request: the one given up is not among them")

    for leaving, sent in ((1, 4), (4, 8)):
        trial.sim.hold()
        numbers = range(sent, sent + 4)
        flying = [trial.spawn(case.run(backend, marked(number))) for number in numbers]
        await trial.sim.until(held=1)
        await _in_time(trial)
        for task in flying[:leaving]:
            task.cancel()
        await trial.outcomes(flying[:leaving])
        await _in_time(trial)
        trial.equal(backend.queue_status()["active"], int(leaving < 4), f"requests in flight after {leaving} of 4 left")
        trial.sim.let_go()
        stayed = await trial.outcomes(flying[leaving:])
        trial.equal([one for one in stayed if isinstance(one, BaseException)], [], "errors of those who stayed")
    trial.equal(_sizes(trial), [2, 4, 4], "inputs of the requests in all")


@check("BAT-07", cases=_cases)
async def bat_07(trial: Trial) -> None:
    """Usage is split without rest, callers are counted and named one by one, and the highest priority is the batch's."""
    case = _case(trial)
    backend = await trial.backend(max_batch_size=4, batch_timeout=1.0, max_concurrent_requests=1)
    await trial.results([case.run(backend, marked(0))])
    backend.reset_metrics()
    before = _used(backend)
    own = str(uuid.uuid4())
    texts = [marked(1), marked(2) + " and some words more", marked(3) + " words"]
    calls = [case.run(backend, text) for text in texts]
    replies = await trial.results([*calls, case.run(backend, marked(4), request_id=own)])
    trial.equal(_sizes(trial)[1:], [4], "inputs of the request that four callers share")
    used = tuple(now - then for now, then in zip(_used(backend), before, strict=True))
    usages = [reply.usage for reply in replies]
    split = (sum(one.input_tokens or 0 for one in usages), sum(one.output_tokens or 0 for one in usages))
    trial.equal(split, used, "tokens of all callers, where those of the request were")
    told = [usage for usage in usages if usage.input_tokens is not None]
    trial.expect(all(usage.estimated for usage in told), "a share of the usage is not flagged as an estimate")
    if told:
        trial.expect(
            usages[1].input_tokens > usages[0].input_tokens, "a longer input has no larger share of the tokens"
        )
    report = backend.report()
    trial.equal((report["total_requests"], report["successes"]), (4, 4), "requests and successes counted")
    trial.equal(report["tokens"]["input"], used[0], "tokens counted")
    trial.equal(report["batching"], {"wire_calls": 1, "requests": 4, "largest": 4}, "shared requests counted")
    ids = [reply.request_id for reply in replies]
    trial.equal((len({*ids}), ids[3]), (4, own), "request ids, and that of the caller who brought one")
    trial.equal([reply.attempts for reply in replies], [1] * 4, "attempts of each caller")
    await _judge_priority(trial, backend, case)


def _used(backend: Any) -> tuple[int, int]:
    """Return the tokens of all requests, as the provider told them and the keys counted them."""
    keys = backend.report()["keys"]
    return sum(key["input_tokens"] for key in keys), sum(key["output_tokens"] for key in keys)


async def _judge_priority(trial: Trial, backend: Any, case: BatchCase) -> None:
    before = len(_arrived(trial))
    trial.sim.hold()
    calls = [trial.spawn(case.run(backend, marked(10)))]
    await trial.sim.until(held=1)
    calls.append(trial.spawn(case.run(backend, marked(11), **case.apart)))
    await trial.sleep(1.5)
    for number, priority in ((12, Priority.LOW), (13, Priority.HIGH)):
        calls.append(trial.spawn(case.run(backend, marked(number), priority=priority)))
    await trial.sleep(1.5)
    for _ in range(3):
        trial.sim.let_go(1)
        await _in_time(trial)
    trial.sim.let_go()
    await asyncio.gather(*calls)
    trial.equal(_sizes(trial)[before:], [1, 2, 1], "inputs of the requests: LOW and HIGH together go before NORMAL")
