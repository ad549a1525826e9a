"""A simulated OPEA deployment for each test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

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


@pytest.fixture
def sim_in_thread() -> Iterator[str]:
    """Address of a simulated deployment in a thread of its own, for synchronous callers."""
    started, address = threading.Event(), []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with Simulator(["opea"]) as simulator:
            address.append(simulator.base_url("opea"))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait(5)
    yield address[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)
    loop.close()
