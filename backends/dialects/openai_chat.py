"""Chat in the OpenAI dialect: ``POST /chat/completions``, whole and streamed, as operations.

Wire facts: ``openai/types/chat`` of the official SDK 3.52.0; ``reasoning`` and ``reasoning_content`` as vLLM sends
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from backends.dialects.openai_chat_stream import ChatStreamReader
from backends.dialects.openai_common import (
    arguments_text,
    checked_messages,
    json_object,
    named_body,
    read_usage,
    text_of,
)
from backends.dialects.openai_errors import raise_inside
from backends.dialects.openai_events import MAX_EVENT_BYTES
from backends.operation import CONVERSATION, Answer, Operation
from backends.types import ChatReply, Message, ToolCall
from backends.wire.values import FormatError

__all__ = ["PATH", "chat_operation", "chat_stream_operation", "read_chat", "read_tool_calls", "streaming_body"]

PATH: Final = "/chat/completions"


def chat_operation(
    model: str | None,
    messages: Sequence[Message],
    fields: Mapping[str, Any],
    *,
    provider: str | None = None,
    path: str = PATH,
) -> Operation[ChatReply]:
    """Return the operation of a whole chat answer; without a model the server takes its own.

    Raises:
        InvalidRequestError: the messages are empty or malformed.
    """
    body = named_body(model, {"messages": checked_messages(messages, provider), **fields})
    body.pop("stream_options", None)  # the service refuses it without a stream
    return Operation("chat", read_chat, path, body=body, model=model, cacheable=CONVERSATION)


def chat_stream_operation(
    model: str | None,
    messages: Sequence[Message],
    fields: Mapping[str, Any],
    *,
    provider: str | None = None,
    path: str = PATH,
    usage: bool = True,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> Operation[ChatReply]:
    """Return the operation of a streamed chat answer; ``usage`` asks for the usage chunk unless the caller decided."""
    body = named_body(model, {"messages": checked_messages(messages, provider), **fields})
    body = streaming_body(body, usage=usage)
    return Operation(
        "stream_chat",
        read_chat,
        path,
        body=body,
        model=model,
        stream=lambda: ChatStreamReader(max_event_bytes),
        cacheable=CONVERSATION,
    )


def streaming_body(body: dict[str, Any], *, usage: bool) -> dict[str, Any]:
    """Return the body with ``stream`` on, asking for usage unless ``stream_options`` says otherwise."""
    options = body.pop("stream_options", None) or {}
    if usage:
        options = {"include_usage": True, **options}
    body["stream"] = True
    if options:
        body["stream_options"] = dict(options)
    return body


def read_chat(answer: Answer) -> ChatReply:
    """Read a whole ``chat.completion``.

    Raises:
        FormatError: it has no choices, or one has no message.
        BackendError: it is an error body in spite of its status.
    """
    data = json_object(answer.data)
    raise_inside(data)
    choices = data["choices"]
    if type(choices) is not list or not choices:
        raise FormatError("the answer has no choices")
    if len(choices) > 1:
        choices = sorted(choices, key=lambda choice: choice.get("index") or 0)
    first = choices[0]
    message = first["message"]
    texts = (_text(message),) if len(choices) == 1 else tuple(_text(choice["message"]) for choice in choices)
    calls = message.get("tool_calls")
    old = message.get("function_call")
    model = data.get("model")
    return ChatReply(
        **answer.facts(),
        usage=read_usage(data.get("usage")),
        model=model if isinstance(model, str) else answer.model,
        text=texts[0],
        finish_reason=first.get("finish_reason"),
        tool_calls=read_tool_calls(calls) if calls else (ToolCall("", old["name"], old["arguments"]),) if old else (),
        reasoning=message.get("reasoning") or message.get("reasoning_content") or None,
        refusal=message.get("refusal"),
        logprobs=first.get("logprobs"),
        texts=texts,
    )


def _text(message: Any) -> str:
    content = message.get("content")
    if type(content) is str:
        return content
    audio = message.get("audio")
    if content is None and type(audio) is dict:
        return text_of(audio.get("transcript"))
    return text_of(content)


def read_tool_calls(calls: Any) -> tuple[ToolCall, ...]:
    """Read ``tool_calls`` of a message: functions, and custom tools with their free text as arguments."""
    result = []
    for call in calls:
        kind = call.get("type") or "function"
        inner = call.get(kind) or {}
        name = inner["name"]
        if not isinstance(name, str):
            raise FormatError("a tool call has no name")
        text = inner.get("input") if kind == "custom" else inner.get("arguments")
        result.append(ToolCall(call.get("id") or "", name, arguments_text(text), kind))
    return tuple(result)
