"""Newline-delimited JSON, split into lines incrementally: bytes in, texts out. Pure; no I/O, no JSON decoding."""

from __future__ import annotations

from backends.wire.values import FormatError

__all__ = ["NDJSONDecoder"]


class NDJSONDecoder:
    """Feed it bytes, take the lines they complete; blank lines are skipped.

    Args:
        max_event_bytes: how long one line may grow before FormatError.
    """

    __slots__ = ("_broken", "_limit", "_size", "_tail")

    def __init__(self, max_event_bytes: int = 8 * 1024 * 1024) -> None:
        self._limit = max_event_bytes
        self._tail: list[bytes] = []
        self._size = 0
        self._broken: FormatError | None = None

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; return the lines they complete.

        Good lines before a bad one in the same bytes are returned; the error is raised by the next call.

        Raises:
            FormatError: a line is not UTF-8 or grew beyond the bound.
        """
        self._raise_broken()
        first, separator, rest = data.partition(b"\n")
        self._tail.append(first)
        self._size += len(first)
        if self._size > self._limit:
            raise FormatError(f"a line is larger than {self._limit} bytes")
        if not separator:
            return []
        lines = [b"".join(self._tail), *rest.split(b"\n")]
        last = lines.pop()
        self._tail = [last] if last else []
        self._size = len(last)
        texts: list[str] = []
        try:
            for line in lines:
                if line.strip():
                    texts.append(self._text(line))
            if self._size > self._limit:
                raise FormatError(f"a line is larger than {self._limit} bytes")  # noqa: TRY301 - the same end as the others
        except FormatError as error:
            if not texts:
                raise
            self._broken = error
        return texts

    def close(self) -> list[str]:
        """Say that the bytes have ended; return a last line that had no line feed."""
        self._raise_broken()
        line = b"".join(self._tail)
        self._tail = []
        self._size = 0
        return [self._text(line)] if line.strip() else []

    def _raise_broken(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _text(self, line: bytes) -> str:
        if len(line) > self._limit:
            raise FormatError(f"a line is larger than {self._limit} bytes")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError("a line is not UTF-8 text") from None
