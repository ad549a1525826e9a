"""``POST /api/chat`` and ``POST /api/generate``, whole and streamed; also what loads and unloads a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.simulators.generation import Tool, Turn, Wish, count_tokens, generate, tokenise
from conformance.simulators.ollama.answers.common import (
    DONE_REASON,
    context_of,
    is_streamed,
    logprobs_of,
    metrics,
    model_for,
    prompt_tokens,
    seconds_of,
    stamp,
    touch,
)
from conformance.simulators.ollama.errors import problem_answer
from conformance.simulators.ollama.framing import ndjson
from conformance.simulators.ollama.models import StoredModel
from conformance.simulators.provider import Answer, Call, Event, Part

__all__ = ["chat", "complete"]


@dataclass(frozen=True, slots=True)
class _Voice:
    """How one of the two calls wraps a piece of its answer: text, thinking and tool calls into fields of an object."""

    wrap: Callable[[str, str, Sequence[Any]], dict[str, Any]]


def _in_message(text: str, thinking: str, calls: Sequence[Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = list(calls)
    return {"message": message}


def _in_response(text: str, thinking: str, calls: Sequence[Any]) -> dict[str, Any]:
    return {"response": text, **({"thinking": thinking} if thinking else {})}


_CHAT, _GENERATE = _Voice(_in_message), _Voice(_in_response)


def chat(call: Call) -> Answer:
    """``POST /api/chat``; without messages it loads the model, or lets it go."""
    body = call.body
    messages = body.get("messages") or []
    needs = _needs(body, any(message.get("images") for message in messages))
    model = model_for(call, "completion", *needs, *(("tools",) if body.get("tools") else ()), verb="chat")
    if isinstance(model, Answer):
        return model
    refusal = _refusal(body)
    if refusal:
        return refusal
    if not messages:
        return _loaded(call, model, _CHAT)
    texts = [str(message.get("content") or "") for message in messages]
    asked = prompt_tokens(texts, sum(len(message.get("images") or ()) for message in messages))
    asked += count_tokens(json.dumps(body["tools"])) if body.get("tools") else 0
    said = next((text for text, one in zip(texts[::-1], messages[::-1], strict=True) if one["role"] == "user"), "")
    tools = [Tool(one["function"]["name"], one["function"].get("parameters") or {}) for one in body.get("tools") or ()]
    turn = generate(_wish(call, said, tools=tools, answered=messages[-1]["role"] == "tool"))
    return _answered(call, model, turn, asked, _CHAT)


def complete(call: Call) -> Answer:
    """``POST /api/generate``; without a prompt it loads the model, or lets it go."""
    body = call.body
    if body.get("raw") and (body.get("template") or body.get("system") or body.get("context")):
        return problem_answer(400, "raw mode does not support template, system, or context")
    if not body.get("prompt") and seconds_of(body.get("keep_alive")) == 0:
        model = model_for(call)
    else:
        needs = (*_needs(body, bool(body.get("images"))), *(("insert",) if body.get("suffix") else ()))
        model = model_for(call, "completion", *needs, verb="generate")
    if isinstance(model, Answer):
        return model
    refusal = _refusal(body)
    if refusal:
        return refusal
    if not body.get("prompt"):
        return _loaded(call, model, _GENERATE)
    texts = [body["prompt"], body.get("system") or model.system, body.get("suffix") or ""]
    asked = prompt_tokens([text for text in texts if text], len(body.get("images") or ()))
    asked += len(body.get("context") or ())
    turn = generate(_wish(call, body["prompt"]))
    extra = {} if body.get("raw") else {"context": [*(body.get("context") or ()), 128_006, int(call.nonce[:4], 16)]}
    return _answered(call, model, turn, asked, _GENERATE, extra)


def _needs(body: Mapping[str, Any], images: bool) -> tuple[str, ...]:
    return (*(("thinking",) if body.get("think") else ()), *(("vision",) if images else ()))


def _refusal(body: Mapping[str, Any]) -> Answer | None:
    if body.get("top_logprobs") and not body.get("logprobs"):
        return problem_answer(400, "top_logprobs requires logprobs to be true")
    return None


def _wish(call: Call, prompt: str, tools: Sequence[Tool] = (), *, answered: bool = False) -> Wish:
    body = call.body
    options = body.get("options") or {}
    limit = options.get("num_predict")
    wanted = body.get("format")
    return Wish(
        prompt,
        call.nonce,
        limit=limit if limit is not None and limit >= 0 else None,
        stops=options.get("stop") or (),
        tools=tools,
        answered=answered,
        schema=None if not wanted else {} if wanted == "json" else wanted,
    )


def _base(call: Call, model: StoredModel, index: int) -> dict[str, Any]:
    base: dict[str, Any] = {"model": call.body["model"], "created_at": stamp(call.nonce, index)}
    if model.remote:
        base |= {"remote_model": model.name.removesuffix("-cloud"), "remote_host": "https://ollama.com:443"}
    return base


def _loaded(call: Call, model: StoredModel, voice: _Voice) -> Answer:
    unload = seconds_of(call.body.get("keep_alive")) == 0
    touch(call, model)
    final = {**_base(call, model, 0), **voice.wrap("", "", ()), "done": True}
    final["done_reason"] = "unload" if unload else "load"
    if is_streamed(call.body):
        return ndjson([Event(final, part=Part.TERMINATOR)])
    return Answer(payload=final, content_type="application/json; charset=utf-8")


def _answered(
    call: Call, model: StoredModel, turn: Turn, asked: int, voice: _Voice, extra: Mapping[str, Any] | None = None
) -> Answer:
    body = call.body
    size = context_of(body, model)
    if asked > size and body.get("truncate") is False:
        return problem_answer(400, "the input length exceeds the context length")
    calls = _calls(call, turn)
    if calls is None:
        text = f"error parsing tool call: raw='{turn.tool_uses[0].arguments}', err=unexpected end of JSON input"
        return ndjson([Event({"error": text}, part=Part.CLOSING)]) if is_streamed(body) else problem_answer(500, text)
    thinks = "thinking" in model.capabilities and body.get("think") is not False
    thoughts = tokenise(f"{call.nonce} wants some thought.") if thinks else []
    counts = metrics(call.nonce, touch(call, model), min(asked, size), turn.count + len(thoughts))
    closing = {"done": True, "done_reason": DONE_REASON[turn.finish], **(extra or {}), **counts}
    if is_streamed(body):
        return ndjson(
            list(_events(call, model, turn, voice, thoughts, calls, closing)),
            (Event({**_base(call, model, 0), **voice.wrap("", "", ()), "done": False, "later": 1}, part=Part.EXTRA),),
        )
    final = {**_base(call, model, turn.count), **voice.wrap(turn.text, "".join(thoughts), calls), **closing}
    if body.get("logprobs"):
        final["logprobs"] = logprobs_of(turn, body.get("top_logprobs") or 0)
    return Answer(payload=final, content_type="application/json; charset=utf-8")


def _calls(call: Call, turn: Turn) -> list[dict[str, Any]] | None:
    """Tool calls with their arguments as objects; None when the model wrote something that is not JSON."""
    calls = []
    for index, use in enumerate(turn.tool_uses):
        try:
            arguments = json.loads(use.arguments)
        except ValueError:
            return None
        function = {"index": index, "name": use.name, "arguments": arguments}
        calls.append({"id": f"call_{call.nonce[:7]}{index}", "function": function})
    return calls


def _events(
    call: Call,
    model: StoredModel,
    turn: Turn,
    voice: _Voice,
    thoughts: Sequence[str],
    calls: Sequence[Any],
    closing: Mapping[str, Any],
) -> Iterator[Event]:
    index = 0

    def piece(text: str = "", thinking: str = "", used: Sequence[Any] = (), logprobs: Any = None) -> Event:
        nonlocal index
        payload = {**_base(call, model, index), **voice.wrap(text, thinking, used), "done": False}
        if logprobs:
            payload["logprobs"] = logprobs
        index += 1
        return Event(payload)

    for thought in thoughts:
        yield piece(thinking=thought)
    for token in turn.tokens:
        wanted = call.body.get("logprobs")
        yield piece(token, logprobs=logprobs_of([token], call.body.get("top_logprobs") or 0) if wanted else None)
    if calls:
        yield piece(used=calls)
    yield Event({**_base(call, model, index), **voice.wrap("", "", ()), **closing}, part=Part.TERMINATOR)
