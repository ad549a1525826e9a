"""What the tests of the base share: the smallest possible provider, transports that answer by hand, and what an idle
backend holds."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
from clocks import Hurried

from backends import errors
from backends.http import HTTPBackend
from backends.operation import Answer, CallOptions, Operation
from backends.provider import Provider
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, Chunk, Usage

ROOT = Path(__file__).resolve().parents[3]
PARROT = Provider(
    name="openai",  # a row of the credentials file; nothing else of it is used
    title="Parrot",
    base_url="https://parrot.invalid/v1",
    key_required=True,
    key_variables=("PARROT_KEY", "PARROT_OTHER_KEY"),
    base_url_variables=("PARROT_URL",),
)


class WordReader:
    """Reads a stream of words: one chunk a line; ``END`` ends it, ``ERROR`` is the provider's own error."""

    def __init__(self) -> None:
        self.done = False
        self._words: list[str] = []
        self._rest = b""

    def feed(self, data: bytes) -> Iterable[Chunk]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line == b"END":
                self.done = True
            elif line == b"ERROR":
                raise errors.ServerError("the parrot flew away", status=500, code="gone")
            else:
                self._words.append(line.decode())
                yield Chunk(text=line.decode())

    def finish(self) -> Iterable[Chunk]:
        return ()

    def partial(self) -> Any:
        return "".join(self._words) or None

    def reply(self, answer: Answer) -> ChatReply:
        return ChatReply(text="".join(self._words), usage=Usage(1, len(self._words)), **answer.facts())


class Parrot(HTTPBackend):
    """One call and one stream."""

    provider = PARROT

    async def asay(self, text: str = "hello", **options: Any) -> ChatReply:
        """Say it."""
        return await self._perform(
            Operation("say", _read, "/say", body={"text": text}, model="parrot-1"), CallOptions(**options)
        )

    def astream_say(self, text: str = "hello", **options: Any) -> AsyncStream[ChatReply]:
        """Say it word by word."""
        operation = Operation("say", _read, "/stream", body={"text": text}, model="parrot-1", stream=WordReader)
        return self._stream(operation, CallOptions(**options))

    say = blocking(asay)
    stream_say = blocking_stream(astream_say)


def _read(answer: Answer) -> ChatReply:
    return ChatReply(text=answer.data["text"], usage=Usage(2, 3, 5), **answer.facts())


class Body(httpx.AsyncByteStream):
    """A body that hands the loop over before each piece, and knows whether it was closed."""

    def __init__(self, pieces: Iterable[bytes], turns: int = 1) -> None:
        self._pieces = pieces
        self._turns = turns
        self.given = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            for _ in range(self._turns):
                await asyncio.sleep(0)
            self.given += 1
            yield piece

    async def aclose(self) -> None:
        self.closed = True  # at once, as a transport does; what follows may be cancelled
        await asyncio.sleep(0)


class Turning(httpx.AsyncBaseTransport):
    """Answers in turn, handing the loop over at every step a real transport would.

    Args:
        answers: statuses, or lists of words of a stream; the last one is repeated.
    """

    def __init__(self, *answers: int | list[bytes]) -> None:
        self._answers = list(answers)
        self.bodies: list[Body] = []
        self.keys: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.keys.append(request.headers.get("authorization", "").removeprefix("Bearer "))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if isinstance(answer, int):
            body = Body([b'{"text":', b'"hi"}'])
            status, headers = answer, {"content-type": "application/json"}
            if answer == 429:
                headers["retry-after"] = "1"
        else:
            body, status, headers = Body(answer), 200, {}
        self.bodies.append(body)
        return httpx.Response(status, headers=headers, stream=body, request=request)


def parrot(transport: Any = None, **settings: Any) -> Parrot:
    """A backend that waits for nothing."""
    settings = {"clock": Hurried(), "environ": {}, "api_key": "sk-parrot-1", **settings}
    if "api_keys" in settings:
        del settings["api_key"]
    return Parrot(transport=transport or saying(), **settings)


def saying(text: str = "hi") -> httpx.MockTransport:
    """Always the same answer."""
    return httpx.MockTransport(lambda _: httpx.Response(200, json={"text": text}))


def held(backend: Parrot) -> list[str]:
    """What an idle backend still holds; empty when all is well."""
    found = []
    for name in backend.endpoints:
        endpoint = backend.endpoint(name)
        status = endpoint.status()
        if status["active"]:
            found.append(f"{status['active']} slots")
        if status["waiting"]["total"]:
            found.append(f"{status['waiting']['total']} in the queue")
        found.extend(f"key {key.fingerprint}" for key in endpoint.key_status() if key.in_flight)
        if endpoint._key_waiters:
            found.append("waiters for a key")
    return found


def counted(backend: Parrot) -> tuple[int, int, int, int]:
    """Requests started, succeeded, failed, cancelled."""
    report = backend.report()
    return report["total_requests"], report["successes"], report["failures"], report["cancelled"]


async def settle(until: Callable[[], bool], turns: int = 1000) -> None:
    """Hand the loop over until something is true."""
    for _ in range(turns):
        if until():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come true")


async def collected(until: Callable[[], bool]) -> None:
    """Collect garbage and let its finalisers run."""
    gc.collect()
    await settle(until)


def script(code: str, *arguments: str, **environ: str) -> Any:
    """Run a script in a process of its own and return what it printed as JSON on its last line."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *Path(__file__).parents[:2]))), **environ},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" not in done.stderr, done.stderr
    assert "never awaited" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
