"""The path of a call, answer by answer: which key goes next, how long it waits, who learns, and which error is the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from base_bench import PARROT, Parrot, held, parrot, settle
from clocks import Hurried

from backends import errors
from backends.telemetry.events import AttemptEnded


@dataclass
class Say:
    """One answer of the server."""

    status: int
    after: float | None = None
    should: str | None = None


class Wire(httpx.AsyncBaseTransport):
    """Answers in turn and keeps which key came when; an answer that is an error is raised.

    Args:
        clock: whose time is kept.
        answers: what to say; the last one for ever.
    """

    def __init__(self, clock: Hurried, *answers: Say | type[httpx.TransportError]) -> None:
        self._clock = clock
        self._answers = list(answers)
        self.came: list[tuple[str, float]] = []

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.came]

    @property
    def moments(self) -> list[float]:
        return [round(moment, 6) for _, moment in self.came]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.came.append((key, self._clock.now - 1_000.0))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not isinstance(answer, Say):
            raise answer("no", request=request)
        headers = {} if answer.after is None else {"retry-after": f"{answer.after:g}"}
        headers |= {} if answer.should is None else {"x-should-retry": answer.should}
        return httpx.Response(answer.status, headers=headers, json={"text": "hi"}, request=request)


class Keyless(Parrot):
    """Takes no key."""

    provider = replace(PARROT, key_required=False)


def path(*answers: Say | type[httpx.TransportError], keys: int = 1, **settings: Any) -> tuple[Parrot, Wire]:
    """A backend of so many keys without jitter, and the server behind it."""
    clock = Hurried()
    wire = Wire(clock, *answers)
    settings = {
        "clock": clock,
        "jitter": 0.0,
        "api_keys": [f"sk-{number}" for number in range(1, keys + 1)],
        **settings,
    }
    return parrot(wire, **settings), wire


async def fails(backend: Parrot, **options: Any) -> errors.BackendError:
    """Call, and return the error that it ends with."""
    with pytest.raises(errors.BackendError) as caught:
        await backend.asay(**options)
    assert held(backend) == []
    return caught.value


OK, BUSY, REFUSED, DOWN = Say(200), Say(429), Say(401), Say(500)


# -- a server that takes no key ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trouble", "moment"), [(DOWN, 1.0), (BUSY, 1.0), (Say(429, after=7.0), 7.0)])
async def test_without_keys_a_failure_is_waited_out(trouble: Say, moment: float) -> None:
    clock = Hurried()
    wire = Wire(clock, trouble, OK)
    async with Keyless(transport=wire, clock=clock, environ={}, jitter=0.0) as backend:
        reply = await backend.asay()
        assert (reply.attempts, wire.came) == (2, [("", 0.0), ("", moment)])


# -- which key goes next -------------------------------------------------------------------------------------------------


async def test_a_busy_key_makes_way_for_the_next_at_once() -> None:
    """It cools for as long as its server asked, and no retry is spent on that."""
    backend, wire = path(Say(429, after=7.0), OK, keys=2, max_retries=0)
    reply = await backend.asay()
    assert (wire.came, reply.attempts) == ([("sk-1", 0.0), ("sk-2", 0.0)], 2)
    first, second = backend.endpoint().key_status()
    assert (first.state, first.cooling_for, second.state) == ("cooling", 7.0, "ready")
    assert backend.endpoint().breaker_status()["failures"] == 0
    await backend.aclose()


async def test_a_busy_key_of_which_nobody_says_how_long_cools_for_the_first_wait() -> None:
    backend, _ = path(BUSY, OK, keys=2, initial_retry_delay=3.0)
    await backend.asay()
    assert backend.endpoint().key_status()[0].cooling_for == 3.0
    await backend.aclose()


async def test_when_all_keys_are_busy_the_one_that_is_ready_first_is_waited_for() -> None:
    backend, wire = path(Say(429, after=2.0), Say(429, after=10.0), OK, keys=2)
    await backend.asay()
    assert wire.came == [("sk-1", 0.0), ("sk-2", 0.0), ("sk-1", 2.0)]
    await backend.aclose()


async def test_callers_told_the_same_come_back_apart() -> None:
    """A share of the wait is added, never taken away."""
    backend, wire = path(Say(429, after=10.0), Say(429, after=2.0), OK, keys=2, jitter=0.5, random=lambda: 0.5)
    await backend.asay()
    assert wire.moments == [0.0, 0.0, 2.5]
    await backend.aclose()


async def test_a_key_that_is_ready_sooner_does_not_shorten_the_wait_of_a_retry() -> None:
    """Where the server named no time of its own."""
    backend, wire = path(Say(429, after=0.25), BUSY, OK, keys=2, initial_retry_delay=2.0)
    await backend.asay()
    assert wire.moments == [0.0, 0.0, 2.0]
    await backend.aclose()


async def test_a_key_that_cools_for_less_time_than_the_last_was_told_ends_the_wait() -> None:
    backend, wire = path(BUSY, Say(429, after=5.0), OK, keys=2)
    await backend.asay()
    assert wire.came == [("sk-1", 0.0), ("sk-2", 0.0), ("sk-1", 1.0)]
    await backend.aclose()


@pytest.mark.parametrize(("refusal", "reason"), [(REFUSED, "401"), (Say(402), "402"), (Say(403), "403")])
async def test_a_refused_key_is_retired_and_the_next_one_goes(refusal: Say, reason: str) -> None:
    """Whatever the number of retries; the row of the key says why."""
    backend, wire = path(refusal, OK, keys=2, max_retries=0)
    reply = await backend.asay()
    assert (wire.came, reply.attempts) == ([("sk-1", 0.0), ("sk-2", 0.0)], 2)
    row = backend.endpoint().key_status()[0]
    assert (row.state, row.reason, row.failures) == ("retired", reason, 1)
    await backend.aclose()


async def test_when_every_key_is_refused_the_last_refusal_is_the_error() -> None:
    backend, wire = path(REFUSED, Say(403), keys=2)
    error = await fails(backend)
    assert (error.status, error.attempts, len(wire.came)) == (403, 2, 2)
    await backend.aclose()


async def test_a_call_that_named_its_key_goes_with_no_other() -> None:
    """It waits for it while it is busy, and fails when it is refused."""
    backend, wire = path(Say(429, after=3.0), OK, REFUSED, keys=2)
    name = backend.endpoint().key_status()[1].fingerprint
    await backend.asay(use_key=name)
    assert wire.came == [("sk-2", 0.0), ("sk-2", 3.0)]
    assert (await fails(backend, use_key=name)).status == 401
    assert wire.keys == ["sk-2"] * 3
    await backend.aclose()


async def test_after_a_wait_every_key_may_be_tried_again() -> None:
    backend, wire = path(Say(429, after=1.0), Say(429, after=1.0), Say(429, after=1.0), OK, keys=2)
    await backend.asay()
    assert wire.came == [("sk-1", 0.0), ("sk-2", 0.0), ("sk-1", 1.0), ("sk-2", 1.0)]
    await backend.aclose()


# -- who learns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "keys", "failures"),
    [
        ((DOWN,), 1, 3),
        ((DOWN,), 2, 2),  # of the three, the one on the other key is no news
        ((DOWN, Say(502), DOWN), 3, 2),
        ((httpx.ReadError,), 2, 2),
        ((httpx.ReadError, DOWN), 3, 2),
        ((Say(408),), 1, 0),
        ((Say(409),), 2, 0),
        ((Say(429, after=0.0),), 1, 0),
        ((Say(400),), 1, 0),
    ],
)
async def test_what_the_breaker_learns_of_one_call(answers: tuple[Any, ...], keys: int, failures: int) -> None:
    """The same failure on two keys speaks once; answers that are no outage do not speak at all."""
    backend, _ = path(*answers, keys=keys, max_retries=2)
    await fails(backend)
    assert backend.endpoint().breaker_status()["failures"] == failures
    await backend.aclose()


@pytest.mark.parametrize("alive", [Say(400), Say(429, after=0.0), REFUSED])
async def test_a_probe_that_is_answered_closes_the_breaker(alive: Say) -> None:
    """Whatever the answer says: the server is there."""
    backend, _ = path(DOWN, alive, failure_threshold=1, max_retries=0, reset_timeout=5.0)
    await fails(backend)
    assert backend.endpoint().breaker_status()["state"] == "open"
    await backend.endpoint().clock.sleep(5.0)
    await fails(backend)
    assert backend.endpoint().breaker_status()["state"] == "closed"
    await backend.aclose()


async def test_a_probe_that_fails_opens_it_again_on_whatever_key() -> None:
    backend, wire = path(DOWN, keys=2, failure_threshold=1, max_retries=0, reset_timeout=5.0)
    for _ in range(3):
        await fails(backend)
        assert backend.endpoint().breaker_status()["state"] == "open"
        await backend.endpoint().clock.sleep(5.0)
    assert backend.endpoint().breaker_status()["opened"] == 3
    assert len(wire.came) == 3
    await backend.aclose()


async def test_the_failure_that_opened_the_breaker_says_more_than_its_refusal() -> None:
    """The call that is stopped by it ends with what the server said, and with when to come back."""
    backend, wire = path(DOWN, failure_threshold=2, max_retries=5, reset_timeout=30.0)
    error = await fails(backend)
    assert (type(error), error.status, error.attempts, len(wire.came)) == (errors.ServerError, 500, 2, 2)
    assert error.retry_after == pytest.approx(28.0)
    assert error.message == ("HTTP 500 (The circuit breaker is open now; a probe goes through in 28 s.)")
    refused = await fails(backend)
    assert isinstance(refused, errors.ServiceUnavailableError)
    assert refused.retry_after == pytest.approx(28.0)
    assert len(wire.came) == 2
    await backend.aclose()


# -- how often and how long ----------------------------------------------------------------------------------------------


async def test_waits_grow_and_the_last_failure_is_the_error() -> None:
    backend, wire = path(DOWN, Say(502), DOWN, Say(503), max_retries=3)
    error = await fails(backend)
    assert (error.status, error.attempts, wire.moments) == (503, 4, [0.0, 1.0, 3.0, 7.0])
    assert backend.report()["retries"] == {"500": 2, "502": 1}
    await backend.aclose()


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_an_engine_that_fails_is_asked_once_more_at_most(most: int) -> None:
    backend, wire = path(Say(424, should="true"), max_retries=most)
    await fails(backend)
    assert len(wire.came) == 1 + min(most, 1)
    await backend.aclose()


@pytest.mark.parametrize(("after", "attempts"), [(60.0, 2), (60.5, 1)])
@pytest.mark.parametrize("status", [429, 503])
async def test_a_wait_longer_than_is_bearable_is_not_begun(status: int, after: float, attempts: int) -> None:
    backend, wire = path(Say(status, after=after), max_retries=1, max_retry_after=60.0)
    error = await fails(backend)
    assert (len(wire.came), error.retry_after) == (attempts, after)
    await backend.aclose()


@pytest.mark.parametrize(("patience", "attempts"), [(4.0, 2), (3.9, 1), (0.0, 1), (None, 2)])
async def test_patience_is_the_calls_own(patience: float | None, attempts: int) -> None:
    backend, wire = path(Say(503, after=4.0), max_retries=1)
    error = await fails(backend, patience=patience)
    assert (len(wire.came), error.status) == (attempts, 503)
    await backend.aclose()


@pytest.mark.parametrize(("deadline", "attempts"), [(4.0, 1), (4.5, 2)])
async def test_a_retry_at_the_deadline_is_too_late(deadline: float, attempts: int) -> None:
    backend, wire = path(Say(503, after=4.0), max_retries=1)
    error = await fails(backend, deadline=deadline)
    assert (len(wire.came), error.status) == (attempts, 503)
    if attempts == 1:
        assert isinstance(error, errors.DeadlineExceededError)
        assert (error.retry_after, error.__cause__.status) == (4.0, 503)  # type: ignore[union-attr]
        assert error.message == (
            "The next attempt would start in 4 s, after the deadline; the last one failed: HTTP 503"
        )
    await backend.aclose()


async def test_a_spent_budget_ends_the_retries() -> None:
    """And says so; the count of requests fills it again."""
    backend, wire = path(DOWN, max_retries=5, retry_budget=0.5, retry_reserve=1.0, failure_threshold=100)
    error = await fails(backend)
    assert error.attempts == 2
    assert error.message == ("HTTP 500 (not repeated: the retry budget of this endpoint is spent)")
    for _ in range(2):
        await fails(backend)
    assert len(wire.came) == 5  # two, one, two
    await backend.aclose()


@pytest.mark.parametrize(
    ("answer", "attempts"),
    [(Say(500, should="false"), 1), (Say(400, should="true"), 2), (Say(400), 1), (Say(400, should="maybe"), 1)],
)
async def test_the_servers_word_about_a_repeat_is_obeyed(answer: Say, attempts: int) -> None:
    backend, wire = path(answer, max_retries=1)
    await fails(backend)
    assert len(wire.came) == attempts
    await backend.aclose()


# -- while every key cools -----------------------------------------------------------------------------------------------


async def _cooling(seconds: float, **settings: Any) -> tuple[Parrot, Wire]:
    """A backend whose only key cools for so long."""
    backend, wire = path(Say(429, after=seconds), OK, max_retries=0, **settings)
    await fails(backend)
    return backend, wire


async def test_a_call_waits_for_a_key_without_holding_a_slot() -> None:
    backend, wire = await _cooling(20.0, max_concurrent_requests=1)
    reply = await backend.asay()
    assert (wire.moments, reply.attempts) == ([0.0, 20.0], 1)
    await backend.aclose()


@pytest.mark.parametrize(
    ("settings", "options"),
    [({"max_retry_after": 19.0}, {}), ({}, {"patience": 19.0}), ({}, {"deadline": 20.0}), ({}, {"patience": 0})],
)
async def test_a_key_that_cools_for_too_long_is_not_waited_for(
    settings: dict[str, Any], options: dict[str, Any]
) -> None:
    """By the settings, the call's patience, or its deadline."""
    backend, wire = await _cooling(20.0, **settings)
    error = await fails(backend, **options)
    assert isinstance(error, errors.RateLimitError)
    assert (error.status, error.retry_after, error.attempts, len(wire.came)) == (429, 20.0, 0, 1)
    assert error.message == "Every key of endpoint 'default' is cooling down for another 20 s."
    await backend.aclose()


