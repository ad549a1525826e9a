"""``/responses``: create, get, delete, cancel, input items, token count. The stream is in ``responses_stream``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from conformance.simulators.generation import Finish, Tool, Turn, Wish, count_tokens, generate
from conformance.simulators.openai.answers.chat_parts import REASONING_TOKENS
from conformance.simulators.openai.answers.common import clipped, model_for, page, text_of, tokens_of_prompt, too_long
from conformance.simulators.openai.answers.responses_stream import replay
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.models import EPOCH, ModelKind, StoredResponse
from conformance.simulators.provider import Answer, Call

__all__ = ["cancel", "create", "delete", "get", "input_items", "input_tokens"]

_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Settings a response repeats, with their defaults."""


def _items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = body.get("input") or ()
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)


def _refusal(call: Call) -> Answer | None:
    """What the field table cannot say."""
    body = call.body
    earlier = body.get("previous_response_id")
    if earlier and body.get("conversation"):
        message = "Mutually exclusive parameters: 'previous_response_id' and 'conversation'."
        return problem_answer(400, message, code="mutually_exclusive_parameters")
    if body.get("conversation"):
        return problem_answer(404, "Conversation not found.", param="conversation")
    if earlier and earlier not in call.state.responses:
        message = f"Previous response with id '{clipped(earlier)}' not found."
        return problem_answer(400, message, param="previous_response_id", code="previous_response_not_found")
    made = {item["call_id"] for item in _items(body) if item.get("type") in ("function_call", "custom_tool_call")}
    if earlier:
        made |= {item.get("call_id") for item in call.state.responses[earlier].body["output"]}
    for item in _items(body):
        if item.get("type") in ("function_call_output", "custom_tool_call_output") and item["call_id"] not in made:
            message = f"No tool call found for function call output with call_id {clipped(item['call_id'])}."
            return problem_answer(400, message, param="input")
    return None


def create(call: Call) -> Answer:
    """``POST /responses``."""
    body = call.body
    for name in ("model", "input"):
        if body.get(name) is None:
            return problem_answer(
                400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
            )
    model = model_for(call, ModelKind.CHAT)
    if isinstance(model, Answer):
        return model
    refusal = _refusal(call) or too_long(_prompt_tokens(body), model.size, "input")
    if refusal:
        return refusal
    finished = _response(call)
    background = bool(body.get("background")) and not body.get("stream")
    shown = {**finished, "status": "queued", "output": [], "usage": None} if background else finished
    if body.get("store") is not False:
        items = [
            {**item, "id": item.get("id") or f"msg_in_{call.nonce}{index}", "type": item.get("type") or "message"}
            for index, item in enumerate(_items(body))
        ]
        call.state.responses[finished["id"]] = StoredResponse(dict(shown), items, finished if background else None)
    elif background:
        return problem_answer(400, "Background mode needs 'store' to be true.", param="background")
    if body.get("stream"):
        options = body.get("stream_options") or {}
        return replay(finished, obfuscate=options.get("include_obfuscation") is not False)
    return Answer(payload=shown)


def _prompt_tokens(body: Mapping[str, Any]) -> int:
    extra = str(body.get("instructions") or "") + str(body.get("tools") or "")
    outputs = " ".join(str(item.get("output") or item.get("arguments") or "") for item in _items(body))
    return tokens_of_prompt(_items(body)) + count_tokens(extra + outputs)


def _wish(call: Call) -> Wish:
    body = call.body
    items = _items(body)
    asked = next((text_of(item.get("content")) for item in reversed(items) if item.get("role") == "user"), "")
    tools = [
        Tool(tool["name"], tool.get("parameters") or {}, free_text=tool["type"] == "custom")
        for tool in body.get("tools") or ()
        if tool["type"] in ("function", "custom")
    ]
    choice = body.get("tool_choice") or "auto"
    force: str | None = None
    if choice == "none":
        tools = []
    elif choice == "required":
        force = ""
    elif isinstance(choice, dict) and choice["type"] == "allowed_tools":
        names = {tool.get("name") for tool in choice["tools"]}
        tools = [tool for tool in tools if tool.name in names]
        force = "" if choice["mode"] == "required" else None
    elif isinstance(choice, dict):
        force = choice.get("name", "")
    wanted = (body.get("text") or {}).get("format") or {}
    schema: Mapping[str, Any] | None = None
    if wanted.get("type") in ("json_schema", "json_object"):
        schema = wanted.get("schema") or {}
    return Wish(
        asked,
        call.nonce,
        limit=body.get("max_output_tokens"),
        tools=tuple(tools),
        force=force,
        parallel=body.get("parallel_tool_calls") is not False,
        answered=str(items[-1].get("type")).endswith("_output"),
        schema=schema,
    )


