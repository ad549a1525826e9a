"""Limits on the path of a call: who is held back while no key has budget, what an adaptive limit is told, what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from base_bench import Parrot, Turning, _read, held, parrot
from clocks import Hurried
from test_base_endpoint import Slow, virtually

from backends import S3Kit, errors
from backends.operation import CallOptions, Operation
from backends.telemetry.events import CallEnded
from backends.types import ChatReply
from conformance.virtual_time import LoopClock, VirtualTimeLoop


def limited(loop: VirtualTimeLoop, transport: httpx.AsyncBaseTransport, **settings: Any) -> Any:
    return parrot(transport, clock=LoopClock(loop), **settings)


def test_whoever_gives_up_waiting_for_budget_lets_the_next_one_look() -> None:
    """The one that holds the others back is cancelled; they go on when their time comes, in order."""

    async def story(loop: VirtualTimeLoop) -> None:
        transport = Slow(0.0)
        backend = limited(loop, transport, requests_per_minute=1)
        await backend.asay()
        first, second = (loop.create_task(backend.asay()) for _ in range(2))
        await asyncio.sleep(1)
        assert backend.queue_status()["held_back_seconds"] > 50
        first.cancel()
        began = loop.time()
        await second
        assert loop.time() - began < 61
        assert transport.sent == 2
        assert held(backend) == []
        await backend.aclose()

    virtually(story)


def test_a_budget_holds_for_a_server_without_keys() -> None:
    async def story(loop: VirtualTimeLoop) -> None:
        transport = Slow(0.0)
        backend = limited(loop, transport, requests_per_minute=2)
        backend._declared["default"] = ("https://parrot.invalid/v1", (), backend.settings)
        began = loop.time()
        await asyncio.gather(*(backend.asay() for _ in range(4)))
        assert 60 <= loop.time() - began <= 61
        await backend.aclose()

    virtually(story)


def test_tokens_are_estimated_and_settled() -> None:
    """Each call is estimated at 100 tokens and uses 5: the second waits only until the first has ended."""

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Slow(1.0), tokens_per_minute=105)
        began = loop.time()
        for _ in range(2):
            await backend.asay(extra_body={"max_tokens": 100})
        assert loop.time() - began == pytest.approx(2.0, abs=0.1)
        (key,) = backend.report()["keys"]
        assert [(rate["kind"], rate["left"]) for rate in key["rates"]] == [("tokens", 95)]
        await backend.aclose()

    virtually(story)


def test_a_wait_for_the_queue_is_no_response_time() -> None:
    """Twenty calls through few slots: the last waits long, the usual time is that of one."""

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Slow(2.0), adaptive_concurrency=True, max_concurrent_requests=2, queue_size=100)
        await asyncio.gather(*(backend.asay() for _ in range(20)))
        adaptive = backend.queue_status()["adaptive"]
        assert adaptive["usual_seconds"] == pytest.approx({"say parrot-1": 2.0}, abs=0.01)
        backend.resize(max_concurrent_requests=1)
        assert backend.queue_status()["max_concurrent_requests"] == 1
        assert backend.queue_status()["adaptive"]["change"] == "resized"
        await backend.aclose()

    virtually(story)


def test_a_stream_counts_with_the_time_to_its_first_content() -> None:
    class Streaming(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Words(), request=request)

    class Words(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            for word in (b"one\n", b"two\n", b"END\n"):
                await asyncio.sleep(3.0)
                yield word

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Streaming(), adaptive_concurrency=True)
        await backend.astream_say().collect()
        queue = backend.queue_status()
        assert queue["adaptive"]["usual_seconds"] == pytest.approx({"say parrot-1": 3.0}, abs=0.1)
        assert queue["service_seconds"] == pytest.approx(9.0, abs=0.1), "the slot was held to the end"
        await backend.aclose()

    virtually(story)


def test_weights_that_do_not_fit_the_keys_are_refused_by_name() -> None:
    backend = parrot(api_keys=["sk-1", "sk-2"], key_strategy="weighted", key_weights=[1, 2, 3])
    with pytest.raises(errors.ConfigurationError, match="key_weights: there are 2 keys and 3 weights"):
        backend.endpoint()


@pytest.mark.parametrize("setting", [{"tokens_per_minute": 5}, {"rate_limit_headers": True}])
def test_budgets_of_tokens_are_refused_where_there_are_none(setting: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigurationError, match="tokens_per_minute"):
        S3Kit(**setting)


def test_what_a_queue_says_of_itself() -> None:
    """Every figure, while one call is on the wire and two wait."""

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Slow(4.0), max_concurrent_requests=1, queue_size=2, max_queue_wait=90.0)
        await backend.asay()
        calls = [loop.create_task(backend.asay(priority=level)) for level in (1, 0, 2)]
        await asyncio.sleep(1.0)
        with pytest.raises(errors.QueueFullError, match="2 requests are waiting"):
            await backend.asay()
        status = backend.queue_status()
        assert status["service_seconds"] == pytest.approx(4.0, abs=1e-3)
        assert status["expected_wait_seconds"] == pytest.approx(8.0, abs=1e-3), "one of its level or above goes before"
        assert status["oldest_wait_seconds"] == pytest.approx(1.0, abs=1e-3)
        assert {name: status[name] for name in status if not name.endswith("_seconds")} == {
            "active": 1,
            "max_concurrent_requests": 1,
            "queue_size": 2,
            "waiting": {"high": 1, "normal": 0, "low": 1, "total": 2},
            "granted": 2,
            "rejected": 1,
            "dropped": 0,
            "peak_active": 1,
            "adaptive": None,
            "max_queue_wait": 90.0,
            "retry_budget": {"left": 50.0, "granted": 0, "denied": 0},
            "breaker": "closed",
            "keys": {"ready": 1, "cooling": 0, "retired": 0},
            "rates": [],
        }
        assert status["held_back_seconds"] == 0.0
        await asyncio.gather(*calls)
        assert backend.queue_status()["expected_wait_seconds"] == 0.0
        await backend.aclose()

    virtually(story)


def test_without_a_retry_budget_none_is_told() -> None:
    assert parrot(retry_budget=None).queue_status()["retry_budget"] is None


async def test_what_a_breaker_says_of_itself() -> None:
    """Every figure, after it has opened."""
    clock = Hurried()
    backend = parrot(Turning(500, 500, 200), clock=clock, max_retries=0, failure_threshold=2, reset_timeout=7.0)
    for _ in range(2):
        with pytest.raises(errors.ServerError):
            await backend.asay()
    clock.now += 3.0
    assert backend.endpoint().breaker_status() == {
        "state": "open",
        "failures": 2,
        "failure_threshold": 2,
        "reset_timeout": 7.0,
        "opened": 1,
        "retry_after": 4.0,
        "transitions": [
            {
                "from": "closed",
                "to": "open",
                "monotonic": clock.now - 3.0,
                "wall": clock.time() - 3.0,
                "reason": "2 failures in a row",
            }
        ],
    }
    clock.now += 4.0
    await backend.asay()
    told = backend.endpoint().breaker_status()
    assert (told["state"], told["failures"], told["retry_after"]) == ("closed", 0, 0.0)
    assert told["transitions"][1:] == [
        {"from": before, "to": after, "monotonic": clock.now, "wall": clock.time(), "reason": reason}
        for before, after, reason in (
            ("open", "half_open", "the reset timeout passed"),
            ("half_open", "closed", "the probe succeeded"),
        )
    ]
    await backend.aclose()


@pytest.mark.parametrize("given_up", [False, True])
def test_a_wait_in_the_queue_that_would_be_too_long_is_refused(given_up: bool) -> None:
    """By what slots are usually held for; nothing is sent, and it counts as turned away."""

    async def story(loop: VirtualTimeLoop) -> None:
        transport = Slow(4.0)
        backend = limited(loop, transport, max_concurrent_requests=1, max_queue_wait=3.9 if given_up else 4.1)
        await backend.asay()
        first = loop.create_task(backend.asay())
        await asyncio.sleep(0)
        if given_up:
            with pytest.raises(errors.QueueFullError, match=r"in 4 s, max_queue_wait is 3\.9 s"):
                await backend.asay()
        else:
            await backend.asay()
        await first
        assert backend.queue_status()["rejected"] == int(given_up)
        assert transport.sent == 3 - given_up
        await backend.aclose()

    virtually(story)


def test_who_waits_for_budget_longer_than_it_may_fails_and_holds_nobody_back() -> None:
    """The others take what there is; a call without a bound waits for its minute."""

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Slow(0.0), requests_per_minute=1, max_retry_after=1.0)
        await backend.asay()
        for bound in ({"patience": 30.0}, {"deadline": 30.0}):
            with pytest.raises(
                errors.RateLimitError, match="cooling down or out of its rate limit for another"
            ) as caught:
                await backend.asay(**bound)
            assert 59.0 < caught.value.retry_after < 62.0
            assert backend.queue_status()["held_back_seconds"] == 0.0
        began = loop.time()
        await backend.asay()
        assert 59.0 < loop.time() - began < 62.0, "a minute's budget is no server's whim"
        assert held(backend) == []
        await backend.aclose()

    virtually(story)


def test_who_waits_for_the_budget_of_one_key_holds_nobody_back() -> None:
    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Slow(0.0), api_keys=["sk-1", "sk-2"], requests_per_minute=1)
        first, second = (row.fingerprint for row in backend.endpoint().key_status())
        await backend.asay(use_key=first)
        waiting = loop.create_task(backend.asay(use_key=first))
        await asyncio.sleep(1)
        assert backend.queue_status()["held_back_seconds"] == 0.0
        began = loop.time()
        await backend.asay(use_key=second)
        assert loop.time() - began < 1
        await waiting
        await backend.aclose()

    virtually(story)


@pytest.mark.parametrize(("status", "cut"), [(429, True), (503, True), (529, True), (500, False), (400, False)])
def test_who_was_asked_too_much_is_asked_less(status: int, cut: bool) -> None:
    """What the server refused for want of room cuts an adaptive limit; a failure of its own does not."""

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(
            loop, Slow(1.0, status=status), adaptive_concurrency=True, max_concurrent_requests=10, max_retries=0
        )
        with pytest.raises(errors.BackendError):
            await backend.asay()
        queue = backend.queue_status()
        assert queue["max_concurrent_requests"] == queue["adaptive"]["now"] == (7 if cut else 10)
        assert queue["adaptive"]["change"] == ("refused" if cut else "start")
        await backend.aclose()

    virtually(story)


def test_a_429_within_the_budget_lowers_the_budget() -> None:
    """The key's own, or that of a server without keys."""

    async def story(loop: VirtualTimeLoop) -> None:
        for keyless in (False, True):
            backend = limited(loop, Slow(0.0, status=429), requests_per_minute=10, max_retries=0)
            if keyless:
                backend._declared["default"] = ("https://parrot.invalid/v1", (), backend.settings)
            with pytest.raises(errors.RateLimitError):
                await backend.asay()
            endpoint = backend.endpoint()
            budgets = endpoint.keyless.status(loop.time()) if keyless else endpoint.key_status()[0].rates
            assert [budget["limit"] for budget in budgets] == [5]
            await backend.aclose()

    virtually(story)


