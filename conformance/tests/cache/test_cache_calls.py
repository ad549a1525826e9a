"""Calls before the cache: deadlines, priorities, threads, errors that are shared, answers that cannot be read again."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backends import OpenAI, Priority, errors
from backends.cache import Cache
from conformance.checks.toy_embedder import bag_of_words

HELLO = [{"role": "user", "content": "hello"}]
ANSWER = {"id": "1", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}


class Server:
    """Answers in memory once it is let go; counts what came."""

    def __init__(self, status: int = 200, answer: Any = ANSWER) -> None:
        self.count = 0
        self.status = status
        self.content = json.dumps(answer).encode()
        self.gate: asyncio.Event | None = None
        self.came: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        if self.gate is not None:
            self.came.put_nowait(None)
            await self.gate.wait()
        return httpx.Response(self.status, headers={"content-type": "application/json"}, content=self.content)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def make(server: Server) -> Callable[..., OpenAI]:
    def made(**settings: Any) -> OpenAI:
        usual = {"transport": httpx.MockTransport(server), "max_retries": 0, "cache": "exact"}
        return OpenAI(api_key="sk-x", **{**usual, **settings})

    return made


async def test_who_waits_keeps_its_own_deadline(server: Server, make: Any) -> None:
    server.gate = asyncio.Event()
    async with make() as backend:
        leader = asyncio.create_task(backend.achat(HELLO))
        await asyncio.sleep(0)
        with pytest.raises(errors.DeadlineExceededError):
            await backend.achat(HELLO, deadline=0.01)
        server.gate.set()
        assert (await leader).text == "hi"
    assert server.count == 1


async def test_a_call_waits_for_none_of_lower_priority(server: Server, make: Any) -> None:
    server.gate = asyncio.Event()
    async with make() as backend:
        calls = [asyncio.create_task(backend.achat(HELLO, priority=one)) for one in (Priority.LOW, Priority.HIGH)]
        for _ in calls:
            await server.came.get()
        server.gate.set()
        await asyncio.gather(*calls)


async def test_a_shared_error_is_each_callers_own(make: Any, server: Server) -> None:
    server.status, server.content = 400, b'{"error": {"message": "no"}}'
    server.gate = asyncio.Event()
    async with make() as backend:
        calls = [asyncio.create_task(backend.achat(HELLO)) for _ in range(3)]
        await server.came.get()
        server.gate.set()
        ends = await asyncio.gather(*calls, return_exceptions=True)
    assert server.count == 1
    assert len({end.request_id for end in ends}) == 3
    assert sorted(end.attempts for end in ends) == [0, 0, 1]


async def test_who_changes_a_reply_changes_no_other(make: Any) -> None:
    async with make() as backend:
        first = await backend.achat(HELLO)
        first.raw["choices"].clear()
        assert (await backend.achat(HELLO)).raw == ANSWER


async def test_an_answer_that_cannot_be_written_again_is_not_kept(make: Any, server: Server) -> None:
    server.content = json.dumps({**ANSWER, "note": "\ud800"}).encode()
    async with make() as backend:
        assert [(await backend.achat(HELLO)).cached for _ in range(2)] == [False, False]
        server.gate = asyncio.Event()
        calls = [asyncio.create_task(backend.achat(HELLO)) for _ in range(3)]
        await server.came.get()
        server.gate.set()
        assert [reply.cached for reply in await asyncio.gather(*calls)] == [False] * 3
    assert server.count == 5


async def test_an_answer_of_another_version_is_a_miss(make: Any, server: Server) -> None:
    cache = Cache()
    async with make(cache=cache) as backend:
        await backend.achat(HELLO)
        (kept,) = cache._store._entries.values()
        object.__setattr__(kept, "content", b'{"choices": 5}')
        assert not (await backend.achat(HELLO)).cached
    assert server.count == 2


async def test_a_closed_backend_answers_nothing(make: Any) -> None:
    backend = make()
    await backend.achat(HELLO)
    await backend.aclose()
    with pytest.raises(errors.ClosedError):
        await backend.achat(HELLO)


def test_threads_and_loops_share_one_flight(make: Any, server: Server) -> None:
    entered = threading.Event()
    released = threading.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        server.count += 1
        entered.set()
        await asyncio.to_thread(released.wait, 10)
        return httpx.Response(200, headers={"content-type": "application/json"}, content=server.content)

    found: list[bool] = []
    with make(transport=httpx.MockTransport(slowly), cache=Cache(0.5, bag_of_words)) as backend:
        threads = [
            threading.Thread(target=lambda: found.append(asyncio.run(backend.achat(HELLO)).cached)) for _ in range(3)
        ]
        threads[0].start()
        assert entered.wait(10)
        for thread in threads[1:]:
            thread.start()
        released.set()
        for thread in threads:
            thread.join(10)
    assert sorted(found) == [False, True, True]
    assert server.count == 1
