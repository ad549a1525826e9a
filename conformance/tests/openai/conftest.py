"""A simulator for each test and our backend at it; or a backend over answers that a test writes itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from clocks import Hurried

from backends import OpenAI
from conformance.simulators.server import Simulator

KEY = "sk-planted-key-0001"


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["openai"]) as simulator:
        yield simulator


@pytest.fixture
async def backend(sim: Simulator) -> AsyncIterator[OpenAI]:
    async with OpenAI(api_key=KEY, base_url=sim.base_url("openai"), clock=Hurried(), environ={}) as made:
        yield made


@pytest.fixture
def answering() -> Callable[..., OpenAI]:
    """Return a function that makes a backend whose every request gets one answer, or what a function makes of it."""

    def make(answer: Any, **settings: Any) -> OpenAI:
        def respond(request: httpx.Request) -> httpx.Response:
            if callable(answer):
                made: httpx.Response = answer(request)
                return made
            return httpx.Response(200, json=answer)

        settings.setdefault("clock", Hurried())
        settings.setdefault("environ", {})
        return OpenAI(api_key=KEY, transport=httpx.MockTransport(respond), **settings)

    return make