@pytest.mark.parametrize(
    ("settings", "options"),
    [({"max_retry_after": 20.0}, {}), ({}, {"patience": 20.0}), ({}, {"deadline": 20.5})],
)
async def test_a_key_that_is_ready_just_in_time_is(settings: dict[str, Any], options: dict[str, Any]) -> None:
    backend, _ = await _cooling(20.0, **settings)
    assert (await backend.asay(**options)).text == "hi"
    await backend.aclose()


async def test_the_named_key_is_named_when_it_cools() -> None:
    backend, _ = path(Say(429, after=20.0), OK, keys=2)
    first = backend.endpoint().key_status()[0].fingerprint
    await backend.asay()
    error = await fails(backend, use_key=first, patience=1.0)
    assert error.message == f"Key '{first}' of endpoint 'default' is cooling down for another 20 s."
    await backend.aclose()


async def test_a_key_freed_while_others_cool_is_taken_at_once() -> None:
    """Who waits for a busy key is woken by its release, or by the key that has cooled first."""
    backend, wire = path(OK, keys=1, per_key_limit=1, max_concurrent_requests=3)
    gate = asyncio.Event()
    handle = wire.handle_async_request

    async def gated(request: httpx.Request) -> httpx.Response:
        answer = await handle(request)
        await gate.wait()
        return answer

    wire.handle_async_request = gated  # type: ignore[method-assign]
    calls = [asyncio.create_task(backend.asay()) for _ in range(3)]
    await settle(lambda: len(backend.endpoint()._key_waiters) == 2)
    assert backend.queue_status()["active"] == 1
    gate.set()
    assert [reply.attempts for reply in await asyncio.gather(*calls)] == [1, 1, 1]
    assert held(backend) == []
    await backend.aclose()