@pytest.mark.parametrize(("obeyed", "waits"), [(True, 30.0), (False, 0.0)])
def test_what_headers_say_of_a_key_is_learned(obeyed: bool, waits: float) -> None:
    """And kept to, where that is asked for."""

    class Telling(Slow):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            answer.headers.update(
                {
                    "x-ratelimit-limit-requests": "60",
                    "x-ratelimit-remaining-requests": "0",
                    "x-ratelimit-reset-requests": "30s",
                }
            )
            return answer

    async def story(loop: VirtualTimeLoop) -> None:
        settings = {"rate_limit_headers": True} if obeyed else {"key_strategy": "most_headroom"}
        backend = limited(loop, Telling(0.0), **settings)
        await backend.asay()
        (row,) = backend.endpoint().key_status()
        assert row.headroom == 0.0
        assert [(rate["limit"], rate["left"]) for rate in row.rates] == [(60, 0)]
        began = loop.time()
        await backend.asay()
        assert loop.time() - began == pytest.approx(waits, abs=0.1)
        await backend.aclose()

    virtually(story)


@pytest.mark.parametrize(("keys", "between"), [(1, 30.0), (2, 15.0)])
def test_while_budgets_hold_everybody_back_their_pace_is_the_wait(keys: int, between: float) -> None:
    """Each that stands before adds what lies between two requests, over all keys."""

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(
            loop, Slow(0.0), requests_per_minute=2, api_keys=[f"sk-{number}" for number in range(keys)], queue_size=100
        )
        for _ in range(2 * keys):
            await backend.asay()
        calls = [loop.create_task(backend.asay()) for _ in range(4)]
        await asyncio.sleep(10.0)
        status = backend.queue_status()
        assert (status["active"], status["waiting"]["total"]) == (0, 3), "one holds the others back"
        held_back = status["held_back_seconds"]
        assert 45 < held_back < 52
        assert status["expected_wait_seconds"] == pytest.approx(held_back + 3 * between)
        await asyncio.gather(*calls)
        assert backend.queue_status()["expected_wait_seconds"] == 0.0
        await backend.aclose()

    virtually(story)


