"""A whole message as the events of its stream; servers that imitate the API use it for theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.provider import Event, Part

__all__ = ["events"]

_PING = Event({"type": "ping"}, part=Part.EXTRA)
_EMPTY: Mapping[str, Mapping[str, Any]] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_use": {"input": {}},
}


def events(message: Mapping[str, Any], *, ping: bool = True) -> Iterator[Event]:
    """``message_start``, the blocks in pieces, the cumulative counts, ``message_stop``; with a ping on the way."""
    usage = message["usage"]
    opening = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": min(1, usage["output_tokens"])},
    }
    yield Event({"type": "message_start", "message": opening}, part=Part.OPENING)
    for index, block in enumerate(message["content"]):
        start = {name: value for name, value in block.items() if name != "citations"}
        start.update(_EMPTY.get(block["type"], {}))
        yield Event({"type": "content_block_start", "index": index, "content_block": start}, part=Part.OPENING)
        if ping and not index:
            yield _PING
        for delta in _deltas(block):
            yield Event({"type": "content_block_delta", "index": index, "delta": delta})
        yield Event({"type": "content_block_stop", "index": index}, part=Part.CLOSING)
    last = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details") if name in message}
    yield Event({"type": "message_delta", "delta": last, "usage": usage}, part=Part.CLOSING)
    yield Event({"type": "message_stop"}, part=Part.TERMINATOR)


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "text":
            yield from ({"type": "text_delta", "text": token} for token in tokenise(block["text"]))
            yield from ({"type": "citations_delta", "citation": one} for one in block.get("citations") or ())
        case "thinking":
            yield from ({"type": "thinking_delta", "thinking": token} for token in tokenise(block["thinking"]))
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use":
            arguments = json.dumps(block["input"], ensure_ascii=False)
            yield {"type": "input_json_delta", "partial_json": ""}
            yield from ({"type": "input_json_delta", "partial_json": piece} for piece in tokenise(arguments))
        case _:
            return