async def test_a_call_without_patience_for_its_key_ends_with_what_the_server_said() -> None:
    """Another key that is ready is no help to a call that named one."""
    backend, wire = path(Say(429, after=3.0), OK, keys=2)
    error = await fails(backend, use_key=backend.endpoint().key_status()[0].fingerprint, patience=1.0)
    assert (error.status, error.attempts, error.retry_after, wire.keys) == (429, 1, 3.0, ["sk-1"])
    assert "cooling" not in error.message
    await backend.aclose()


async def test_a_retry_is_never_refused_by_a_full_queue() -> None:
    """Its place was given to another meanwhile; it waits for the next."""
    backend, wire = path(Say(503), OK, max_concurrent_requests=1, queue_size=0)
    clock, gate = backend.endpoint().clock, asyncio.Event()
    handle, others = wire.handle_async_request, []

    async def gated(request: httpx.Request) -> httpx.Response:
        answer = await handle(request)
        if len(wire.came) == 2:
            await gate.wait()
        return answer

    async def sleep(seconds: float) -> None:
        clock.now += seconds  # type: ignore[attr-defined]
        others.append(asyncio.create_task(backend.asay()))
        await settle(lambda: len(wire.came) == 2)

    wire.handle_async_request = gated  # type: ignore[method-assign]
    clock.sleep = sleep  # type: ignore[method-assign]
    first = asyncio.create_task(backend.asay())
    await settle(lambda: backend.queue_status()["waiting"]["total"] == 1)
    gate.set()
    assert (await first).attempts == 2
    assert (await others[0]).attempts == 1
    assert held(backend) == []
    await backend.aclose()


