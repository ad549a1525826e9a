"""A simulated Claude for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from claude_bench import backend_at

from backends.claude import Claude
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["claude"]) as simulator:
        yield simulator


@pytest.fixture
async def claude(sim: Simulator) -> AsyncIterator[Claude]:
    async with backend_at(sim) as made:
        yield made
