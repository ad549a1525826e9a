"""Chat completions: those of the dialect with times, ``x_groq``, reasoning, and tools that the server runs itself.

A model thinks where the request speaks of reasoning in any way; otherwise it answers at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from conformance.simulators.generation import Turn, count_tokens, tokenise
from conformance.simulators.groq.answers.common import extra_of, model_for
from conformance.simulators.groq.errors import problem_answer
from conformance.simulators.groq.framing import frame
from conformance.simulators.groq.models import GroqModel
from conformance.simulators.openai.answers.chat import turns_of, whole
from conformance.simulators.openai.answers.chat_parts import Style
from conformance.simulators.openai.answers.chat_stream import events
from conformance.simulators.openai.answers.common import tokens_of_prompt, too_long
from conformance.simulators.openai.framing import sse
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["chat", "usage_of"]

_REASONING = ("reasoning_effort", "reasoning_format", "include_reasoning")
_STYLE = Style(
    fingerprint="fp_simulatedlpu", message={}, first_delta={"role": "assistant", "content": ""}, obfuscate=False
)
_SECONDS_OF_PROMPT_TOKEN = 0.0001
_SECONDS_OF_TOKEN = 0.001


def chat(call: Call) -> Answer:
    """``POST /chat/completions``."""
    model = model_for(call, ModelKind.CHAT)
    if isinstance(model, Answer):
        return model
    refusal = _rules(call.body, model) or too_long(tokens_of_prompt(call.body["messages"]), model.size, "messages")
    if refusal:
        return refusal
    hosted = [tool["type"] for tool in call.body.get("tools") or () if tool["type"] != "function"]
    functions = [tool for tool in call.body.get("tools") or () if tool["type"] == "function"]
    plain = replace(call, body={**call.body, "tools": functions})
    turns = turns_of(plain.body, call.nonce)
    thought = _thought(call, model)
    if thought and call.body.get("reasoning_format") == "raw":
        turns = [replace(turn, tokens=("<think>", *tokenise(thought), "</think>", *turn.tokens)) for turn in turns]
    usage = usage_of(call.body, turns, thought)
    shown = thought if _shows_reasoning(call.body) else ""
    told = _Told(plain, turns, usage, shown, _executed(call, model, hosted), model)
    return told.streamed() if call.body.get("stream") else told.whole()


def _rules(body: Mapping[str, Any], model: GroqModel) -> Answer | None:
    """What the field table cannot say because it concerns two things at once."""
    if body.get("n") not in (None, 1):
        return problem_answer(400, "'n' : number must be at most 1", param="n")
    if body.get("reasoning_format") is not None and body.get("include_reasoning") is not None:
        return problem_answer(400, "only one of 'include_reasoning' or 'reasoning_format' is allowed")
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in model.efforts:
        allowed = ", ".join(model.efforts) or "no value"
        return problem_answer(400, f"`reasoning_effort` must be one of {allowed} for this model")
    parts = [part for message in body["messages"] for part in _parts(message)]
    if not model.sees and any(part["type"] == "image_url" for part in parts):
        return problem_answer(400, "messages[0].content must be a string")
    if body.get("stream_options") is not None and not body.get("stream"):
        return problem_answer(400, "'stream_options' is only allowed when 'stream' is true")
    return None


def _parts(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message.get("content")
    return content if isinstance(content, list) else ()


def _shows_reasoning(body: Mapping[str, Any]) -> bool:
    return (body.get("reasoning_format") or "parsed") == "parsed" and body.get("include_reasoning") is not False


def _thought(call: Call, model: GroqModel) -> str:
    asked = any(call.body.get(name) is not None for name in _REASONING)
    if not model.thinks or not asked or call.body.get("reasoning_effort") == "none":
        return ""
    return f"{call.nonce} was thought about."


def usage_of(body: Mapping[str, Any], turns: Sequence[Turn], thought: str = "") -> dict[str, Any]:
    """Token counts and times; details only where there is something to tell."""
    prompt = tokens_of_prompt(body["messages"]) + count_tokens(str(body.get("tools") or ""))
    reasoning = count_tokens(thought)
    completion = sum(turn.count for turn in turns) + reasoning
    prompt_time, completion_time = prompt * _SECONDS_OF_PROMPT_TOKEN, completion * _SECONDS_OF_TOKEN
    usage: dict[str, Any] = {
        "queue_time": 0.012,
        "prompt_tokens": prompt,
        "prompt_time": round(prompt_time, 9),
        "completion_tokens": completion,
        "completion_time": round(completion_time, 9),
        "total_tokens": prompt + completion,
        "total_time": round(prompt_time + completion_time, 9),
    }
    if prompt >= 1024:
        usage["prompt_tokens_details"] = {"cached_tokens": prompt // 128 * 128}
    if reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage


def _executed(call: Call, model: GroqModel, hosted: Sequence[str]) -> list[dict[str, Any]]:
    kinds = [*hosted, *(("search",) if model.id.startswith("groq/compound") else ())]
    return [
        {"index": index, "type": kind, "arguments": '{"query":"q"}', "output": f"{call.nonce} was found by {kind}."}
        for index, kind in enumerate(kinds)
    ]


class _Told:
    """One answer, to be told whole or as a stream."""

    def __init__(
        self,
        call: Call,
        turns: Sequence[Turn],
        usage: dict[str, Any],
        thought: str,
        executed: list[dict[str, Any]],
        model: GroqModel,
    ) -> None:
        self.call, self.turns, self.usage, self.thought, self.executed = call, turns, usage, thought, executed
        used = {"models": [{"model": "openai/gpt-oss-120b", "usage": usage}]}
        self.breakdown = {"usage_breakdown": used} if model.id.startswith("groq/compound") else {}
        seed = call.body.get("seed")
        self.extra = {**extra_of(call), **({} if seed is None else {"seed": seed})}

    def whole(self) -> Answer:
        """The answer in one piece."""
        answer = whole(self.call, self.turns, self.usage, _STYLE)
        message = answer["choices"][0]["message"]
        if self.thought:
            message["reasoning"] = self.thought
        if self.executed:
            message["executed_tools"] = self.executed
        extra = dict(self.extra)
        cached = self.usage.get("prompt_tokens_details")
        if cached:  # in a whole answer this is about caches, not about tokens
            extra["usage"] = {"dram_cached_tokens": cached["cached_tokens"], "sram_cached_tokens": 0}
        tier = self.call.body.get("service_tier") or "on_demand"
        return Answer(payload={**answer, **self.breakdown, "x_groq": extra, "service_tier": tier})

    def streamed(self) -> Answer:
        """The answer as chunks: ids in the first and last, usage in the last, once more only when asked for."""
        return sse(Stream(list(self._events()), frame))

    def _events(self) -> Iterator[Event]:
        plain = list(events(self.call, self.turns, self.usage, _STYLE))
        first, *rest = plain
        yield replace(first, payload={**first.payload, "x_groq": extra_of(self.call)})
        for token in tokenise(self.thought):
            yield self._delta(first, {"reasoning": token})
        for tool in self.executed:
            begun = {name: value for name, value in tool.items() if name != "output"}
            yield self._delta(first, {"executed_tools": [begun]}, Part.OPENING)
            yield self._delta(first, {"executed_tools": [tool]}, Part.OPENING)
        for event in rest:
            if event.part is Part.CLOSING and event.payload["choices"]:
                extra = {**self.extra, **self.breakdown, "usage": self.usage}
                yield replace(event, payload={**event.payload, "x_groq": extra})
            else:
                yield event

    def _delta(self, like: Event, delta: Mapping[str, Any], part: Part = Part.CONTENT) -> Event:
        choice = {**like.payload["choices"][0], "delta": dict(delta)}
        return Event({**like.payload, "choices": [choice]}, part=part)
