"""An answer whose headers are there, and its body as it comes.

Nothing is decompressed, bounded or understood here; an error of the network comes after what had arrived before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import aiohttp

from backends.wire.broken import broken

__all__ = ["Arrived", "Body", "joined"]


class Body:
    """The answer's body as it arrives, still compressed."""

    __slots__ = ("_answer",)

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._answer.content
        try:
            while data := await content.readany():
                yield data
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            # aiohttp raises before it hands over what had come; a caller is owed both, in the order in which they came.
            rest = content._read_nowait(-1)  # noqa: SLF001 - its public twin raises the same error
            failure = broken(problem, body=True)
        else:
            return
        if rest:
            yield rest
        raise failure

    def at_once(self) -> bytes | None:
        """Return the whole body if it has arrived whole, None if it has not: saves the common case a generator."""
        content = self._answer.content
        if content.is_eof() and content.exception() is None:
            return content.read_nowait(-1)
        return None

    async def aclose(self) -> None:
        """Give the connection back when the body was read whole, close it otherwise."""
        answer = self._answer
        if answer.content.at_eof() and answer.content.exception() is None:
            answer.release()
        else:
            answer.close()


class Arrived:
    """An answer whose headers are there: status, headers (lower-case names, repeated ones joined), body."""

    __slots__ = ("headers", "status", "stream")

    def __init__(self, status: int, headers: dict[str, str], stream: Any) -> None:
        self.status = status
        self.headers = headers
        self.stream = stream


def joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name; repeated ones are joined with a comma."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
