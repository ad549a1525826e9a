"""Reader of streamed chat in the OpenAI dialect: ``chat.completion.chunk`` objects in, chunks out, the whole reply
at the end."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from backends.dialects.openai_common import arguments_text, read_usage, text_of
from backends.dialects.openai_events import MAX_EVENT_BYTES, EventReader
from backends.operation import Answer, SoFar
from backends.types import ChatReply, Chunk, ToolCall, ToolCallDelta, Usage
from backends.wire.values import FormatError

__all__ = ["ChatStreamReader"]


class _Call:
    """One tool call as far as it has come."""

    __slots__ = ("arguments", "id", "kind", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.kind = "function"
        self.arguments: list[str] = []

    def whole(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.arguments), self.kind)

    def payload(self) -> dict[str, Any]:
        text = "input" if self.kind == "custom" else "arguments"
        return {"id": self.id, "type": self.kind, self.kind: {"name": self.name, text: "".join(self.arguments)}}


class _Choice:
    """One choice as far as it has come."""

    __slots__ = ("audio", "audio_tail", "calls", "finish", "logprobs", "reasoning", "refusal", "text")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.calls: dict[int, _Call] = {}
        self.logprobs: dict[str, list[Any]] = {}
        self.finish: str | None = None
        self.audio: dict[str, Any] = {}
        self.audio_tail = ""


class ChatStreamReader(EventReader):
    """Assembles one streamed answer. Its reply's ``raw`` is the answer as it would have come whole."""

    __slots__ = ("_choices", "_head", "_usage", "_usage_raw")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(max_event_bytes)
        self._choices: dict[int, _Choice] = {}
        self._head: dict[str, Any] | None = None
        self._usage: Usage | None = None
        self._usage_raw: Any = None

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one chunk object; what is not one is passed over."""
        choices = payload.get("choices")
        counts = payload.get("usage")
        usage = None
        if counts:
            usage = self._usage = read_usage(counts)
            self._usage_raw = counts
        if not choices:
            if usage is not None:
                return (Chunk(usage=usage, raw=payload),)
            return (Chunk(raw=payload),) if choices is not None else ()
        if self._head is None:
            self._head = payload
        if len(choices) == 1:
            return (self._take_choice(choices[0], payload, usage),)
        return [self._take_choice(choice, payload, usage) for choice in choices]

    def _take_choice(self, choice: Any, payload: dict[str, Any], usage: Usage | None) -> Chunk:
        index = choice.get("index", 0)
        state = self._choices.get(index)
        if state is None:
            if type(index) is not int:
                raise FormatError("a choice has no number")
            state = self._choices[index] = _Choice()
        logprobs = choice.get("logprobs")
        if logprobs:
            for name, entries in logprobs.items():
                if type(entries) is list:
                    state.logprobs.setdefault(name, []).extend(entries)
        finish = choice.get("finish_reason")
        if finish:
            state.finish = finish
        delta = choice.get("delta")
        if not delta:
            return Chunk(finish_reason=finish, usage=usage, index=index, raw=payload)
        text = delta.get("content")
        if text:
            if type(text) is not str:
                text = text_of(text)
            state.text.append(text)
        if len(delta) == 1 and text:  # the common piece carries text and nothing else
            return Chunk(text, "", (), finish, usage, index, payload)
        return self._take_rare(state, delta, text or "", finish, usage, index, payload)

    def _take_rare(
        self, state: _Choice, delta: Any, text: str, finish: str | None, usage: Usage | None, index: int, payload: Any
    ) -> Chunk:
        reasoning = delta.get("reasoning") or delta.get("reasoning_content") or ""
        if reasoning:
            reasoning = text_of(reasoning)
            state.reasoning.append(reasoning)
        refusal = delta.get("refusal") or ""
        if refusal:
            refusal = text_of(refusal)
            state.refusal.append(refusal)
        pieces = delta.get("tool_calls")
        calls = tuple(_take_call(state, piece) for piece in pieces) if pieces else ()
        old = delta.get("function_call")
        if old and not calls:
            calls = (_take_call(state, {"index": 0, "function": old}),)
        audio, data = delta.get("audio"), None
        if audio:
            data, spoken = _take_audio(state, audio)
            if spoken:
                state.text.append(spoken)
                text += spoken
        return Chunk(text, reasoning, calls, finish, usage, index, payload, data, refusal)

    def partial(self) -> str | None:
        """Return the first choice's text so far, None when there is none."""
        state = self._choices.get(0) or next(iter(self._choices.values()), None)
        return "".join(state.text) or None if state is not None else None

    def so_far(self) -> SoFar:
        """Return what has come: every choice's words, and the counts where they came already."""
        head = self._head or {}
        words = [part for state in self._choices.values() for part in (*state.text, *state.reasoning, *state.refusal)]
        words += [part for state in self._choices.values() for call in state.calls.values() for part in call.arguments]
        model = head.get("model")
        return SoFar(
            "".join(words),
            self._usage or Usage(),
            self._usage is not None,
            model if isinstance(model, str) else None,
            head,
        )

    def ended(self) -> None:
        """Refuse a stream that ends without a single choice, or within a piece of sound."""
        if not self._choices:
            raise FormatError("the stream ended without any content")
        if any(state.audio_tail for state in self._choices.values()):
            raise FormatError("audio is not base64")

    def reply(self, answer: Answer) -> ChatReply:
        """Return the reply of the whole stream."""
        self.ended()
        states = [self._choices[index] for index in sorted(self._choices)]
        first = states[0]
        texts = tuple("".join(state.text) for state in states)
        head = self._head or {}
        model = head.get("model")
        facts = answer.facts()
        facts["raw"] = self._payload(head)
        return ChatReply(
            **facts,
            usage=self._usage or Usage(),
            model=model if isinstance(model, str) else answer.model,
            text=texts[0],
            finish_reason=first.finish,
            tool_calls=tuple(first.calls[index].whole() for index in sorted(first.calls)),
            reasoning="".join(first.reasoning) or None,
            refusal="".join(first.refusal) or None,
            logprobs=first.logprobs or None,
            texts=texts,
        )

    def _payload(self, head: dict[str, Any]) -> dict[str, Any]:
        choices = []
        for index in sorted(self._choices):
            state = self._choices[index]
            calls = [state.calls[place].payload() for place in sorted(state.calls)]
            text = "".join(state.text)
            message: dict[str, Any] = {
                "role": "assistant",
                "content": text if text or not calls else None,
                "refusal": "".join(state.refusal) or None,
            }
            if state.reasoning:
                message["reasoning"] = "".join(state.reasoning)
            if calls:
                message["tool_calls"] = calls
            if state.audio:
                message["audio"] = {**state.audio, "data": "".join(state.audio.get("data", ()))}
            choices.append(
                {"index": index, "message": message, "logprobs": state.logprobs or None, "finish_reason": state.finish}
            )
        rest = {name: value for name, value in head.items() if name not in ("choices", "usage", "obfuscation")}
        return {**rest, "object": "chat.completion", "choices": choices, "usage": self._usage_raw}


