"""Tensors as values: a name, a datatype, a shape and the elements in the wire's binary form. Pure; no I/O.

numpy is neither required nor imported before :meth:`Tensor.numpy` is called: an array that comes in is known by its
attributes.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from backends.errors import ConfigurationError, InvalidRequestError
from backends.ovms.datatypes import BYTES, DATATYPES, Element, element_size, elements, pack, prefixed, unpack

__all__ = ["MOST_DIMENSIONS", "Tensor", "TensorSpec", "count", "joined", "parted", "tensor"]

MOST_DIMENSIONS: Final = 64
_MOST_ELEMENTS: Final = 2**40
_NUMPY: Final = {
    "BOOL": "?", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "<i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
_KINDS: Final = {"b": "BOOL", "u": "UINT", "i": "INT", "f": "FP"}
_TYPECODES: Final = {"f": "FP", "d": "FP", **dict.fromkeys("bhilq", "INT"), **dict.fromkeys("BHILQ", "UINT")}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output as a model declares it; ``shape`` has -1 where any size fits."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor. :func:`tensor` makes one of Python values, numpy arrays or ``array.array``.

    Attributes:
        name: of the model's input or output.
        datatype: BOOL, UINT8 to UINT64, INT8 to INT64, FP16, BF16, FP32, FP64 or BYTES.
        shape: sizes of the axes; the product is the number of elements.
        content: the elements, row by row, little-endian; those of BYTES each behind its length (4 bytes).

    Raises:
        ValueError: datatype, shape and content do not fit together.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        size = element_size(self.datatype)
        number = count(self.shape)
        if size is None:
            found = sum(1 for _ in elements(self.content))
        else:
            found, rest = divmod(len(self.content), size)
            if rest:
                raise ValueError(f"has {len(self.content)} bytes, which is no whole number of {self.datatype}")
        if found != number:
            raise ValueError(f"has {found} elements where the shape {list(self.shape)} has {number}")

    @property
    def values(self) -> tuple[Element, ...]:
        """The elements in one flat tuple, row by row: bool, int, float, or bytes."""
        return unpack(self.datatype, self.content)

    @property
    def texts(self) -> tuple[str, ...]:
        """The elements of BYTES as text.

        Raises:
            ValueError: the datatype is another, or an element is not UTF-8.
        """
        if self.datatype != BYTES:
            raise ValueError(f"{self.name} is {self.datatype}, not BYTES")
        return tuple(element.decode() for element in elements(self.content))

    def nested(self) -> Any:
        """Return the elements as lists within lists, one level an axis: the bare element where there is no axis, an
        empty list where there is no element."""
        row: Any = list(self.values)
        if not row or not self.shape:
            return row[0] if row else row
        for size in reversed(self.shape[1:]):
            row = [row[start : start + size] for start in range(0, len(row), size)]
        return row

    def numpy(self) -> Any:
        """Return a numpy array of this shape: objects (bytes) for BYTES, 32-bit floats for BF16, a read-only view
        otherwise.

        Raises:
            ConfigurationError: numpy is not installed.
        """
        try:
            import numpy
        except ImportError:
            raise ConfigurationError(
                "numpy is not installed; values and nested() do without.", provider="ovms"
            ) from None
        if self.datatype == BYTES:
            return numpy.array(self.values, dtype=object).reshape(self.shape)
        if self.datatype == "BF16":
            wide = numpy.frombuffer(self.content, dtype="<u2").astype("<u4") << 16
            return wide.view("<f4").reshape(self.shape)
        return numpy.frombuffer(self.content, dtype=_NUMPY[self.datatype]).reshape(self.shape)


def count(shape: Sequence[Any]) -> int:
    """Return the number of elements of a shape.

    Raises:
        ValueError: an axis is not a size, or there are absurdly many axes or elements.
    """
    if len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"has {len(shape)} axes")
    if any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("has an axis whose size is not a whole number of at least 0")
    number: int = math.prod(shape)
    if number > _MOST_ELEMENTS:
        raise ValueError("has a shape of more elements than any answer can hold")
    return number


def tensor(name: str, data: Any, datatype: str | None = None, shape: Sequence[int] | None = None) -> Tensor:
    """Return a tensor of a caller's data.

    Args:
        name: of the model's input.
        data: a numpy array, an ``array.array``, one element, or lists of elements, nested by axis or flat with
            ``shape``. ``bytes`` and text are one element of BYTES, or, with another datatype, the elements themselves
            in binary (little-endian), which need ``shape``.
        datatype: taken from arrays; else BOOL, INT64, FP32 (the precision of most models) or BYTES by the elements.
        shape: of the data where it does not show one; its number of elements must be the data's.

    Raises:
        InvalidRequestError: the data is of another kind, ragged, out of range, or does not fit datatype and shape.
    """
    if not isinstance(name, str) or not name:
        raise _wrong("a tensor's name must be text and not empty")
    if datatype is not None and datatype not in DATATYPES:
        raise _wrong(f"{name}: datatype must be one of {', '.join(DATATYPES)}, not {str(datatype)[:40]!r}")
    if shape is not None and not (isinstance(shape, tuple | list) and all(type(size) is int for size in shape)):
        raise _wrong(f"{name}: shape must be a list of whole numbers")
    try:
        kind, found, content = _read(data, datatype, shape)
        return Tensor(name, kind, tuple(shape) if shape is not None else found, content)
    except ValueError as error:
        raise _wrong(f"{name} {error}") from None


def _wrong(message: str) -> InvalidRequestError:
    return InvalidRequestError(f"{message}.", provider="ovms", code="invalid_argument")


def _read(data: Any, datatype: str | None, shape: Sequence[int] | None) -> tuple[str, tuple[int, ...], bytes]:
    """Return datatype, shape and content of data of any kind."""
    if hasattr(data, "dtype") and hasattr(data, "tobytes"):
        return _read_numpy(data, datatype)
    if isinstance(data, array):
        kind = _TYPECODES.get(data.typecode)
        if kind is None:
            raise ValueError(f"is an array of {data.typecode!r}, which has no datatype")
        own = f"{kind}{8 * data.itemsize}"
        return datatype or own, (len(data),), pack(datatype or own, data.tolist())
    if isinstance(data, bytes | bytearray | memoryview) and datatype not in (None, BYTES):
        if shape is None:
            raise ValueError("is binary and needs a shape")
        return str(datatype), (), bytes(data)
    if not isinstance(data, list | tuple):
        found: tuple[int, ...] = (1,) if isinstance(data, str | bytes | bytearray | memoryview) else ()
        data = [data]
    else:
        found = _shape(data)
    flat = list(_flat(data, max(1, len(found))))
    kind = datatype or _datatype_of(flat)
    return kind, found, pack(kind, flat)


def _read_numpy(data: Any, datatype: str | None) -> tuple[str, tuple[int, ...], bytes]:
    """Read an array by its attributes; its own type counts unless another is asked for."""
    kind, size = data.dtype.kind, data.dtype.itemsize
    found = tuple(int(axis) for axis in data.shape)
    if str(data.dtype) == "bfloat16":
        own = "BF16"
    elif kind in "OSU":
        return datatype or BYTES, found, pack(datatype or BYTES, data.ravel().tolist())
    elif kind in _KINDS and size <= 8:
        own = "BOOL" if kind == "b" else f"{_KINDS[kind]}{8 * size}"
    else:
        raise ValueError(f"is an array of {data.dtype}, which has no datatype")
    if datatype in (None, own):
        if data.dtype.byteorder == ">":
            data = data.astype(data.dtype.newbyteorder("<"))
        return own, found, data.tobytes()
    return str(datatype), found, pack(str(datatype), data.ravel().tolist())


def _shape(data: Sequence[Any]) -> tuple[int, ...]:
    """Return the shape of nested lists, judged by the first of each level; :func:`_flat` checks the rest."""
    sizes: list[int] = []
    level: Any = data
    while isinstance(level, list | tuple):
        sizes.append(len(level))
        if len(sizes) > MOST_DIMENSIONS:
            raise ValueError("is nested too deeply")
        if not level:
            break
        level = level[0]
    return tuple(sizes)


def _flat(data: Sequence[Any], depth: int) -> Iterator[Any]:
    """Yield the elements of nested lists.

    Raises:
        ValueError: the lists are of different depths or lengths.
    """
    if depth == 1:
        if any(isinstance(item, list | tuple) for item in data):
            raise ValueError("is ragged: some elements are lists")
        yield from data
        return
    for row in data:
        if not isinstance(row, list | tuple) or len(row) != len(data[0]):
            raise ValueError("is ragged: its rows differ in length or kind")
        yield from _flat(row, depth - 1)


def _datatype_of(flat: Sequence[Any]) -> str:
    kinds = {*map(type, flat)}
    if not kinds:
        raise ValueError("is empty and needs a datatype")
    if kinds <= {bool}:
        return "BOOL"
    if kinds <= {int}:
        return "INT64"
    if kinds <= {int, float}:
        return "FP32"
    if kinds <= {str, bytes, bytearray, memoryview}:
        return BYTES
    raise ValueError(f"mixes {', '.join(sorted(kind.__name__ for kind in kinds))}, which have no common datatype")


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Return tensors of one name put together along axis 0; content is row by row, so bytes are simply joined."""
    first = parts[0]
    rows = sum(part.shape[0] for part in parts)
    return Tensor(first.name, first.datatype, (rows, *first.shape[1:]), b"".join(part.content for part in parts))


def parted(whole: Tensor, rows: Sequence[int]) -> tuple[Tensor, ...]:
    """Return a tensor cut along axis 0 into pieces of so many rows; the rows must add up to its own."""
    width = count(whole.shape[1:])
    size = element_size(whole.datatype)
    pieces = list(elements(whole.content)) if size is None else []
    parts = []
    start = 0
    for number in rows:
        first, last = start * width, (start + number) * width
        content = prefixed(pieces[first:last]) if size is None else whole.content[first * size : last * size]
        parts.append(Tensor(whole.name, whole.datatype, (number, *whole.shape[1:]), content))
        start += number
    return tuple(parts)
