"""JSON text at the wire: strict, bounded, with errors that say where."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from backends.wire.values import FormatError

__all__ = ["dumps", "loads"]

_TEXT = frozenset({str})
_LEAVES = frozenset({str, int, float, bool, type(None)})
_MARK = "\ufeff"
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _constant(name: str) -> Any:
    raise FormatError(f"JSON holds {name}, which is not a number")


_decode = json.JSONDecoder(parse_constant=_constant).decode


def loads(data: bytes | str, *, max_depth: int = 128) -> Any:
    """Decode JSON text; a byte order mark before it is passed over (RFC 8259, section 8.1).

    Raises:
        FormatError: it is not UTF-8 or not JSON, holds NaN, Infinity or an integer of more than 4300 digits, or is
            nested deeper than ``max_depth``.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = _decode(text.removeprefix(_MARK))
    except UnicodeDecodeError:
        raise FormatError("not UTF-8 text") from None
    except RecursionError:
        raise FormatError("JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON at character {error.pos}") from None
    except FormatError:
        raise
    except ValueError:  # Python reads no integer of more than 4300 digits
        raise FormatError("JSON holds a number that is too long") from None
    if text.count("[") + text.count("{") > max_depth and _depth(value) > max_depth:
        raise FormatError("JSON is nested too deeply")
    return value


def _depth(value: Any) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        item, level = stack.pop()
        deepest = max(deepest, level)
        if isinstance(item, dict):
            stack.extend((child, level + 1) for child in item.values() if isinstance(child, dict | list))
        elif isinstance(item, list):
            stack.extend((child, level + 1) for child in item if isinstance(child, dict | list))
    return deepest


def dumps(value: Any) -> bytes:
    """Encode a value as compact UTF-8 JSON.

    Raises:
        ValueError: a value cannot stand in JSON; the message names its path.
    """
    try:
        text = _encode(value).encode("utf-8")
    except (ValueError, TypeError, RecursionError):
        raise ValueError(_complaint(value, "")) from None
    if not _has_text_keys(value):
        raise ValueError(_complaint(value, ""))
    return text


def _has_text_keys(value: Any) -> bool:
    """Say whether every key is a string: the encoder would turn numbers, booleans and None into strings unasked."""
    stack = [value] if isinstance(value, dict | list | tuple) else []
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if not _TEXT.issuperset(map(type, item)) and not all(isinstance(key, str) for key in item):
                return False
            children: Iterable[Any] = item.values()
        else:
            children = item
        if not _LEAVES.issuperset(map(type, children)):
            stack.extend(child for child in children if isinstance(child, dict | list | tuple))
    return True


def _complaint(value: Any, path: str, depth: int = 0) -> str:
    found = _find(value, path, depth)
    return found or "the value cannot be written as JSON"


def _find(value: Any, path: str, depth: int) -> str | None:
    where = path or "the value"
    if depth > 500:
        return f"{where} is nested too deeply"
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f"{where} is not a finite number"
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return f"{where} holds a lone surrogate, which is not text"
        return None
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return f"{where} has a key that is not a string"
            if _find(key, "", depth) is not None:
                return f"{where} has a key that holds a lone surrogate, which is not text"
            found = _find(item, f"{path}.{key}" if path else key, depth + 1)
            if found:
                return found
        return None
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            found = _find(item, f"{path}[{index}]", depth + 1)
            if found:
                return found
        return None
    if isinstance(value, int):
        try:
            int.__repr__(value)
        except ValueError:
            return f"{where} is a number of more than {sys.get_int_max_str_digits()} digits"
        return None
    if value is None or isinstance(value, float):
        return None
    return f"{where} is a {type(value).__name__}, which JSON does not have"