async def test_calls_that_begin_alike_share_a_key() -> None:
    """So that the provider's cache of prompts is of use; calls that do not, are spread."""
    backend, wire = path(OK, keys=4, prefix_affinity=20)
    for _ in range(5):
        await backend.asay("once upon a time")
    assert len(set(wire.keys)) == 1
    for number in range(20):
        await backend.asay(f"{number} times upon a time")
    assert len(set(wire.keys)) == 4
    await backend.aclose()


async def test_a_deadline_that_ends_the_retries_has_the_code_of_the_failure() -> None:
    backend, _ = path(httpx.ReadError, max_retries=1)
    error = await fails(backend, deadline=0.5)
    assert (type(error), error.code) == (errors.DeadlineExceededError, "reset_after_sent")
    await backend.aclose()


async def test_without_a_retry_budget_repeats_are_bounded_by_their_number_alone() -> None:
    backend, wire = path(DOWN, max_retries=3, retry_budget=None)
    await fails(backend)
    assert len(wire.came) == 4
    await backend.aclose()


async def test_less_than_a_second_is_waited_for_as_it_is() -> None:
    """By the call that was told, and by one that finds the key cooling."""
    backend, wire = path(Say(429, after=0.25), OK)
    await backend.asay()
    assert wire.moments == [0.0, 0.25]
    backend, wire = await _cooling(0.25)
    await backend.asay()
    assert wire.moments == [0.0, 0.25]
    await backend.aclose()


