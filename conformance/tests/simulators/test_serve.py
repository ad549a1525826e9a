"""The simulators as a program."""

from __future__ import annotations

import asyncio
import os
import signal
import urllib.request

import pytest

from conformance.simulators.serve import serve


async def started(*args: object) -> tuple[asyncio.Task[None], list[str]]:
    lines: list[str] = []
    ready = asyncio.Event()

    def say(line: str) -> None:
        lines.append(line)
        if line == "ready":
            ready.set()

    task = asyncio.create_task(serve(*args, say=say))  # type: ignore[arg-type]
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        await task
    return task, lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_lines_then_ready_then_a_clean_end(number: int) -> None:
    task, lines = await started(0, ["openai"])
    name, url = lines[0].split()
    assert (name, lines[1:]) == ("openai", ["ready"])
    request = urllib.request.Request(f"{url}/models", headers={"authorization": "Bearer sk-x"})

    def fetch() -> int:
        with urllib.request.urlopen(request) as answer:
            return answer.status

    assert await asyncio.to_thread(fetch) == 200
    os.kill(os.getpid(), number)
    await task


async def test_the_object_store_has_a_port_of_its_own() -> None:
    task, lines = await started(0, ["openai", "s3_kit"])
    name, url = lines[1].split()
    assert (name, lines[2]) == ("s3_kit", "ready")

    def fetch() -> bytes:
        with urllib.request.urlopen(url + "/") as answer:
            return answer.read()

    assert b"ListAllMyBucketsResult" in await asyncio.to_thread(fetch)
    os.kill(os.getpid(), signal.SIGTERM)
    await task


async def test_an_unknown_provider_is_an_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        await serve(0, ["nonsense"], say=lambda line: None)
