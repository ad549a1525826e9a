"""The process around one client: takes orders as JSON lines, measures, answers as JSON lines.

One event loop lives as long as the process, so connections stay open from one measurement to the next. What libraries
print goes to standard error; answers have a channel of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import sys
from typing import Any

from benchmarks import workload
from benchmarks.clients import find
from benchmarks.machine import peak_bytes, pin, versions
from benchmarks.measure import measure, measure_arrivals, measure_threads

__all__ = ["main"]


class _Async:
    """Runs an asynchronous client."""

    def __init__(self, module: Any, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._client = self._loop.run_until_complete(self._make(module, url))

    async def _make(self, module: Any, url: str) -> Any:
        return module.Client(url)

    async def _call(self, pieces: list[str]) -> None:
        text = await self._client.call()
        _check(text)
        pieces.append(text)

    async def _stream(self, pieces: list[str]) -> None:
        await self._client.stream(pieces)
        # A piece must be a token, or pieces could not be counted for tokens.
        if len(pieces) != workload.STREAM_TOKENS or "".join(pieces) != workload.STREAM_TEXT:
            raise ValueError(f"another text than was sent, in {len(pieces)} pieces")

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out one order."""
        work = self._stream if order["what"] == "stream" else self._call
        if order["what"] == "arrivals":
            measured = measure_arrivals(work, order["rate"], order["seconds"])
        else:
            measured = measure(work, order["in_flight"], order["warm_up"], order["seconds"])
        return self._loop.run_until_complete(measured)

    def close(self) -> None:
        """Close client and loop."""
        self._loop.run_until_complete(self._client.close())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())


class _Blocking:
    """Runs a synchronous client."""

    def __init__(self, module: Any, url: str) -> None:
        self._client = module.Client(url)

    def _call(self, pieces: list[str]) -> None:
        text = self._client.call()
        _check(text)
        pieces.append(text)

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out one order."""
        return measure_threads(self._call, order["in_flight"], order["warm_up"], order["seconds"])

    def close(self) -> None:
        """Close the client."""
        self._client.close()


def _check(text: str) -> None:
    if text != workload.ANSWER_TEXT:
        raise ValueError(f"another text than was sent: {text[:80]!r}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("url")
    parser.add_argument("--cpu", type=int)
    arguments = parser.parse_args()
    pin(arguments.cpu)
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    entry = find(arguments.client)
    try:
        module = importlib.import_module(f"benchmarks.clients.{entry.name}")
    except ImportError as problem:
        # Only a module that is absent is a gap of the environment; anything else is a fault to see.
        absent = isinstance(problem, ModuleNotFoundError) and not entry.ours
        say({"absent" if absent else "failed": str(problem)})
        return
    try:
        runner = _Blocking(module, arguments.url) if entry.blocking else _Async(module, arguments.url)
    except Exception as problem:
        say({"failed": f"{type(problem).__name__}: {problem}"})
        return
    say({"ready": versions(entry.packages)})
    for line in sys.stdin:
        order = json.loads(line)
        if order["what"] == "stop":
            break
        say({**runner.run(order), "peak_bytes": peak_bytes()})
    runner.close()


if __name__ == "__main__":
    main()