async def test_calls_that_share_a_key_leave_it_for_another_when_it_is_refused() -> None:
    """Even where the server says that it may be asked again at once."""
    backend, wire = path(Say(429, after=0.0), OK, keys=2, prefix_affinity=20)
    await backend.asay("once upon a time")
    assert sorted(wire.keys) == ["sk-1", "sk-2"]
    await backend.aclose()


async def test_a_key_that_was_refused_is_not_tried_again_by_the_same_call() -> None:
    """Though it was taken out and put in anew meanwhile."""
    backend, wire = path(REFUSED)
    handle = wire.handle_async_request

    async def exchange(request: httpx.Request) -> httpx.Response:
        backend.remove_key(backend.endpoint().key_status()[0].fingerprint)
        backend.add_key("sk-1")
        return await handle(request)

    wire.handle_async_request = exchange  # type: ignore[method-assign]
    assert (await fails(backend)).attempts == 1
    await backend.aclose()


async def test_a_server_that_quotes_a_key_which_was_taken_out_meanwhile_shows_nothing() -> None:
    async def quote(request: httpx.Request) -> httpx.Response:
        backend.remove_key(backend.endpoint().key_status()[0].fingerprint)
        message = f"what a key: {request.headers['authorization']}"
        return httpx.Response(500, json={"error": {"message": message}}, request=request)

    backend, wire = path(DOWN, max_retries=0)
    wire.handle_async_request = quote  # type: ignore[method-assign]
    error = await fails(backend)
    assert "what a key: Bearer " in error.message
    assert "sk-1" not in error.message
    await backend.aclose()