def _take_call(state: _Choice, piece: Any) -> ToolCallDelta:
    index, call_id = piece.get("index"), piece.get("id")
    if index is None:  # some servers number nothing: an id begins a new call
        last = len(state.calls) - 1
        known = state.calls.get(last)
        index = last if known is not None and call_id in (None, "", known.id) else last + 1
    elif type(index) is not int:
        raise FormatError("a tool call has no number")
    call = state.calls.get(index)
    if call is None:
        call = state.calls[index] = _Call()
    kind = piece.get("type")
    if kind:
        call.kind = kind
    inner = piece.get(call.kind) or piece.get("function") or piece.get("custom") or {}
    name = inner.get("name")
    if name:
        call.name += name
    if call_id:
        call.id = call_id
    text = inner.get("arguments")
    if text is None:
        text = inner.get("input")
    arguments = arguments_text(text)
    if arguments:
        call.arguments.append(arguments)
    return ToolCallDelta(index, call_id or None, name or None, arguments, kind or None)


def _take_audio(state: _Choice, audio: Any) -> tuple[bytes | None, str]:
    """Return decoded sound and its transcript; base64 may be cut anywhere, so up to three characters are kept back."""
    data, spoken = audio.get("data"), audio.get("transcript")
    for name in ("id", "expires_at"):
        if audio.get(name) is not None:
            state.audio[name] = audio[name]
    if spoken:
        state.audio["transcript"] = state.audio.get("transcript", "") + spoken
    if not data:
        return None, spoken or ""
    state.audio.setdefault("data", []).append(data)
    text = state.audio_tail + data
    whole = len(text) // 4 * 4
    state.audio_tail = text[whole:]
    try:
        return base64.b64decode(text[:whole], validate=True) or None, spoken or ""
    except binascii.Error:
        raise FormatError("audio is not base64") from None
