"""A simulator for each test and the official client at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest
from simulator_wire import KEY

from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["openai"]) as simulator:
        yield simulator


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=KEY, base_url=sim.base_url("openai"), max_retries=0) as made:
        yield made
