"""The values that cross the wire seam: timeouts, limits, requests, failures. No HTTP library is imported here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from backends.wire.multipart import Multipart

__all__ = ["Failure", "FormatError", "Limits", "Timeouts", "WireError", "WireRequest", "check_header", "segment"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each phase of one exchange; None is no limit."""

    connect: float | None = 5.0
    write: float | None = 60.0
    read: float | None = 600.0
    idle: float | None = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a server may send."""

    max_body_bytes: int = 64 * 1024 * 1024
    max_event_bytes: int = 8 * 1024 * 1024
    max_json_depth: int = 128
    max_decompression_ratio: int = 200


class Failure(StrEnum):
    """How the network or the bytes failed."""

    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    RESET_BEFORE_SENT = "reset_before_sent"
    RESET_AFTER_SENT = "reset_after_sent"
    WRITE_TIMEOUT = "write_timeout"
    READ_TIMEOUT = "read_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    CUT_SHORT = "cut_short"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    DECOMPRESSION = "decompression"
    REDIRECT = "redirect"
    INSECURE = "insecure"
    PROXY = "proxy"


class WireError(Exception):
    """An exchange failed below the provider's own answers."""

    def __init__(self, failure: Failure, message: str = "", *, sent: bool) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message
        self.sent = sent


class FormatError(ValueError):
    """Bytes that break their format."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request, ready to be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | Multipart | None = field(repr=False)
    timeouts: Timeouts


def segment(text: str) -> str:
    """Return one escaped URL path segment."""
    if not text or text in (".", "..") or any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("a path segment is empty, a dot segment, or holds control characters")
    return quote(text, safe="")


def check_header(name: str, value: str) -> None:
    """Refuse what could break out of a header."""
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError("a header name holds characters that are not allowed")
    if any(character in value for character in "\r\n\0"):
        raise ValueError(f"the value of header {name} holds a line break")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the value of header {name} holds characters that are not latin-1") from None
