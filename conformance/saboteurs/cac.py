"""Saboteurs of chapter CAC: caches that keep too much, share too much, forget, or get in the way."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from backends import errors
from backends.cache.asking import Asking
from backends.cache.exact import Identity
from backends.cache.flights import Flight, Flights, Landing, Outcome
from backends.cache.gate import same_content
from backends.cache.store import Entry, Store
from backends.types import ChatReply, Chunk
from conformance.saboteurs import saboteur


def _with_asking(backend: Any, change: Callable[[Asking[Any]], None]) -> None:
    """Change how every call passes the cache."""
    make = backend._asking

    def spoilt(*arguments: Any, **facts: Any) -> Any:
        asking = make(*arguments, **facts)
        if asking is not None:
            change(asking)
        return asking

    backend._asking = spoilt


def _with_cache(backend: Any, change: Callable[[Any], None]) -> None:
    """Change the cache itself, when it is first used."""
    find = backend._cache_of
    changed: set[int] = set()

    def found(endpoint: Any) -> Any:
        cache = find(endpoint)
        if cache is not None and id(cache) not in changed:
            changed.add(id(cache))
            change(cache)
        return cache

    backend._cache_of = found


@saboteur("CAC-01", "keeps nothing whatever it is told")
def inert(backend: Any) -> None:
    """Configured, displayed, without effect."""
    backend._asking = lambda *arguments, **facts: None


@saboteur("CAC-01", "waits for a slot before it looks into the cache")
def queues_for_hits(backend: Any) -> None:
    """Kept answers stand in line behind a slow provider."""
    perform = backend._perform

    async def queued(operation: Any, options: Any) -> Any:
        endpoint = backend.endpoint()
        await endpoint.enter(1)
        endpoint.leave()
        return await perform(operation, options)

    backend._perform = queued


@saboteur("CAC-01", "does not say that a reply was kept")
def unflagged(backend: Any) -> None:
    """The bill is charged again."""
    _with_asking(backend, lambda asking: setattr(asking, "_flagged", lambda reply: reply))


@saboteur("CAC-01", "counts a kept answer as a request")
def counts_hits(backend: Any) -> None:
    """Load balancing by what is in flight drifts away from the truth."""
    count = backend._count_cache

    def counted(name: str, amount: int) -> None:
        count(name, amount)
        if name == "exact":
            backend._started()

    backend._count_cache = counted


@saboteur("CAC-02", "answers below the threshold")
def lax(backend: Any) -> None:
    """The setting is read and forgotten."""
    _with_cache(backend, lambda cache: setattr(cache, "threshold", min(cache.threshold, 0.1)))


@saboteur("CAC-02", "compares meanings in one of the two modes only")
def one_mode(backend: Any) -> None:
    """The synchronous twin is exact only."""

    def change(cache: Any) -> None:
        embed = cache.vector

        async def vector(text: str) -> bytes | None:
            return None if threading.current_thread().name == "backends-portal" else await embed(text)

        cache.vector = vector

    _with_cache(backend, change)


@saboteur("CAC-03", "believes the embedding")
def no_gate(backend: Any) -> None:
    """A question gets the answer to its opposite."""
    _with_cache(backend, lambda cache: setattr(cache, "_gate", lambda one, other: None))


@saboteur("CAC-03", "compares words without their order")
def bag(backend: Any) -> None:
    """Who beat whom is the same to it."""

    def gate(one: str, other: str) -> str | None:
        same = sorted(one.casefold().split()) == sorted(other.casefold().split())
        return None if same else same_content(one, other)

    _with_cache(backend, lambda cache: setattr(cache, "_gate", gate))


@saboteur("CAC-04", "compares nothing but the question")
def one_scope(backend: Any) -> None:
    """Models, system prompts and tenants share their answers."""

    def change(asking: Asking[Any]) -> None:
        text = asking._identity.text
        if text is not None:
            asking._identity = Identity(hashlib.sha256(text.encode()).hexdigest(), "", text)

    _with_asking(backend, change)


@saboteur("CAC-04", "ignores the tenant")
def one_tenant(backend: Any) -> None:
    """One customer reads what another was answered."""
    make = backend._asking

    def spoilt(work: Any, call: Any, options: Any, **facts: Any) -> Any:
        return make(work, call, {name: value for name, value in options.items() if name != "cache_tenant"}, **facts)

    backend._asking = spoilt


@saboteur("CAC-05", "never lets an answer expire")
def eternal(backend: Any) -> None:
    """Yesterday's answer for ever."""
    _with_cache(backend, lambda cache: setattr(cache, "ttl", None))


@saboteur("CAC-05", "lets the oldest make room, however much it is used")
def oldest_out(backend: Any) -> None:
    """The most popular answer is the first to go."""

    class Aged(Store):
        def get(self, key: str, now: float) -> Entry | None:
            entry = super().get(key, now)
            if entry is not None:
                self._entries.move_to_end(key, last=False)
            return entry

    def change(cache: Any) -> None:
        old = cache._store
        cache._store = Aged(old.max_entries, old.max_bytes, old._left)

    _with_cache(backend, change)


@saboteur("CAC-05", "has no bound")
def boundless(backend: Any) -> None:
    """It grows until the process ends."""
    _with_cache(backend, lambda cache: setattr(cache._store, "max_entries", 10**9))


