"""A simulated Gemini for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from gemini_bench import backend_at

from backends.gemini import Gemini
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["gemini"]) as simulator:
        yield simulator


@pytest.fixture
async def gemini(sim: Simulator) -> AsyncIterator[Gemini]:
    async with backend_at(sim) as made:
        yield made
