from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from backends.s3_kit import S3Kit
from conformance.simulators.s3_kit import PROVIDER
from conformance.simulators.server import Simulator
from conformance.virtual_time import JumpClock

ID, SECRET = "AKIAEXAMPLEONE", "planted/secret+of-one"
BUCKET = "models"
MIB = 1 << 20


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator([PROVIDER]) as simulator:
        yield simulator


@pytest.fixture
def make_kit(sim: Simulator) -> Iterator[Callable[..., S3Kit]]:
    """Makes backends that live at the simulator and whose waits take no time."""
    return lambda **settings: S3Kit(**arguments(sim, **settings))  # type: ignore[return-value]


def arguments(sim: Simulator, **settings: Any) -> dict[str, Any]:
    given = {
        "base_url": sim.base_url("s3_kit"),
        "bucket": BUCKET,
        "clock": JumpClock(),
        "random": lambda: 0.5,
        "environ": {},
        "credentials_path": "/nonexistent/credentials",
    }
    if not {"api_key", "api_keys", "anonymous"} & set(settings):
        given |= {"access_key_id": ID, "secret_access_key": SECRET}
    return given | settings


@pytest.fixture
async def kit(make_kit: Callable[..., S3Kit]) -> AsyncIterator[S3Kit]:
    async with make_kit() as backend:
        yield backend
