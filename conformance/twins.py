"""Compares the asynchronous source of a backend and its synchronous twin mechanically. It asserts nothing itself."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Final

from conformance.simulators.faults import Status
from conformance.subject import Subject
from conformance.threads import ThreadSide

__all__ = ["different_errors", "different_results", "different_streams", "mismatched"]

_COMPARED: Final = ("model", "finish_reason", "attempts", "cached", "tool_calls", "usage")


def mismatched(kind: type) -> list[str]:
    """Return one line for each asynchronous method without a twin of the same parameters, and for each lone twin."""
    problems: list[str] = []
    sources = {
        name: method for name, method in inspect.getmembers(kind, inspect.isfunction) if _is_source(name, method)
    }
    for name, method in sources.items():
        twin = getattr(kind, name[1:], None)
        if not callable(twin):
            problems.append(f"{name} has no twin {name[1:]}")
        elif inspect.iscoroutinefunction(twin):
            problems.append(f"{name[1:]} is asynchronous itself")
        elif _parameters(method) != _parameters(twin):
            problems.append(f"{name}{_parameters(method)} but {name[1:]}{_parameters(twin)}")
    return problems


def _is_source(name: str, method: Any) -> bool:
    return name.startswith("a") and (inspect.iscoroutinefunction(method) or name.startswith("astream_"))


def _parameters(method: Any) -> list[tuple[str, str, str]]:
    signature = inspect.signature(method)
    return [(entry.name, str(entry.kind), repr(entry.default)) for entry in signature.parameters.values()]


def _twin(subject: Subject, backend: Any, text: str) -> Any:
    return getattr(backend, subject.call_name)(*subject.call_arguments(text))


async def different_results(subject: Subject, side: ThreadSide) -> str:
    """Make the same call both ways; return how the replies differ, empty for not at all."""
    backend = side.backend()
    source = await side.run(lambda: asyncio.run(_awaited(subject, backend, "the same text")))
    twin = await side.run(lambda: _twin(subject, backend, "the same text"))
    return _difference(source, twin)


async def different_streams(subject: Subject, side: ThreadSide) -> str:
    """Read the same stream both ways; return how chunks and replies differ."""
    backend = side.backend()
    assert subject.stream is not None
    assert subject.stream_name is not None
    stream, stream_name = subject.stream, subject.stream_name

    async def source() -> tuple[int, str, Any]:
        opened = stream(backend, "the same text")
        chunks = [chunk async for chunk in opened]
        return len(chunks), "".join(chunk.text for chunk in chunks), opened.reply

    def twin() -> tuple[int, str, Any]:
        opened = getattr(backend, stream_name)(*subject.call_arguments("the same text"))
        chunks = list(opened)
        return len(chunks), "".join(chunk.text for chunk in chunks), opened.reply

    count, text, reply = await side.run(lambda: asyncio.run(source()))
    twin_count, twin_text, twin_reply = await side.run(twin)
    if text != getattr(reply, "text", text) or twin_text != getattr(twin_reply, "text", twin_text):
        return "the chunks joined are not the reply's text"
    if count != twin_count:
        return f"{count} chunks and {twin_count}"
    return _difference(reply, twin_reply)


async def different_errors(subject: Subject, side: ThreadSide) -> str:
    """Fail the same way both ways; return how the errors differ."""
    backend = side.backend(max_retries=0)
    side.fault(Status(400, message="the same complaint"), nth=(1, 2))
    source = await side.run(lambda: _error(lambda: asyncio.run(_awaited(subject, backend, "hello"))))
    twin = await side.run(lambda: _error(lambda: _twin(subject, backend, "hello")))
    for name in ("__class__", "status", "code", "attempts", "message"):
        first, second = getattr(source, name, None), getattr(twin, name, None)
        if first != second:
            return f"{name.strip('_')}: {first!r} and {second!r}"
    return "" if source is not None else "nothing was raised"


async def _awaited(subject: Subject, backend: Any, text: str) -> Any:
    return await subject.call(backend, text)


def _error(work: Any) -> BaseException | None:
    try:
        work()
    except Exception as error:  # the error is what is compared
        return error
    return None


def _difference(source: Any, twin: Any) -> str:
    if type(source) is not type(twin):
        return f"{type(source).__name__} and {type(twin).__name__}"
    for name in _COMPARED:
        first, second = getattr(source, name, None), getattr(twin, name, None)
        if first != second:
            return f"{name}: {first!r} and {second!r}"
    return ""