def test_a_key_that_has_cooled_is_taken_before_a_busy_one_comes_free() -> None:
    """Whoever waits because all keys are busy is woken by the one that cools, if that is sooner."""

    class Uneven(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self.came: list[tuple[str, float]] = []

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            key = request.headers["authorization"].removeprefix("Bearer ")
            self.came.append((key, round(asyncio.get_running_loop().time() - began, 3)))
            if key == "sk-1":
                await asyncio.sleep(100.0)
            elif len(self.came) == 2:
                return httpx.Response(429, headers={"retry-after": "5"}, request=request)
            return httpx.Response(200, json={"text": "hi"}, request=request)

    began = 0.0

    async def story(loop: VirtualTimeLoop) -> None:
        nonlocal began
        began, transport = loop.time(), Uneven()
        backend = limited(loop, transport, api_keys=["sk-1", "sk-2"], per_key_limit=1, max_retries=0, jitter=0.0)
        first = loop.create_task(backend.asay())
        await asyncio.sleep(0)
        assert (await backend.asay()).attempts == 2
        assert transport.came == [("sk-1", 0.0), ("sk-2", 0.0), ("sk-2", 5.0)]
        await first
        await backend.aclose()

    virtually(story)


@pytest.mark.parametrize(("status", "left"), [(500, 900), (400, 1000), (429, 500)])
def test_tokens_of_what_was_refused_were_not_used(status: int, left: int) -> None:
    """Those of a call that failed for want of an answer may have been. (A 429 also lowers the budget.)"""

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Slow(1.0, status=status), tokens_per_minute=1000, max_retries=0)
        with pytest.raises(errors.BackendError):
            await backend.asay(extra_body={"max_tokens": 100})
        (row,) = backend.endpoint().key_status()
        assert [rate["left"] for rate in row.rates] == [left]
        await backend.aclose()

    virtually(story)


