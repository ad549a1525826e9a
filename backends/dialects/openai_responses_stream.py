"""Reader of streamed responses: typed events in, chunks out. The end is ``response.completed``, ``.incomplete`` or
``.failed``.

Wire facts: there is no ``[DONE]``; the ``type`` inside the data is what counts, the ``event:`` line is decoration.
The ``error`` event is flat (``{"type": "error", "code", "message"}``), and ``response.failed`` carries its error
inside the response.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from backends.dialects.openai_common import read_usage, text_of
from backends.dialects.openai_errors import stream_error
from backends.dialects.openai_events import MAX_EVENT_BYTES, EventReader
from backends.dialects.openai_responses import (
    PATH,
    Input,
    ResponseReply,
    checked_input,
    finish_reason,
    read_response,
    response_from,
)
from backends.operation import Answer, Operation, SoFar
from backends.types import Chunk, ToolCallDelta
from backends.wire.values import FormatError

__all__ = ["ResponseStreamReader", "response_stream_operation"]

_REASONING: Final = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_ARGUMENTS: Final = frozenset({"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"})
_ENDS: Final = frozenset({"response.completed", "response.incomplete"})


def response_stream_operation(
    model: str | None,
    given: Input,
    fields: Mapping[str, Any],
    *,
    provider: str | None = None,
    path: str = PATH,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> Operation[ResponseReply]:
    """Return the operation of a streamed response."""
    body: dict[str, Any] = {"input": checked_input(given, provider), **fields, "stream": True}
    if model is not None:
        body["model"] = model
    return Operation(
        "stream_responses",
        read_response,
        path,
        body=body,
        model=model,
        stream=lambda: ResponseStreamReader(max_event_bytes),
    )


class ResponseStreamReader(EventReader):
    """Reads one streamed response. Its reply's ``raw`` is the response object of the last event, untouched."""

    __slots__ = ("_arguments", "_begun", "_called", "_reasoning", "_response", "_text")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(max_event_bytes)
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._arguments: list[str] = []
        self._begun: dict[str, Any] = {}
        self._called = False
        self._response: dict[str, Any] | None = None

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one event; unknown ones come out as chunks that hold only ``raw``."""
        kind = payload.get("type")
        if kind == "response.output_text.delta":
            text = payload["delta"]
            if type(text) is not str:
                raise FormatError("a text delta is not text")
            self._text.append(text)
            return (Chunk(text, raw=payload),)
        if kind in _REASONING:
            text = text_of(payload["delta"])
            self._reasoning.append(text)
            return (Chunk("", text, raw=payload),)
        if kind in _ARGUMENTS:
            delta = ToolCallDelta(_index(payload), arguments=text_of(payload["delta"]))
            self._arguments.append(delta.arguments)
            return (Chunk(tool_calls=(delta,), raw=payload),)
        if kind == "response.output_item.added":
            begun = _begun(payload)
            self._called = self._called or bool(begun)
            return (Chunk(tool_calls=begun, raw=payload),)
        if kind in _ENDS:
            return (self._end(payload),)
        if kind == "response.failed":
            response = payload.get("response")
            error = response.get("error") if type(response) is dict else None
            raise stream_error({"error": error or {"message": "The response failed without saying why."}})
        if kind == "error":
            raise stream_error(payload)
        if kind == "response.created" and type(payload.get("response")) is dict:
            self._begun = payload["response"]
        return (Chunk(raw=payload),) if isinstance(kind, str) and kind.startswith("response.") else ()

    def _end(self, payload: dict[str, Any]) -> Chunk:
        response = payload["response"]
        if type(response) is not dict:
            raise FormatError("the last event has no response")
        self._response = response
        self.done = True
        finish = finish_reason(response, called=self._called)
        return Chunk(finish_reason=finish, usage=read_usage(response.get("usage")), raw=payload)

    def so_far(self) -> SoFar:
        """Return what has come; the counts come with the last event alone."""
        said = self._response or self._begun
        usage, model = read_usage(said.get("usage")), said.get("model")
        words = "".join((*self._text, *self._reasoning, *self._arguments))
        return SoFar(words, usage, self._response is not None, model if isinstance(model, str) else None, said)

    def ended(self) -> None:
        """``[DONE]`` before the typed end is a cut, not an end."""
        raise FormatError("the stream ended without response.completed")

    def partial(self) -> str | None:
        """Return the text so far, None when there is none."""
        return "".join(self._text) or None

    def reply(self, answer: Answer) -> ResponseReply:
        """Return the reply of the whole stream."""
        if self._response is None:
            raise FormatError("the stream ended without response.completed")
        facts = answer.facts()
        facts["raw"] = self._response
        return response_from(
            self._response, answer, facts, text="".join(self._text), reasoning="".join(self._reasoning)
        )


def _index(payload: dict[str, Any]) -> int:
    index = payload.get("output_index", 0)
    if type(index) is not int:
        raise FormatError("an output has no number")
    return index


def _begun(payload: dict[str, Any]) -> tuple[ToolCallDelta, ...]:
    item = payload.get("item")
    if type(item) is not dict:
        raise FormatError("an output item is not an object")
    kind = item.get("type")
    if kind == "function_call":
        return (
            ToolCallDelta(
                _index(payload), item.get("call_id"), item.get("name"), item.get("arguments") or "", "function"
            ),
        )
    if kind == "custom_tool_call":
        return (
            ToolCallDelta(_index(payload), item.get("call_id"), item.get("name"), item.get("input") or "", "custom"),
        )
    return ()
