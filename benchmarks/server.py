"""The loopback server that every client is measured against, in a process of its own.

It answers prepared bytes as fast as a plain ``asyncio.Protocol`` can, so that it is not the bottleneck, and counts its
own requests and CPU time, so that this can be checked. It parses no more of HTTP than its clients send.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Final

from benchmarks import workload
from benchmarks.machine import pin

__all__ = ["main"]

EVENTS_PER_WRITE: Final = 4
"""Stream events handed to the socket at once: a server that sends each by itself is slower than a good client reads."""

_HEADERS: Final = (
    b"Date: Sat, 21 Nov 2026 06:00:00 GMT\r\n"
    b"Connection: keep-alive\r\n"
    b"access-control-expose-headers: X-Request-ID\r\n"
    b"openai-organization: benchmark\r\n"
    b"openai-processing-ms: 412\r\n"
    b"openai-version: 2020-10-01\r\n"
    b"x-ratelimit-limit-requests: 10000\r\n"
    b"x-ratelimit-limit-tokens: 200000\r\n"
    b"x-ratelimit-remaining-requests: 9999\r\n"
    b"x-ratelimit-remaining-tokens: 199862\r\n"
    b"x-ratelimit-reset-requests: 8.64s\r\n"
    b"x-ratelimit-reset-tokens: 41ms\r\n"
    b"x-request-id: req_0123456789abcdef0123456789abcdef\r\n"
    b"strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"Server: benchmark\r\n"
)


def _whole(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + _HEADERS
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _framed(events: Sequence[bytes]) -> list[bytes]:
    """Return the pieces of a chunked answer, one HTTP chunk an event."""
    chunks = [b"%x\r\n%s\r\n" % (len(event), event) for event in events]
    chunks.append(b"0\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n" + _HEADERS
    pieces = [b"".join(chunks[at : at + EVENTS_PER_WRITE]) for at in range(0, len(chunks), EVENTS_PER_WRITE)]
    return [head + b"Transfer-Encoding: chunked\r\n\r\n", *pieces]


ANSWER: Final = _whole(workload.answer())
STREAM: Final = _framed(workload.stream_events())


class _Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it are answered in order."""

    served = 0

    def __init__(self) -> None:
        self._buffer = b""
        self._pieces: list[bytes] = []
        self._at = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        while buffer:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                break
            size = _content_length(buffer, end)
            if len(buffer) < end + 4 + size:
                break
            self._answer(buffer, end + 4, size)
            buffer = buffer[end + 4 + size :]
        self._buffer = buffer

    def _answer(self, buffer: bytes, start: int, size: int) -> None:
        if buffer.startswith(b"GET /_bench/state"):
            state = {"cpu": time.process_time(), "requests": _Connection.served}
            self._transport.write(_whole(json.dumps(state).encode()))
            return
        _Connection.served += 1
        body = buffer[start : start + size]
        if b'"stream":true' in body or b'"stream": true' in body:
            self._pieces, self._at = STREAM, 0
            self._send()
        else:
            self._transport.write(ANSWER)

    def _send(self) -> None:
        """Write one piece and come back for the next after the other connections."""
        if self._paused or self._at >= len(self._pieces):
            return
        self._transport.write(self._pieces[self._at])
        self._at += 1
        self._loop.call_soon(self._send)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._pieces = []


def _content_length(buffer: bytes, end: int) -> int:
    at = buffer.find(b"ontent-", 0, end)
    while at >= 0:
        if buffer[at + 7 : at + 14].lower() == b"length:":
            return int(buffer[at + 14 : buffer.find(b"\r\n", at, end + 2)])
        at = buffer.find(b"ontent-", at + 7, end)
    return 0


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), gone.set)  # nothing is ever written: readable means that the parent is gone
    await gone.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cpu", type=int)
    pin(parser.parse_args().cpu)
    asyncio.run(_serve())


if __name__ == "__main__":
    main()
