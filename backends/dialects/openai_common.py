"""What the calls of the OpenAI dialect share: checks of messages and models, usage, texts in their several shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from backends.errors import InvalidRequestError
from backends.parameters import bad_argument
from backends.types import Message, Usage
from backends.wire.values import FormatError

__all__ = [
    "arguments_text",
    "checked_messages",
    "checked_model",
    "count",
    "json_object",
    "named_body",
    "read_usage",
    "text_of",
]

_NO_USAGE: Final = Usage()
_MOST: Final = 2**53
"""The largest count that is believed: counters, prices and charts stay exact up to it, and a sum of such still fits a float."""


def checked_messages(messages: Sequence[Message], provider: str | None = None) -> list[Message]:
    """Return messages fit for the wire.

    Raises:
        InvalidRequestError: there are none, or one is not a mapping with a role and a content of a known shape.
    """
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Sequence):
        bad_argument(f"messages must be a list of messages, not {type(messages).__name__}", provider)
    if not messages:
        bad_argument("messages must not be empty", provider)
    result: list[Message] = []
    for index, message in enumerate(messages):
        if not isinstance(message, Mapping):
            bad_argument(f"messages[{index}] must be a mapping, not {type(message).__name__}", provider)
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or not role:
            bad_argument(f"messages[{index}] must have a role", provider)
        if content is None:
            if role in ("user", "system", "developer"):
                bad_argument(f"messages[{index}] must have content", provider)
        elif not isinstance(content, str):
            _check_parts(content, index, provider)
        result.append(message if type(message) is dict else dict(message))
    return result


def _check_parts(content: Any, index: int, provider: str | None) -> None:
    if not isinstance(content, list | tuple):
        bad_argument(
            f"messages[{index}].content must be text or a list of parts, not {type(content).__name__}", provider
        )
    for place, part in enumerate(content):
        if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
            bad_argument(f"messages[{index}].content[{place}] must be a mapping with a type", provider)


def checked_model(model: Any, provider: str | None = None) -> str:
    """Return the model's name.

    Raises:
        InvalidRequestError: there is none, or it is not printable text of at most 500 characters.
    """
    if model is None:
        raise InvalidRequestError(
            "model is missing: pass model= to the call or to the backend.", provider=provider, code="invalid_argument"
        )
    if not isinstance(model, str):
        bad_argument(f"model must be text, not {type(model).__name__}", provider)
    if not model.strip() or len(model) > 500 or not model.isprintable():
        bad_argument("model must be printable text of 1 to 500 characters", provider)
    return model


def named_body(model: str | None, body: dict[str, Any]) -> dict[str, Any]:
    """Return a body that names its model; None sends none, to a server that serves a single one."""
    return body if model is None else {"model": model, **body}


def json_object(data: Any) -> dict[str, Any]:
    """Return ``data`` if it is a JSON object.

    Raises:
        FormatError: it is something else.
    """
    if type(data) is not dict:
        raise FormatError(f"a JSON object was expected, not {type(data).__name__}")
    return data


def count(value: Any) -> int | None:
    """Return a count of tokens or bytes, None for what is none: no text, no fraction, nothing negative or beyond all reason."""
    return value if type(value) is int and 0 <= value <= _MOST else None


def read_usage(usage: Any) -> Usage:
    """Read usage in the names of chat (``prompt_tokens``), of Responses and media (``input_tokens``), details
    included."""
    if type(usage) is not dict:
        return _NO_USAGE
    given, made = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if given is None and made is None:
        given, made = usage.get("input_tokens"), usage.get("output_tokens")
        inputs = usage.get("input_tokens_details") or usage.get("input_token_details")
        outputs = usage.get("output_tokens_details") or usage.get("output_token_details")
    else:
        inputs, outputs = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached = written = reasoning = audio = spoken = seen = drawn = None
    if type(inputs) is dict:
        cached, written, audio = (
            count(inputs.get("cached_tokens")),
            count(inputs.get("cache_write_tokens")),
            count(inputs.get("audio_tokens")),
        )
        seen = count(inputs.get("image_tokens"))
    if type(outputs) is dict:
        reasoning = count(outputs.get("reasoning_tokens"))
        spoken = count(outputs.get("audio_tokens"))
        drawn = count(outputs.get("image_tokens"))
        audio = spoken if audio is None else audio + (spoken or 0)
    if audio is not None:
        spoken = spoken or 0
    total = count(usage.get("total_tokens"))
    return Usage(
        *(count(given), count(made), total, False),
        *(cached, written, reasoning, audio),
        audio_output_tokens=spoken,
        image_tokens=seen,
        image_output_tokens=drawn,
    )


def text_of(content: Any) -> str:
    """Return the text of a message's content: a string, None, or a list of parts.

    Raises:
        FormatError: it is something else.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    raise FormatError(f"content is a {type(content).__name__}")


def arguments_text(arguments: Any) -> str:
    """Return a tool call's arguments as text; some servers send an object where the dialect has its JSON text."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
