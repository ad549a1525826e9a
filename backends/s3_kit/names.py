"""Names that come from outside: object keys, buckets, and names of files inside a model folder. Pure checks; no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from backends.errors import InvalidRequestError

__all__ = [
    "LARGEST_KEY",
    "bucket_problem",
    "check_bucket",
    "check_key",
    "check_prefix",
    "name_conflict",
    "name_problem",
]

LARGEST_KEY: Final = 1024
"""Bytes of a key in UTF-8 (S3 API reference, "Object key naming")."""
_LARGEST_SEGMENT: Final = 255
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS: Final = re.compile(r"\d+(\.\d+){3}")
_OPENERS: Final = frozenset({".", ".."})


def bucket_problem(bucket: object) -> str | None:
    """Return what is wrong with a bucket's name (3-63 characters: lower case, digits, dots, hyphens), None when nothing
    is."""
    if not isinstance(bucket, str):
        return f"must be text, not {type(bucket).__name__}"
    if _BUCKET.fullmatch(bucket) is None or ".." in bucket or _ADDRESS.fullmatch(bucket) is not None:
        return "must be 3 to 63 lower-case letters, digits, dots and hyphens, and no IP address"
    return None


def check_bucket(bucket: object) -> str:
    """Return the bucket's name.

    Raises:
        InvalidRequestError: it is not one.
    """
    problem = bucket_problem(bucket)
    if problem is not None:
        raise _bad(f"bucket {problem}")
    return str(bucket)


def check_key(key: object, argument: str = "key") -> str:
    """Return an object's key.

    Keys with a segment ``.`` or ``..`` exist in S3, but HTTP clients resolve such segments before they send: the
    request would reach another key, or another bucket.

    Raises:
        InvalidRequestError: it is empty, longer than 1024 bytes, or holds such a segment or a control character.
    """
    text = check_prefix(key, argument)
    if not text:
        raise _bad(f"{argument} must not be empty")
    return text


def check_prefix(prefix: object, argument: str = "prefix") -> str:
    """Return the beginning of keys; the same as a key, but it may be empty.

    Raises:
        InvalidRequestError: see :func:`check_key`.
    """
    if not isinstance(prefix, str):
        raise _bad(f"{argument} must be text, not {type(prefix).__name__}")
    size = _size(prefix)
    if size is None:
        raise _bad(f"{argument} holds a lone surrogate, which is no character")
    if size > LARGEST_KEY:
        raise _bad(f"{argument} must be at most {LARGEST_KEY} bytes of UTF-8, not {size}")
    if any(ord(character) < 32 or ord(character) == 127 for character in prefix):
        raise _bad(f"{argument} must not hold control characters")
    if not _OPENERS.isdisjoint(prefix.split("/")):
        raise _bad(f"{argument} must not hold a segment '.' or '..'")
    return prefix


def name_problem(name: object) -> str | None:
    """Return why a name from a manifest may not become a file inside a folder, None when it may.

    Refused: absolute names, drive letters, ``..``, backslashes, control characters, anything that two systems could
    read differently.
    """
    if not isinstance(name, str):
        return "it is not text"
    size = _size(name)
    if size is None or not 0 < size <= LARGEST_KEY:
        return "it is empty, too long or not text"
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        return "it holds a control character"
    if "\\" in name:
        return "it holds a backslash"
    if ":" in name:
        return "it holds a colon (a drive letter or an alternate stream)"
    for segment in name.split("/"):
        if segment == "":
            return "it is absolute or holds an empty segment"
        if segment in _OPENERS:
            return "it leads out of its folder"
        if segment != segment.rstrip(" .") or segment != segment.lstrip(" "):
            return "a segment begins or ends with a blank, or ends with a dot"
        if len(segment.encode()) > _LARGEST_SEGMENT:
            return f"a segment is longer than {_LARGEST_SEGMENT} bytes"
    return None


def name_conflict(names: Iterable[str], *, fold_case: bool) -> str | None:
    """Return a name that cannot exist beside another: a file that is also a folder or, where case is folded, a twin."""
    known: set[str] = set()
    folders: set[str] = set()
    for name in names:
        shown = name.casefold() if fold_case else name
        if shown in known:
            return name
        known.add(shown)
        parts = shown.split("/")
        folders.update("/".join(parts[:count]) for count in range(1, len(parts)))
    return next(iter(sorted(known & folders)), None)


def _size(text: str) -> int | None:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None


def _bad(message: str) -> InvalidRequestError:
    return InvalidRequestError(f"{message}.", provider="s3_kit", code="invalid_argument")
