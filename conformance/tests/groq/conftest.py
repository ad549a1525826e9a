"""A simulated Groq for each test and our backend at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from groq_bench import backend_at

from backends.groq import Groq
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["groq"]) as simulator:
        yield simulator


@pytest.fixture
async def backend(sim: Simulator) -> AsyncIterator[Groq]:
    async with backend_at(sim) as made:
        yield made
