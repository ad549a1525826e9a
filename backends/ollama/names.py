"""The form of a model's name: ``[[host/]namespace/]model[:tag]``. Checks only; it never changes a name.

Wire facts: ``types/model/name.go`` of the server. Each part begins with a letter, digit or underscore and goes on
with these, ``-`` and ``.``; a namespace has no dot, a host may have a port; model, namespace and tag have at most 80
characters, a host 350.
"""

from __future__ import annotations

import string
from functools import lru_cache
from typing import Any, Final

from backends.errors import InvalidRequestError
from backends.parameters import bad_argument

__all__ = ["DIGEST_LENGTH", "checked_digest", "checked_name", "name_problem"]

_FIRST: Final = frozenset(string.ascii_letters + string.digits + "_")
_REST: Final = _FIRST | {"-", "."}
_LIMITS: Final = {"host": 350, "namespace": 80, "model": 80, "tag": 80}
_HEX: Final = frozenset("0123456789abcdef")
_DIGEST_PREFIX: Final = "sha256:"
DIGEST_LENGTH: Final = len(_DIGEST_PREFIX) + 64


@lru_cache(maxsize=1024)
def name_problem(name: str) -> str | None:
    """Return what is wrong with a model's name, None when nothing is."""
    rest = name
    for scheme in ("https://", "http://"):
        rest = rest.removeprefix(scheme)
    tag: str | None = None
    if rest.rfind(":") > rest.rfind("/"):
        rest, _, tag = rest.rpartition(":")
    pieces = rest.split("/")
    if len(pieces) > 3:
        return "has more than host, namespace and model before its tag"
    named = list(zip(("host", "namespace", "model")[3 - len(pieces) :], pieces, strict=True))
    if tag is not None:
        named.append(("tag", tag))
    for kind, piece in named:
        complaint = _part_problem(kind, piece)
        if complaint is not None:
            return complaint
    return None


def _part_problem(kind: str, piece: str) -> str | None:
    if not piece:
        return f"has an empty {kind}"
    if len(piece) > _LIMITS[kind]:
        return f"has a {kind} of more than {_LIMITS[kind]} characters"
    if piece[0] not in _FIRST:
        return f"has a {kind} that does not begin with a letter, digit or underscore"
    for character in piece:
        if character in _REST:
            if character == "." and kind == "namespace":
                return "has a dot in its namespace"
        elif character != ":" or kind != "host":
            return f"has {character!r} in its {kind}"
    return None


def checked_name(name: Any, argument: str = "model") -> str:
    """Return a model's name.

    Raises:
        InvalidRequestError: it is missing or is not of the form ``[[host/]namespace/]model[:tag]``.
    """
    if name is None:
        raise InvalidRequestError(
            f"{argument} is missing: pass {argument}= to the call or model= to the backend.",
            provider="ollama",
            code="invalid_argument",
        )
    if not isinstance(name, str):
        bad_argument(f"{argument} must be text, not {type(name).__name__}", "ollama")
    complaint = name_problem(name) if name else "is empty"
    if complaint is not None:
        bad_argument(
            f"{argument} {name[:100]!r} {complaint}; a name is [[host/]namespace/]model[:tag]",
            "ollama",
        )
    return name


def checked_digest(digest: Any, argument: str = "digest") -> str:
    """Return a blob's digest.

    Raises:
        InvalidRequestError: it is not ``sha256:`` and 64 lower-case hex digits.
    """
    if (
        not isinstance(digest, str)
        or len(digest) != DIGEST_LENGTH
        or not digest.startswith(_DIGEST_PREFIX)
        or not _HEX.issuperset(digest[len(_DIGEST_PREFIX) :])
    ):
        bad_argument(f"{argument} must be sha256: and 64 lower-case hex digits", "ollama")
    return digest
