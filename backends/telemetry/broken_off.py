"""What a stream that broke off had used: the provider's counts as far as they came, our estimate for the rest.

An estimate is always marked as one. Where the prompt holds what no text shows (pictures, sound, files) and the provider
had not counted it, its size stays unknown. Nothing here reads a stream or prices anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from backends.operation import SoFar
from backends.telemetry.tokens import estimate
from backends.types import Usage

__all__ = ["estimated_prompt", "usage_so_far"]

_PROMPTS: Final = (
    "messages",
    "system",
    "prompt",
    "input",
    "inputs",
    "instructions",
    "tools",
    "contents",
    "systemInstruction",
)
"""Fields of requests that are tokens of the prompt, over all dialects."""
_TEXT_KINDS: Final = frozenset({"text", "input_text", "output_text", "function", "custom", "message", "thinking"})
_MEDIA: Final = frozenset({"images", "image_url", "input_audio", "audio", "inlineData", "fileData", "file", "source"})
_DEEPEST: Final = 64


class _UnseenError(Exception):
    """A part of the prompt is no text."""


def usage_so_far(came: SoFar, asked: Mapping[str, Any]) -> Usage:
    """Return the usage of a stream up to where it broke off.

    Args:
        came: what the stream's reader knows.
        asked: the body of the request.
    """
    told = came.usage
    if came.counted:
        return told
    given = estimated_prompt(asked) if told.input_tokens is None else told.input_tokens
    made = max(told.output_tokens or 0, estimate(came.text))
    total = None if given is None else given + made
    return replace(told, input_tokens=given, output_tokens=made, total_tokens=total, estimated=True)


def estimated_prompt(asked: Mapping[str, Any]) -> int | None:
    """Return a guess at the tokens of a request's prompt; None where it holds more than text, or none is seen."""
    prompts = [asked[name] for name in _PROMPTS if asked.get(name)]
    try:
        found = [size for prompt in prompts for size in _sizes(prompt, 0)]
    except _UnseenError:
        return None
    return sum(found) if found else None


def _sizes(value: Any, depth: int) -> Iterator[int]:
    """Yield the tokens of every text in a value; a number in a list is a token itself."""
    if depth > _DEEPEST:
        raise _UnseenError
    if isinstance(value, str):
        yield estimate(value)
    elif isinstance(value, Mapping):
        kind = value.get("type")
        if not _MEDIA.isdisjoint(value) and not ("type" in value and kind in _TEXT_KINDS):
            raise _UnseenError
        for item in value.values():
            yield from _sizes(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) is int:
                yield 1
            else:
                yield from _sizes(item, depth + 1)
