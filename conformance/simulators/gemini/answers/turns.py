"""What a simulated Gemini says: one candidate in parts, with tool calls signed, pictures and sound where asked for."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.simulators.gemini.models import SimulatedModel
from conformance.simulators.generation import Finish, Tool, Turn, Wish, generate
from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.provider import Call

__all__ = ["MARK", "Candidate", "made_candidate"]

MARK = b"signature of "
"""What every thought signature begins with, decoded."""
_FINISH: dict[Finish, str] = dict.fromkeys(Finish, "STOP") | {Finish.LIMIT: "MAX_TOKENS", Finish.FILTER: "SAFETY"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer before it is cut into events: its parts in order, each whole or a token, and how it ended."""

    parts: tuple[dict[str, Any], ...]
    finish: str
    turn: Turn
    message: str | None = None


def made_candidate(
    call: Call, model: SimulatedModel, contents: Sequence[Any], said: str, thoughts: Sequence[str], variant: int
) -> Candidate:
    """One answer to a conversation; ``said`` is its last text of the user."""
    config = call.body.get("generationConfig") or {}
    modalities = config.get("responseModalities", ())
    if "sim:block_answer" in said:
        return Candidate((), "SAFETY", Turn((), Finish.FILTER))
    turn = generate(_wish(call, contents, said, config, variant))
    parts: list[dict[str, Any]] = []
    if (config.get("thinkingConfig") or {}).get("includeThoughts"):
        parts.extend({"text": thought, "thought": True} for thought in thoughts)
    calls = _calls(call, turn)
    if calls is None:
        message = f"Malformed function call: {turn.tool_uses[0].arguments}"
        return Candidate((), "MALFORMED_FUNCTION_CALL", turn, message)
    if modalities != ["AUDIO"]:
        parts.extend({"text": token} for token in turn.tokens)
    parts.extend(calls)
    if model.draws and "IMAGE" in modalities:
        parts.append(_blob("image/png", picture(call.nonce)))
    if "AUDIO" in modalities:
        parts.append(_blob("audio/wav", wave(call.nonce)))
    return Candidate(tuple(parts), _FINISH[turn.finish], turn)


def _blob(mime_type: str, data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}


def _calls(call: Call, turn: Turn) -> list[dict[str, Any]] | None:
    """Parts with tool calls, the first one signed; None when the model wrote something that is not JSON."""
    parts: list[dict[str, Any]] = []
    for index, use in enumerate(turn.tool_uses):
        try:
            arguments = json.loads(use.arguments)
        except ValueError:
            return None
        part: dict[str, Any] = {"functionCall": {"id": f"{call.nonce}{index}", "name": use.name, "args": arguments}}
        if not index:
            part["thoughtSignature"] = base64.b64encode(MARK + call.nonce.encode()).decode()
        parts.append(part)
    return parts


def _wish(call: Call, contents: Sequence[Any], said: str, config: Mapping[str, Any], variant: int) -> Wish:
    body = call.body
    limit = config.get("maxOutputTokens")
    mode = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    declared = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations") or ()]
    tools = [
        Tool(one["name"], _lowered(one.get("parametersJsonSchema") or one.get("parameters") or {})) for one in declared
    ]
    allowed = mode.get("allowedFunctionNames") or ()
    force = None
    if mode.get("mode") == "ANY":
        force = "".join(allowed) if len(allowed) == 1 else ""
    schema: Any = None
    if config.get("responseMimeType") == "application/json":
        schema = _lowered(config.get("responseJsonSchema") or config.get("responseSchema") or {})
    return Wish(
        said,
        call.nonce,
        limit=int(limit) if limit is not None else None,
        stops=config.get("stopSequences") or (),
        tools=() if mode.get("mode") == "NONE" else tools,
        force=force,
        answered=any("functionResponse" in part for part in contents[-1]["parts"]),
        schema=schema,
        variant=variant,
    )


def _lowered(schema: Any) -> Any:
    """The OpenAPI subset as ordinary JSON Schema: types in lower case."""
    if isinstance(schema, list):
        return [_lowered(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: item.lower() if name == "type" and isinstance(item, str) else _lowered(item)
        for name, item in schema.items()
    }
