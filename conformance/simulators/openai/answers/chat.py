"""Chat completions, whole and streamed. Others of the OpenAI dialect reuse its parts with a ``Style`` of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.simulators.generation import Finish, Tool, Turn, Wish, count_tokens, generate
from conformance.simulators.openai.answers.chat_parts import (
    FINISH,
    REASONING_TOKENS,
    Style,
    base_of,
    calls_of,
    logprobs_of,
    sound_of,
)
from conformance.simulators.openai.answers.chat_stream import events
from conformance.simulators.openai.answers.common import model_for, text_of, tokens_of_prompt, too_long
from conformance.simulators.openai.answers.moderations import judge
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.framing import data_only, sse
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.provider import Answer, Call, Stream

__all__ = ["chat", "stops_of", "turns_of", "usage_of", "whole"]


def chat(call: Call) -> Answer:
    """``POST /chat/completions``."""
    body = call.body
    model = model_for(call, ModelKind.CHAT)
    if isinstance(model, Answer):
        return model
    refusal = _rules(body, old_limit_refused=model.old_limit_refused) or too_long(
        tokens_of_prompt(body["messages"]), model.size, "messages"
    )
    if refusal:
        return refusal
    style = Style(extra={"service_tier": _tier(body)})
    turns = turns_of(body, call.nonce)
    usage = usage_of(body, turns)
    if body.get("stream"):
        return sse(Stream(list(events(call, turns, usage, style)), data_only))
    answer = whole(call, turns, usage, style)
    if body.get("metadata") is not None:
        answer["metadata"] = body["metadata"]
    if body.get("moderation"):
        answer["moderation"] = _moderated(body, turns)
    return Answer(payload=answer)


def _rules(body: Mapping[str, Any], *, old_limit_refused: bool) -> Answer | None:
    """What the field table cannot say because it concerns two fields at once."""
    if old_limit_refused and body.get("max_tokens") is not None:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return problem_answer(400, message, param="max_tokens", code="unsupported_parameter")
    for needing, needed in (
        ("top_logprobs", "logprobs"),
        ("stream_options", "stream"),
        ("tool_choice", "tools"),
        ("parallel_tool_calls", "tools"),
    ):
        if body.get(needing) is not None and not body.get(needed):
            message = f"Invalid value for '{needing}': '{needing}' is only allowed when '{needed}' is specified."
            return problem_answer(400, message, param=needing)
    if "audio" in (body.get("modalities") or ()) and not body.get("audio"):
        return problem_answer(
            400, "Missing required parameter: 'audio'.", param="audio", code="missing_required_parameter"
        )
    return _tool_order(body["messages"])


def _tool_order(messages: Sequence[Mapping[str, Any]]) -> Answer | None:
    """Every tool message answers a call of the assistant message before it, and every call is answered."""
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        param = f"messages.[{index}].role"
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                text = "Invalid parameter: messages with role 'tool' must be a response to a preceding message with "
                text += "'tool_calls'."
                return problem_answer(400, text, param=param)
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            break
        waiting = {one["id"] for one in message.get("tool_calls") or ()}
    if not waiting:
        return None
    text = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
    return problem_answer(
        400, f"{text} The following tool_call_ids did not have response messages: {', '.join(sorted(waiting))}"
    )


def stops_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """``stop`` as a tuple."""
    stop = body.get("stop") or ()
    return (stop,) if isinstance(stop, str) else tuple(stop)


def _tools(body: Mapping[str, Any]) -> tuple[tuple[Tool, ...], str | None, bool]:
    """The tools on offer, which one is forced, and whether tools may be used at all."""
    tools = [Tool(one["name"], one.get("parameters") or {}) for one in body.get("functions") or ()]
    for one in body.get("tools") or ():
        inner = one[one["type"]]
        tools.append(Tool(inner["name"], inner.get("parameters") or {}, free_text=one["type"] == "custom"))
    choice = body.get("tool_choice") or body.get("function_call") or "auto"
    if isinstance(choice, str):
        return tuple(tools), "" if choice == "required" else None, choice != "none"
    if choice.get("type") == "allowed_tools":
        allowed = choice["allowed_tools"]
        names = {one.get(one.get("type", "function"), {}).get("name") for one in allowed["tools"]}
        return tuple(tool for tool in tools if tool.name in names), "" if allowed["mode"] == "required" else None, True
    return tuple(tools), choice.get("name") or choice[choice["type"]]["name"], True


def turns_of(body: Mapping[str, Any], nonce: str) -> list[Turn]:
    """One turn for each of ``n``."""
    messages = body["messages"]
    asked = next((text_of(one.get("content")) for one in reversed(messages) if one["role"] == "user"), "")
    tools, force, allowed = _tools(body)
    wanted = body.get("response_format") or {}
    schema: Mapping[str, Any] | None = None
    if wanted.get("type") == "json_schema":
        schema = wanted["json_schema"].get("schema") or {}
    elif wanted.get("type") == "json_object":
        schema = {}
    return [
        generate(
            Wish(
                asked,
                nonce,
                limit=body.get("max_completion_tokens") or body.get("max_tokens"),
                stops=stops_of(body),
                tools=tools if allowed else (),
                force=force,
                parallel=body.get("parallel_tool_calls") is not False and not body.get("functions"),
                answered=messages[-1]["role"] in ("tool", "function"),
                schema=schema,
                variant=index,
            )
        )
        for index in range(body.get("n") or 1)
    ]


def usage_of(body: Mapping[str, Any], turns: Sequence[Turn]) -> dict[str, Any]:
    """Token counts with their details."""
    prompt = tokens_of_prompt(body["messages"]) + count_tokens(str(body.get("tools") or ""))
    reasoning = REASONING_TOKENS.get(body.get("reasoning_effort") or "", 0)
    completion = sum(turn.count for turn in turns) + reasoning
    cached = prompt // 128 * 128 if prompt >= 1024 else 0
    sound = 24 if "audio" in (body.get("modalities") or ()) else 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion + sound,
        "total_tokens": prompt + completion + sound,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0, "cache_write_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": sound,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def whole(call: Call, turns: Sequence[Turn], usage: Mapping[str, Any], style: Style) -> dict[str, Any]:
    """The answer in one piece."""
    body = call.body
    choices = []
    for index, turn in enumerate(turns):
        refused, called = turn.finish is Finish.REFUSAL, bool(turn.tool_uses)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if refused or called else turn.text,
            **style.message,
        }
        finish = FINISH[turn.finish]
        if refused:
            message["refusal"] = turn.text
        if called and body.get("functions"):
            message["function_call"] = calls_of(call, turn)[0]["function"]
            finish = "function_call"
        elif called:
            message["tool_calls"] = calls_of(call, turn)
        if "audio" in (body.get("modalities") or ()) and not called:
            message |= {"content": None, "audio": sound_of(call, turn)}
        if body.get("web_search_options") is not None and message["content"]:
            message["annotations"] = [_citation(turn.text)]
        logprobs = None
        if body.get("logprobs"):
            entries = [logprobs_of(token, body.get("top_logprobs") or 0) for token in turn.tokens]
            logprobs = {"content": None, "refusal": entries} if refused else {"content": entries, "refusal": None}
        choices.append({"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish})
    return {**base_of(call, style, "chat.completion"), "choices": choices, "usage": dict(usage)}


def _citation(text: str) -> dict[str, Any]:
    cited = {"start_index": 0, "end_index": len(text), "title": "Example", "url": "https://example.com/"}
    return {"type": "url_citation", "url_citation": cited}


def _tier(body: Mapping[str, Any]) -> str:
    wanted = body.get("service_tier") or "auto"
    return "default" if wanted == "auto" else str(wanted)


def _moderated(body: Mapping[str, Any], turns: Sequence[Turn]) -> dict[str, Any]:
    name = body["moderation"]["model"]
    said = " ".join(text_of(message.get("content")) for message in body["messages"])
    return {
        side: {
            "type": "moderation_results",
            "model": name,
            "results": [{**judge(text), "model": name, "type": "moderation_result"}],
        }
        for side, text in (("input", said), ("output", " ".join(turn.text for turn in turns)))
    }
