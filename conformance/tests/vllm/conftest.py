"""A simulated vLLM for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from vllm_bench import backend_at

from backends.vllm import VLLM
from conformance.simulators import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["vllm"]) as simulator:
        yield simulator


@pytest.fixture
async def vllm(sim: Simulator) -> AsyncIterator[VLLM]:
    async with backend_at(sim) as made:
        yield made
