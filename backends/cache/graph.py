"""Which kept questions look like this one, for scopes too large to compare one by one: a graph of neighbours by usearch.

Small scopes are searched exactly, as :mod:`backends.cache.index` does; so is a large one until a thread has built its
graph. A graph only names candidates: their cosine is computed from the vectors that were added, so it may miss one and
can never invent one. Whatever a graph or its file does, an answer is at worst a miss.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

from backends.cache.index import MemoryIndex
from backends.cache.neighbours import Neighbours, Unusable
from backends.cache.scope import Scope

__all__ = ["GraphIndex", "Kept", "index_in_memory"]

_log = logging.getLogger("backends.cache")
_LARGE: Final = 4_000
"""Entries of a scope from which a graph is faster than comparing all."""
_STEP: Final = 64
"""Vectors added to a graph that is being built before it is asked whether to stop: some 20 ms."""
_MOST_GONE: Final = 0.5
"""What a graph may hold that has left, as a part of what has not: then another is built."""
_SAVE_AFTER: Final = 0.1
"""Part of a scope that changes before its graph is saved again: what is missing in the file is added after a start."""
_WORTH_SAVING: Final = 0.01
"""Part of a scope that must have changed for its graph to be saved at the end."""
_PATIENCE: Final = 5.0
"""Seconds to wait at the end for a thread that is within a step or a write."""
_TORN: Final[list[Neighbours | None]] = []
"""Graphs that a fork may have caught half changed: not even freed."""


class Kept(Protocol):
    """Where graphs outlive the process. Neither method raises anything."""

    def read(self, scope: str) -> bytes | None:
        """Return what was written, unharmed; else None."""
        ...

    def write(self, scope: str, content: bytes | None) -> None:
        """Keep it in place of what was kept before; None forgets that."""
        ...


class GraphIndex(MemoryIndex):
    """The :class:`~backends.cache.index.Index` in memory for many vectors. Safe from every thread, and across forks.

    Args:
        numeric: the numpy module.
        engine: the module ``usearch.index``.
        kept: where graphs are read from and written to; None builds them anew in each process.
        large: entries of a scope from which it gets a graph.
    """

    def __init__(self, numeric: Any, engine: Any, kept: Kept | None = None, large: int = _LARGE) -> None:
        super().__init__(numeric)
        self._engine = engine
        self._kept = kept
        self._large = large
        self._due: set[str] = set()
        self._written: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._worker: threading.Thread | None = None
        self._stopping = False

    # -- the index -----------------------------------------------------------------------------------------------------

    def add(self, scope: str, key: str, vector: bytes) -> None:
        """See :meth:`Index.add`."""
        with self._entered():
            super().add(scope, key, vector)
            self._note(scope)

    def remove(self, scope: str, key: str) -> None:
        """See :meth:`Index.remove`."""
        with self._entered():
            super().remove(scope, key)
            self._note(scope)

    def nearest(self, scope: str, vector: bytes, least: float, most: int) -> list[tuple[float, str]]:
        """See :meth:`Index.nearest`."""
        with self._entered():
            return super().nearest(scope, vector, least, most)

    # -- its upkeep ----------------------------------------------------------------------------------------------------

    def tend(self) -> None:
        """Have a thread build and save what is due. It takes no time, and nothing is due before an :meth:`add`."""
        if not self._due:
            return
        with self._entered():
            if self._due and self._worker is None and not self._stopping:
                worker = threading.Thread(target=self._work, name="backends-graph", daemon=True)
                self._worker = worker
                if not self._guarded(worker.start):
                    self._worker = None  # no thread to be had, or the process ends: all is compared
                    self._due.clear()

    def settle(self) -> None:
        """Wait until nothing is due."""
        self.tend()
        worker = self._worker
        if worker is not None:
            worker.join()

    def close(self) -> None:
        """End the thread, and save what changed; the index still works, without a thread."""
        if self._process != os.getpid():
            return
        self._stopping = True
        worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join(_PATIENCE)
        if worker is None or not worker.is_alive():
            self._guarded(self._save_all)

    def _rows(self) -> Scope:
        return Scope(self._numeric)

    def _scope(self, name: str) -> Scope | None:
        rows = self._scopes.get(name)
        return rows if isinstance(rows, Scope) else None

    def _note(self, name: str) -> None:
        scope = self._scope(name)
        if scope is None:
            if name in self._written:
                self._due.add(name)
        elif scope.graph is None:
            if len(scope.keys) >= self._large and not scope.given_up:
                self._due.add(name)
        elif self._is_stale(scope) or (self._kept is not None and self._differs(scope, _SAVE_AFTER)):
            self._due.add(name)

    def _is_stale(self, scope: Scope) -> bool:
        """Say whether a graph holds so much that is gone that it crowds out what is not."""
        return scope.gone > max(self._large, len(scope.keys)) * _MOST_GONE

    def _entered(self) -> threading.RLock:
        if self._process != os.getpid():
            # The parent's threads do not live here, and one of them may have been within a graph.
            torn = not self._lock.acquire(blocking=False)
            self._begin()
            for name in self._scopes:
                scope = self._scope(name)
                if scope is not None and (torn or scope.graph is None):
                    _TORN.append(scope.graph)
                    scope.forget_graph()
                    self._note(name)
        return self._lock

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._due or self._stopping:
                    self._worker = None
                    return
                name = self._due.pop()
                scope = self._scope(name)
            if scope is None:
                self._guarded(lambda name=name: self._save(name))  # type: ignore[misc]
            elif not self._guarded(lambda name=name, scope=scope: self._build(name, scope)):  # type: ignore[misc]
                with self._lock:
                    scope.given_up = True
                    scope.forget_graph()

    def _build(self, name: str, scope: Scope) -> None:
        if scope.graph is None or self._is_stale(scope):
            graph = self._saved(name, scope) if scope.graph is None else self._empty(scope)
            known = graph.labels()
            with self._lock:
                scope.start(known)
            while True:
                with self._lock:
                    if self._stopping or self._scope(name) is not scope or scope.given_up:
                        scope.abandon()
                        return
                    labels, vectors = scope.take(_STEP)
                    if not labels:
                        scope.finish(graph)
                        self._note(name)
                        break
                graph.add(labels, vectors)
                self._step_taken()
        if self._differs(scope, _WORTH_SAVING):
            self._save(name)

    def _step_taken(self) -> None:
        """Nothing: tests come in here."""

    def _saved(self, name: str, scope: Scope) -> Neighbours:
        """Return the graph of the file, else an empty one."""
        content = self._kept.read(name) if self._kept is not None else None
        if content is not None:
            self._written.add(name)
            try:
                return Neighbours.restored(self._engine, self._numeric, scope.dimensions, content)
            except Unusable as problem:
                _log.warning("The graph in the cache file is built anew: %s", problem)
        return self._empty(scope)

    def _empty(self, scope: Scope) -> Neighbours:
        return Neighbours(self._engine, self._numeric, scope.dimensions)

    def _save_all(self) -> None:
        for name in {*self._scopes, *self._written}:
            scope = self._scope(name)
            if scope is None or self._differs(scope, _WORTH_SAVING):
                self._save(name)

    def _differs(self, scope: Scope, part: float) -> bool:
        """Say whether more than a part of a scope differs from its saved graph."""
        return scope.graph is not None and scope.changed > part * len(scope.keys)

    def _save(self, name: str) -> None:
        if self._kept is None:
            return
        with self._lock:
            scope = self._scope(name)
            content = scope.graph.dumped() if scope is not None and scope.graph is not None else None
            if scope is not None:
                if not scope.changed:
                    return
                scope.changed = 0
        self._kept.write(name, content)
        (self._written.add if content is not None else self._written.discard)(name)

    def _guarded(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except Exception as problem:  # of native code or memory: comparing one by one still works
            _log.warning("A graph of the cache failed; its scope is searched without: %s", problem)
            return False
        return True


def index_in_memory(kept: Kept | None) -> MemoryIndex:
    """Return the best index that what is installed allows: with graphs, with numpy, or in plain Python."""
    try:
        import numpy
    except ImportError:
        return MemoryIndex()
    try:
        import usearch.index as engine
    except ImportError:
        return MemoryIndex(numpy)
    return GraphIndex(numpy, engine, kept)
