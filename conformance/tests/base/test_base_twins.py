"""Every asynchronous call has its synchronous twin, with the same parameters, types and documentation."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

import pytest
from base_bench import Parrot

from backends import Ollama, OpenAI, S3Kit
from backends.paging import Pages
from backends.streams import AsyncStream, Stream

KINDS = (OpenAI, Ollama, S3Kit)
LIFECYCLE = {"aclose"}
"""Written by hand: it must not start the portal that it closes."""


def sources(kind: type) -> dict[str, Any]:
    """Public methods that are coroutines, or return a stream or pages."""
    found = {}
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if name.startswith("_") or hasattr(method, "__wrapped__"):
            continue
        result = str(get_type_hints(method).get("return", "")) if name.startswith("a") else ""
        if inspect.iscoroutinefunction(method) or "AsyncStream" in result or "Pages[" in result:
            found[name] = method
    return found


PAIRS = [(kind, name) for kind in KINDS for name in sources(kind)]


@pytest.mark.parametrize(("kind", "name"), PAIRS, ids=[f"{kind.__name__}.{name}" for kind, name in PAIRS])
def test_a_call_has_its_twin(kind: type, name: str) -> None:
    """Same parameters with the same kinds, defaults and annotations, same words, and a name without the ``a``."""
    assert name.startswith("a"), f"{name} is asynchronous and does not say so"
    method, twin = getattr(kind, name), getattr(kind, name[1:], None)
    assert callable(twin), f"{name} has no twin"
    assert not inspect.iscoroutinefunction(twin)
    assert list(inspect.signature(twin).parameters.values()) == list(inspect.signature(method).parameters.values())
    assert twin.__name__ == name[1:]
    assert twin.__qualname__.endswith(f".{name[1:]}")
    if name not in LIFECYCLE:
        assert twin.__wrapped__ is method, f"{name[1:]} is not made from {name}"
        assert twin.__doc__ == method.__doc__
    assert method.__doc__


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_twin_is_alone(kind: type) -> None:
    """What is made from a source is named after that source, and the source is there."""
    twins = {
        name: method
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if hasattr(method, "__wrapped__") and method.__wrapped__.__name__ != name  # not one that is only guarded
    }
    assert twins
    for name, twin in twins.items():
        assert getattr(kind, f"a{name}") is twin.__wrapped__


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_there_is_much_to_compare(kind: type) -> None:
    """The comparison above did not run over nothing."""
    found = sources(kind)
    assert len(found) > 10
    assert "aclose" in found


def test_a_twin_gives_what_its_source_gives() -> None:
    """A value for a coroutine, a stream for a stream; positional and keyword arguments go through."""
    from base_bench import parrot, saying

    backend: Parrot = parrot(saying())
    assert backend.say("x", deadline=5).text == "hi"
    stream = backend.stream_say("x")
    assert type(stream) is Stream
    stream.close()
    assert type(backend.astream_say("x")) is AsyncStream
    with pytest.raises(TypeError):
        backend.say("x", "y")  # type: ignore[call-arg]
    backend.close()


async def test_a_listing_twin_gives_every_item() -> None:
    """``blocking_list`` walks all pages through the portal."""
    from base_bench import parrot

    from backends.paging import Page, blocking_list

    class Lister(Parrot):
        def alist_words(self) -> Pages[str]:
            """List words."""

            async def fetch(after: str | None) -> Page[str]:
                return Page(("a", "b"), "b") if after is None else Page(("c",), None)

            return Pages(fetch)

        list_words = blocking_list(alist_words)

    backend = parrot()
    made = Lister(api_key="x", environ={})
    assert made.list_words() == ["a", "b", "c"]
    assert [word async for word in made.alist_words()] == ["a", "b", "c"]
    assert made.list_words.__name__ == "list_words"
    made.close()
    backend.close()
