"""A simulated OVMS for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from ovms_bench import backend_at

from backends.ovms import OVMS
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["ovms"]) as simulator:
        yield simulator


@pytest.fixture
async def ovms(sim: Simulator) -> AsyncIterator[OVMS]:
    async with backend_at(sim) as made:
        yield made
