"""Conversations on their way to the wire: what callers have, in the shape that the Messages API takes.

Wire facts: ``messages`` holds ``user`` and ``assistant`` turns, and ``system`` ones behind the first of those; the
system prompt before all of them is a field of its own. A tool's result is a block of a user turn.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from backends.dialects.openai_common import checked_messages
from backends.parameters import bad_argument
from backends.types import Message

__all__ = ["DEFAULT_MAX_TOKENS", "conversation", "message_body"]

DEFAULT_MAX_TOKENS: Final = 4096
"""The API wants ``max_tokens`` with every message; this is what a call that names none asks for."""

_ROLES: Final = frozenset({"user", "assistant", "system"})
_BLOCKS_ELSEWHERE: Final[Mapping[str, str]] = {
    "image_url": "{'type': 'image', 'source': {'type': 'url', 'url': ...}}",
    "input_text": "{'type': 'text', 'text': ...}",
    "input_image": "{'type': 'image', 'source': ...}",
    "file": "{'type': 'document', 'source': ...}",
    "input_file": "{'type': 'document', 'source': ...}",
}
"""Parts of other providers' messages, and what stands for them here."""


def message_body(model: str, messages: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a message request: model, limit, system prompt, messages, then the other fields.

    Raises:
        InvalidRequestError: the messages are empty or malformed.
    """
    body = {"model": model, "max_tokens": fields.get("max_tokens", DEFAULT_MAX_TOKENS)}
    return body | conversation(messages, fields)


def conversation(messages: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return system prompt, messages and the other fields, leading system messages moved into the field ``system``.

    Raises:
        InvalidRequestError: the messages are empty or malformed, or there are two system prompts.
    """
    checked = checked_messages(messages, "claude")
    turns = [_turn(message, index) for index, message in enumerate(checked)]
    first = next((index for index, turn in enumerate(turns) if turn["role"] != "system"), len(turns))
    if first == len(turns):
        bad_argument("messages must hold more than system prompts", "claude")
    fields = dict(fields)
    system = fields.pop("system", None)
    if first:
        if system is not None:
            bad_argument("system is given twice: as an argument and as the first of messages", "claude")
        system = _joined(turns[:first])
    elif isinstance(system, Sequence) and not isinstance(system, str):
        _check_system(system)
    return ({} if system is None else {"system": system}) | {"messages": turns[first:]} | fields


def _check_system(blocks: Sequence[Any]) -> None:
    for index, block in enumerate(blocks):
        if block.get("type") != "text" or not isinstance(block.get("text"), str):
            bad_argument(f"system[{index}] must be {{'type': 'text', 'text': ...}}", "claude")


def _joined(turns: Sequence[Message]) -> Any:
    """Return the system prompt of leading messages: the text of a single one, else their blocks in order."""
    if len(turns) == 1:
        return turns[0]["content"]
    blocks: list[Any] = []
    for turn in turns:
        content = turn["content"]
        blocks.extend([{"type": "text", "text": content}] if isinstance(content, str) else content)
    return blocks


def _turn(message: Message, index: int) -> Message:
    where = f"messages[{index}]"
    role = message["role"]
    if role == "tool":
        bad_argument(f"{where}.role: a tool's result is a 'tool_result' block of a user message here", "claude")
    if role not in _ROLES:
        bad_argument(f"{where}.role must be user, assistant or system, not {role[:60]!r}", "claude")
    content = message.get("content")
    if content is None:
        bad_argument(f"{where} must have content", "claude")
    if isinstance(content, str):
        return message
    blocks = [_block(block, f"{where}.content[{place}]") for place, block in enumerate(content)]
    return {**message, "content": blocks}


def _block(block: Any, where: str) -> Any:
    """Return a block fit for the wire: bytes of an image or document become base64."""
    kind = block["type"]
    if kind in _BLOCKS_ELSEWHERE:
        bad_argument(f"{where} must be {_BLOCKS_ELSEWHERE[kind]}, not of type {kind}", "claude")
    content = block.get("content")
    if kind == "tool_result" and isinstance(content, list | tuple):
        for place, inner in enumerate(content):
            if not isinstance(inner, Mapping) or not isinstance(inner.get("type"), str):
                bad_argument(f"{where}.content[{place}] must be a mapping with a type", "claude")
        inside = [_block(inner, f"{where}.content[{place}]") for place, inner in enumerate(content)]
        return {**block, "content": inside}
    source = block.get("source")
    if isinstance(source, Mapping) and isinstance(source.get("data"), bytes):
        data = base64.b64encode(source["data"]).decode("ascii")
        return {**block, "source": {**source, "data": data}}
    return block
