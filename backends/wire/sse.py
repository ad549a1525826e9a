"""Server-sent events, decoded incrementally: bytes in, events out (WHATWG HTML, section 9.2.6). Pure; no I/O.

Any split of the bytes gives the same events, in time linear in their number. An unfinished event is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

from backends.wire.values import FormatError

__all__ = ["SSEDecoder", "ServerSentEvent"]


@dataclass(slots=True)
class ServerSentEvent:
    """One event; ``data`` joins its data lines with line feeds."""

    data: str
    event: str | None = None
    id: str | None = None


class SSEDecoder:
    """Feed it bytes, take the events they complete.

    Args:
        max_event_bytes: how long one event may grow before FormatError.
    """

    __slots__ = ("_after_cr", "_at_start", "_broken", "_data", "_event", "_held", "_id", "_limit", "_size", "_tail")

    def __init__(self, max_event_bytes: int = 8 * 1024 * 1024) -> None:
        self._limit = max_event_bytes
        self._tail: list[bytes] = []
        self._data: list[str] = []
        self._event: str | None = None
        self._id: str | None = None
        self._size = 0
        self._held = 0
        self._after_cr = False
        self._at_start = True
        self._broken: FormatError | None = None

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes; return the events they complete.

        Good events before one that is too large in the same bytes are returned; the error is raised by the next call.

        Raises:
            FormatError: one event grew beyond the bound.
        """
        if self._broken is not None:
            raise self._broken
        if self._at_start:
            data = self._without_mark(data)
        if self._after_cr and data:
            # The line feed of a CR LF pair that was split belongs to the line already ended.
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        if not data:
            return []
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = data.split(b"\n")
        if self._tail and len(lines) > 1:
            self._tail.append(lines[0])
            lines[0] = b"".join(self._tail)
            self._tail.clear()
            self._held = 0
        last = lines.pop()
        events: list[ServerSentEvent] = []
        try:
            self._take_lines(lines, events)
            if last:
                self._tail.append(last)
                self._held += len(last)
                self._check(self._held)
        except FormatError as error:
            if not events:
                raise
            self._broken = error
        return events

    def _take_lines(self, lines: list[bytes], events: list[ServerSentEvent]) -> None:
        for line in lines:
            if line:
                self._size += len(line)
                self._check()
                self._take(line)
                continue
            if self._data:
                data = self._data[0] if len(self._data) == 1 else "\n".join(self._data)
                events.append(ServerSentEvent(data, self._event, self._id))
                self._data = []
            self._event = None
            self._size = 0

    def close(self) -> list[ServerSentEvent]:
        """Say that the bytes have ended. By the standard an unfinished event is dropped, so nothing ever comes back."""
        if self._broken is not None:
            raise self._broken
        self._tail.clear()
        self._data = []
        return []

    def _without_mark(self, data: bytes) -> bytes:
        data = b"".join(self._tail) + data
        self._tail.clear()
        if len(data) < 3 and b"\xef\xbb\xbf".startswith(data):
            self._tail.append(data)
            return b""
        self._at_start = False
        return data.removeprefix(b"\xef\xbb\xbf")

    def _check(self, more: int = 0) -> None:
        if self._size + more > self._limit:
            raise FormatError(f"a stream event is larger than {self._limit} bytes")

    def _take(self, line: bytes) -> None:
        if line[:6] == b"data: ":
            self._data.append(line[6:].decode("utf-8", "replace"))
            return
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            self._data.append(text)
        elif name == b"event":
            self._event = text
        elif name == b"id" and "\0" not in text:
            self._id = text
