"""A simulated TEI server for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hf_tei_bench import backend_at

from backends.hf_tei import HFTEI
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["hf_tei"]) as simulator:
        yield simulator


@pytest.fixture
async def tei(sim: Simulator) -> AsyncIterator[HFTEI]:
    async with backend_at(sim) as made:
        yield made
