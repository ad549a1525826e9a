"""Headers of answers into replies. A worker may be what a stranger's code made of it, so every field is checked.

What is missing or of another type raises KeyError, TypeError or ValueError; the caller turns that into one typed error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from backends.llvm.replies import (
    Counts,
    Emitted,
    FunctionInfo,
    GlobalInfo,
    Host,
    Inspected,
    Optimized,
    Ran,
    Section,
    Target,
    Targets,
    Verified,
)
from backends.llvm.values import Restore, read_number
from backends.operation import Answer

__all__ = [
    "read_emitted",
    "read_host",
    "read_inspected",
    "read_optimized",
    "read_ran",
    "read_target",
    "read_targets",
    "read_verified",
]

T = TypeVar("T")
Blobs = Sequence[bytes]
_MOST_ENTRIES: Final = 1_000_000


def read_verified(answer: Answer, _: Blobs) -> Verified:
    """Read the answer to verify."""
    return Verified(**_module(answer), counts=_counts(answer.data["counts"]))


def read_optimized(answer: Answer, blobs: Blobs) -> Optimized:
    """Read the answer to optimize and link."""
    text, data = _output(answer.data, "ir", blobs)
    return Optimized(
        **_module(answer),
        text=text,
        data=data,
        size=_whole(answer.data["size"]),
        before=_counts(answer.data["before"]),
        after=_counts(answer.data["after"]),
        triple=_text(answer.data["triple"]),
    )


def read_emitted(answer: Answer, blobs: Blobs) -> Emitted:
    """Read the answer to emit."""
    text, data = _output(answer.data, "assembly", blobs)
    return Emitted(
        **_module(answer),
        text=text,
        data=data,
        size=_whole(answer.data["size"]),
        sections=tuple(
            Section(_text(one["name"]), _whole(one["size"]), _flag(one["code"]))
            for one in _entries(answer.data.get("sections", []))
        ),
        before=_counts(answer.data["before"]),
        after=_counts(answer.data["after"]),
        triple=_text(answer.data["triple"]),
    )


def read_inspected(answer: Answer, _: Blobs) -> Inspected:
    """Read the answer to inspect."""
    said = _kind(answer.data["module"], dict)
    return Inspected(
        **_module(answer),
        counts=_counts(answer.data["counts"]),
        source_file=_text(said["source_file"]),
        triple=_text(said["triple"]),
        data_layout=_text(said["data_layout"]),
        functions=tuple(_function(one) for one in _entries(said["functions"])),
        globals=tuple(
            GlobalInfo(_text(one["name"]), _text(one["type"]), _flag(one["declaration"]), _text(one["linkage"]))
            for one in _entries(said["globals"])
        ),
        structs={_text(one["name"]): _text(one["type"]) for one in _entries(said["structs"])},
    )


def _function(one: Mapping[str, Any]) -> FunctionInfo:
    return FunctionInfo(
        _text(one["name"]),
        _text(one["type"]),
        _text(one["returns"]),
        _texts(one["parameters"]),
        _flag(one["variadic"]),
        _flag(one["declaration"]),
        _text(one["linkage"]),
        _texts(one["attributes"]),
        _whole(one["blocks"]),
        _whole(one["instructions"]),
    )


def read_ran(answer: Answer, blobs: Blobs, restores: Sequence[Restore], sizes: Sequence[int]) -> Ran:
    """Read the answer to run; the buffers must be as long as those that were sent."""
    if [len(blob) for blob in blobs] != list(sizes):
        raise ValueError("the buffers that came back are not as long as those that were sent")
    return Ran(
        **_module(answer),
        value=read_number(_kind(answer.data["value"], dict)),
        buffers=tuple(restore(blob) for restore, blob in zip(restores, blobs, strict=True)),
        compiled=_flag(answer.data["compiled"]),
        size=_whole(answer.data["size"]),
        processor_seconds=_seconds(answer.data["processor_seconds"]),
        peak_memory=_whole(answer.data["peak_memory"]),
        confined=_flag(answer.data["confined"]),
    )


def read_target(answer: Answer, _: Blobs) -> Target:
    """Read the answer to target."""
    said = _kind(answer.data["target"], dict)
    names = ("name", "description", "triple", "data_layout", "object_format")
    return Target(**_facts(answer), **_named(said, names))


def read_targets(answer: Answer, _: Blobs) -> Targets:
    """Read the answer to targets."""
    return Targets(**_facts(answer), targets=_texts(answer.data["targets"]))


def read_host(answer: Answer, _: Blobs) -> Host:
    """Read the answer to host."""
    said = _kind(answer.data["host"], dict)
    names = ("triple", "process_triple", "cpu", "object_format")
    return Host(**_facts(answer), **_named(said, names), features=_texts(said["features"]))


# -- pieces ------------------------------------------------------------------------------------------------------------


def _facts(answer: Answer) -> dict[str, Any]:
    return {**answer.facts(), "model": f"LLVM {_text(answer.data['llvm'])[:40]}"}


def _module(answer: Answer) -> dict[str, Any]:
    """Return the fields of every reply about a module."""
    seconds = _kind(answer.data["seconds"], dict)
    return {
        **_facts(answer),
        "name": _text(answer.data["name"]),
        "seconds": {name: _seconds(value) for name, value in seconds.items()},
    }


def _named(said: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: _text(said[name]) for name in names}


def _output(data: Mapping[str, Any], field: str, blobs: Blobs) -> tuple[str, bytes]:
    if blobs:
        (blob,) = blobs
        return "", blob
    return _text(data[field]), b""


def _counts(said: Any) -> Counts:
    return Counts(_whole(said["functions"]), _whole(said["blocks"]), _whole(said["instructions"]))


def _entries(said: Any) -> Sequence[Mapping[str, Any]]:
    if len(_kind(said, list)) > _MOST_ENTRIES:
        raise ValueError("a list is longer than allowed")
    return [_kind(one, dict) for one in said]


def _texts(said: Any) -> tuple[str, ...]:
    return tuple(_text(one) for one in _kind(said, list))


def _text(said: Any) -> str:
    return _kind(said, str)


def _flag(said: Any) -> bool:
    return _kind(said, bool)


def _whole(said: Any) -> int:
    if type(said) is not int or said < 0:
        raise ValueError("a count is no whole number")
    return said


def _seconds(said: Any) -> float:
    if type(said) not in (int, float) or not math.isfinite(said) or said < 0:
        raise ValueError("a duration is no number")
    return float(said)


def _kind(said: Any, wanted: type[T]) -> T:
    if not isinstance(said, wanted):
        raise TypeError(f"a {wanted.__name__} was expected, not {type(said).__name__}")
    return said