def test_whoever_comes_after_the_time_is_up_lets_the_waiting_in() -> None:
    """They were held back by somebody who never came to let them on."""

    async def story(loop: VirtualTimeLoop) -> None:
        endpoint = limited(loop, Slow(0.0), max_concurrent_requests=2).endpoint()
        await endpoint.enter(1)
        endpoint.leave(hold_back_until=loop.time() + 10.0)
        waiting = loop.create_task(endpoint.enter(1))
        await asyncio.sleep(9.0)
        late = loop.create_task(endpoint.enter(1))
        await asyncio.sleep(2.0)
        assert not waiting.done()
        third = loop.create_task(endpoint.enter(1))
        await asyncio.sleep(0.1)
        assert (waiting.done(), late.done(), third.done()) == (True, True, False)
        endpoint.leave()
        await third

    virtually(story)


class Early(LoopClock):
    """Wakes a sleeper of a second or more a rounding error before its time."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds - 1e-7 if seconds >= 1.0 else seconds)


def test_whoever_holds_the_others_back_lets_them_on_even_if_it_wakes_too_early() -> None:
    async def story(loop: VirtualTimeLoop) -> None:
        transport = Slow(0.0)
        backend = parrot(transport, clock=Early(loop), requests_per_minute=1)
        await backend.asay()
        began = loop.time()
        await asyncio.gather(*(backend.asay() for _ in range(2)))
        assert loop.time() - began == pytest.approx(121.0)
        assert transport.sent == 3
        await backend.aclose()

    virtually(story)


class Scripted(httpx.AsyncBaseTransport):
    """Answers in turn with a status after so many seconds; a 429 asks for two more."""

    def __init__(self, *answers: tuple[float, int]) -> None:
        self._answers = list(answers)
        self.sent = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        seconds, status = self._answers.pop(0)
        await asyncio.sleep(seconds)
        headers = {"retry-after": "2"} if status == 429 else {}
        return httpx.Response(status, headers=headers, json={"text": "hi"}, request=request)


@pytest.mark.parametrize("comes_from", ["a failure", "a busy key", "a cooling key"])
def test_who_comes_back_while_another_holds_all_back_waits_with_them(comes_from: str) -> None:
    """It has held nobody back itself, so it lets nobody on."""

    async def story(loop: VirtualTimeLoop) -> None:
        first = {"a failure": (2.0, 500), "a busy key": (2.0, 200), "a cooling key": (0.0, 429)}[comes_from]
        transport = Scripted(first, (0.0, 200))
        retries = int(comes_from == "a failure")
        backend = limited(loop, transport, per_key_limit=1, max_retries=retries, jitter=0.0)
        calls = [loop.create_task(backend.asay())]
        await asyncio.sleep(0.5)
        if not retries:
            calls.append(loop.create_task(backend.asay()))
        await asyncio.sleep(0)
        endpoint = backend.endpoint()
        await endpoint.enter(1)
        endpoint.leave(hold_back_until=loop.time() + 60.0)
        await asyncio.sleep(10.0)
        status = backend.queue_status()
        assert (transport.sent, status["active"], status["waiting"]["total"]) == (1, 0, 1)
        assert status["held_back_seconds"] == pytest.approx(50.0, abs=0.1)
        endpoint.let_on()
        await asyncio.gather(*calls, return_exceptions=True)
        assert transport.sent == 2
        await backend.aclose()

    virtually(story)


def test_all_waits_in_the_queue_are_told_together() -> None:
    """Four seconds before the first attempt, and two before its repeat."""

    async def story(loop: VirtualTimeLoop) -> None:
        waits: list[float] = []

        def observe(event: Any) -> None:
            if isinstance(event, CallEnded):
                waits.append(event.queued)

        transport = Scripted((4.0, 200), (0.0, 503), (3.0, 200), (0.0, 200))
        backend = limited(loop, transport, max_concurrent_requests=1, jitter=0.0, observers=[observe])
        await asyncio.gather(*(backend.asay() for _ in range(3)))
        assert sorted(waits) == pytest.approx([0.0, 4.0, 6.0], abs=1e-3)
        await backend.aclose()

    virtually(story)


@pytest.mark.parametrize("taken_out", [True, False])
def test_a_repeat_that_finds_no_key_ends_with_what_made_it_one(taken_out: bool) -> None:
    """The key was taken out while it waited, or cools for longer than is borne."""

    async def story(loop: VirtualTimeLoop) -> None:
        transport = Scripted((0.0, 500), (0.5, 429))
        backend = limited(loop, transport, jitter=0.0, max_retry_after=1.0, initial_retry_delay=1.5)
        call = loop.create_task(backend.asay())
        await asyncio.sleep(0.1)
        with pytest.raises(errors.BackendError):
            await backend.asay()
        if taken_out:
            backend.remove_key(backend.endpoint().key_status()[0].fingerprint)
        with pytest.raises(errors.BackendError) as caught:
            await call
        failure = caught.value if taken_out else caught.value.__cause__
        assert isinstance(failure, errors.ServerError)
        assert (failure.status, transport.sent) == (500, 2)
        await backend.aclose()

    virtually(story)


def test_a_breaker_that_opens_while_a_call_waits_for_its_slot_refuses_it() -> None:
    async def story(loop: VirtualTimeLoop) -> None:
        transport = Slow(2.0, status=500)
        backend = limited(loop, transport, max_concurrent_requests=1, failure_threshold=1, max_retries=0)
        calls = [loop.create_task(backend.asay()) for _ in range(2)]
        failed, refused = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(failed, errors.ServerError)
        assert isinstance(refused, errors.ServiceUnavailableError)
        assert refused.message == (
            "The circuit breaker of endpoint 'default' is open; nothing was sent. Come back in 30 s."
        )
        assert (transport.sent, held(backend)) == (1, [])
        await backend.aclose()

    virtually(story)


class Told(Slow):
    """Says what is left of a minute's requests."""

    def __init__(self, reset: str, status: int = 200) -> None:
        super().__init__(0.0, status=status)
        self._reset = reset

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        answer.headers.update(
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": self._reset,
            }
        )
        return answer