def _output(call: Call, turn: Turn) -> list[dict[str, Any]]:
    body = call.body
    items: list[dict[str, Any]] = []
    reasoning = body.get("reasoning") or {}
    if reasoning.get("effort") not in (None, "none"):
        summary = (
            [{"type": "summary_text", "text": f"{call.nonce} was thought about."}] if reasoning.get("summary") else []
        )
        item: dict[str, Any] = {"id": f"rs_{call.nonce}", "type": "reasoning", "summary": summary}
        if "reasoning.encrypted_content" in (body.get("include") or ()):
            item["encrypted_content"] = hashlib.sha256(call.nonce.encode()).hexdigest()
        items.append(item)
    for index, use in enumerate(turn.tool_uses):
        kind, text = ("custom_tool_call", "input") if use.free_text else ("function_call", "arguments")
        ids = {"id": f"fc_{call.nonce}{index}", "call_id": f"call_{call.nonce}{index}"}
        items.append({**ids, "type": kind, "status": "completed", "name": use.name, text: use.arguments})
    if not turn.tool_uses:
        part: dict[str, Any] = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
        if turn.finish is Finish.REFUSAL:
            part = {"type": "refusal", "refusal": turn.text}
        status = "incomplete" if turn.finish in (Finish.LIMIT, Finish.FILTER) else "completed"
        message = {
            "id": f"msg_{call.nonce}",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part],
        }
        items.append(message)
    return items


def _response(call: Call) -> dict[str, Any]:
    body = call.body
    turn = generate(_wish(call))
    asked = _prompt_tokens(body)
    thought = REASONING_TOKENS.get((body.get("reasoning") or {}).get("effort") or "", 0)
    reason = {Finish.LIMIT: "max_output_tokens", Finish.FILTER: "content_filter"}.get(turn.finish)
    cached = asked // 128 * 128 if asked >= 1024 else 0
    return {
        "id": f"resp_{call.nonce}",
        "object": "response",
        "created_at": EPOCH,
        "status": "incomplete" if reason else "completed",
        "background": bool(body.get("background")),
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": body["model"],
        "output": _output(call, turn),
        **{name: usual if body.get(name) is None else body[name] for name, usual in _ECHOED.items()},
        "service_tier": "default",
        "usage": {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": turn.count + thought,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": asked + turn.count + thought,
        },
    }


def _stored(call: Call) -> StoredResponse | Answer:
    name = call.params["response_id"]
    stored = call.state.responses.get(name)
    if isinstance(stored, StoredResponse):
        return stored
    return problem_answer(404, f"Response with id '{clipped(name)}' not found.", param="id")


def get(call: Call) -> Answer:
    """One look moves background work on: queued, in_progress, then what it became. ``stream=true`` replays it."""
    stored = _stored(call)
    if isinstance(stored, Answer):
        return stored
    if stored.finished is not None:
        if stored.body["status"] == "queued":
            stored.body["status"] = "in_progress"
        else:
            stored.body, stored.finished = dict(stored.finished), None
    query = call.request.parameters
    if query.get("stream") == "true":
        after = int(query.get("starting_after", -1))
        return replay(
            stored.finished or stored.body, after=after, obfuscate=query.get("include_obfuscation") != "false"
        )
    return Answer(payload=dict(stored.body))


def delete(call: Call) -> Answer:
    """Gone at once."""
    stored = _stored(call)
    if isinstance(stored, Answer):
        return stored
    del call.state.responses[stored.body["id"]]
    return Answer(payload={"id": stored.body["id"], "object": "response", "deleted": True})


def cancel(call: Call) -> Answer:
    """Only background work can be cancelled; doing it twice is harmless."""
    stored = _stored(call)
    if isinstance(stored, Answer):
        return stored
    if stored.finished is not None:
        stored.body["status"], stored.finished = "cancelled", None
    elif stored.body["status"] != "cancelled":
        return problem_answer(400, "Cannot cancel a response that is not running in the background.", param="id")
    return Answer(payload=dict(stored.body))


def input_items(call: Call) -> Answer:
    """What the response was made from, in pages."""
    stored = _stored(call)
    return stored if isinstance(stored, Answer) else page(call, stored.input_items)


def input_tokens(call: Call) -> Answer:
    """The count ``create`` would report as ``input_tokens``."""
    refusal = _refusal(call)
    if refusal:
        return refusal
    return Answer(payload={"object": "response.input_tokens", "input_tokens": _prompt_tokens(call.body)})
