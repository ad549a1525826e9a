"""A finished response told as its stream of named, numbered events; there is no ``[DONE]``."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.openai.errors import error
from conformance.simulators.openai.framing import named, sse
from conformance.simulators.provider import Answer, Event, Part, Stream

__all__ = ["error_event", "replay"]

_PINGS = (
    Event(raw=b": keep-alive\n\n", part=Part.EXTRA),
    Event(raw=b'event: keepalive\ndata: {"type":"keepalive","sequence_number":0}\n\n', part=Part.EXTRA),
)


def error_event(status: int, code: str | None, message: str | None, position: int) -> Sequence[Event]:
    """The flat error event, which the official client hands on like any other event."""
    inner = error(status, code, message).payload["error"]
    payload = {
        "type": "error",
        "code": inner["code"] or inner["type"],
        "message": inner["message"],
        "param": inner["param"],
        "sequence_number": position,
    }
    return (Event(payload, part=Part.CLOSING),)


def replay(response: Mapping[str, Any], *, after: int = -1, obfuscate: bool = True) -> Answer:
    """Stream a response, from the event after number ``after``."""
    events = [event for event in _numbered(response, obfuscate=obfuscate) if event.payload["sequence_number"] > after]
    return sse(Stream(events, named, error_event, _PINGS))


def _numbered(response: Mapping[str, Any], *, obfuscate: bool) -> Iterator[Event]:
    for number, (kind, fields, part) in enumerate(_told(response)):
        payload = {"type": kind, "sequence_number": number, **copy.deepcopy(dict(fields))}
        if obfuscate and kind.endswith(".delta"):
            payload["obfuscation"] = response["id"][-10:][: 2 + number % 9]
        yield Event(payload, part=part)


_Told = tuple[str, Mapping[str, Any], Part]


def _told(response: Mapping[str, Any]) -> Iterator[_Told]:
    started = {**response, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield "response.created", {"response": started}, Part.OPENING
    yield "response.in_progress", {"response": started}, Part.OPENING
    for index, item in enumerate(response["output"]):
        yield from _item(index, item)
    yield f"response.{response['status']}", {"response": response}, Part.TERMINATOR


def _item(index: int, item: Mapping[str, Any]) -> Iterator[_Told]:
    where = {"item_id": item["id"], "output_index": index}
    emptied = {**item, "status": "in_progress"}
    match item["type"]:
        case "message":
            emptied["content"] = []
        case "reasoning":
            emptied = {**item, "summary": []}
        case "function_call":
            emptied["arguments"] = ""
        case _:
            emptied["input"] = ""
    yield "response.output_item.added", {"output_index": index, "item": emptied}, Part.OPENING
    match item["type"]:
        case "message":
            for place, part in enumerate(item["content"]):
                yield from _content({**where, "content_index": place}, part)
        case "reasoning":
            for place, part in enumerate(item["summary"]):
                yield from _summary({**where, "summary_index": place}, part)
        case "function_call":
            for piece in tokenise(item["arguments"]):
                yield "response.function_call_arguments.delta", {**where, "delta": piece}, Part.CONTENT
            done = {**where, "name": item["name"], "arguments": item["arguments"]}
            yield "response.function_call_arguments.done", done, Part.CLOSING
        case _:
            for piece in tokenise(item["input"]):
                yield "response.custom_tool_call_input.delta", {**where, "delta": piece}, Part.CONTENT
            yield "response.custom_tool_call_input.done", {**where, "input": item["input"]}, Part.CLOSING
    yield "response.output_item.done", {"output_index": index, "item": item}, Part.CLOSING


def _content(where: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[_Told]:
    field = "refusal" if part["type"] == "refusal" else "text"
    kind = f"response.{part['type']}"
    yield "response.content_part.added", {**where, "part": {**part, field: ""}}, Part.OPENING
    logprobs: dict[str, Any] = {} if field == "refusal" else {"logprobs": []}
    for piece in tokenise(part[field]):
        yield f"{kind}.delta", {**where, "delta": piece, **logprobs}, Part.CONTENT
    yield f"{kind}.done", {**where, field: part[field], **logprobs}, Part.CLOSING
    yield "response.content_part.done", {**where, "part": part}, Part.CLOSING


def _summary(where: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[_Told]:
    yield "response.reasoning_summary_part.added", {**where, "part": {**part, "text": ""}}, Part.OPENING
    for piece in tokenise(part["text"]):
        yield "response.reasoning_summary_text.delta", {**where, "delta": piece}, Part.OPENING
    yield "response.reasoning_summary_text.done", {**where, "text": part["text"]}, Part.OPENING
    yield "response.reasoning_summary_part.done", {**where, "part": part}, Part.OPENING
