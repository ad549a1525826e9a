"""The vectors of a cache on a Qdrant server: for more of them than memory holds. Questions and answers stay with the cache.

Whatever the server does is at worst a miss: it never fails a call and never holds up more than one search, for as long as
its client waits. Writes go in order through a thread of their own; a search may miss what was added a moment ago.
"""

from __future__ import annotations

import importlib
import logging
import math
import os
import threading
import time
import uuid
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from backends.errors import ConfigurationError

__all__ = ["QdrantIndex"]

_log = logging.getLogger("backends.cache")
_INSTALL: Final = 'pip install "backends-conformance[qdrant]"'
_ROUNDING: Final = 1e-5
"""A server may keep vectors in less than 32 bits: a likeness to itself may fall that far short of 1."""
_REST: Final = 5.0
"""Seconds in which a server that failed is not asked."""
_MOST_WAITING: Final = 1_000
_LONGEST_CAUSE: Final = 300
_NAMES: Final = uuid.UUID("6f0c2c1e-6b0e-5d0c-9a55-0d3c8a4b7f21")


class QdrantIndex:
    """An :class:`~backends.cache.index.Index` on a server, for ``index=`` of a cache. Safe from every thread.

    Args:
        client: a ``qdrant_client.QdrantClient``, with its address, key and timeout.
        owner: whose vectors these are. Caches may share a collection, not a name: each sees its own vectors only. Under
            the name of an earlier process, vectors whose answers are gone are removed when they are met.
        collection: made at the first answer, with the dimension of its embedding, unless it is there. On a large server
            give it payload indexes on ``owner`` and ``scope``.
        clock: seconds that only go forward.

    Attributes:
        waits: searches wait for a network.
        failures: operations that came to nothing; the first is logged, the others are counted.

    Raises:
        ConfigurationError: the package is missing (the message is the line that installs it), or an argument is wrong.
    """

    waits = True

    def __init__(
        self,
        client: Any,
        owner: str,
        *,
        collection: str = "backends-cache",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, value in (("owner", owner), ("collection", collection)):
            if not isinstance(value, str) or not value:
                raise ConfigurationError(f"QdrantIndex: {name} must be a name, not {value!r}.")
        try:
            self._models = importlib.import_module("qdrant_client.models")
        except ImportError:
            raise ConfigurationError(f"QdrantIndex needs qdrant-client: {_INSTALL}") from None
        if not hasattr(client, "query_points"):
            raise ConfigurationError(f"QdrantIndex: client must be a QdrantClient, not {type(client).__name__}.")
        self.failures = 0
        self._client = client
        self._owner = owner
        self._collection = collection
        self._clock = clock
        self._rests_until = -math.inf
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._writer = ThreadPoolExecutor(1, "backends-qdrant")
        self._waiting = 0
        self._seen = False

    def add(self, scope: str, key: str, vector: bytes) -> None:
        """See :meth:`Index.add`; another dimension is a failure that is counted, not an error."""
        self._later(lambda: self._upsert(scope, key, array("f", vector).tolist()))

    def remove(self, scope: str, key: str) -> None:
        """See :meth:`Index.remove`."""
        self._later(lambda: self._client.delete(self._collection, [self._point(scope, key)]))

    def nearest(self, scope: str, vector: bytes, least: float, most: int) -> list[tuple[float, str]]:
        """See :meth:`Index.nearest`; nothing where the server gives nothing that can be used."""
        if self._clock() < self._rests_until:
            return []
        models = self._models
        mine = [
            models.FieldCondition(key=name, match=models.MatchValue(value=value))
            for name, value in (("owner", self._owner), ("scope", scope))
        ]
        try:
            if not self._is_there():
                return []
            answer = self._client.query_points(
                self._collection,
                query=array("f", vector).tolist(),
                query_filter=models.Filter(must=mine),
                limit=most,
                score_threshold=least - _ROUNDING,
                with_payload=["key"],
            )
            found = [(point.score, (point.payload or {}).get("key")) for point in answer.points]
        except Exception as problem:  # of a client, a network or a server: all mean a miss
            self._failed(problem)
            return []
        usable = [
            (score, key)
            for score, key in found
            if isinstance(key, str) and isinstance(score, float) and least - _ROUNDING <= score <= 1 + _ROUNDING
        ]
        if len(usable) < len(found):
            self._count(f"{len(found) - len(usable)} of {len(found)} points have no key or no likeness")
        return usable

    def flush(self) -> None:
        """Wait until everything that was added or removed has reached the server, or failed to."""
        self._writer.submit(lambda: None).result()

    # -- the thread that writes ----------------------------------------------------------------------------------------

    def _later(self, write: Callable[[], Any]) -> None:
        with self._lock:
            if self._process != os.getpid():
                self._begin()  # the parent's thread does not live here
            if self._waiting >= _MOST_WAITING:
                self.failures += 1
                return
            self._waiting += 1
        self._writer.submit(self._write, write)

    def _write(self, write: Callable[[], Any]) -> None:
        try:
            if self._clock() >= self._rests_until:
                write()
        except Exception as problem:  # as above: the answer is kept for equal requests
            self._failed(problem)
        finally:
            with self._lock:
                self._waiting -= 1

    def _upsert(self, scope: str, key: str, vector: list[float]) -> None:
        models = self._models
        if not self._is_there():
            shape = models.VectorParams(size=len(vector), distance=models.Distance.COSINE)
            self._client.create_collection(self._collection, vectors_config=shape)
        payload = {"owner": self._owner, "scope": scope, "key": key}
        self._client.upsert(
            self._collection, [models.PointStruct(id=self._point(scope, key), vector=vector, payload=payload)]
        )

    def _is_there(self) -> bool:
        """Say whether the collection exists; once it does, nobody asks again."""
        self._seen = self._seen or self._client.collection_exists(self._collection)
        return self._seen

    def _point(self, scope: str, key: str) -> str:
        return str(uuid.uuid5(_NAMES, "\n".join((self._owner, scope, key))))

    # -- failures ------------------------------------------------------------------------------------------------------

    def _failed(self, problem: Exception) -> None:
        self._rests_until = self._clock() + _REST
        self._count(f"{type(problem).__name__}: {problem}"[:_LONGEST_CAUSE])

    def _count(self, cause: str) -> None:
        with self._lock:
            self.failures += 1
            first = self.failures == 1
        if first:
            _log.warning(
                "The index of the cache failed; calls go on as misses, further failures are counted: %s", cause
            )
