"""Arguments of a run, as numbers and bytes, and back into what the caller passed.

A number passes as a number; whatever holds numbers in one piece of memory (bytes, bytearray, ``array.array``, memoryview,
numpy arrays) passes by its bytes and comes back as a new object of its kind. The caller's own is never written to.
numpy is never imported here: who passes an array of it has it.
"""

from __future__ import annotations

import array
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Final, TypeAlias

from backends.parameters import bad_argument

__all__ = ["Argument", "Restore", "read_number", "told"]

Argument: TypeAlias = Any
"""int, float, bool, None (a null pointer), or an object with the buffer protocol that holds numbers."""
Restore: TypeAlias = Callable[[bytes], Any]
"""Makes the caller's kind of object out of bytes."""

_FORMATS: Final = frozenset("bBhHiIlLqQnNefd?c")
_NATIVE: Final = "@=" + ("<" if sys.byteorder == "little" else ">")
_LARGEST_INTEGER: Final = 1 << 64
_MOST: Final = 255


def told(arguments: Sequence[Argument]) -> tuple[list[dict[str, Any]], tuple[bytes, ...], tuple[Restore, ...]]:
    """Return the arguments as a header tells them, the bytes of the buffers among them, and how to get them back.

    Raises:
        InvalidRequestError: an argument is nothing that can pass; the message names it.
    """
    if isinstance(arguments, str | bytes) or not isinstance(arguments, Sequence):
        bad_argument("arguments must be a list of numbers and buffers", "llvm")
    if len(arguments) > _MOST:
        bad_argument(f"arguments must be no more than {_MOST}", "llvm")
    entries: list[dict[str, Any]] = []
    buffers: list[bytes] = []
    restores: list[Restore] = []
    for index, value in enumerate(arguments):
        name = f"arguments[{index}]"
        if value is None:
            entries.append({"null": True})
        elif isinstance(value, Integral):  # bool is one, and so are numpy's
            if not -_LARGEST_INTEGER < int(value) < _LARGEST_INTEGER:
                bad_argument(f"{name} does not fit into 64 bits", "llvm")
            entries.append({"int": int(value)})
        elif isinstance(value, Real):
            entries.append({"float": float(value).hex()})
        else:
            data, restore = _buffer(name, value)
            entries.append({"buffer": len(buffers)})
            buffers.append(data)
            restores.append(restore)
    return entries, tuple(buffers), tuple(restores)


def _buffer(name: str, value: Any) -> tuple[bytes, Restore]:
    try:
        view = memoryview(value)
    except TypeError:
        bad_argument(
            f"{name} must be a number or hold numbers in one piece of memory (array.array, numpy, bytes), "
            f"not {type(value).__name__}",
            "llvm",
        )
    with view:
        kind = view.format.lstrip(_NATIVE)
        if kind not in _FORMATS:
            bad_argument(f"{name} holds items of the format {view.format[:40]!r}, which are no numbers of this machine")
        if not view.c_contiguous:
            bad_argument(f"{name} does not lie in one piece of memory; pass a copy")
        return view.tobytes(), _restore(value, view.format, view.shape)


def _restore(value: Any, kind: str, shape: tuple[int, ...] | None) -> Restore:
    """Return what makes an object like the caller's; for a kind that is not known, a memoryview of the same numbers."""
    if isinstance(value, bytes):
        return bytes
    if isinstance(value, bytearray):
        return bytearray
    if isinstance(value, array.array):
        code = value.typecode
        return lambda data: array.array(code, data)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        kind_of = value.dtype
        return lambda data: numpy.frombuffer(bytearray(data), kind_of).reshape(shape)
    native: Any = kind.lstrip(_NATIVE)
    if native == "e" or not shape or 0 in shape:  # memoryview has no half floats and casts no emptiness
        return memoryview
    return lambda data: memoryview(data).cast(native, shape)


def read_number(said: Mapping[str, Any]) -> int | float | None:
    """Return a result as a worker told it.

    Raises:
        ValueError: it told nonsense.
    """
    if set(said) == {"int"} and type(said["int"]) is int and abs(said["int"]) < _LARGEST_INTEGER:
        return int(said["int"])
    if set(said) == {"float"} and isinstance(said["float"], str) and len(said["float"]) < 64:
        number = float.fromhex(said["float"])
        return math.nan if math.isnan(number) else number
    if said == {"none": True}:
        return None
    raise ValueError("the result is no number")
