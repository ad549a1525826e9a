"""The cache of answers: exact, and by the meaning of the question where an embedder is given.

It keeps, finds and forgets. It never calls a provider, and never fails a call: what cannot be kept or found is a miss.
Safe from every thread and event loop; one cache may serve several backends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from backends.cache.file import CacheFile
from backends.cache.flights import Flights
from backends.cache.gate import Gate
from backends.cache.graph import GraphIndex, index_in_memory
from backends.cache.graphfile import GraphFile
from backends.cache.index import Index
from backends.cache.settings import CacheSettings
from backends.cache.store import Entry, Store
from backends.errors import ConfigurationError

__all__ = ["Cache", "Statistics"]

_log = logging.getLogger("backends.cache")
_CANDIDATES: Final = 32
"""The likest entries that the second gate looks at."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a cache holds and what became of the rest, since it was made; sizes in bytes."""

    entries: int
    bytes: int
    max_entries: int
    max_bytes: int
    stored: int
    evicted: int
    expired: int
    invalidated: int
    embedder_failures: int
    file_failures: int


class Cache:
    """Kept answers, for ``cache=`` of a backend or endpoint.

    An answer is found again by an equal request, or, with an embedder and a threshold above 0, by one whose last user
    message means the same while everything else is equal: model, parameters, system prompt, earlier messages, tools,
    tenant, endpoint. Meaning the same takes both: a cosine of the embeddings of ``threshold`` or more, and the gate.

    Args:
        threshold: the least cosine, from 0 to 1; 0 is exact only.
        embedder: ``text -> vector``, plain or async, or a backend with ``aembed``; None is exact only.
        max_entries: answers kept at most; the least recently used go first.
        max_bytes: bytes they may take together.
        ttl: seconds that an answer is kept; None until it is crowded out.
        path: a file in which they outlive the process; None keeps them in memory. It holds questions and answers in
            clear, readable by you alone.
        store_sampled: keep answers to requests that ask for a temperature above 0, too.
        tenant: on whose behalf calls are made that name no ``cache_tenant`` of their own.
        gate: ``content`` (what differs is form: articles, courtesy, synonyms), ``guards`` (other words may differ, but no
            number, unit, negation, name, comparison, role or order; for strong encoders, English), or a function of two
            texts that returns None for a pass and else what differs.
        embedder_timeout: seconds after which an embedding counts as failed; None waits for ever.
        index: where vectors are searched; None is in memory, with usearch or numpy where they are installed, and in the
            file if there is one. On a server: :class:`backends.cache.qdrant.QdrantIndex`.

    Raises:
        ConfigurationError: an argument is wrong; the message names it.
    """

    def __init__(
        self,
        threshold: float = 0.0,
        embedder: Any = None,
        *,
        max_entries: int = 10_000,
        max_bytes: int = 256 * 1024 * 1024,
        ttl: float | None = None,
        path: str | Path | None = None,
        store_sampled: bool = False,
        tenant: str | None = None,
        gate: str | Gate = "content",
        embedder_timeout: float | None = 10.0,
        index: Index | None = None,
    ) -> None:
        settings = CacheSettings.checked(
            threshold,
            embedder,
            max_entries=max_entries,
            max_bytes=max_bytes,
            ttl=ttl,
            path=path,
            store_sampled=store_sampled,
            tenant=tenant,
            gate=gate,
            embedder_timeout=embedder_timeout,
        )
        self.threshold = settings.threshold
        self.ttl = settings.ttl
        self.max_bytes = settings.max_bytes
        self.store_sampled = settings.store_sampled
        self.tenant = settings.tenant
        self._gate = settings.gate
        self._embedder = settings.embedder
        self._index = index
        self._file = CacheFile(settings.path) if settings.path is not None else None
        self._leaving: list[str] = []
        self._store = Store(settings.max_entries, settings.max_bytes, self._left)
        self._stored = self._invalidated = 0
        self._loaded = self._file is None
        self._reset()

    def __repr__(self) -> str:
        return f"Cache(threshold={self.threshold:g}, ttl={self.ttl}, max_bytes={self.max_bytes})"

    def _reset(self) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._flights = Flights()

    # -- for its user --------------------------------------------------------------------------------------------------

    def invalidate(
        self,
        unwanted: Callable[[Entry], bool] | None = None,
        *,
        model: str | None = None,
        tenant: str | None = None,
        operation: str | None = None,
    ) -> int:
        """Forget answers; every condition that is given must hold.

        Args:
            unwanted: looks at an entry and says whether it goes.
            model: the model that was asked for.
            tenant: on whose behalf it was asked.
            operation: the call, ``chat`` for example.

        Returns:
            how many were forgotten.

        Raises:
            ConfigurationError: no condition was given; to forget everything is :meth:`clear`.
        """
        wanted = {"model": model, "tenant": tenant, "operation": operation}
        given = {name: value for name, value in wanted.items() if value is not None}
        if unwanted is None and not given:
            raise ConfigurationError("invalidate() needs a condition; clear() forgets everything.")

        def leaves(entry: Entry) -> bool:
            return all(getattr(entry, name) == value for name, value in given.items()) and (
                unwanted is None or unwanted(entry)
            )

        with self._opened():
            count = self._store.invalidate(leaves)
            self._invalidated += count
            self._follow()
            self._tend()
            return count

    def clear(self) -> int:
        """Forget everything; return how many answers that were."""
        return self.invalidate(lambda _: True)

    def statistics(self) -> Statistics:
        """Return what it holds and what became of the rest."""
        with self._opened():
            store = self._store
            return Statistics(
                entries=len(store),
                bytes=store.bytes,
                max_entries=store.max_entries,
                max_bytes=store.max_bytes,
                stored=self._stored,
                evicted=store.evicted,
                expired=store.expired,
                invalidated=self._invalidated,
                embedder_failures=self._embedder.failures if self._embedder is not None else 0,
                file_failures=self._file.failures if self._file is not None else 0,
            )

    def settle(self) -> None:
        """Wait until large scopes are indexed: it is done by a thread, and calls need not wait for it."""
        with self._opened():
            index = self._index
        if isinstance(index, GraphIndex):
            index.settle()

    # -- for the path of a call ----------------------------------------------------------------------------------------

    @property
    def flights(self) -> Flights:
        """Calls on their way to an answer that will be kept."""
        self._check_process()
        return self._flights

    @property
    def is_semantic(self) -> bool:
        """Whether questions are compared by their meaning at all."""
        return self._embedder is not None

    def get(self, key: str, now: float) -> Entry | None:
        """Return the answer to an equal request.

        Args:
            key: of its identity.
            now: unix seconds.
        """
        with self._opened():
            entry = self._store.get(key, now)
            self._follow()
            return entry

    async def vector(self, text: str) -> bytes | None:
        """Return the embedding of a question; None where there is none, for whatever reason."""
        return await self._embedder.vector(text) if self._embedder is not None else None

    async def alike(self, scope: str, text: str, vector: bytes, now: float) -> tuple[Entry | None, int]:
        """Return the likest kept answer whose question means the same, and how many the gate turned away."""
        turned_away = 0
        found = await self._nearest(scope, vector)
        with self._opened():
            for _, key in found:
                entry = self._store.get(key, now)
                if entry is None and self._index is not None:
                    self._index.remove(scope, key)  # a server may know it from an earlier process
                if entry is None or entry.text is None:
                    continue
                if self._gate(text, entry.text) is None:
                    return entry, turned_away
                turned_away += 1
            self._follow()
        return None, turned_away

    async def _nearest(self, scope: str, vector: bytes) -> list[tuple[float, str]]:
        try:
            with self._opened():
                index = self._index
                if index is None:
                    return []
                if not index.waits:
                    return index.nearest(scope, vector, self.threshold, _CANDIDATES)
            return await asyncio.to_thread(index.nearest, scope, vector, self.threshold, _CANDIDATES)
        except ValueError as problem:
            _log.warning("The cache cannot compare: %s", problem)
            return []

    def put(self, entry: Entry, now: float) -> tuple[bool, int]:
        """Keep an answer; return whether it is kept, and how many others made room."""
        entry = replace(entry, created=now, expires=now + self.ttl if self.ttl is not None else None)
        with self._opened():
            evicted = self._store.evicted
            kept = self._keep(entry)
            self._stored += kept
            self._follow()
            if kept and self._file is not None:
                self._file.write(entry)
            self._tend()
            return kept, self._store.evicted - evicted

    # -- the parts kept in step ----------------------------------------------------------------------------------------

    def _keep(self, entry: Entry) -> bool:
        kept = self._store.put(entry)
        if kept and entry.vector and self._embedder is not None:
            if self._index is None:
                self._index = self._own_index()
            try:
                self._index.add(entry.scope, entry.key, entry.vector)
            except ValueError as problem:
                _log.warning("The cache keeps an answer for equal requests only: %s", problem)
        return kept

    def _own_index(self) -> Index:
        index = index_in_memory(GraphFile(self._file) if self._file is not None else None)
        if isinstance(index, GraphIndex):
            weakref.finalize(self, index.close)  # at the end of the process, too
        return index

    def _tend(self) -> None:
        if isinstance(self._index, GraphIndex):
            self._index.tend()

    def _left(self, entry: Entry) -> None:
        if self._index is not None and entry.vector:
            self._index.remove(entry.scope, entry.key)
        if self._file is not None:
            self._leaving.append(entry.key)

    def _follow(self) -> None:
        """Let the file forget what left the store."""
        leaving, self._leaving = self._leaving, []
        if leaving and self._file is not None:
            self._file.remove(leaving)

    def _opened(self) -> AbstractContextManager[Any]:
        """Return the lock; what the file holds has been read."""
        self._check_process()
        if not self._loaded:
            with self._lock:
                if not self._loaded and self._file is not None:
                    self._loaded = True
                    for entry in self._file.read():
                        self._keep(entry)
                    self._follow()
                    self._tend()
        return self._lock

    def _check_process(self) -> None:
        if self._process != os.getpid():
            self._reset()  # the parent's lock may be held for ever, and its calls are not ours
