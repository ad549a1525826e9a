"""Readers of streamed chat and completion: NDJSON objects in, chunks out, the whole reply at the end.

Wire facts: tool calls arrive whole, each call in an object of its own or several in one; thinking comes before the
answer; usage and ``done_reason`` stand in the last object. A reply's ``raw`` is the answer as it would have come
whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backends.ollama.answers import finish_of, read_tool_call, text_in, usage_of
from backends.ollama.lines import Fail, LineReader
from backends.operation import Answer, SoFar
from backends.types import ChatReply, Chunk, CompletionReply, ToolCall, ToolCallDelta, Usage
from backends.wire.values import FormatError

__all__ = ["ChatReader", "CompletionReader"]


class _TextReader(LineReader):
    """What chat and completion have in common: text, thinking, log probabilities, the final object."""

    __slots__ = ("_final", "_logprobs", "_text", "_thinking", "_usage")

    def __init__(self, fail: Fail, max_event_bytes: int) -> None:
        super().__init__(fail, max_event_bytes)
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._logprobs: list[Any] = []
        self._final: dict[str, Any] = {}
        self._usage = Usage()

    def partial(self) -> str | None:
        """Return the text so far, None when there is none."""
        return "".join(self._text) or None

    def so_far(self) -> SoFar:
        """Return what has come; the counts come with the final object alone."""
        return SoFar("".join((*self._thinking, *self._text)), self._usage, self.done)

    def _chunk(
        self, event: dict[str, Any], holder: dict[str, Any], name: str, calls: tuple[ToolCallDelta, ...]
    ) -> Chunk:
        """Return the chunk of one object whose text stands in ``holder[name]``."""
        text = holder.get(name) or ""
        if text:
            if type(text) is not str:
                raise FormatError(f"{name} is not text")
            self._text.append(text)
        thinking = text_in(holder, "thinking")
        if thinking:
            self._thinking.append(thinking)
        logprobs = event.get("logprobs")
        if type(logprobs) is list:
            self._logprobs.extend(logprobs)
        if event.get("done") is not True:
            return Chunk(text, thinking, calls, raw=event)
        finish = finish_of(event)
        self._final = event
        self._usage = usage_of(event, wrote=bool(self._text or self._thinking or calls or self._called()))
        self.done = True
        return Chunk(text, thinking, calls, finish, self._usage, raw=event)

    def _called(self) -> bool:
        return False

    def _facts(self, answer: Answer) -> dict[str, Any]:
        """Return the fields that both replies share, ``raw`` apart."""
        text = "".join(self._text)
        return {
            **answer.facts(),
            "usage": self._usage,
            "model": text_in(self._final, "model") or answer.model,
            "text": text,
            "texts": (text,),
            "finish_reason": finish_of(self._final),
            "reasoning": "".join(self._thinking) or None,
            "logprobs": self._logprobs or None,
        }

    def _whole(self, **fields: Any) -> dict[str, Any]:
        """Return the final object with what the earlier ones held."""
        whole = {**self._final, **fields}
        if self._logprobs:
            whole["logprobs"] = self._logprobs
        return whole


class ChatReader(_TextReader):
    """Assembles one streamed answer of ``/api/chat``."""

    __slots__ = ("_calls", "_raw_calls")

    def __init__(self, fail: Fail, max_event_bytes: int) -> None:
        super().__init__(fail, max_event_bytes)
        self._calls: list[ToolCall] = []
        self._raw_calls: list[Any] = []

    def take(self, event: dict[str, Any]) -> Iterable[Chunk]:
        """Read one object; one without a message is passed on as it is."""
        message = event.get("message")
        if message is None:
            message = {}
        elif type(message) is not dict:
            raise FormatError("message is not an object")
        calls = message.get("tool_calls")
        return (self._chunk(event, message, "content", self._take_calls(calls) if calls else ()),)

    def _take_calls(self, calls: Any) -> tuple[ToolCallDelta, ...]:
        # Numbered as they come: some releases number every call 0.
        deltas = []
        for raw in calls:
            call = read_tool_call(raw)
            deltas.append(ToolCallDelta(len(self._calls), call.id, call.name, call.arguments, call.type))
            self._calls.append(call)
            self._raw_calls.append(raw)
        return tuple(deltas)

    def _called(self) -> bool:
        return bool(self._calls)

    def reply(self, answer: Answer) -> ChatReply:
        """Return the whole reply of a finished stream."""
        facts = self._facts(answer)
        message: dict[str, Any] = {"role": "assistant", "content": facts["text"]}
        if facts["reasoning"]:
            message["thinking"] = facts["reasoning"]
        if self._raw_calls:
            message["tool_calls"] = self._raw_calls
        facts["raw"] = self._whole(message=message)
        return ChatReply(**facts, tool_calls=tuple(self._calls))


class CompletionReader(_TextReader):
    """Assembles one streamed answer of ``/api/generate``."""

    __slots__ = ()

    def take(self, event: dict[str, Any]) -> Iterable[Chunk]:
        """Read one object."""
        return (self._chunk(event, event, "response", ()),)

    def reply(self, answer: Answer) -> CompletionReply:
        """Return the whole reply of a finished stream."""
        facts = self._facts(answer)
        fields = {"response": facts["text"]}
        if facts["reasoning"]:
            fields["thinking"] = facts["reasoning"]
        facts["raw"] = self._whole(**fields)
        return CompletionReply(**facts)
