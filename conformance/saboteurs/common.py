"""Where saboteurs cut: endpoints, and what goes to the wire and comes back from it. It breaks nothing by itself.

Endpoints are changed when they are first used. The other cuts are those of a backend over HTTP; chapter STR has its own
for what a stream reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from backends import errors
from backends.operation import Operation
from backends.resilience.breaker import Breaker
from backends.resilience.endpoint import Endpoint, Passage

__all__ = [
    "SpoiltPassage",
    "connecting",
    "patched_breaker",
    "patched_endpoint",
    "patched_passage",
    "receiving",
    "replying",
    "rewriting",
    "sending",
    "sleep_in_the_slot",
    "spoilt_keys",
    "telling",
]


def patched_endpoint(backend: Any, change: Callable[[Endpoint], None]) -> None:
    """Apply ``change`` to each endpoint of the backend before its first use."""
    find = backend.endpoint
    changed: set[int] = set()

    def found(name: str | None = None) -> Endpoint:
        endpoint: Endpoint = find(name)
        if id(endpoint) not in changed:
            changed.add(id(endpoint))
            change(endpoint)
        return endpoint

    backend.endpoint = found


def patched_breaker(backend: Any, kind: type[Breaker]) -> None:
    """Give each endpoint a breaker of another kind, with the settings it had."""

    def change(endpoint: Endpoint) -> None:
        old = endpoint.breaker
        endpoint.breaker = kind(old.failure_threshold, old.reset_timeout)

    patched_endpoint(backend, change)


def connecting(backend: Any, change: Callable[[Any], None]) -> None:
    """Let a backend make its connections by connectors that were changed first."""
    transport = backend._client(backend.endpoint())._native
    make = transport._new_pool

    async def spoilt(loop: Any) -> Any:
        pool = await make(loop)
        change(pool.session.connector)
        return pool

    transport._new_pool = spoilt


class SpoiltPassage(Passage):
    """A passage that takes over from a good one; subclasses change how it ends."""

    __slots__ = ()

    def __init__(self, passage: Passage) -> None:
        for name in Passage.__slots__:
            setattr(self, name, getattr(passage, name))


def patched_passage(backend: Any, kind: type[SpoiltPassage]) -> None:
    """Let every attempt travel with a passage of another kind."""

    def change(endpoint: Endpoint) -> None:
        board = endpoint.board

        def spoilt(*arguments: Any) -> Any:
            passage = board(*arguments)
            return kind(passage) if isinstance(passage, Passage) else passage

        endpoint.board = spoilt  # type: ignore[assignment, method-assign]

    patched_endpoint(backend, change)


def spoilt_keys(backend: Any, **methods: Callable[..., Any]) -> None:
    """Give every key of the backend other methods, those that are added later included."""

    def spoil(endpoint: Endpoint) -> None:
        for key in tuple(endpoint.pool.keys()):
            if type(key).__name__ != "Spoilt":
                key.__class__ = type("Spoilt", (type(key),), {"__slots__": (), **methods})

    patched_endpoint(backend, spoil)
    add = backend.add_key

    def added(*arguments: Any, **options: Any) -> Any:
        fingerprint = add(*arguments, **options)
        spoil(backend.endpoint(options.get("endpoint")))
        return fingerprint

    backend.add_key = added


def sleep_in_the_slot(endpoint: Endpoint) -> None:
    """Make whoever waits to try again hold a slot while it sleeps."""
    sleep, leave, enter = endpoint.clock.sleep, endpoint.leave, endpoint.enter

    class Holding:
        monotonic = staticmethod(endpoint.clock.monotonic)
        time = staticmethod(endpoint.clock.time)

        @staticmethod
        async def sleep(seconds: float) -> None:
            await enter(0, returning=True, let_on=True)
            try:
                await sleep(seconds)
            finally:
                leave()

    endpoint.clock = Holding()


def rewriting(backend: Any, change: Callable[[Operation[Any]], Operation[Any]]) -> None:
    """Let ``change`` rewrite every operation before it is sent."""
    for name in ("_perform", "_stream"):
        whole = getattr(backend, name)

        def spoilt(operation: Any, options: Any, _whole: Any = whole) -> Any:
            return _whole(change(operation), options)

        setattr(backend, name, spoilt)


def sending(backend: Any, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """Let ``change`` rewrite the JSON object of every request; it gets a copy of its fields."""

    def rewritten(operation: Operation[Any]) -> Operation[Any]:
        body = operation.body
        return replace(operation, body=change(dict(body))) if isinstance(body, Mapping) else operation

    rewriting(backend, rewritten)


def receiving(backend: Any, change: Callable[[Any], Any]) -> None:
    """Let ``change`` alter every whole answer, decoded, before it is read."""
    answer = backend._answer
    backend._answer = lambda call, response, data: answer(call, response, change(data))


def replying(backend: Any, change: Callable[[Any], Any]) -> None:
    """Let ``change`` alter the reply of every call that is no stream."""
    perform = backend._perform

    async def spoilt(*arguments: Any) -> Any:
        return change(await perform(*arguments))

    backend._perform = spoilt


def telling(backend: Any, change: Callable[[errors.BackendError], errors.BackendError]) -> None:
    """Let ``change`` alter the error that the provider module made of an error answer."""
    read = backend.read_error
    backend.read_error = lambda *arguments: change(read(*arguments))
