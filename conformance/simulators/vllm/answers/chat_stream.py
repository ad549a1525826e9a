"""A chat answer as the chunks of its stream: keys that were never set are left out, as the server does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.openai.answers.chat_parts import logprobs_of
from conformance.simulators.provider import Call, Event, Part
from conformance.simulators.vllm.answers.common import FINGERPRINT, same_tokens
from conformance.simulators.vllm.answers.parts import Said, calls_of
from conformance.simulators.vllm.framing import DONE

__all__ = ["Counter", "events"]


class Counter:
    """Usage in the chunks of a stream: none, a last chunk of its own, or running counts in every one."""

    def __init__(self, call: Call, asked: int) -> None:
        options = call.body.get("stream_options") or {}
        self.wanted = bool(options.get("include_usage"))
        self._running = self.wanted and bool(options.get("continuous_usage_stats"))
        self._asked = asked
        self._said = 0

    def add(self, tokens: int) -> None:
        """Count tokens of output."""
        self._said += tokens

    def running(self) -> dict[str, Any]:
        """What a chunk carries."""
        return {"usage": {**self._counts(), "completion_tokens_details": None}} if self._running else {}

    def last(self, base: dict[str, Any]) -> Iterator[Event]:
        """The usage chunk, with an empty list of choices."""
        if self.wanted:
            payload = {**base, "choices": [], "usage": self._counts(), "system_fingerprint": FINGERPRINT}
            yield Event(payload, part=Part.CLOSING)

    def _counts(self) -> dict[str, Any]:
        total = self._asked + self._said
        return {"prompt_tokens": self._asked, "total_tokens": total, "completion_tokens": self._said}


def events(call: Call, base: dict[str, Any], said: Sequence[Said], prompt: Sequence[int], text: str) -> Iterator[Event]:
    """Role, reasoning, text or calls, the end of each choice, usage when asked for, ``[DONE]``."""
    body = call.body
    base = {**base, "object": "chat.completion.chunk"}
    wanted = bool(body.get("return_token_ids"))
    counter = Counter(call, len(prompt))

    def chunk(one: Said, delta: dict[str, Any], part: Part, *, tokens: Sequence[str] = (), **more: Any) -> Event:
        counter.add(len(tokens))
        ids = same_tokens(call, tokens) if wanted else None
        choice = {"index": one.index, "delta": delta, "logprobs": None, "finish_reason": None, "token_ids": ids, **more}
        return Event({**base, "choices": [choice], **counter.running()}, part=part)

    for one in said:
        choice = {
            "index": one.index,
            "delta": {"role": "assistant", "content": ""},
            "logprobs": None,
            "finish_reason": None,
        }
        opening = {"prompt_token_ids": list(prompt) if wanted else None, "prompt_text": None}
        yield Event({**base, "choices": [choice], **counter.running(), **opening}, part=Part.OPENING)
    for one in said:
        counter.add(one.thought_tokens - len(one.thought))
        for token in one.thought:
            yield chunk(one, {"reasoning": token}, Part.CONTENT, tokens=(token,))
        for token in one.turn.tokens:
            entries = [logprobs_of(token, body.get("top_logprobs") or 0)]
            logprobs = {"content": entries} if body.get("logprobs") else None
            yield chunk(one, {"content": token}, Part.CONTENT, tokens=(token,), logprobs=logprobs)
        for delta, tokens in _calls(call, one):
            yield chunk(one, delta, Part.CONTENT, tokens=tokens)
        end = chunk(
            one,
            {} if one.turn.tool_uses else {"content": ""},
            Part.CLOSING,
            finish_reason=one.finish,
            stop_reason=one.turn.stop_sequence,
        )
        if not counter.wanted:
            end.payload["system_fingerprint"] = FINGERPRINT
        yield end
    yield from counter.last(base)
    yield DONE


def _calls(call: Call, one: Said) -> Iterator[tuple[dict[str, Any], list[str]]]:
    for index, whole in enumerate(calls_of(call, one.turn)):
        function = whole["function"]
        head = {"id": whole["id"], "type": "function", "index": index, "function": {"name": function["name"]}}
        yield {"content": None, "tool_calls": [head]}, tokenise(function["name"])
        for piece in tokenise(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, [piece]
