"""Parts of a message on their way to the wire: text, pictures, sound, files, in the common shape or in Gemini's own.

Wire facts: ``inlineData {mimeType, data}`` is base64; ``fileData {mimeType?, fileUri}`` names an uploaded file (or, for
some models, a public address). The service takes camelCase and snake_case; what is made here is camelCase. A string is
never taken for a file name, so that text from strangers cannot read files.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from backends.gemini.values import FileInfo, Media
from backends.parameters import bad_argument

__all__ = ["PROVIDER_NAME", "part_of", "parts_of"]

PROVIDER_NAME: Final = "gemini"
_INLINE: Final = ("inlineData", "inline_data")
_LONGEST_TYPE: Final = 200


def parts_of(content: Any, where: str) -> list[dict[str, Any]]:
    """Return the parts of a content: text, one part, or a list of them.

    Args:
        content: see :func:`part_of` for what a part may be.
        where: its name, for errors.

    Raises:
        InvalidRequestError: it is empty, or a part is malformed; the message names it.
    """
    if isinstance(content, str | Mapping | FileInfo | Media):
        return [part_of(content, where)]
    if not isinstance(content, list | tuple):
        bad_argument(f"{where} must be text or a list of parts, not {type(content).__name__}", PROVIDER_NAME)
    if not content:
        bad_argument(f"{where} must not be empty", PROVIDER_NAME)
    return [part_of(part, f"{where}[{index}]") for index, part in enumerate(content)]


def part_of(part: Any, where: str) -> dict[str, Any]:
    """Return one part as it goes on the wire.

    Args:
        part: text; an uploaded :class:`FileInfo`; a :class:`Media`; a part of the common shape (``{"type": "text"}``,
            ``image_url``, ``input_audio``, ``file``); or Gemini's own (``{"inlineData": ...}``), whose ``data`` may be
            bytes.
        where: its name, for errors.
    """
    if isinstance(part, str):
        if not part:
            bad_argument(f"{where} must not be empty", PROVIDER_NAME)
        return {"text": part}
    if isinstance(part, FileInfo):
        return _uploaded(part, where)
    if isinstance(part, Media):
        return _inline(part.mime_type, part.data, where)
    if not isinstance(part, Mapping) or not part or not all(isinstance(name, str) for name in part):
        bad_argument(f"{where} must be text, a file or a mapping, not {type(part).__name__}", PROVIDER_NAME)
    return _common(part, where) if isinstance(part.get("type"), str) else _native(part, where)


def _native(part: Mapping[str, Any], where: str) -> dict[str, Any]:
    if "text" in part and not isinstance(part["text"], str):
        bad_argument(f"{where}.text must be text, not {type(part['text']).__name__}", PROVIDER_NAME)
    made = dict(part)
    for name in _INLINE:
        blob = made.get(name)
        if blob is not None and not isinstance(blob, Mapping):
            bad_argument(f"{where}.{name} must be a mapping", PROVIDER_NAME)
        if blob is not None and isinstance(blob.get("data"), bytes | bytearray | memoryview):
            made[name] = {**blob, "data": base64.b64encode(bytes(blob["data"])).decode("ascii")}
    return made


def _common(part: Mapping[str, Any], where: str) -> dict[str, Any]:
    kind = part["type"]
    if kind == "text":
        return part_of(_wanted(part, "text", where), f"{where}.text")
    if kind == "image_url":
        target = part.get("image_url")
        return _address(_wanted(target if isinstance(target, Mapping) else {"url": target}, "url", where), where)
    if kind == "input_audio":
        sound = part.get("input_audio")
        sound = sound if isinstance(sound, Mapping) else {}
        return _inline(f"audio/{_wanted(sound, 'format', where)}", _wanted(sound, "data", where), where)
    if kind == "file":
        file = part.get("file")
        if isinstance(file, FileInfo):
            return _uploaded(file, where)
        return _address(_wanted(file if isinstance(file, Mapping) else {}, "file_data", where), where)
    return bad_argument(f"{where}.type must be text, image_url, input_audio or file, not {kind[:60]!r}", PROVIDER_NAME)


def _wanted(holder: Mapping[str, Any], name: str, where: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        bad_argument(f"{where} must have a text {name}", PROVIDER_NAME)
    return value


def _address(url: str, where: str) -> dict[str, Any]:
    """Return the part of a ``data:`` URL, or of an address that the provider itself fetches."""
    if url[:5].lower() != "data:":
        return {"fileData": {"fileUri": url}}
    head, comma, data = url[5:].partition(",")
    if not comma or not head.lower().endswith(";base64"):
        bad_argument(f"{where} holds a data URL that is not base64", PROVIDER_NAME)
    return _inline(head.partition(";")[0], data, where)


def _uploaded(file: FileInfo, where: str) -> dict[str, Any]:
    if not file.uri:
        bad_argument(f"{where} is a file without a uri", PROVIDER_NAME)
    return {"fileData": {"mimeType": file.mime_type, "fileUri": file.uri} if file.mime_type else {"fileUri": file.uri}}


def _inline(mime_type: str, data: str | bytes, where: str) -> dict[str, Any]:
    if "/" not in mime_type or len(mime_type) > _LONGEST_TYPE or not mime_type.isprintable():
        bad_argument(f"{where} has no MIME type such as image/png", PROVIDER_NAME)
    if isinstance(data, str):
        try:
            size = len(binascii.a2b_base64(data.translate(_URL_SAFE), strict_mode=True))
        except (binascii.Error, ValueError):
            size = 0
        if not size:
            bad_argument(f"{where} holds no base64 data", PROVIDER_NAME)
        return {"inlineData": {"mimeType": mime_type, "data": data}}
    if not data:
        bad_argument(f"{where} is empty", PROVIDER_NAME)
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode("ascii")}}


_URL_SAFE: Final = str.maketrans("-_", "+/")
