"""Limits on the path of a call: who is held back while no key has budget, what an adaptive limit is told, what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from base_bench import held, parrot
from test_base_endpoint import Slow, virtually

from backends import S3Kit, errors
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
