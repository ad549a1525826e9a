"""Keys that a source issues: one caller fetches for all, old keys serve while they are good, a failing source is asked again."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from base_bench import Parrot, Turning, held, parrot, settle
from clocks import Hurried

from backends import errors
from backends.key_sources import Issued
from backends.secret import Key


class Vault:
    """Issues what it is told to, in turn, the last one for ever; a source that is closed lets nobody through.

    Args:
        gives: names of keys that are good for a minute, what is issued, or an error.
    """

    def __init__(self, *gives: str | Issued | errors.BackendError) -> None:
        self._gives = list(gives)
        self.open = asyncio.Event()
        self.open.set()
        self.asked = 0

    async def fetch(self) -> Issued:
        self.asked += 1
        assert self.asked < 50, "it is asked for ever"
        await self.open.wait()
        given = self._gives.pop(0) if len(self._gives) > 1 else self._gives[0]
        if isinstance(given, errors.BackendError):
            raise given
        return Issued((Key(given),), good_for=60.0) if isinstance(given, str) else given


def supplied(vault: Vault, transport: Turning, **settings: object) -> Parrot:
    return parrot(transport, api_key=None, key_source=vault, jitter=0.0, **settings)


async def test_one_caller_fetches_for_all() -> None:
    vault, wire = Vault("sk-1"), Turning(200)
    vault.open.clear()
    async with supplied(vault, wire) as backend:
        calls = [asyncio.create_task(backend.asay()) for _ in range(5)]
        await settle(lambda: len(backend.endpoint().supply._waiters) == 4)  # type: ignore[union-attr]
        vault.open.set()
        await asyncio.gather(*calls)
        assert (vault.asked, wire.keys, held(backend)) == (1, ["sk-1"] * 5, [])
        assert backend.endpoint().supply.status() == {"fetched": 1, "failures": 0}  # type: ignore[union-attr]


async def test_a_caller_that_leaves_while_it_fetches_leaves_it_to_another() -> None:
    vault, wire = Vault("sk-1"), Turning(200)
    vault.open.clear()
    async with supplied(vault, wire) as backend:
        first, second = (asyncio.create_task(backend.asay()) for _ in range(2))
        await settle(lambda: len(backend.endpoint().supply._waiters) == 1)  # type: ignore[union-attr]
        first.cancel()
        await settle(lambda: vault.asked == 2)
        vault.open.set()
        assert (await second).text == "hi"
        assert wire.keys == ["sk-1"]


@pytest.mark.parametrize("trouble", [errors.TransportError, errors.ServerError, errors.RateLimitError])
async def test_a_source_in_trouble_is_asked_again_with_growing_waits(trouble: type[errors.BackendError]) -> None:
    clock = Hurried()
    vault = Vault(trouble("not now"), trouble("not now"), trouble("not now"), "sk-1")
    async with supplied(vault, Turning(200), clock=clock, max_retries=3) as backend:
        assert (await backend.asay()).text == "hi"
        assert clock.slept == [1.0, 2.0, 4.0]


async def test_a_source_is_asked_no_more_often_than_a_call_is_repeated() -> None:
    clock, vault, wire = Hurried(), Vault(errors.TransportError("not now")), Turning(200)
    async with supplied(vault, wire, clock=clock, max_retries=2) as backend:
        with pytest.raises(errors.TransportError, match="not now"):
            await backend.asay()
        assert (vault.asked, clock.slept, wire.keys) == (3, [1.0, 2.0], [])


async def test_a_source_that_refuses_is_asked_once() -> None:
    clock, vault, wire = Hurried(), Vault(errors.AuthenticationError("never")), Turning(200)
    async with supplied(vault, wire, clock=clock) as backend:
        with pytest.raises(errors.AuthenticationError, match="never"):
            await backend.asay()
        assert (vault.asked, clock.slept, wire.keys) == (1, [], [])


async def test_old_keys_serve_while_the_source_fails() -> None:
    """Even when it fails for good; once they have ended, nothing is sent with them."""
    clock = Hurried()
    vault, wire = Vault("sk-1", errors.AuthenticationError("never")), Turning(200)
    async with supplied(vault, wire, clock=clock) as backend:
        await backend.asay()
        clock.now += 55.0  # due, and still good
        await backend.asay()
        assert (vault.asked, wire.keys) == (2, ["sk-1"] * 2)
        assert backend.endpoint().supply.status() == {"fetched": 1, "failures": 1}  # type: ignore[union-attr]
        clock.now += 5.0
        with pytest.raises(errors.AuthenticationError, match="never"):
            await backend.asay()
        assert wire.keys == ["sk-1"] * 2


async def test_new_keys_come_in_the_place_of_the_old() -> None:
    """One that is issued again keeps what is known of it."""
    clock = Hurried()
    one, two, three = Key("sk-1"), Key("sk-2"), Key("sk-3")
    vault, wire = Vault(Issued((one, two), again_after=5.0), Issued((two, three))), Turning(200)
    async with supplied(vault, wire, clock=clock) as backend:
        await backend.asay()
        await backend.asay()
        clock.now += 4.9
        await backend.asay()
        assert vault.asked == 1
        clock.now += 0.2
        await backend.asay()
        await backend.asay()
        assert vault.asked == 2
        assert set(wire.keys[3:]) == {"sk-2", "sk-3"}
        rows = {row.fingerprint: (row.state, row.requests) for row in backend.endpoint().key_status()}
        assert rows == {
            one.fingerprint: ("removed", 2),
            two.fingerprint: ("ready", 2),
            three.fingerprint: ("ready", 1),
        }


async def test_keys_that_end_at_once_serve_the_call_that_fetched_them() -> None:
    vault, wire = Vault(Issued((Key("sk-1"),), good_for=0.0)), Turning(200)
    async with supplied(vault, wire) as backend:
        await backend.asay()
        assert (vault.asked, wire.keys) == (1, ["sk-1"])
        await backend.asay()
        assert vault.asked == 2


async def test_a_refused_key_is_fetched_anew_once_a_call() -> None:
    clock = Hurried()
    vault, wire = Vault("sk-1", "sk-2", "sk-3"), Turning(200, 401, 401)
    async with supplied(vault, wire, clock=clock) as backend:
        await backend.asay()
        clock.now += 2.0
        with pytest.raises(errors.AuthenticationError):
            await backend.asay()
        assert wire.keys == ["sk-1", "sk-1", "sk-2"]
        assert held(backend) == []


async def test_a_supply_begins_anew_after_a_fork() -> None:
    vault, wire = Vault("sk-1", "sk-2"), Turning(200)
    async with supplied(vault, wire) as backend:
        await backend.asay()
        endpoint = backend.endpoint()
        before = endpoint.supply
        endpoint.after_fork()
        assert endpoint.supply is not before
        await backend.asay()
        assert (vault.asked, wire.keys) == (2, ["sk-1", "sk-2"])


async def test_a_call_asks_for_other_keys_once() -> None:
    """However long ago those came that are refused: who issues nothing but bad keys is not asked for all of them."""
    clock, vault = Hurried(), Vault("sk-1", "sk-2", "sk-3")

    class Ageing(Turning):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert len(self.keys) < 9, "it is sent for ever"
            clock.now += 5.0
            return await super().handle_async_request(request)

    wire = Ageing(401)
    async with supplied(vault, wire, clock=clock) as backend:
        with pytest.raises(errors.AuthenticationError):
            await backend.asay()
        assert (vault.asked, wire.keys) == (2, ["sk-1", "sk-2"])
