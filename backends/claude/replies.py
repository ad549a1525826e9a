"""Whole messages read into replies, and token counts.

Wire facts: ``input_tokens`` counts only what was neither read from the prompt cache nor written to it; the whole
prompt is ``input_tokens + cache_creation_input_tokens + cache_read_input_tokens``. :class:`~backends.types.Usage` has
the whole prompt in ``input_tokens`` and the two others contained in it, so they are added up here. ``output_tokens``
contains the thinking.
"""

from __future__ import annotations

from typing import Any, Final

from backends.claude.failures import raise_inside
from backends.claude.values import MessageReply
from backends.dialects.openai_common import arguments_text, count, json_object
from backends.operation import Answer
from backends.types import TokenCount, ToolCall, Usage
from backends.wire.values import FormatError

__all__ = ["message_from", "read_count", "read_message", "read_usage", "refusal_of"]

_NO_USAGE: Final = Usage()


def read_usage(usage: Any) -> Usage:
    """Return the counts of a message: cached and cache-write tokens added to the input, which the provider counts
    apart."""
    if type(usage) is not dict:
        return _NO_USAGE
    fresh, made = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    written, read = count(usage.get("cache_creation_input_tokens")), count(usage.get("cache_read_input_tokens"))
    given = None if fresh is None else fresh + (written or 0) + (read or 0)
    details, lifetimes = usage.get("output_tokens_details"), usage.get("cache_creation")
    return Usage(
        input_tokens=given,
        output_tokens=made,
        total_tokens=given + made if given is not None and made is not None else None,
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=count(details.get("thinking_tokens")) if type(details) is dict else None,
        cache_write_1h_tokens=(count(lifetimes.get("ephemeral_1h_input_tokens")) if type(lifetimes) is dict else None),
    )


def read_message(answer: Answer) -> MessageReply:
    """Read a whole answer of ``/v1/messages``.

    Raises:
        FormatError: it has no content.
        BackendError: it is an error body in spite of its status.
    """
    data = json_object(answer.data)
    raise_inside(data, model=answer.model)
    return message_from(data, answer.facts(), model=answer.model)


def message_from(
    data: dict[str, Any],
    facts: dict[str, Any],
    *,
    model: str | None = None,
    tool_calls: tuple[ToolCall, ...] | None = None,
) -> MessageReply:
    """Return the reply of a message object.

    Args:
        data: the message.
        facts: of its request.
        model: the model asked for.
        tool_calls: as a stream wrote them; None reads them from the blocks.

    Raises:
        FormatError: it has no content, or a block has not the shape of its type.
    """
    content = data["content"]
    if type(content) is not list:
        raise FormatError("the message has no content")
    texts: list[str] = []
    thoughts: list[str] = []
    citations: list[Any] = []
    calls: list[ToolCall] = []
    for block in content:
        kind = block["type"]
        if kind == "text":
            texts.append(_text(block, "text"))
            citations.extend(block.get("citations") or ())
        elif kind == "thinking":
            thoughts.append(_text(block, "thinking"))
        elif kind == "tool_use":
            calls.append(ToolCall(_text(block, "id"), _text(block, "name"), arguments_text(block["input"])))
    text, details = "".join(texts), data.get("stop_details")
    return MessageReply(
        **facts,
        usage=read_usage(data.get("usage")),
        model=_word(data, "model") or model,
        text=text,
        texts=(text,),
        finish_reason=_word(data, "stop_reason"),
        tool_calls=tuple(calls) if tool_calls is None else tool_calls,
        reasoning="".join(thoughts) or None,
        refusal=refusal_of(data),
        id=_word(data, "id") or "",
        content=tuple(content),
        citations=tuple(citations),
        stop_sequence=_word(data, "stop_sequence"),
        stop_details=details if type(details) is dict else None,
    )


def _text(block: dict[str, Any], name: str) -> str:
    value = block[name]
    if type(value) is not str:
        raise FormatError(f"{name} is not text")
    return value


def _word(data: dict[str, Any], name: str) -> str | None:
    """Return a text field, None for anything else."""
    value = data.get(name)
    return value if type(value) is str else None


def refusal_of(data: dict[str, Any]) -> str | None:
    """Return what ``stop_reason`` and ``stop_details`` say of a refusal, None where there is none."""
    if data.get("stop_reason") != "refusal":
        return None
    details = data.get("stop_details")
    said = (details.get("explanation") or details.get("category")) if type(details) is dict else None
    return said if isinstance(said, str) else "refusal"


def read_count(answer: Answer) -> TokenCount:
    """Read ``{"input_tokens": ...}``.

    Raises:
        FormatError: it is no number.
    """
    data = json_object(answer.data)
    raise_inside(data, model=answer.model)
    tokens = count(data["input_tokens"])
    if tokens is None:
        raise FormatError("the count is not a number")
    return TokenCount(tokens, estimated=False, method="provider")
