"""Messages, images and tools on their way to the wire: what callers have, in the shape that Ollama takes.

Wire facts: ``api/types.go``: ``content`` is text, ``images`` are base64 without a ``data:`` prefix, the arguments of
a tool call are a JSON object. Messages in the OpenAI shape (content parts, arguments as JSON text) are understood as
well. A string is never taken for a file name, so that text from strangers cannot read files; pass ``pathlib.Path``
for a file.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from backends.parameters import bad_argument
from backends.types import Message, ToolCall
from backends.wire.jsontext import loads
from backends.wire.values import FormatError

__all__ = ["checked_images", "checked_messages", "checked_tools"]

_ROLES: Final = frozenset({"system", "user", "assistant", "tool"})
_LARGEST_IMAGE: Final = 64 * 1024 * 1024


def checked_messages(messages: Any, argument: str = "messages") -> list[Mapping[str, Any]]:
    """Return messages fit for the wire; those that are fit already are not copied.

    Raises:
        InvalidRequestError: there are none, or one is malformed; the message names it.
    """
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Sequence):
        bad_argument(f"{argument} must be a list of messages, not {type(messages).__name__}", "ollama")
    if not messages:
        bad_argument(f"{argument} must not be empty; use load() and unload() to load a model and let it go", "ollama")
    return [
        message
        if type(message) is dict
        and len(message) == 2
        and type(message.get("content")) is str
        and message.get("role") in _ROLES
        else _message(message, f"{argument}[{index}]")
        for index, message in enumerate(messages)
    ]


def _message(message: Message, where: str) -> dict[str, Any]:
    if not isinstance(message, Mapping):
        bad_argument(f"{where} must be a mapping, not {type(message).__name__}", "ollama")
    made = {name: value for name, value in message.items() if value is not None}
    role = made.get("role")
    if not isinstance(role, str) or role.lower() not in _ROLES:
        shown = repr(role[:60]) if isinstance(role, str) else "missing"
        bad_argument(f"{where}.role must be one of system, user, assistant, tool; it is {shown}", "ollama")
    role = made["role"] = role.lower()
    images = checked_images(made.pop("images", ()), f"{where}.images")
    content = made.get("content")
    if isinstance(content, list | tuple):
        made["content"], found = _parts(content, f"{where}.content")
        images += found
    elif content is None:
        if role in ("system", "user", "tool") and not images:
            bad_argument(f"{where} must have content", "ollama")
        made["content"] = ""
    elif not isinstance(content, str):
        bad_argument(f"{where}.content must be text or a list of parts, not {type(content).__name__}", "ollama")
    if images:
        made["images"] = images
    if "tool_calls" in made:
        made["tool_calls"] = _tool_calls(made["tool_calls"], f"{where}.tool_calls")
    for name in ("thinking", "tool_name", "tool_call_id"):
        if name in made and not isinstance(made[name], str):
            bad_argument(f"{where}.{name} must be text, not {type(made[name]).__name__}", "ollama")
    return made


def _parts(parts: Sequence[Any], where: str) -> tuple[str, list[str]]:
    """Return the text and the images of content in parts."""
    texts: list[str] = []
    images: list[str] = []
    for index, part in enumerate(parts):
        here = f"{where}[{index}]"
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url":
            target = part.get("image_url")
            images.append(_image(target.get("url") if isinstance(target, Mapping) else target, f"{here}.image_url"))
        else:
            bad_argument(f"{here} must be a text or image_url part: Ollama takes text and images only", "ollama")
    return "\n".join(texts), images


def checked_images(images: Any, where: str = "images") -> list[str]:
    """Return images as base64 text.

    Args:
        images: ``bytes``, ``pathlib.Path``, base64 text or a ``data:`` URL each.
        where: the argument's name, for errors.

    Raises:
        InvalidRequestError: one is something else, empty, not base64, cannot be read, or is larger than 64 MiB.
    """
    if isinstance(images, str | bytes | Mapping) or not isinstance(images, Sequence):
        bad_argument(f"{where} must be a list of images, not {type(images).__name__}", "ollama")
    return [_image(image, f"{where}[{index}]") for index, image in enumerate(images)]


def _image(image: Any, where: str) -> str:
    if isinstance(image, str):
        return _base64(image, where)
    if isinstance(image, os.PathLike):
        image = _file(Path(image), where)
    if not isinstance(image, bytes | bytearray | memoryview):
        bad_argument(f"{where} must be bytes, a pathlib.Path or base64 text, not {type(image).__name__}", "ollama")
    content = bytes(image)
    if not content:
        bad_argument(f"{where} is empty", "ollama")
    if len(content) > _LARGEST_IMAGE:
        bad_argument(f"{where} is larger than {_LARGEST_IMAGE} bytes", "ollama")
    return base64.b64encode(content).decode("ascii")


def _file(path: Path, where: str) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_IMAGE:
            bad_argument(f"{where} is larger than {_LARGEST_IMAGE} bytes", "ollama")
        return path.read_bytes()
    except OSError as problem:
        bad_argument(f"{where} cannot be read: {problem.strerror}", "ollama")


def _base64(text: str, where: str) -> str:
    if text[:5].lower() == "data:":
        head, _, text = text.partition(",")
        if not head.lower().endswith(";base64"):
            bad_argument(f"{where} is a data URL that is not base64", "ollama")
    elif text[:8].lower().startswith(("http://", "https://")):
        bad_argument(f"{where} is an address; Ollama fetches none, pass the image itself", "ollama")
    try:
        size = len(binascii.a2b_base64(text, strict_mode=True))
    except (binascii.Error, ValueError):
        size = 0
    if not size:
        bad_argument(f"{where} is not base64 text; pass pathlib.Path for a file", "ollama")
    return text


def _tool_calls(calls: Any, where: str) -> list[dict[str, Any]]:
    if isinstance(calls, str | bytes | Mapping) or not isinstance(calls, Sequence):
        bad_argument(f"{where} must be a list, not {type(calls).__name__}", "ollama")
    return [_tool_call(call, f"{where}[{index}]") for index, call in enumerate(calls)]


def _tool_call(call: Any, where: str) -> dict[str, Any]:
    if isinstance(call, ToolCall):
        call = {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}}
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not function["name"]:
        bad_argument(f"{where} must be a ToolCall, or a mapping with a function that has a name", "ollama")
    made: dict[str, Any] = {"function": {**function, "arguments": _arguments(function.get("arguments"), where)}}
    if call.get("id"):
        made["id"] = call["id"]
    return made


def _arguments(arguments: Any, where: str) -> Mapping[str, Any]:
    """Return the arguments of a call as an object, from an object or its JSON text."""
    if isinstance(arguments, str):
        try:
            arguments = loads(arguments) if arguments.strip() else {}
        except FormatError as problem:
            bad_argument(f"{where}.function.arguments cannot be read: {problem}", "ollama")
    elif arguments is None:
        arguments = {}
    if not isinstance(arguments, Mapping):
        bad_argument(f"{where}.function.arguments must be a JSON object or its text", "ollama")
    return arguments


def checked_tools(tools: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return tools fit for the wire.

    Raises:
        InvalidRequestError: one is not a function with a name.
    """
    for index, tool in enumerate(tools):
        function = tool.get("function")
        if tool.get("type", "function") != "function" or not isinstance(function, Mapping):
            bad_argument(f"tools[{index}] must be a function: {{'type': 'function', 'function': {{...}}}}", "ollama")
        name, schema = function.get("name"), function.get("parameters")
        if not isinstance(name, str) or not name:
            bad_argument(f"tools[{index}].function must have a name", "ollama")
        if schema is not None and not isinstance(schema, Mapping):
            bad_argument(f"tools[{index}].function.parameters must be a JSON Schema", "ollama")
    return tools
