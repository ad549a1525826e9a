"""An endpoint's keys and budgets behind its lock, and what its status says of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from backends.resilience.allowance import ONE, Demand
from backends.resilience.endpoint import Endpoint, KeysBusy
from backends.resilience.key_state import SLACK
from backends.resilience.keys import Wait
from backends.resilience.passage import Passage
from backends.resilience.rate_headers import Kind, Told
from backends.resilience.supply import Issued
from backends.resilience.waiter import Waiter
from backends.secret import Key
from backends.settings import Settings
from conformance.virtual_time import JumpClock, LoopClock, VirtualTimeLoop

KEYS = tuple(Key(f"sk-planted-{number}", name=f"key {number}") for number in range(4))


def endpoint(*keys: Key, clock: Any = None, **settings: Any) -> Endpoint:
    return Endpoint("parrot", "https://parrot.invalid", keys, Settings(**settings), clock or JumpClock())


def take_slot(where: Endpoint) -> None:
    assert where.admission.submit(Waiter(), 1, where.clock.monotonic()).state == "granted"


def boarded(where: Endpoint, demand: Demand = ONE) -> Passage:
    take_slot(where)
    passage = where.board((), demand=demand)
    assert isinstance(passage, Passage), passage
    return passage


def test_a_server_without_keys_is_ready_now_until_it_is_given_one() -> None:
    """From then on keys go out, and without a ready one nothing does."""
    where = endpoint()
    assert where.next_key_at() == where.clock.monotonic()
    assert boarded(where).key is None
    where.change_keys(lambda pool: pool.add(KEYS[0]))
    passage = boarded(where)
    assert passage.key is KEYS[0]
    where.change_keys(lambda pool: pool.remove("key 0"))
    assert where.next_key_at() is None


def test_after_a_fork_keys_without_a_source_are_there_and_unused() -> None:
    where = endpoint(*KEYS, per_key_limit=1)
    boarded(where)
    where.after_fork()
    assert [(row.name, row.in_flight) for row in where.key_status()] == [(key.name, 0) for key in KEYS]
    assert where.supply is None


@pytest.mark.parametrize(("ahead", "waited"), [(0.25, 0.25), (0.0, 0.0), (-5.0, 0.0)])
def test_who_waits_for_a_busy_key_waits_until_one_has_cooled(ahead: float, waited: float) -> None:
    """No longer, and not at all where that moment is over."""
    loop = VirtualTimeLoop()
    where = endpoint(KEYS[0], clock=LoopClock(loop), per_key_limit=1)
    boarded(where)
    take_slot(where)
    busy = where.board(())
    assert isinstance(busy, KeysBusy)
    began = loop.time()
    loop.run_until_complete(where.key_freed(replace(busy, until=began + ahead)))
    assert loop.time() - began == pytest.approx(waited, abs=1e-6)
    loop.close()


async def done_soon(work: asyncio.Future[None]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return work.done()


async def test_a_key_that_was_freed_in_between_is_not_waited_for() -> None:
    """However often one was freed before; whoever gives up waits no more, and a freed one wakes the others."""
    where = endpoint(KEYS[0], per_key_limit=1)
    for _ in range(3):
        passage = boarded(where)
        take_slot(where)
        busy = where.board(())
        where.leave()
        assert isinstance(busy, KeysBusy)
        waiting, leaving = (asyncio.ensure_future(where.key_freed(busy)) for _ in range(2))
        assert not await done_soon(waiting)
        leaving.cancel()
        assert await done_soon(leaving)
        passage.let_go()
        assert await done_soon(waiting)
        assert await done_soon(asyncio.ensure_future(where.key_freed(busy)))


def test_keys_go_by_their_weights() -> None:
    where = endpoint(*KEYS[:2], key_strategy="weighted", key_weights=(3.0, 1.0))
    names = [passage.key.name for passage in (boarded(where) for _ in range(4)) if passage.key is not None]
    assert names == ["key 0", "key 1", "key 0", "key 0"]


def test_keys_that_are_fetched_have_no_weights() -> None:
    class Source:
        async def fetch(self) -> Issued:
            raise NotImplementedError

    settings = Settings(key_strategy="weighted", key_weights=(1.0,))
    with pytest.raises(ValueError, match=r"^keys that are fetched have no weights$"):
        Endpoint("parrot", "https://parrot.invalid", (), settings, JumpClock(), Source())


def test_a_reset_told_as_a_date_is_a_wait_from_now() -> None:
    """By the wall clock, as Anthropic tells it."""
    where = endpoint(KEYS[0], rate_limit_headers=True)
    draw = boarded(where).draw
    assert draw is not None
    told = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-01T00:00:30Z",
    }
    where.learn_rates(draw, told)
    assert where.key_status()[0].rates == [
        {"kind": "requests", "source": "provider", "limit": 50, "left": 0, "resets_in": 30.0}
    ]
    take_slot(where)
    assert where.board(()) == Wait(where.clock.monotonic() + 30.0, paced=True)


@pytest.mark.parametrize(("early", "goes"), [(SLACK / 2, True), (SLACK, True), (2 * SLACK, False)])
def test_who_comes_a_rounding_error_early_goes_without_a_key_too(early: float, goes: bool) -> None:
    """A microsecond, as where there are keys."""
    where = endpoint(clock=JumpClock(0.0), rate_limit_headers=True)
    draw = boarded(where).draw
    assert draw is not None
    draw.allowance.learn(draw, {Kind.REQUESTS: Told(0, 10, early)}, 0.0)
    take_slot(where)
    assert isinstance(where.board(()), Passage if goes else Wait)


# -- what the status says ----------------------------------------------------------------------------------------------


def test_the_status_counts_keys_by_state_and_names_the_budgets_of_those_that_are_there() -> None:
    """Those of a removed key are no longer to be had, and it is in no state."""
    where = endpoint(*KEYS[:3], requests_per_minute=5)
    passages = [boarded(where) for _ in range(2)]
    passages[0].cool_key(where.clock.monotonic() + 10.0)
    passages[1].retire_key("401")
    where.change_keys(lambda pool: pool.add(KEYS[3]))
    where.change_keys(lambda pool: pool.remove("key 2"))
    status = where.status()
    assert status["keys"] == {"ready": 1, "cooling": 1, "retired": 1}
    budgets = {KEYS[0]: (2, 1), KEYS[1]: (5, 4), KEYS[3]: (5, 5)}
    told = {"kind": "requests", "source": "declared", "resets_in": None}
    assert status["rates"] == [
        {**told, "key": key.fingerprint, "limit": limit, "left": left} for key, (limit, left) in budgets.items()
    ]


def test_the_status_of_a_server_without_keys_names_its_budgets_without_a_key() -> None:
    where = endpoint(requests_per_minute=5, tokens_per_minute=100)
    boarded(where, Demand(10, 20))
    status = where.status()
    assert status["keys"] == {"ready": 0, "cooling": 0, "retired": 0}
    assert status["rates"] == [
        {"key": None, "kind": "requests", "source": "declared", "limit": 5, "left": 4, "resets_in": None},
        {"key": None, "kind": "tokens", "source": "declared", "limit": 100, "left": 70, "resets_in": None},
    ]
    assert endpoint().status()["rates"] == []


def test_the_status_tells_the_wait_while_all_are_held_back() -> None:
    """Although there is room and nobody stands in line."""
    clock = JumpClock()
    where = endpoint(*KEYS, clock=clock)
    take_slot(where)
    where.leave(hold_back_until=clock.monotonic() + 8.0)
    clock.advance(3.0)
    status = where.status()
    assert (status["held_back_seconds"], status["expected_wait_seconds"], status["active"]) == (5.0, 5.0, 0)
