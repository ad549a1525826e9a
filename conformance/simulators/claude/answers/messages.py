"""Messages, whole and streamed, and token counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.simulators.claude.answers.message_stream import events
from conformance.simulators.claude.answers.prompt import Counted, counted, documents_of, last_text, text_of
from conformance.simulators.claude.answers.rules import broken_rule
from conformance.simulators.claude.errors import clipped, refused
from conformance.simulators.claude.framing import sse
from conformance.simulators.claude.models import Account
from conformance.simulators.generation import Finish, Tool, Turn, Wish, count_tokens, generate
from conformance.simulators.provider import Answer, Call

__all__ = ["blocks_of_turn", "count", "create", "stop_reason"]

_STOPS = {
    Finish.LIMIT: "max_tokens",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.TOOLS: "tool_use",
    Finish.REFUSAL: "refusal",
    Finish.FILTER: "refusal",
}
_SIGNATURE = "c2lnbmVk"


def create(call: Call) -> Answer:
    """``POST /v1/messages``."""
    refusal = _refusal(call)
    if refusal is not None:
        return refusal
    message = _message(call)
    return sse(events(message)) if call.body.get("stream") else Answer(payload=message)


def count(call: Call) -> Answer:
    """``POST /v1/messages/count_tokens``: the whole prompt, whatever the cache holds."""
    refusal = _refusal(call)
    if refusal is not None:
        return refusal
    return Answer(payload={"input_tokens": counted(call.body, set()).total})


def _refusal(call: Call) -> Answer | None:
    account: Account = call.state
    model = account.living(call.body["model"])
    if model is None:
        return refused(call, 404, f"model: {clipped(call.body['model'])}")
    broken = broken_rule(call.body, call.request.header("anthropic-version") or "", model, account)
    if broken is None:
        return None
    status, message = broken
    return refused(call, status, message)


def _message(call: Call) -> dict[str, Any]:
    body = call.body
    turn = _turn(body, call.nonce)
    thought = _thought(body, call.nonce)
    blocks = [*thought, *blocks_of_turn(call.nonce, turn)]
    if turn.tokens:
        _cite(blocks[-1], body)
    thinking = sum(count_tokens(f"{call.nonce} weighs the words.") for _ in thought)
    reason = stop_reason(turn)
    return {
        "id": f"msg_{call.nonce}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": blocks,
        "stop_reason": reason,
        "stop_sequence": turn.stop_sequence,
        "stop_details": _details(turn) if reason == "refusal" else None,
        "container": None,
        "diagnostics": None,
        "usage": _usage(counted(body, call.state.cached), turn.count + thinking, thinking, body),
    }


def stop_reason(turn: Turn) -> str:
    """Why the turn ended, in the words of this API."""
    return _STOPS.get(turn.finish, "end_turn")


def _details(turn: Turn) -> dict[str, Any]:
    category = "general_harms" if turn.finish is Finish.FILTER else None
    return {"type": "refusal", "category": category, "explanation": "The simulated model declines."}


def _turn(body: Mapping[str, Any], nonce: str) -> Turn:
    choice = body.get("tool_choice") or {"type": "auto"}
    tools = [Tool(one["name"], one["input_schema"]) for one in body.get("tools") or () if "input_schema" in one]
    last = body["messages"][-1]["content"]
    wanted = (body.get("output_config") or {}).get("format")
    return generate(
        Wish(
            last_text(body["messages"]),
            nonce,
            limit=body["max_tokens"],
            stops=body.get("stop_sequences") or (),
            tools=() if choice["type"] == "none" else tools,
            force={"any": "", "tool": choice.get("name")}.get(choice["type"]),
            parallel=not choice.get("disable_parallel_tool_use"),
            answered=isinstance(last, list) and any(block["type"] == "tool_result" for block in last),
            schema=wanted["schema"] if wanted else None,
        )
    )


def _thought(body: Mapping[str, Any], nonce: str) -> list[dict[str, Any]]:
    thinking = body.get("thinking") or {"type": "disabled"}
    if thinking["type"] not in ("adaptive", "enabled") or not body["max_tokens"]:
        return []
    shown = "" if thinking.get("display") == "omitted" else f"{nonce} weighs the words."
    return [{"type": "thinking", "thinking": shown, "signature": f"{_SIGNATURE}{nonce}"}]


def blocks_of_turn(nonce: str, turn: Turn) -> list[dict[str, Any]]:
    """The content of a turn: one text block, or its tool calls; nothing where nothing was said."""
    if not turn.tool_uses:
        return [{"type": "text", "text": turn.text}] if turn.tokens else []
    return [
        {"type": "tool_use", "id": f"toolu_{nonce}{index}", "name": use.name, "input": _input(use.arguments)}
        for index, use in enumerate(turn.tool_uses)
    ]


def _input(arguments: str) -> Any:
    """Arguments as an object; what is not JSON becomes the empty object, as of a call that was cut off."""
    try:
        return json.loads(arguments)
    except ValueError:
        return {}


def _cite(block: dict[str, Any], body: Mapping[str, Any]) -> None:
    """Let the text cite the first document that allows it."""
    for index, document in enumerate(documents_of(body["messages"])):
        if not (document.get("citations") or {}).get("enabled"):
            continue
        source = document["source"]
        cited = text_of([document])[:40]
        where: dict[str, Any]
        match source["type"]:
            case "text":
                where = {"type": "char_location", "start_char_index": 0, "end_char_index": len(cited)}
            case "content":
                where = {"type": "content_block_location", "start_block_index": 0, "end_block_index": 1}
            case _:
                where = {"type": "page_location", "start_page_number": 1, "end_page_number": 2}
        about = {"cited_text": cited, "document_index": index, "document_title": document.get("title")}
        block["citations"] = [{**where, **about, "file_id": source.get("file_id")}]
        return


def _usage(prompt: Counted, made: int, thinking: int, body: Mapping[str, Any]) -> dict[str, Any]:
    written: Sequence[int] = (prompt.written, 0) if prompt.ttl == "5m" else (0, prompt.written)
    return {
        "input_tokens": prompt.fresh,
        "cache_creation_input_tokens": prompt.written,
        "cache_read_input_tokens": prompt.read,
        "cache_creation": {"ephemeral_5m_input_tokens": written[0], "ephemeral_1h_input_tokens": written[1]},
        "output_tokens": made,
        "output_tokens_details": {"thinking_tokens": thinking},
        "server_tool_use": None,
        "service_tier": "standard",
        "speed": body.get("speed") or "standard",
        "inference_geo": body.get("inference_geo") or "global",
    }
