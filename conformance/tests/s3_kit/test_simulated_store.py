"""The simulated store gives back what moto keeps of it."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from moto.s3 import models

from backends.s3_kit import S3Kit
from conformance.simulators.s3_kit import PROVIDER
from conformance.simulators.server import Simulator

from .conftest import MIB, arguments

LARGE = b"x" * (6 * MIB)
"""More than moto keeps in memory."""


async def fill(kit: S3Kit) -> None:
    await kit.aupload("large", LARGE)
    await kit.aupload("small", b"x")
    await kit.acreate_multipart("unfinished")
    for parts in (1, 2):
        info = await kit.acreate_multipart(f"parts-{parts}")
        await kit.aupload_part(f"parts-{parts}", info.upload_id, 1, LARGE)


def kept() -> list[Any]:
    """What moto keeps, of every server of this process."""
    return [*models.FakeKey.instances_tracked, *models.FakeMultipart.instances_tracked]


@pytest.mark.parametrize("how", ["reset", "closed", "abandoned"])
async def test_what_was_stored_goes_with_the_server(how: str) -> None:
    before = kept()
    async with Simulator([PROVIDER]) as sim:
        async with S3Kit(**arguments(sim)) as kit:
            await fill(kit)
            ours = [one for one in kept() if not any(one is old for old in before)]
            files = [one._value_buffer for one in ours if isinstance(one, models.FakeKey)]
            store = weakref.ref(sim._mounted["s3_kit"].state._buckets)
            assert len(files) == 4
            assert not any(file.closed for file in files)
            if how == "reset":
                sim.reset()
                assert (await kit.alist()).keys == (), "the bucket is there, and empty"
            elif how == "abandoned":
                sim.abandon()
        if how == "closed":
            await sim.aclose()
        assert all(file.closed for file in files)
        assert not any(one is left for one in ours for left in kept())
    del kit, ours
    gc.collect()
    assert store() is None


async def test_another_server_keeps_what_it_has() -> None:
    async with Simulator([PROVIDER]) as sim, S3Kit(**arguments(sim)) as kit:
        await fill(kit)
        async with Simulator([PROVIDER]) as other, S3Kit(**arguments(other)) as theirs:
            await fill(theirs)
        assert (await kit.adownload("large")).content == LARGE
