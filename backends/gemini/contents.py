"""Conversations on their way to the wire: messages with roles become ``contents`` and a system instruction.

Wire facts: contents know the roles ``user`` and ``model`` only. System messages go into ``systemInstruction``, the
assistant is ``model``, the result of a tool is a ``functionResponse`` part of the user, and all results of one turn
stand in one content. A ``functionCall`` must come back with the ``thoughtSignature`` that it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from backends.gemini.parts import PROVIDER_NAME, parts_of
from backends.gemini.values import FunctionCall
from backends.parameters import bad_argument
from backends.types import ChatReply, Message, ToolCall
from backends.wire.jsontext import loads
from backends.wire.values import FormatError

__all__ = ["Contents", "Turn", "contents_of", "conversation", "system_of"]

Turn: TypeAlias = Message | ChatReply
"""A message with a role, a content in Gemini's own shape, or an earlier reply, which goes back as it came."""

Contents: TypeAlias = str | Sequence[Turn]

_ROLES: Final = {
    "user": "user",
    "model": "model",
    "assistant": "model",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}


@dataclass(slots=True)
class _Conversation:
    contents: list[dict[str, Any]] = field(default_factory=list)
    system: list[dict[str, Any]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Ids of tool calls seen so far, with the names of their tools."""
    answering: bool = False
    """The last content holds results of tools, and takes further ones."""


def conversation(messages: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return contents and the parts of the system instruction.

    Raises:
        InvalidRequestError: there are no messages, or one is malformed; the error names it.
    """
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Sequence):
        bad_argument(f"messages must be a list of messages, not {type(messages).__name__}", PROVIDER_NAME)
    if not messages:
        bad_argument("messages must not be empty", PROVIDER_NAME)
    made = _Conversation()
    for index, message in enumerate(messages):
        _add(made, message, f"messages[{index}]")
    if not made.contents:
        bad_argument("messages must hold more than system messages", PROVIDER_NAME)
    return made.contents, made.system


def contents_of(contents: Contents) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return contents and system parts of a text, or of contents in Gemini's own shape."""
    if isinstance(contents, str):
        return [{"role": "user", "parts": parts_of(contents, "contents")}], []
    if isinstance(contents, bytes | Mapping) or not isinstance(contents, Sequence) or not contents:
        bad_argument("contents must be text or a list of contents, and not empty", PROVIDER_NAME)
    made = _Conversation()
    for index, content in enumerate(contents):
        where = f"contents[{index}]"
        if isinstance(content, Mapping) and "parts" not in content:
            bad_argument(f"{where} must have parts", PROVIDER_NAME)
        _add(made, content, where, role="user")
    return made.contents, made.system


def system_of(instruction: Any) -> list[dict[str, Any]]:
    """Return the parts of a system instruction: text, parts, or a content with parts."""
    if isinstance(instruction, Mapping) and "parts" in instruction:
        instruction = instruction["parts"]
    return parts_of(instruction, "system_instruction")


def _add(made: _Conversation, message: Any, where: str, role: str | None = None) -> None:
    if isinstance(message, ChatReply):
        _append(made, "model", _replayed(message, where))
        return
    if not isinstance(message, Mapping):
        bad_argument(f"{where} must be a mapping or a reply, not {type(message).__name__}", PROVIDER_NAME)
    given = message.get("role", role)
    known = _ROLES.get(given.lower()) if isinstance(given, str) else None
    if known is None:
        shown = repr(given[:60]) if isinstance(given, str) else "missing"
        bad_argument(f"{where}.role must be one of {', '.join(_ROLES)}; it is {shown}", PROVIDER_NAME)
    if known == "tool" and "parts" not in message:
        result = _tool_result(message, made.names, where)
        if made.answering:
            made.contents[-1]["parts"].append(result)
        else:
            made.contents.append({"role": "user", "parts": [result]})
        made.answering = True
        return
    parts = _parts(message, known, where)
    if known == "system":
        made.system.extend(parts)
    else:
        _append(made, "user" if known == "tool" else known, parts)