@saboteur("CAC-05", "says that it forgot, and does not")
def cannot_forget(backend: Any) -> None:
    """An answer that must go stays."""

    def invalidate(unwanted: Callable[[Entry], bool], store: Store) -> int:
        return sum(unwanted(entry) for entry in store._entries.values())

    _with_cache(
        backend,
        lambda cache: setattr(cache._store, "invalidate", lambda unwanted: invalidate(unwanted, cache._store)),
    )


@saboteur("CAC-06", "keeps errors")
def remembers_failure(backend: Any) -> None:
    """A provider that failed once is never asked again."""
    failed: dict[str, errors.BackendError] = {}

    def change(asking: Asking[Any]) -> None:
        whole = asking.whole

        async def spoilt(perform: Any) -> Any:
            if asking._identity.key in failed:
                raise failed[asking._identity.key]
            try:
                return await whole(perform)
            except errors.BackendError as error:
                failed[asking._identity.key] = error
                raise

        asking.whole = spoilt  # type: ignore[method-assign]

    _with_asking(backend, change)


@saboteur("CAC-06", "keeps what came of a stream that was left")
def keeps_parts(backend: Any) -> None:
    """Half an answer is given to everybody."""
    kept: dict[str, list[Chunk]] = {}

    def change(asking: Asking[Any]) -> None:
        stream = asking.stream

        async def spoilt(flow: Any, state: Any) -> AsyncGenerator[Chunk, None]:
            if asking._identity.key in kept:
                await flow.aclose()
                state.reply = ChatReply(cached=True)
                for chunk in kept[asking._identity.key]:
                    yield chunk
                return
            async for chunk in stream(flow, state):
                kept.setdefault(asking._identity.key, []).append(chunk)
                yield chunk

        asking.stream = spoilt  # type: ignore[method-assign]

    _with_asking(backend, change)


@saboteur("CAC-06", "keeps what was drawn by chance")
def keeps_samples(backend: Any) -> None:
    """Ten calls for ten ideas bring one."""
    _with_cache(backend, lambda cache: setattr(cache, "store_sampled", True))


@saboteur("CAC-07", "lets every caller miss by itself")
def stampede(backend: Any) -> None:
    """A popular question that expires is asked a thousand times at once."""

    class Alone(Flights):
        def join(self, name: object) -> tuple[Flight, bool]:
            return Flight(), True

    _with_cache(backend, lambda cache: setattr(cache, "_flights", Alone()))


@saboteur("CAC-07", "leaves those who wait behind when their leader is cancelled")
def abandons(backend: Any) -> None:
    """One caller who hangs up blocks all the others for ever."""

    class Deserting(Flights):
        def end(self, name: object, flight: Flight, outcome: Outcome) -> None:
            if outcome is not Landing.AGAIN:
                super().end(name, flight, outcome)

    _with_cache(backend, lambda cache: setattr(cache, "_flights", Deserting()))


@saboteur("CAC-07", "asks a provider that failed once more for everybody who waited")
def hammers(backend: Any) -> None:
    """An outage gets the whole crowd, one after another."""

    class Stubborn(Flights):
        def end(self, name: object, flight: Flight, outcome: Outcome) -> None:
            super().end(name, flight, Landing.AGAIN if isinstance(outcome, errors.BackendError) else outcome)

    _with_cache(backend, lambda cache: setattr(cache, "_flights", Stubborn()))


@saboteur("CAC-08", "gives a kept stream in one piece")
def in_one_piece(backend: Any) -> None:
    """The chunks are gone."""

    def change(asking: Asking[Any]) -> None:
        replay = asking._replay

        def whole(entry: Entry | None, kind: str) -> Any:
            found = replay(entry, kind)
            return found and ([replace(found[0][-1], text="".join(chunk.text for chunk in found[0]))], found[1])

        asking._replay = whole  # type: ignore[method-assign]

    _with_asking(backend, change)


@saboteur("CAC-08", "keeps no streams")
def streams_pass_by(backend: Any) -> None:
    """Only whole answers are found again."""

    def change(asking: Asking[Any]) -> None:
        if asking._operation.stream is not None:
            asking._keep = lambda: None  # type: ignore[method-assign]

    _with_asking(backend, change)


@saboteur("CAC-09", "fails a call when its embedder fails")
def needs_its_embedder(backend: Any) -> None:
    """A side service takes the main one down."""

    def change(cache: Any) -> None:
        embedder = cache._embedder
        if embedder is None:
            return

        async def vector(text: str) -> bytes | None:
            before = embedder.failures
            found: bytes | None = await type(embedder).vector(embedder, text)
            if embedder.failures > before:
                raise RuntimeError("no embedding")
            return found

        embedder.vector = vector

    _with_cache(backend, change)


@saboteur("CAC-09", "waits for an embedder that hangs")
def endless_patience(backend: Any) -> None:
    """Nobody is answered any more."""

    def change(cache: Any) -> None:
        if cache._embedder is not None:
            cache._embedder._timeout = None

    _with_cache(backend, change)


@saboteur("CAC-10", "tells observers nothing of what its cache answers")
def untold(backend: Any) -> None:
    """The dashboard shows fewer calls than were made."""
    _with_asking(backend, lambda asking: setattr(asking, "_telling", lambda: nullcontext(SimpleNamespace())))
