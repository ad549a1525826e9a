"""A simulated TGI server for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hf_tgi_bench import backend_at

from backends.hf_tgi import HFTGI
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["hf_tgi"]) as simulator:
        yield simulator


@pytest.fixture
async def tgi(sim: Simulator) -> AsyncIterator[HFTGI]:
    async with backend_at(sim) as made:
        yield made