@pytest.mark.parametrize(("reset", "waits"), [("61s", True), ("61.5s", False)])
def test_a_minute_and_the_second_that_it_began_in_are_waited_for_and_no_longer(reset: str, waits: bool) -> None:
    """What the caller bears is less; only a minute's budget is waited for all the same."""

    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Told(reset), rate_limit_headers=True, max_retry_after=1.0)
        await backend.asay()
        if waits:
            await backend.asay()
        else:
            with pytest.raises(errors.RateLimitError) as caught:
                await backend.asay()
            assert caught.value.retry_after == pytest.approx(61.5, abs=1e-3)
        await backend.aclose()

    virtually(story)


@pytest.mark.parametrize("status", [400, 500])
def test_the_headers_of_a_failure_are_heard_as_well(status: int) -> None:
    async def story(loop: VirtualTimeLoop) -> None:
        backend = limited(loop, Told("30s", status), rate_limit_headers=True, max_retries=0)
        with pytest.raises(errors.BackendError):
            await backend.asay()
        (row,) = backend.endpoint().key_status()
        assert [(rate["limit"], rate["left"]) for rate in row.rates] == [(60, 0)]
        await backend.aclose()

    virtually(story)


def test_an_adaptive_limit_begins_below_a_high_ceiling_and_tells_calls_apart() -> None:
    """By their name and their model, where they have one."""

    class Nameless(Parrot):
        async def alist(self) -> ChatReply:
            return await self._perform(Operation("list", _read, "/list", body={}), CallOptions())

    async def story(loop: VirtualTimeLoop) -> None:
        backend = Nameless(
            transport=Slow(2.0),
            clock=LoopClock(loop),
            environ={},
            api_key="sk-parrot-1",
            adaptive_concurrency=True,
            max_concurrent_requests=50,
        )
        assert backend.queue_status()["max_concurrent_requests"] == 20
        await backend.asay()
        await backend.alist()
        usual = backend.queue_status()["adaptive"]["usual_seconds"]
        assert set(usual) == {"say parrot-1", "list"}
        await backend.aclose()

    virtually(story)


