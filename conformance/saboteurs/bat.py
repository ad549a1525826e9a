"""Saboteurs of chapter BAT: batches that leave late, mix callers up, or forget them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from backends import errors
from backends.resilience.batcher import Batch, Batcher, Place
from backends.resilience.batching import Batching, Member
from conformance.saboteurs import HTTP_ROWS, saboteur

__all__ = ["flushing_late", "forgetting", "patched_batching"]

_ROWS: Final = (*HTTP_ROWS, "llvm")
"""A row that shares no requests is passed over. LLVM has neither headers nor tokens: sins over those are not asked of it."""


def patched_batching(backend: Any, change: Callable[[Batching], None]) -> None:
    """Apply ``change`` to the batches of each endpoint before their first use."""
    find = backend._batching
    changed: set[int] = set()

    def found(endpoint: Any) -> Batching:
        batching: Batching = find(endpoint)
        if id(batching) not in changed:
            changed.add(id(batching))
            change(batching)
        return batching

    backend._batching = found


def _with_machine(backend: Any, kind: type[Batcher[Any]]) -> None:
    def change(batching: Batching) -> None:
        batching.batcher = lambda: kind(batching.max_size, batching.timeout)  # type: ignore[method-assign]

    patched_batching(backend, change)


class _Sleepy(Batcher[Any]):
    """Looks at the time only when somebody comes."""

    def add(self, member: Any, group: Any, now: float, **facts: Any) -> tuple[Place[Any], list[Batch[Any]]]:
        late = super().due(now)
        place, leaving = super().add(member, group, now, **facts)
        return place, [*late, *leaving]

    def next_due(self) -> float | None:
        return None


def flushing_late(batching: Batching) -> None:
    """Let a batch leave only when it is full or the next request arrives."""
    batching.batcher = lambda: _Sleepy(batching.max_size, batching.timeout)  # type: ignore[method-assign]


def forgetting(batching: Batching) -> None:
    """Let an error of a batch end in the task that sent it: its futures are never resolved."""
    send = batching.send

    async def spoilt(members: Sequence[Member[Any]], level: int) -> Sequence[Any]:
        try:
            return await send(members, level)
        except errors.BackendError:
            await asyncio.Event().wait()  # nobody will ever set it
            raise

    batching.send = spoilt


@saboteur("BAT-01", "flushes a batch only when the next request arrives", subjects=_ROWS)
def waits_for_the_next(backend: Any) -> None:
    """The sketch of the original plan: the last batch waits for ever."""
    patched_batching(backend, flushing_late)


@saboteur("BAT-01", "fills a batch beyond its size", subjects=_ROWS)
def one_too_many(backend: Any) -> None:
    """The size is compared after the batch has grown."""

    class Generous(Batcher[Any]):
        def __init__(self, max_size: int, timeout: float) -> None:
            super().__init__(max_size + 1, timeout)

    _with_machine(backend, Generous)


@saboteur("BAT-01", "knows no limit but the caller's", subjects=("openai", "gemini", "hf_tei", "llvm"))
def above_the_provider(backend: Any) -> None:
    """What the provider documents is not looked at."""

    class Unbounded(Batcher[Any]):
        def add(self, member: Any, group: Any, now: float, **facts: Any) -> tuple[Place[Any], list[Batch[Any]]]:
            return super().add(member, group, now, **{**facts, "most_items": None, "most_length": None})

    _with_machine(backend, Unbounded)


@saboteur("BAT-02", "hands the answers out in the order in which they are popped", subjects=_ROWS)
def answers_backwards(backend: Any) -> None:
    """Everybody gets an answer, and nobody their own."""
    parted = backend._parted
    backend._parted = lambda members, replies: parted(members, list(reversed(replies)))


@saboteur("BAT-03", "joins whatever calls the same method", subjects=_ROWS)
def groups_by_name(backend: Any) -> None:
    """Model, parameters and headers of the first caller hold for all."""

    def change(batching: Batching) -> None:
        ride = batching.ride

        async def lumped(member: Member[Any]) -> Any:
            member.group = member.call.name
            return await ride(member)

        batching.ride = lumped  # type: ignore[method-assign]

    patched_batching(backend, change)


@saboteur("BAT-03", "joins calls of one model, whatever headers they bear", subjects=HTTP_ROWS)
def ignores_headers(backend: Any) -> None:
    """A tenant's header goes out for another tenant."""

    def change(batching: Batching) -> None:
        ride = batching.ride

        async def lumped(member: Member[Any]) -> Any:
            group = member.group
            assert isinstance(group, tuple)
            member.group = (*group[:3], *group[4:])
            return await ride(member)

        batching.ride = lumped  # type: ignore[method-assign]

    patched_batching(backend, change)


