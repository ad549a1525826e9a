"""A simulated OPEA deployment for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from opea_bench import backend_at

from backends.opea import OPEA
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["opea"]) as simulator:
        yield simulator


@pytest.fixture
async def opea(sim: Simulator) -> AsyncIterator[OPEA]:
    async with backend_at(sim) as made:
        yield made
