"""Records the bytes of one answer and plays them back cut, joined or changed, so that hundreds of variants cost no socket.

It sits where a backend takes a transport. It judges nothing, and an answer is played exactly as it was told to be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import httpx

from backends.wire.transport import AiohttpTransport

__all__ = ["Player", "Recorder", "Tape"]

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Tape:
    """One answer as it came."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = field(repr=False)

    @property
    def is_event_stream(self) -> bool:
        """Whether the body is server-sent events; otherwise it is lines."""
        return any(name.lower() == b"content-type" and b"event-stream" in value for name, value in self.headers)


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


class Recorder(httpx.AsyncBaseTransport):
    """Passes requests on to the real server and keeps the last answer as ``tape``."""

    def __init__(self) -> None:
        self._inner = AiohttpTransport()
        self.tape: Tape | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fetch the whole answer, keep it, hand it on."""
        response = await self._inner.handle_async_request(request)
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        body = b"".join([piece async for piece in stream])
        await stream.aclose()
        headers = tuple((name, value) for name, value in response.headers.raw if name.lower() not in _FRAMING)
        self.tape = Tape(response.status_code, headers, body)
        return httpx.Response(response.status_code, headers=list(headers), stream=_Pieces([body]))

    async def aclose(self) -> None:
        """Close the connections of the recorder."""
        await self._inner.aclose()


class Player(httpx.AsyncBaseTransport):
    """Answers every request from a tape; ``pieces`` is how the next body is cut, and may be other bytes altogether."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.pieces: Iterable[bytes] = (tape.body,)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Play."""
        return httpx.Response(self._tape.status, headers=list(self._tape.headers), stream=_Pieces(self.pieces))
