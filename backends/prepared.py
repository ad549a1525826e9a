"""One operation on one endpoint, prepared once, so that every attempt sends the same bytes.

What is sent besides the key is decided here and nowhere later. Nothing is sent, and the key of an attempt is not known yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from backends import errors
from backends.operation import CallOptions, Operation, Repeat
from backends.provider import Provider
from backends.resilience.endpoint import Endpoint
from backends.secret import Key, SecretText
from backends.settings import Settings
from backends.wire import jsontext
from backends.wire.multipart import Multipart
from backends.wire.values import Timeouts, check_header

__all__ = ["Work", "prepare", "secret_header", "timeouts"]

_SECRET_NAME: Final = re.compile("auth|cookie|credential|key|password|secret|signature|token", re.IGNORECASE)
_PROTECTED_HEADERS: Final = frozenset({"authorization", "host", "content-length", "transfer-encoding", "connection"})


class Work:
    """One operation on one endpoint, prepared once: every attempt sends the same bytes. ``asked`` is its JSON body with the
    caller's extra fields, empty where the body is something else; ``secrets`` are headers whose values must not show."""

    __slots__ = ("asked", "body", "endpoint", "headers", "operation", "path", "repeat", "secrets")

    def __init__(
        self,
        operation: Operation[Any],
        endpoint: Endpoint,
        asked: Mapping[str, Any],
        body: bytes | Multipart | None,
        headers: tuple[tuple[str, str], ...],
        path: str,
        repeat: Repeat,
    ) -> None:
        self.operation = operation
        self.endpoint = endpoint
        self.asked = asked
        self.body = body
        self.headers = headers
        self.path = path
        self.repeat = repeat
        self.secrets = tuple(Key(value) for _, value in headers if isinstance(value, SecretText))


def prepare(
    operation: Operation[Any],
    endpoint: Endpoint,
    options: CallOptions,
    *,
    provider: Provider,
    user_agent: str,
    fixed_headers: Iterable[tuple[str, str]],
    reserved_headers: Mapping[str, str],
) -> Work:
    """Return what every attempt of an operation sends, besides the key.

    ``reserved_headers`` are those that a caller must not set: lower-case name -> what to do instead.

    Raises:
        InvalidRequestError: ``extra_body`` or ``extra_headers`` do not fit, or the body is no JSON.
    """
    extended = options.get("extra_body")
    asked = operation.body if isinstance(operation.body, Mapping) else {}
    if extended:
        asked = {**asked, **extended}
    body, content_type = _encoded(operation, asked, provider, extended=bool(extended))
    headers: list[tuple[str, str]] = [("user-agent", endpoint.settings.user_agent or user_agent)]
    if content_type is not None:
        headers.append(("content-type", content_type))
    headers.extend(fixed_headers)
    headers.extend(operation.headers)
    extra = options.get("extra_headers")
    if extra:
        headers.extend(_extra_headers(extra, provider, reserved_headers))
    path = endpoint.base_url + operation.path
    if operation.query:
        path += "?" + urlencode(operation.query, quote_via=quote)
    repeat = operation.repeat
    if isinstance(body, Multipart) and not body.repeatable:
        repeat = Repeat.NEVER
    return Work(operation, endpoint, asked, body, tuple(headers), path, repeat)


def _encoded(
    operation: Operation[Any], asked: Mapping[str, Any], provider: Provider, *, extended: bool
) -> tuple[bytes | Multipart | None, str | None]:
    body = operation.body
    if extended and not isinstance(body, Mapping | Multipart):  # forms are merged by their provider
        raise errors.InvalidRequestError(
            f"extra_body: {operation.name} sends no JSON object that it could be merged into.",
            provider=provider.name,
        )
    if isinstance(body, Multipart):
        return body, body.content_type
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if body is None:
        return None, None
    try:
        return jsontext.dumps(asked), "application/json"
    except ValueError as error:
        raise errors.InvalidRequestError(
            f"{operation.name}: {error}", provider=provider.name, code="invalid_argument"
        ) from None


def _extra_headers(
    extra: Mapping[str, str | Key], provider: Provider, reserved: Mapping[str, str]
) -> Iterable[tuple[str, str]]:
    for name, value in extra.items():
        instead = reserved.get(name.lower())
        if instead is not None:
            raise errors.InvalidRequestError(
                f"extra_headers must not set {name.lower()}: {instead}.",
                provider=provider.name,
                code="invalid_argument",
            )
        if name.lower() in _PROTECTED_HEADERS or name.lower() == provider.key_header.lower():
            raise errors.InvalidRequestError(f"extra_headers must not set {name}.", provider=provider.name)
        if isinstance(value, Key):
            yield name, value.reveal()
            continue
        try:
            check_header(name, value)
        except ValueError as error:
            raise errors.InvalidRequestError(f"extra_headers: {error}", provider=provider.name) from None
        yield name, secret_header(name, value)


def secret_header(name: str, value: str) -> str:
    """Return the value of a header, as a secret where its name says that it is one."""
    is_secret = _SECRET_NAME.search(name) and value.strip() and value.isascii() and value.isprintable()
    return SecretText(value) if is_secret else value


def timeouts(settings: Settings, operation: Operation[Any]) -> Timeouts:
    """Return the limits of time for one attempt; an operation that may be silent for longer has longer ones."""
    read = _longer(settings.read_timeout, operation.silence)
    return Timeouts(
        connect=settings.connect_timeout,
        write=settings.write_timeout,
        read=read,
        idle=_longer(settings.idle_timeout, operation.silence) if operation.stream is not None else read,
    )


def _longer(limit: float | None, silence: float | None) -> float | None:
    return limit if limit is None or silence is None else max(limit, silence)
