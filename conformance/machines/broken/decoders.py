"""Broken stream decoders."""

from __future__ import annotations

from backends.wire.ndjson import NDJSONDecoder
from backends.wire.sse import ServerSentEvent, SSEDecoder
from conformance.machines.broken.broken import Broken

__all__ = ["BROKEN"]


class DecodesPieces(SSEDecoder):
    """Decodes each piece by itself, and a character that was split turns into two marks."""

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Decode at once."""
        return super().feed(data.decode("utf-8", "replace").encode())


class ForgetsTheReturn(SSEDecoder):
    """Takes a CR LF that was split for two line ends."""

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Forget how the last piece ended."""
        self._after_cr = False
        return super().feed(data)


class KeepsTheMark(SSEDecoder):
    """Takes a byte order mark for part of the first field's name."""

    def __init__(self, max_event_bytes: int = 8 * 1024 * 1024) -> None:
        super().__init__(max_event_bytes)
        self._at_start = False


class Boundless(SSEDecoder):
    """Takes a bound and ignores it."""

    def __init__(self, max_event_bytes: int = 8 * 1024 * 1024) -> None:
        super().__init__(10**12)


class DropsTheLastLine(NDJSONDecoder):
    """Loses a last line that has no line feed."""

    def close(self) -> list[str]:
        """Return nothing."""
        super().close()
        return []


class LinesOfPieces(NDJSONDecoder):
    """Takes the end of a piece for the end of a line."""

    def feed(self, data: bytes) -> list[str]:
        """Close after every piece."""
        return super().feed(data) + self.close()


BROKEN = (
    Broken("sse", "STR-02", DecodesPieces),
    Broken("sse", "STR-02", ForgetsTheReturn),
    Broken("sse", "STR-02", KeepsTheMark),
    Broken("sse", "ERR-03", Boundless),
    Broken("ndjson", "STR-02", DropsTheLastLine),
    Broken("ndjson", "STR-02", LinesOfPieces),
)
