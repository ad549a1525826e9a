"""Which bytes of which object a download is to fetch, and how the answer to a Range request is read. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from backends.errors import ResponseFormatError
from backends.parameters import bad_argument
from backends.s3_kit.attributes import SHA256_NAME, recorded_sha256
from backends.s3_kit.names import check_key

__all__ = ["Wanted", "content_range", "within"]

_PIECE: Final = 1 << 20


class Wanted:
    """What one download is to fetch.

    Attributes:
        key, version_id: the object.
        first, last: byte positions, inclusive; a negative ``first`` counts from the end. Both None for the whole.
        sha256, size: what the caller knows of the whole object.
        if_match: ETag that the object must have.
    """

    __slots__ = ("first", "if_match", "key", "last", "sha256", "size", "version_id")

    def __init__(
        self,
        key: str,
        byte_range: tuple[int, int | None] | None = None,
        *,
        version_id: str | None = None,
        sha256: str | None = None,
        size: int | None = None,
        if_match: str | None = None,
    ) -> None:
        self.key = check_key(key)
        self.first, self.last = _checked_range(byte_range)
        self.version_id = version_id
        self.sha256 = sha256
        self.size = size
        self.if_match = if_match
        if sha256 is not None and (not isinstance(sha256, str) or recorded_sha256({SHA256_NAME: sha256}) is None):
            bad_argument("expected_sha256 must be 64 hex digits", "s3_kit")
        if sha256 is not None and self.first is not None:
            bad_argument("expected_sha256 is of the whole object and cannot be used with byte_range", "s3_kit")

    @property
    def range_text(self) -> str | None:
        """The value of the Range header, None for the whole."""
        if self.first is None:
            return None
        if self.first < 0:
            return f"bytes={self.first}"
        return f"bytes={self.first}-{'' if self.last is None else self.last}"


def content_range(text: str) -> tuple[int, int, int | None]:
    """Return first, last and the size of the whole (None when not told) of a Content-Range.

    Raises:
        ResponseFormatError: it is not one.
    """
    span, _, whole = text.removeprefix("bytes ").partition("/")
    first, _, last = span.partition("-")
    if not first.isdigit() or not last.isdigit() or not (whole.isdigit() or whole == "*"):
        raise ResponseFormatError("The answer is a part of the object and does not say which.")
    return int(first), int(last), None if whole == "*" else int(whole)


def within(body: Any, skip: int, most: int | None) -> Iterator[bytes]:
    """Yield the pieces of a body without its first ``skip`` bytes, ``most`` bytes in all."""
    left = most
    for piece in body.iter_chunks(_PIECE):
        if skip >= len(piece):
            skip -= len(piece)
            continue
        data = piece[skip:] if skip else piece
        skip = 0
        if left is not None:
            data = data[:left]
            left -= len(data)
        if data:
            yield data
        if left == 0 and most is not None and len(data) < len(piece):
            return


def _checked_range(byte_range: tuple[int, int | None] | None) -> tuple[int | None, int | None]:
    if byte_range is None:
        return None, None
    good = isinstance(byte_range, tuple | list) and len(byte_range) == 2
    first, last = byte_range if good else (None, None)
    for value in (first, last):
        if isinstance(value, bool) or not (isinstance(value, int) or (value is None and first is not None)):
            bad_argument("byte_range must be (first, last) or (first, None), whole numbers", "s3_kit")
    assert first is not None
    if last is not None and (first < 0 or last < first):
        bad_argument("byte_range must be (first, last) with first <= last; a negative first goes with None", "s3_kit")
    return first, last
