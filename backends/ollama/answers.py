"""Whole answers read into replies: chat, completion, embeddings; token counts; tool calls.

Wire facts: ``api/types.go``. Metrics stand in the final object and are left out when zero. ``done_reason`` is ``stop``,
``length``, ``load``, ``unload`` or missing; a turn that calls tools ends with ``stop`` as well. ``finish_reason`` is
that word untouched (None when missing), never a translation: look at ``tool_calls`` to see whether the model wants
one made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.batch_plan import counted_rows
from backends.dialects.openai_common import arguments_text, count, json_object
from backends.dialects.openai_embeddings import read_vector
from backends.operation import Answer
from backends.types import ChatReply, CompletionReply, Embeddings, ToolCall, Usage
from backends.wire.values import FormatError

__all__ = [
    "cut_rows",
    "finish_of",
    "read_chat",
    "read_completion",
    "read_embeddings",
    "read_tool_call",
    "text_in",
    "usage_of",
]


def usage_of(final: dict[str, Any], *, wrote: bool) -> Usage:
    """Return the token counts of a final object.

    The server leaves zeros out, so a missing ``prompt_eval_count`` is 0 (a cached or empty prompt). A missing
    ``eval_count`` is 0 only where nothing was written; otherwise the server did not say.
    """
    given, made = count(final.get("prompt_eval_count")), count(final.get("eval_count"))
    if given is None:
        given = 0
    if made is None and not wrote:
        made = 0
    return Usage(given, made, given + made if made is not None else None)


def text_in(holder: dict[str, Any], name: str) -> str:
    """Return a text field, ``""`` when it is missing or null.

    Raises:
        FormatError: it is something else.
    """
    value = holder.get(name)
    if value is None:
        return ""
    if type(value) is not str:
        raise FormatError(f"{name} is not text")
    return value


def finish_of(final: dict[str, Any]) -> str | None:
    """Return ``done_reason``, None when it is missing or empty."""
    return text_in(final, "done_reason") or None


def read_tool_call(call: Any) -> ToolCall:
    """Read one tool call; its arguments, an object on the wire, become JSON text.

    Raises:
        FormatError: it has no name.
    """
    function = call["function"]
    name = function.get("name")
    if type(name) is not str:
        raise FormatError("a tool call has no name")
    return ToolCall(text_in(call, "id"), name, arguments_text(function.get("arguments")))


def _final(answer: Answer) -> dict[str, Any]:
    data = json_object(answer.data)
    if data.get("done") is not True:
        raise FormatError("the answer is not finished: done is not true")
    return data


def read_chat(answer: Answer) -> ChatReply:
    """Read a whole answer of ``/api/chat``.

    Raises:
        FormatError: it has no message, or is not finished.
    """
    data = _final(answer)
    message = data["message"]
    text, thinking = text_in(message, "content"), text_in(message, "thinking")
    calls = message.get("tool_calls")
    return ChatReply(
        **answer.facts(),
        usage=usage_of(data, wrote=bool(text or thinking or calls)),
        model=text_in(data, "model") or answer.model,
        text=text,
        finish_reason=finish_of(data),
        tool_calls=tuple(map(read_tool_call, calls)) if calls else (),
        reasoning=thinking or None,
        logprobs=data.get("logprobs"),
        texts=(text,),
    )


def read_completion(answer: Answer) -> CompletionReply:
    """Read a whole answer of ``/api/generate``; ``raw["context"]`` holds the tokens to go on from.

    Raises:
        FormatError: it has no text, or is not finished.
    """
    data = _final(answer)
    text, thinking = text_in(data, "response"), text_in(data, "thinking")
    return CompletionReply(
        **answer.facts(),
        usage=usage_of(data, wrote=bool(text or thinking)),
        model=text_in(data, "model") or answer.model,
        text=text,
        finish_reason=finish_of(data),
        reasoning=thinking or None,
        logprobs=data.get("logprobs"),
        texts=(text,),
    )


def read_embeddings(answer: Answer, number: int) -> Embeddings:
    """Read the vectors of ``/api/embed``, which come in the order of their texts.

    Raises:
        FormatError: one is missing, is not numbers, or differs in length from the rest.
    """
    data = json_object(answer.data)
    rows = data["embeddings"]
    if type(rows) is not list or len(rows) != number:
        raise FormatError(f"{len(rows) if type(rows) is list else 'no'} vectors came for {number} texts")
    vectors = tuple(map(read_vector, rows))
    if len({*map(len, vectors)}) != 1:
        raise FormatError("the vectors differ in length")
    given = count(data.get("prompt_eval_count")) or 0
    return Embeddings(
        **answer.facts(),
        usage=Usage(given, None, given),
        model=text_in(data, "model") or answer.model,
        vectors=vectors,
    )


def cut_rows(data: Any, counts: Sequence[int]) -> list[dict[str, Any]]:
    """Cut an answer of ``/api/embed`` into answers to so many texts each; what it says besides stands in each.

    Raises:
        FormatError: there is not one vector for each text.
    """
    answer = json_object(data)
    return [{**answer, "embeddings": rows} for rows in counted_rows(answer["embeddings"], counts)]
