"""The Responses API of the OpenAI dialect: what ``POST /responses`` takes and how a response object reads.

Wire facts: ``openai/types/responses`` of the official SDK 3.52.0. Function tools and text formats are flat here,
unlike chat; a response that failed comes with status 200 and says so inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backends.dialects.openai_common import arguments_text, json_object, read_usage, text_of
from backends.dialects.openai_errors import raise_inside, stream_error
from backends.operation import Answer, Operation
from backends.parameters import bad_argument
from backends.types import ChatReply, ToolCall
from backends.wire.values import FormatError

__all__ = [
    "PATH",
    "Input",
    "ResponseReply",
    "checked_input",
    "finish_reason",
    "read_created_response",
    "read_response",
    "response_from",
    "response_operation",
]

PATH: Final = "/responses"
Input = str | Sequence[Mapping[str, Any]]
"""A text, or input items: messages, function outputs, items of earlier answers."""

_FINISH: Final = {"max_output_tokens": "length", "max_tokens": "length", "content_filter": "content_filter"}
"""Reasons for an incomplete response in the words of chat; ``max_tokens`` is OpenVINO Model Server's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseReply(ChatReply):
    """A response. ``text`` joins every output text; ``tool_calls`` are its function and custom calls, their ``id``
    the ``call_id``.

    Attributes:
        id: of the response, for ``previous_response_id`` and the calls that take one.
        status: ``completed``, ``incomplete``, ``failed``, ``in_progress``, ``queued`` or ``cancelled``.
        output: the items untouched.
        error: what a failed response says, else None.
    """

    id: str = ""
    status: str = ""
    output: tuple[Any, ...] = ()
    error: Any = None


def checked_input(given: Input, provider: str | None = None) -> Input:
    """Return input fit for the wire.

    Raises:
        InvalidRequestError: it is empty, or not text or a list of items.
    """
    if isinstance(given, str):
        if not given:
            bad_argument("input must not be empty", provider)
        return given
    if isinstance(given, bytes | Mapping) or not isinstance(given, Sequence):
        bad_argument(f"input must be text or a list of items, not {type(given).__name__}", provider)
    if not given:
        bad_argument("input must not be empty", provider)
    for index, item in enumerate(given):
        if not isinstance(item, Mapping):
            bad_argument(f"input[{index}] must be a mapping, not {type(item).__name__}", provider)
        if not isinstance(item.get("role"), str) and not isinstance(item.get("type"), str):
            bad_argument(f"input[{index}] must have a role or a type", provider)
    items: Sequence[Any] = given
    return [item if type(item) is dict else dict(item) for item in items]


def response_operation(
    model: str | None, given: Input, fields: Mapping[str, Any], *, provider: str | None = None, path: str = PATH
) -> Operation[ResponseReply]:
    """Return the operation of a whole response."""
    body: dict[str, Any] = {"input": checked_input(given, provider), **fields}
    if model is not None:
        body["model"] = model
    body.pop("stream_options", None)
    return Operation("responses", read_created_response, path, body=body, model=model)


def read_created_response(answer: Answer) -> ResponseReply:
    """Read the answer to a creation; a failed response raises what it failed of.

    Raises:
        FormatError: it is not a response object.
        BackendError: the response failed.
    """
    reply = read_response(answer)
    if reply.status == "failed":
        raise stream_error({"error": reply.error or {"message": "The response failed without saying why."}})
    return reply


def read_response(answer: Answer) -> ResponseReply:
    """Read a response object in whatever status it is."""
    data = json_object(answer.data)
    if "output" not in data:
        raise_inside(data)
    return response_from(data, answer, answer.facts())


def response_from(
    data: dict[str, Any], answer: Answer, facts: dict[str, Any], *, text: str = "", reasoning: str = ""
) -> ResponseReply:
    """Build the reply from a response object; ``text`` and ``reasoning`` stand in where the object has none
    (streams)."""
    output = data["output"]
    if type(output) is not list:
        raise FormatError("the output is not a list")
    texts: list[str] = []
    thoughts: list[str] = []
    refusals: list[str] = []
    calls: list[ToolCall] = []
    logprobs: list[Any] = []
    for item in output:
        kind = item.get("type")
        if kind == "message":
            for part in item.get("content") or ():
                if part.get("type") == "output_text":
                    texts.append(text_of(part.get("text")))
                    logprobs.extend(part.get("logprobs") or ())
                elif part.get("type") == "refusal":
                    refusals.append(text_of(part.get("refusal")))
        elif kind == "function_call":
            calls.append(ToolCall(item.get("call_id") or "", item["name"], arguments_text(item.get("arguments"))))
        elif kind == "custom_tool_call":
            calls.append(ToolCall(item.get("call_id") or "", item["name"], arguments_text(item.get("input")), "custom"))
        elif kind == "reasoning":
            parts = item.get("summary") or item.get("content") or ()
            thoughts.append("\n\n".join(text_of(part.get("text")) for part in parts))
    model, status, whole = data.get("model"), data.get("status"), "".join(texts) or text
    return ResponseReply(
        **facts,
        usage=read_usage(data.get("usage")),
        model=model if isinstance(model, str) else answer.model,
        text=whole,
        finish_reason=finish_reason(data, called=bool(calls)),
        tool_calls=tuple(calls),
        reasoning="\n\n".join(thought for thought in thoughts if thought) or reasoning or None,
        refusal="".join(refusals) or None,
        logprobs={"content": logprobs} if logprobs else None,
        texts=(whole,),
        id=text_of(data.get("id")),
        status=text_of(status),
        output=tuple(output),
        error=data.get("error"),
    )


def finish_reason(data: dict[str, Any], *, called: bool) -> str | None:
    """Return the reason in the words of chat: ``stop``, ``tool_calls``, ``length``, ``content_filter``; None while
    it goes on."""
    status, details = data.get("status"), data.get("incomplete_details")
    if status == "completed":
        return "tool_calls" if called else "stop"
    if status == "incomplete":
        reason = details.get("reason") if type(details) is dict else None
        return _FINISH.get(reason, reason) if isinstance(reason, str) else "length"
    return None if status in ("queued", "in_progress") else text_of(status) or None
