"""Calls that share wire calls: settings, loops, threads, closing, deadlines, errors, counts."""

from __future__ import annotations

import asyncio
import importlib
import threading
from typing import Any

import pytest
from base_bench import counted, held, parrot, settle
from choir import Choir, Hall, Unknowing, choir
from clocks import Hurried

from backends import errors, registry
from conformance.rows import ROWS
from conformance.virtual_time import LoopClock, VirtualTimeLoop


@pytest.mark.parametrize("settings", [{"max_batch_size": 2}, {"batch_timeout": 0.5}])
def test_settings_that_could_have_no_effect_are_refused(settings: dict[str, Any]) -> None:
    """By the backend and by its endpoints; a size of 1 asks for nothing."""
    with pytest.raises(errors.ConfigurationError, match=r"Parrot has no call .* max_batch_size"):
        parrot(**settings)
    backend = parrot(max_batch_size=1)
    with pytest.raises(errors.ConfigurationError, match="batch_timeout"):
        backend.create_endpoint("other", api_key="sk-other", **settings)


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_every_call_that_a_backend_says_it_batches_is_judged(name: str) -> None:
    """And no other."""
    module, kind = registry._HOMES[name]
    subject = importlib.import_module(f"conformance.subjects.{name}").SUBJECT
    assert getattr(importlib.import_module(module), kind).batches == set(subject.batched)
    assert ("batch" in subject.tags) == bool(subject.batched)


async def test_an_endpoint_batches_by_its_own_settings() -> None:
    hall = Hall()
    async with choir(hall, max_batch_size=1) as backend:
        backend.create_endpoint("two", max_batch_size=2)
        calls = [backend.asing(f"{number}", endpoint=where) for number in range(2) for where in (None, "two")]
        await asyncio.gather(*calls)
        assert sorted(hall.sizes) == [1, 1, 2]


async def test_each_gets_its_own_reply() -> None:
    hall = Hall()
    async with choir(hall) as backend:
        one, two = await asyncio.gather(backend.asing("a"), backend.asing(["bb", "cc", "dd"]))
        assert (one.texts, two.texts) == (("C:a",), ("C:bb", "C:cc", "C:dd"))
        assert (one.raw["sung"], one.usage.input_tokens, two.usage.input_tokens) == (["C:a"], 1, 6)
        assert one.cost + two.cost == 0.1
        assert two.cost == pytest.approx(0.6 / 7)
        assert one.request_id != two.request_id
        assert backend._batchings["default"]._desks == {}


async def test_a_call_with_a_body_of_its_own_travels_alone() -> None:
    hall = Hall()
    async with choir(hall, max_batch_size=2) as backend:
        await asyncio.gather(*[backend.asing("a", extra_body={"loud": True}) for _ in range(2)])
        assert hall.sizes == [1, 1]


async def test_a_limit_that_a_refusal_shows_is_kept() -> None:
    """Four are too many, two are not; the next four go as two and two."""
    hall = Hall(most=2)
    async with choir(hall) as backend:
        for _ in range(2):
            replies = await asyncio.gather(*[backend.asing(f"{number}") for number in range(4)])
            assert [reply.text for reply in replies] == ["C:0", "C:1", "C:2", "C:3"]
        assert hall.sizes == [4, 2, 2, 2, 2]
        assert counted(backend) == (8, 8, 0, 0)
        assert backend.report()["batching"] == {"wire_calls": 5, "requests": 12, "largest": 4}
        told = backend.sharing_status()
        assert (told["calls"], told["wire_calls"], told["inputs"], told["saved"]) == (8, 5, 12, 3)


async def test_what_sharing_brings_is_told_by_endpoint() -> None:
    async with choir(Hall(), max_batch_size=4) as backend:
        backend.create_endpoint("quiet", max_batch_size=1)
        assert backend.sharing_status()["average_fill"] is None
        calls = [asyncio.ensure_future(backend.asing(lines)) for lines in ("a", ["b", "c"], "d", "e")]
        await asyncio.gather(*calls[:3], backend.asing("alone", endpoint="quiet"))
        told = backend.sharing_status()
        assert (told["waiting"], told["wire_calls"], told["calls"], told["inputs"]) == (1, 1, 3, 4)
        assert (told["saved"], told["alone"], told["average_fill"]) == (2, 0, 4.0)
        assert (told["max_batch_size"], told["batch_timeout"]) == (4, 60.0)
        await asyncio.gather(calls[3], backend.asing(["f", "g", "h"]))
        assert backend.sharing_status()["saved"] == 3
        assert backend.sharing_status("quiet")["wire_calls"] == 0
        with pytest.raises(errors.ConfigurationError, match="nowhere"):
            backend.sharing_status("nowhere")