def _never(wire: Wire) -> Any:
    """What a server does that takes a request and never answers."""

    async def handle(request: httpx.Request) -> httpx.Response:
        wire.came.append((request.headers["authorization"], 0.0))
        await asyncio.Event().wait()
        raise AssertionError

    return handle


@pytest.mark.parametrize(("answer", "failed"), [(OK, 0), (DOWN, 1), (Say(400), 1), (None, 0)])
async def test_what_a_key_is_held_to_have_failed_in(answer: Say | None, failed: int) -> None:
    """Neither a success nor a call that its caller gave up."""
    backend, wire = path(answer or OK, max_retries=0)
    if answer is None:
        wire.handle_async_request = _never(wire)  # type: ignore[method-assign]
        task = asyncio.create_task(backend.asay())
        await settle(lambda: bool(wire.came))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    elif failed:
        await fails(backend)
    else:
        await backend.asay()
    (row,) = backend.endpoint().key_status()
    assert (row.requests, row.failures) == (1, failed)
    await backend.aclose()


async def test_a_refused_request_does_not_make_a_run_of_failures_shorter() -> None:
    """A provider that is up for some requests may be down for others."""
    backend, _ = path(DOWN, Say(400), DOWN, failure_threshold=2, max_retries=0)
    for state in ("closed", "closed", "open"):
        await fails(backend)
        assert backend.endpoint().breaker_status()["state"] == state
    await backend.aclose()


async def test_an_open_breaker_refuses_before_anybody_takes_a_slot() -> None:
    """However soon the probe goes through."""
    backend, wire = path(DOWN, failure_threshold=1, max_retries=0, reset_timeout=0.5)
    await fails(backend)
    error = await fails(backend)
    assert error.message == ("The circuit breaker of endpoint 'default' is open; nothing was sent. Come back in 0.5 s.")
    assert (backend.queue_status()["granted"], len(wire.came)) == (1, 1)
    await backend.aclose()


async def test_observers_are_told_why_each_attempt_ended() -> None:
    """The kind of a failure of the network, who is to blame for an answer, and that it was given up."""
    told: list[tuple[str, str | None]] = []

    def observe(event: Any) -> None:
        if isinstance(event, AttemptEnded):
            told.append((event.reason, event.error))

    backend, wire = path(httpx.ConnectError, DOWN, max_retries=1, observers=[observe])
    await fails(backend)
    assert told == [("connect", "TransportError"), ("outage", "ServerError")]
    wire.handle_async_request = _never(wire)  # type: ignore[method-assign]
    task = asyncio.create_task(backend.asay())
    await settle(lambda: len(wire.came) == 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert told[2:] == [("cancelled", None)]
    await backend.aclose()
