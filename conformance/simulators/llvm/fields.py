"""What the header of a frame may hold, by operation. Strict: what a worker does not know is refused."""

from __future__ import annotations

from backends.llvm_worker.frames import MOST_MODULES
from conformance.simulators.shape import Choice, Flag, Integer, ListOf, Number, Record, Shape, Text

__all__ = ["HEADERS", "SHARED_HEADERS"]

_LEVEL = Choice("O0", "O1", "O2", "O3", "Os", "Oz")
_SIZES = ListOf(Integer(0), maximum=1024)


class _Module(Shape):
    """``{"ir": text}`` or ``{"bitcode": index of a blob}``."""

    __slots__ = ()
    expects = "a module"
    _records = (Record({"ir": Text(1)}), Record({"bitcode": Integer(0)}))

    def accepts(self, value: object) -> bool:
        """One of the two."""
        return any(record.check(value, "") is None for record in self._records)


class _Argument(Shape):
    """One value of a call."""

    __slots__ = ()
    expects = "an argument"
    _records = (
        Record({"int": Integer()}),
        Record({"float": Text(1, 60)}),
        Record({"buffer": Integer(0)}),
        Record({"null": Flag()}),
    )

    def accepts(self, value: object) -> bool:
        """One of the four."""
        return any(record.check(value, "") is None for record in self._records)


class _Maybe(Shape):
    """A level, or null for none."""

    __slots__ = ()
    expects = "a level or null"

    def accepts(self, value: object) -> bool:
        """Either."""
        return value is None or _LEVEL.check(value, "") is None


_TARGET = Record(
    optional={
        "triple": Text(1, 200),
        "cpu": Text(0, 200),
        "features": Text(0, 8_000),
        "reloc": Choice("default", "static", "pic", "dynamicnopic"),
        "code_model": Choice("default", "small", "kernel", "medium", "large"),
        "abi": Text(0, 200),
    },
    nulls=False,
)
_TUNING = Record(
    optional={
        "vectorize_loops": Flag(),
        "vectorize_slp": Flag(),
        "unroll_loops": Flag(),
        "interleave_loops": Flag(),
        "inline_threshold": Integer(0),
    },
    nulls=False,
)
_ONE = ListOf(_Module(), 1, 1)
_SHARED = ListOf(_Module(), 2, MOST_MODULES)
_CHANGED = {"target": _TARGET, "tuning": _TUNING, "passes": ListOf(Text(1))}


def _header(required: dict[str, Shape], optional: dict[str, Shape]) -> Record:
    return Record({"operation": Text(1), **required}, {"seconds": Number(0), "blobs": _SIZES, **optional}, nulls=False)


def _of_module(required: dict[str, Shape], optional: dict[str, Shape]) -> Record:
    return _header({"name": Text(1, 200), "modules": _ONE, **required}, optional)


_COMPILING: dict[str, tuple[dict[str, Shape], dict[str, Shape]]] = {
    "verify": ({}, {}),
    "inspect": ({}, {}),
    "optimize": ({"level": _LEVEL}, {**_CHANGED, "output": Choice("ir", "bitcode")}),
    "emit": ({"kind": Choice("object", "assembly"), "level": _Maybe()}, _CHANGED),
}
HEADERS = {
    **{name: _of_module(*fields) for name, fields in _COMPILING.items()},
    "link": _header(
        {"name": Text(1, 200), "modules": ListOf(_Module(), 1, 256), "level": _Maybe()},
        {**_CHANGED, "output": Choice("ir", "bitcode")},
    ),
    "run": _of_module(
        {
            "function": Text(1, 1_000),
            "arguments": ListOf(_Argument()),
            "buffers": Integer(0),
            "time_limit": Number(0),
            "memory_limit": Integer(1),
            "level": _LEVEL,
        },
        _CHANGED,
    ),
    "target": _header({"triple": Text(1, 200)}, {}),
    "targets": _header({}, {}),
    "host": _header({}, {}),
}
"""Operation -> the fields of its header."""
SHARED_HEADERS = {
    name: _header({"name": Text(1, 200), "modules": _SHARED, "each": Flag(), **required}, optional)
    for name, (required, optional) in _COMPILING.items()
}
"""The same of a frame that holds the modules of several callers."""
