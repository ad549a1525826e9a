"""What a field table cannot say of a message: rules of a version, of a model, and of the order of turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.simulators.claude.answers.prompt import counted
from conformance.simulators.claude.models import Account, SimulatedModel

__all__ = ["broken_rule"]

_SAMPLING = ("temperature", "top_p", "top_k")
_NEW = "2026-10-21"


def broken_rule(
    body: Mapping[str, Any], version: str, model: SimulatedModel, account: Account
) -> tuple[int, str] | None:
    """Status and message of the first rule that a message breaks, or None."""
    for check in (_version(body, version), _limits(body, model), _turns(body["messages"], model)):
        message = next(check, None)
        if message is not None:
            return 400, message
    absent = next((name for name in _files(body["messages"]) if name not in account.files), None)
    return None if absent is None else (404, f"File not found: {absent[:200]}")


def _version(body: Mapping[str, Any], version: str) -> Iterator[str]:
    if version < _NEW:
        return
    for name in _SAMPLING:
        if body.get(name) is not None:
            yield f"{name}: not available with anthropic-version {version}"
    for index, message in enumerate(body["messages"]):
        for place, block in enumerate(_blocks(message)):
            where = f"messages.{index}.content.{place}"
            if message["role"] == "assistant" and block["type"] == "document":
                yield f"{where}: document blocks are not allowed in assistant messages"
            if message["role"] == "user" and block["type"] == "text" and block.get("citations"):
                yield f"{where}.citations: not allowed in user messages"


def _limits(body: Mapping[str, Any], model: SimulatedModel) -> Iterator[str]:
    limit = body.get("max_tokens", 0)
    if limit > model.output:
        most = f"{model.output}, which is the maximum allowed number of output tokens for {model.id}"
        yield f"max_tokens: {limit} > {most}"
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled":
        if not model.manual:
            yield f"thinking.type: 'enabled' is not supported with {model.id}; use 'adaptive'"
        if "max_tokens" in body and thinking["budget_tokens"] >= limit:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`"
    if body.get("tool_choice") and not body.get("tools"):
        yield "tool_choice: may only be specified while providing tools"
    tokens = counted(body, set()).total
    if tokens > model.context:
        yield f"prompt is too long: {tokens} tokens > {model.context} maximum"


def _turns(messages: Sequence[Mapping[str, Any]], model: SimulatedModel) -> Iterator[str]:
    spoken = [message for message in messages if message["role"] != "system"]
    if not spoken or spoken[0]["role"] != "user":
        yield "messages: first message must use the user role"
        return
    if spoken[-1]["role"] == "assistant" and not model.prefill:
        yield "This model does not support assistant message prefill. The conversation must end with a user message."
    called: set[str] = set()
    for index, message in enumerate(spoken):
        answered = {block["tool_use_id"] for block in _blocks(message) if block["type"] == "tool_result"}
        for name in sorted(answered - called):
            yield (
                f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each `tool_result` "
                "block must have a corresponding `tool_use` block in the previous message."
            )
        missing = called - answered
        if missing:
            yield (
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(sorted(missing))}."
            )
        called = {block["id"] for block in _blocks(message) if block["type"] == "tool_use"}


def _blocks(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message["content"]
    return content if isinstance(content, list) else ()


def _files(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        for block in _blocks(message):
            source = block.get("source")
            if isinstance(source, dict) and source.get("type") == "file":
                yield source["file_id"]