def _append(made: _Conversation, role: str, parts: list[dict[str, Any]]) -> None:
    for part in parts:
        call = part.get("functionCall", part.get("function_call"))
        if isinstance(call, Mapping) and isinstance(call.get("id"), str) and isinstance(call.get("name"), str):
            made.names[call["id"]] = call["name"]
    made.contents.append({"role": role, "parts": parts})
    made.answering = False


def _parts(message: Message, role: str, where: str) -> list[dict[str, Any]]:
    if "parts" in message:
        return parts_of(message["parts"], f"{where}.parts")
    content, calls = message.get("content"), message.get("tool_calls")
    if calls is not None and role != "model":
        bad_argument(f"{where}.tool_calls belong to the assistant", PROVIDER_NAME)
    if calls is not None and not isinstance(calls, list | tuple):
        bad_argument(f"{where}.tool_calls must be a list, not {type(calls).__name__}", PROVIDER_NAME)
    if content in (None, "") and calls:
        parts = []
    else:
        parts = parts_of("" if content is None else content, f"{where}.content")
    return parts + [_call_part(call, f"{where}.tool_calls[{index}]") for index, call in enumerate(calls or ())]


def _replayed(reply: ChatReply, where: str) -> list[dict[str, Any]]:
    """Return the parts of an earlier answer, signatures and all."""
    candidates = reply.raw.get("candidates") if isinstance(reply.raw, dict) else None
    first = min(candidates, key=lambda candidate: candidate.get("index") or 0) if candidates else {}
    content = first.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not parts:
        bad_argument(f"{where} is a reply without content of this provider, which cannot go back", PROVIDER_NAME)
    return parts


def _call_part(call: Any, where: str) -> dict[str, Any]:
    call_id: Any
    name: Any
    arguments: Any
    signature: Any = None
    if isinstance(call, ToolCall):
        signature = call.signature if isinstance(call, FunctionCall) else None
        call_id, name, arguments = call.id, call.name, call.arguments
    elif isinstance(call, Mapping) and isinstance(call.get("function"), Mapping):
        signature = call.get("thought_signature")
        call_id, function = call.get("id"), call["function"]
        name, arguments = function.get("name"), function.get("arguments")
    else:
        bad_argument(f"{where} must be a ToolCall, or a mapping with a function", PROVIDER_NAME)
    if not isinstance(name, str) or not name:
        bad_argument(f"{where} must have a name", PROVIDER_NAME)
    made: dict[str, Any] = {"name": name, "args": _arguments(arguments, where)}
    if call_id:
        made["id"] = call_id
    return {"functionCall": made, "thoughtSignature": signature} if signature else {"functionCall": made}


def _arguments(arguments: Any, where: str) -> Mapping[str, Any]:
    """Return the arguments of a call as an object, from an object or its JSON text."""
    if isinstance(arguments, str):
        try:
            arguments = loads(arguments) if arguments.strip() else {}
        except FormatError as problem:
            bad_argument(f"{where} has arguments that cannot be read: {problem}", PROVIDER_NAME)
    elif arguments is None:
        arguments = {}
    if not isinstance(arguments, Mapping):
        bad_argument(f"{where} must have a JSON object, or its text, for arguments", PROVIDER_NAME)
    return arguments


def _tool_result(message: Message, names: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the result of a tool; text becomes ``{"result": text}``, an object goes as it is."""
    call_id = message.get("tool_call_id")
    name = message.get("name") or message.get("tool_name") or (names.get(call_id) if isinstance(call_id, str) else None)
    if not isinstance(name, str) or not name:
        bad_argument(f"{where} must have a name, or the tool_call_id of a call made before", PROVIDER_NAME)
    content = message.get("content")
    if isinstance(content, list | tuple):
        content = "".join(str(part.get("text", "")) for part in parts_of(content, f"{where}.content"))
    if not isinstance(content, str | Mapping):
        bad_argument(f"{where}.content must be text or a JSON object, not {type(content).__name__}", PROVIDER_NAME)
    made: dict[str, Any] = {"name": name, "response": {"result": content} if isinstance(content, str) else content}
    if isinstance(call_id, str) and call_id:
        made["id"] = call_id
    return {"functionResponse": made}