async def test_one_bad_line_fails_alone_and_teaches_nothing() -> None:
    hall = Hall()
    async with choir(hall) as backend:
        for _ in range(2):
            results = await asyncio.gather(*map(backend.asing, ["a", "bad", "b", "c"]), return_exceptions=True)
            bad = results.pop(1)
            assert isinstance(bad, errors.InvalidRequestError)
            assert (bad.attempts, [result.text for result in results]) == (3, ["C:a", "C:b", "C:c"])
            assert [result.attempts for result in results] == [3, 2, 2]
        assert hall.sizes[0] == hall.sizes[5] == 4


async def test_a_model_that_nobody_knows_is_asked_once() -> None:
    hall = Hall(404)
    async with choir(hall, Unknowing) as backend:
        results = await asyncio.gather(*[backend.asing("a") for _ in range(4)], return_exceptions=True)
        assert {type(result) for result in results} == {errors.UnknownModelError}
        assert len({result.request_id for result in results}) == 4
        assert hall.sizes == [4]


async def test_a_repeat_counts_for_everybody_and_once_at_the_wire() -> None:
    hall = Hall(503)
    async with choir(hall, clock=Hurried()) as backend:
        replies = await asyncio.gather(*[backend.asing("a") for _ in range(4)])
        assert [reply.attempts for reply in replies] == [2] * 4
        assert (hall.sizes, sum(backend.report()["retries"].values())) == ([4, 4], 1)


async def test_an_open_breaker_lets_nobody_wait() -> None:
    hall = Hall(503, 503)
    async with choir(hall, max_retries=0, failure_threshold=1) as backend:
        await asyncio.gather(*[backend.asing("a") for _ in range(4)], return_exceptions=True)
        with pytest.raises(errors.ServiceUnavailableError):
            await backend.asing("a")
        assert (len(hall.sizes), held(backend)) == (1, [])


async def test_who_has_no_time_to_wait_takes_the_others_along() -> None:
    """The batch leaves at once instead of in a minute; a deadline within the wait is met."""
    hall = Hall()
    async with choir(hall) as backend:
        await asyncio.gather(backend.asing("a"), backend.asing("b", deadline=30.0))
        assert hall.sizes == [2]


class Silent(Hall):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    async def handle_async_request(self, request: Any) -> Any:
        answer = await super().handle_async_request(request)
        await self.told.wait()
        return answer


async def test_a_deadline_is_its_callers_own() -> None:
    hall = Silent()
    async with choir(hall, max_batch_size=2) as backend:
        patient = asyncio.ensure_future(backend.asing("a"))
        await settle(lambda: len(backend._batchings.get("default", ())) == 1)
        with pytest.raises(errors.DeadlineExceededError):
            await backend.asing("b", deadline=0.001)
        hall.told.set()
        assert (await patient).text == "C:a"
        assert counted(backend) == (2, 1, 1, 0)


async def test_closing_refuses_who_waits_for_a_batch() -> None:
    hall = Hall()
    backend = choir(hall)
    waiting = [asyncio.ensure_future(backend.asing("a")) for _ in range(2)]
    await settle(lambda: len(backend._batchings.get("default", ())) == 2)
    await backend.aclose()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [errors.ClosedError] * 2
    assert (hall.sizes, counted(backend)) == ([], (2, 0, 2, 0))


def test_closing_from_another_thread_refuses_them_too() -> None:
    hall, backend = Hall(), choir(Hall())
    ready, results = threading.Event(), []

    async def wait() -> None:
        task = asyncio.ensure_future(backend.asing("a"))
        await settle(lambda: len(backend._batchings.get("default", ())) == 1)
        ready.set()
        results.extend(await asyncio.gather(task, return_exceptions=True))

    thread = threading.Thread(target=asyncio.run, args=(wait(),), daemon=True)
    thread.start()
    ready.wait(5)
    backend.close()
    thread.join(5)
    assert [type(result) for result in results] == [errors.ClosedError]
    assert hall.sizes == []


