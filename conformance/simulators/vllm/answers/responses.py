"""``/v1/responses``: create, get, cancel. OpenAI's pieces make the response; here it gets vLLM's keys and events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.simulators.openai.answers import responses as openai_responses
from conformance.simulators.openai.answers.responses_stream import replay
from conformance.simulators.openai.models import Account, ModelKind, SimulatedModel
from conformance.simulators.provider import Answer, Call, Event, Stream
from conformance.simulators.vllm.answers.common import model_for
from conformance.simulators.vllm.errors import error_event, problem_answer
from conformance.simulators.vllm.models import ServedModel, Task

__all__ = ["cancel", "create", "get"]

_ECHOED: dict[str, Any] = {
    "instructions": None,
    "metadata": None,
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "none",
    "tools": [],
    "top_p": 1.0,
    "background": False,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "previous_response_id": None,
    "prompt": None,
    "reasoning": None,
    "service_tier": "auto",
    "text": None,
    "top_logprobs": None,
    "truncation": "disabled",
    "user": None,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}


def create(call: Call) -> Answer:
    """``POST /v1/responses``."""
    body = call.body
    model = model_for(call, Task.GENERATE)
    if isinstance(model, Answer):
        return model
    earlier = body.get("previous_response_id")
    if earlier and earlier not in call.state.responses:
        return _missing(earlier)
    if body.get("background") and body.get("store") is False:
        return problem_answer(400, "background can only be used when `store` is true", param="background")
    account = Account(
        models={model.id: SimulatedModel(model.id, ModelKind.CHAT, model.max_model_len or 131_072)},
        responses=call.state.responses,
    )
    given = {name: value for name, value in body.items() if name != "stream"}
    inner = replace(call, state=account, body={**given, "model": model.id})
    answer = openai_responses.create(inner)
    if answer.status != 200:
        return problem_answer(answer.status, answer.payload["error"]["message"], param=answer.payload["error"]["param"])
    made = answer.payload["id"]
    name = body.get("request_id") or made
    stored = call.state.responses.pop(made, None)
    if stored is not None:
        stored.body["id"] = name
        if stored.finished is not None:
            stored.finished["id"] = name
        call.state.responses[name] = stored
    counts = answer.payload["usage"] or {}
    call.state.count(counts.get("input_tokens", 0), counts.get("output_tokens", 0))
    shown = _shaped(call.body, model, {**answer.payload, "id": name})
    if not body.get("stream"):
        return Answer(payload=shown)
    told = replay(shown, obfuscate=False)
    assert told.stream is not None
    events = [_event(event) for event in told.stream.events]
    return replace(told, stream=Stream(events, told.stream.frame, _error, ()))


def _shaped(body: dict[str, Any], model: ServedModel, made: dict[str, Any]) -> dict[str, Any]:
    """The response with vLLM's keys."""
    counts = made["usage"]
    own = {name: usual if body.get(name) is None else body[name] for name, usual in _ECHOED.items()}
    if body.get("tools") and body.get("tool_choice") is None:
        own["tool_choice"] = "auto"
    return {
        "id": made["id"],
        "created_at": made["created_at"],
        "incomplete_details": made["incomplete_details"],
        "model": model.id,
        "object": "response",
        "output": [_item(item) for item in made["output"]],
        **own,
        "status": made["status"],
        "usage": counts and _usage(counts),
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "input_messages": None,
        "output_messages": None,
    }


def _item(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] != "message":
        return item
    content = [
        {
            "annotations": [],
            "text": part.get("text", part.get("refusal")),
            "type": "output_text",
            "logprobs": None,
        }
        for part in item["content"]
    ]
    return {
        "id": item["id"],
        "content": content,
        "role": "assistant",
        "status": "completed",
        "type": "message",
        "phase": None,
    }


def _usage(counts: dict[str, Any]) -> dict[str, Any]:
    return {
        "input_tokens": counts["input_tokens"],
        "input_tokens_details": {
            "cached_tokens": 0,
            "cache_write_tokens": 0,
            "input_tokens_per_turn": [],
            "cached_tokens_per_turn": [],
        },
        "output_tokens": counts["output_tokens"],
        "output_tokens_details": {
            "reasoning_tokens": counts["output_tokens_details"]["reasoning_tokens"],
            "tool_output_tokens": 0,
            "output_tokens_per_turn": [],
            "tool_output_tokens_per_turn": [],
        },
        "total_tokens": counts["total_tokens"],
    }


def _event(event: Event) -> Event:
    """The last event is called completed even where the response is incomplete."""
    payload = event.payload
    if payload["type"] == "response.incomplete":
        payload = {**payload, "type": "response.completed"}
    if payload["type"] == "response.content_part.added":
        payload = {**payload, "part": {**payload["part"], "logprobs": []}}
    return replace(event, payload=payload)


def _error(status: int, code: str | None, message: str | None, sent: int) -> Any:
    return error_event(status, code, message)[:1]


def _missing(name: str) -> Answer:
    return problem_answer(404, f"Response with id '{name[:200]}' not found.", param="response_id")


def _looked_up(call: Call, answer: Answer) -> Answer:
    if answer.status == 404:
        return _missing(call.params["response_id"])
    if answer.status != 200:
        return problem_answer(400, "Cannot cancel a synchronous response.", param="response_id")
    model = call.state.models[answer.payload["model"]]
    return Answer(payload=_shaped(answer.payload, model, answer.payload))


def get(call: Call) -> Answer:
    """One look moves background work on."""
    return _looked_up(call, openai_responses.get(call))


def cancel(call: Call) -> Answer:
    """Only background work can be cancelled."""
    return _looked_up(call, openai_responses.cancel(call))
