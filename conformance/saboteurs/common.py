"""Where saboteurs cut: a change applied to every endpoint of a backend when it is first used. It breaks nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.resilience.breaker import Breaker
from backends.resilience.endpoint import Endpoint, Passage

__all__ = ["SpoiltPassage", "patched_breaker", "patched_endpoint", "patched_passage", "sleep_in_the_slot"]


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


def sleep_in_the_slot(endpoint: Endpoint) -> None:
    """Make whoever waits to try again hold a slot while it sleeps."""
    sleep, leave, enter = endpoint.clock.sleep, endpoint.leave, endpoint.enter

    class Holding:
        monotonic = staticmethod(endpoint.clock.monotonic)
        time = staticmethod(endpoint.clock.time)

        @staticmethod
        async def sleep(seconds: float) -> None:
            await enter(0, returning=True)
            try:
                await sleep(seconds)
            finally:
                leave()

    endpoint.clock = Holding()