@saboteur("BAT-04", "fails everybody for one bad input", subjects=_ROWS)
def fails_together(backend: Any) -> None:
    """The refusal of the whole is passed on to all."""

    def change(batching: Batching) -> None:
        send = batching.send

        async def spoilt(members: Sequence[Member[Any]], level: int) -> Sequence[Any]:
            try:
                results = await send(members, level)
            except errors.InvalidRequestError as error:
                raise errors.UnsupportedError(error.message, status=error.status) from None
            for result in results:
                if isinstance(result, errors.BackendError):
                    raise errors.UnsupportedError(result.message, status=result.status)
            return results

        batching.send = spoilt

    patched_batching(backend, change)


@saboteur("BAT-04", "loses the futures of a batch that fails", subjects=_ROWS)
def forgets_the_failed(backend: Any) -> None:
    """The sketch of the original plan: whoever was in the batch waits for ever."""
    patched_batching(backend, forgetting)


@saboteur("BAT-05", "batches without being asked", maker=True, subjects=_ROWS)
def on_by_default(make: Any) -> Any:
    """A size that somebody thought sensible."""

    def made(site: Any, **settings: Any) -> Any:
        if settings.get("max_batch_size", 1) == 1:
            settings["max_batch_size"] = 8
        return make(site, **settings)

    return made


@saboteur("BAT-06", "sends what was cancelled while it waited for its batch", subjects=_ROWS)
def sends_the_departed(backend: Any) -> None:
    """The caller goes, its request stays in the batch."""

    def change(batching: Batching) -> None:
        ride = batching.ride

        async def shielded(member: Member[Any]) -> Any:
            return await asyncio.shield(asyncio.ensure_future(ride(member)))

        batching.ride = shielded  # type: ignore[method-assign]

    patched_batching(backend, change)


@saboteur("BAT-06", "gives the whole batch up when one caller goes", subjects=_ROWS)
def falls_with_one(backend: Any) -> None:
    """The request in flight belongs to whoever was cancelled."""

    def change(batching: Batching) -> None:
        ride = batching.ride

        async def fragile(member: Member[Any]) -> Any:
            try:
                return await ride(member)
            except asyncio.CancelledError:
                if member.journey is not None and member.journey.task is not None:
                    member.journey.task.cancel()
                raise

        batching.ride = fragile  # type: ignore[method-assign]

    patched_batching(backend, change)


@saboteur("BAT-06", "flies on for nobody", subjects=_ROWS)
def flies_on_empty(backend: Any) -> None:
    """A request whose callers have all gone keeps its slot until the server answers."""

    def change(batching: Batching) -> None:
        send = batching.send

        async def shielded(members: Sequence[Member[Any]], level: int) -> Sequence[Any]:
            return await asyncio.shield(asyncio.ensure_future(send(members, level)))

        batching.send = shielded

    patched_batching(backend, change)


@saboteur("BAT-07", "gives every caller the usage of all", subjects=HTTP_ROWS)
def bills_everybody_for_all(backend: Any) -> None:
    """The sum over callers is a multiple of what was used."""
    parted = backend._parted

    def spoilt(members: Any, replies: Any) -> list[Any]:
        whole = replies[0].usage
        return [replace(reply, usage=whole) for reply in parted(members, replies)]

    backend._parted = spoilt


@saboteur("BAT-07", "travels with the priority of whoever came first", subjects=_ROWS)
def first_come_priority(backend: Any) -> None:
    """A HIGH request that joins a LOW one becomes LOW."""

    def change(batching: Batching) -> None:
        send = batching.send

        async def spoilt(members: Sequence[Member[Any]], level: int) -> Sequence[Any]:
            del level
            return await send(members, members[0].call.priority)

        batching.send = spoilt

    patched_batching(backend, change)


@saboteur("BAT-07", "answers everybody under the id of the first", subjects=_ROWS)
def one_id_for_all(backend: Any) -> None:
    """Logs know one request where there were four."""
    parted = backend._parted

    def spoilt(members: Any, replies: Any) -> list[Any]:
        return [replace(reply, request_id=members[0].call.id) for reply in parted(members, replies)]

    backend._parted = spoilt
