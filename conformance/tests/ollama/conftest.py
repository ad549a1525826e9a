"""A simulated Ollama for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from ollama_bench import backend_at

from backends.ollama import Ollama
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["ollama"]) as simulator:
        yield simulator


@pytest.fixture
async def ollama(sim: Simulator) -> AsyncIterator[Ollama]:
    async with backend_at(sim) as made:
        yield made