async def test_budgets_of_a_server_without_keys_are_told() -> None:
    backend = parrot(requests_per_minute=2)
    backend._declared["default"] = ("https://parrot.invalid/v1", (), backend.settings)
    await backend.asay()
    assert backend.queue_status()["rates"] == [
        {"key": None, "kind": "requests", "source": "declared", "limit": 2, "left": 1, "resets_in": None}
    ]
    await backend.aclose()


@pytest.mark.parametrize(
    ("budget", "waits"), [({"requests_per_minute": 2}, 10.0 + 30.0), ({"tokens_per_minute": 100}, 10.0)]
)
async def test_what_is_expected_of_a_wait_while_all_are_held_back(budget: dict[str, int], waits: float) -> None:
    """A budget of tokens alone says nothing of the time between two requests. When the time is up, the slots alone count:
    one goes before, and for ten seconds none of the five has moved."""
    clock = Hurried()
    endpoint = parrot(clock=clock, **budget).endpoint()
    await endpoint.enter(1)
    endpoint.leave(hold_back_until=clock.now + 10.0)
    waiting = asyncio.create_task(endpoint.enter(1))
    await asyncio.sleep(0)
    assert endpoint.status()["expected_wait_seconds"] == waits
    clock.now += 10.0
    assert endpoint.status()["expected_wait_seconds"] == 2 * 10.0 / 5
    endpoint.let_on()
    await waiting
    endpoint.leave()
