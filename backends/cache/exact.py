"""What two requests must share to be the same: the canonical form of a request, hashed. Pure.

The scope is everything but the text of the question; nothing is ever shared across scopes, whatever two texts look like.
Scope and text together name a request exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from backends.operation import Cacheable
from backends.wire import jsontext

__all__ = ["Identity", "identify", "is_sampled", "question_of"]

_CONTENT: Final = ("content", "parts", "text")
"""Where the text stands in a message, in its parts, in a part."""
_IDLE_HEADERS: Final = frozenset(
    {
        *("user-agent", "traceparent", "tracestate", "baggage", "idempotency-key"),
        *("x-request-id", "x-client-request-id", "x-correlation-id"),
    }
)
"""Say who asks or which request this is, and change no answer."""
_LONGEST_TEXT: Final = 8_192
"""Characters; what is longer is compared exactly only."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which request this is.

    Attributes:
        key: names the request exactly.
        scope: what it must share with another for their texts to be compared at all.
        text: the question, None where only an equal request will do.
    """

    key: str
    scope: str
    text: str | None


def identify(
    cacheable: Cacheable,
    *,
    name: str,
    body: Mapping[str, Any],
    address: Iterable[str],
    headers: Iterable[tuple[str, str]],
    tenant: str | None,
) -> Identity:
    """Return the identity of a request.

    Args:
        cacheable: where its question stands, and which fields are only its label.
        name: of the operation.
        body: as it is sent.
        address: whatever says where it goes: provider, endpoint, model, method, URL.
        headers: as they are sent, without credentials; those that change no answer are left out.
        tenant: on whose behalf it is asked.
    """
    fields = {field: body[field] for field in sorted(body) if field not in cacheable.volatile}
    text: str | None = None
    if cacheable.question is not None and cacheable.question in fields:
        found = question_of(fields[cacheable.question])
        if found is not None and found[0].strip() and len(found[0]) <= _LONGEST_TEXT:
            text, fields[cacheable.question] = found
    kept = sorted((header.lower(), value) for header, value in headers if header.lower() not in _IDLE_HEADERS)
    # Inside, fields keep the order they were written in: in the schema of an answer it is meaning.
    canonical = jsontext.dumps([name, list(address), tenant, kept, text is None, fields])
    scope = hashlib.sha256(canonical).hexdigest()
    if text is None:
        return Identity(scope, scope, None)
    return Identity(hashlib.sha256(f"{scope}\n{text}".encode()).hexdigest(), scope, text)


def question_of(value: Any) -> tuple[str, Any] | None:
    """Return the question in a field of a body, and the field without it; None where there is no single one.

    A text is the question itself. In a conversation it is the text of the last message, if a user wrote it and it has
    one piece of text; pictures beside it and everything before it stay where they are.
    """
    if isinstance(value, str):
        return value, None
    if isinstance(value, Mapping):
        if value.get("role", "user") != "user":
            return None
        field = next((name for name in _CONTENT if name in value), None)
        found = question_of(value[field]) if field is not None else None
        return (found[0], {**value, field: found[1]}) if found is not None else None
    if not isinstance(value, list | tuple) or not value:
        return None
    if isinstance(value[-1], Mapping) and "role" in value[-1]:
        places = [len(value) - 1]
    else:
        places = [place for place, part in enumerate(value) if _has_text(part)]
    found = question_of(value[places[0]]) if len(places) == 1 else None
    if found is None:
        return None
    return found[0], [*value[: places[0]], found[1], *value[places[0] + 1 :]]


def _has_text(part: Any) -> bool:
    return isinstance(part, str) or (isinstance(part, Mapping) and isinstance(part.get("text"), str))


def is_sampled(body: Mapping[str, Any]) -> bool:
    """Say whether a request asks for chance: a temperature above zero, or ``do_sample``, in the body or its options."""
    for place in (body, *(value for value in body.values() if isinstance(value, Mapping))):
        heat = place.get("temperature")
        if (isinstance(heat, int | float) and heat != 0) or place.get("do_sample") is True:
            return True
    return False