def test_threads_share_through_the_synchronous_twin() -> None:
    hall, texts = Hall(), {}
    with choir(hall) as backend:

        def sing(number: int) -> None:
            texts[number] = backend.sing(f"{number}").text

        threads = [threading.Thread(target=sing, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert hall.sizes == [4]
    assert texts == {number: f"C:{number}" for number in range(4)}


def test_loops_never_wait_for_one_another() -> None:
    """One after the other and at once: each fills batches of its own."""
    hall = Hall()
    backend = choir(hall, max_batch_size=2)

    async def two() -> None:
        await asyncio.gather(backend.asing("a"), backend.asing("b"))

    asyncio.run(two())
    threads = [threading.Thread(target=asyncio.run, args=(two(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hall.sizes == [2, 2, 2, 2]
    assert backend._batchings["default"]._desks == {}
    backend.close()


def test_a_loop_that_ends_takes_its_waiting_along() -> None:
    """``asyncio.run`` cancels them; nothing is sent and nothing is kept."""
    hall = Hall()
    backend = choir(hall)

    async def leave() -> None:
        asyncio.ensure_future(backend.asing("a"))  # noqa: RUF006 - it is left behind on purpose
        await settle(lambda: len(backend._batchings.get("default", ())) == 1)

    asyncio.run(leave())
    assert (hall.sizes, counted(backend)) == ([], (1, 0, 0, 1))
    assert backend._batchings["default"]._desks == {}
    backend.close()


class Broken(Choir):
    """Its own code fails behind the wire."""

    def _parted(self, members: Any, replies: Any) -> list[Any]:
        raise RuntimeError("a bug")


async def test_a_bug_reaches_everybody() -> None:
    """Nobody waits for ever, whatever was raised."""
    async with choir(Hall(), Broken) as backend:
        results = await asyncio.gather(*[backend.asing("a") for _ in range(4)], return_exceptions=True)
        assert [type(result) for result in results] == [RuntimeError] * 4
        assert held(backend) == []


async def test_a_provider_that_takes_one_line_at_a_time() -> None:
    """Found out once, by halves of halves; everybody is served all the same."""
    hall = Hall(most=1)
    async with choir(hall) as backend:
        for _ in range(2):
            replies = await asyncio.gather(*[backend.asing(f"{number}") for number in range(4)])
            assert [reply.text for reply in replies] == ["C:0", "C:1", "C:2", "C:3"]
        assert sorted(hall.sizes, reverse=True) == [4, 2, 2] + [1] * 8


def test_a_batch_leaves_when_its_first_member_has_waited_long_enough() -> None:
    """Each group at its own time, to the moment, and not before."""
    loop, hall = VirtualTimeLoop(), Hall()

    async def work() -> list[float]:
        begun, ends = loop.time(), []
        async with choir(hall, clock=LoopClock(loop), batch_timeout=3.0) as backend:

            async def sing(after: float, key: str) -> None:
                await asyncio.sleep(after)
                await backend.asing("a", key=key)
                ends.append(round(loop.time() - begun, 2))

            await asyncio.gather(sing(0.0, "C"), sing(1.0, "D"), sing(2.0, "C"), sing(7.0, "C"))
        return ends

    try:
        assert loop.run_until_complete(work()) == [3.0, 3.0, 4.0, 10.0]
        assert hall.sizes == [2, 1, 1]
    finally:
        loop.finish()


async def test_who_leaves_the_waiting_takes_nobody_along() -> None:
    """The others wait on together, and who comes later joins them."""
    hall = Hall()
    async with choir(hall, max_batch_size=3) as backend:

        def waiting() -> int:
            return len(backend._batchings.get("default", ()))

        first, second = (asyncio.create_task(backend.asing(text)) for text in "ab")
        await settle(lambda: waiting() == 2)
        second.cancel()
        await settle(lambda: waiting() == 1)
        replies = await asyncio.gather(first, backend.asing("c"), backend.asing("d"))
        assert [reply.text for reply in replies] == ["C:a", "C:c", "C:d"]
        assert hall.sizes == [3]


class Endless(Hall):
    """Never answers; knows who hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 0

    async def handle_async_request(self, request: Any) -> Any:
        await super().handle_async_request(request)
        try:
            await asyncio.Event().wait()
        finally:
            self.left += 1


async def test_a_journey_ends_when_nobody_is_left_on_it() -> None:
    """Not before: who stays is still served."""
    hall = Endless()
    async with choir(hall, max_batch_size=2) as backend:
        calls = [asyncio.create_task(backend.asing(text)) for text in "ab"]
        await settle(lambda: hall.sizes == [2])
        calls[0].cancel()
        await asyncio.gather(calls[0], return_exceptions=True)
        for _ in range(10):
            await asyncio.sleep(0)
        assert hall.left == 0
        calls[1].cancel()
        await settle(lambda: hall.left == 1)
        await asyncio.gather(*calls, return_exceptions=True)
        assert (held(backend), counted(backend)) == ([], (2, 0, 0, 2))


class Short(Choir):
    """Loses a reply behind the wire."""

    def _parted(self, members: Any, replies: Any) -> list[Any]:
        return super()._parted(members, replies)[:-1]


async def test_replies_that_do_not_add_up_leave_nobody_waiting() -> None:
    async with choir(Hall(), Short) as backend:
        async with asyncio.timeout(5):
            results = await asyncio.gather(*[backend.asing("a") for _ in range(4)], return_exceptions=True)
        assert isinstance(results[-1], ValueError)
        assert held(backend) == []
