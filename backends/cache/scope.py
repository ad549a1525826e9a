"""The vectors of one scope that may have a graph: the exact matrix, and the graph kept in step with it.

While a graph is built elsewhere, what it lacks and what it must not name is remembered here. It starts no thread, locks
nothing and touches no file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from backends.cache.index import Matrix
from backends.cache.neighbours import Neighbours

__all__ = ["Scope"]


class Scope(Matrix):
    """See the module docstring.

    Attributes:
        graph: the graph, complete; None compares one by one.
        changed: vectors that came and left since the graph was saved.
        given_up: its graph failed, and is not tried again.
    """

    def __init__(self, numeric: Any) -> None:
        super().__init__(numeric)
        self.graph: Neighbours | None = None
        self.changed = 0
        self.given_up = False
        self._labels: dict[str, int] = {}
        self._named: dict[int, str] = {}
        self._gone: set[int] = set()
        """What the graph holds and the scope does not."""
        self._next: _Journal | None = None

    @property
    def dimensions(self) -> int:
        """Of each vector."""
        return int(self._matrix.shape[1])

    @property
    def gone(self) -> int:
        """How many vectors the graph holds that have left."""
        return len(self._gone)

    def put(self, key: str, vector: bytes) -> int:
        """Keep a vector; return how many there are more."""
        more = super().put(key, vector)
        if not more:
            self._unname(key)
        label = int.from_bytes(hashlib.blake2b(key.encode() + vector, digest_size=8).digest(), "big") >> 1
        self.changed += 1
        if label in self._named:  # two vectors under one name: chance will not, and graphs would miss this one
            return more
        self._labels[key], self._named[label] = label, key
        if self._next is not None:
            self._next.came(label)
        if label in self._gone:
            self._gone.discard(label)
        else:
            self._attempt(lambda graph: graph.add([label], [vector]))
        return more

    def drop(self, key: str) -> int:
        """Remove a vector; return how many there are less."""
        less = super().drop(key)
        if less:
            self.changed += 1
            self._unname(key)
        return less

    def nearest(self, vector: bytes, least: float, most: int) -> list[tuple[float, str]]:
        """Compare the candidates of the graph; all, where there is none or most of what it names would be gone."""
        labels: list[int] = []
        crowded = len(self._gone) > len(self.keys)
        if crowded or not self._attempt(lambda graph: labels.extend(graph.nearest(vector, least))):
            return super().nearest(vector, least, most)
        keys = [self._named[label] for label in labels if label in self._named][:most]
        if not keys:
            return []
        scores = self.scores([self.places[key] for key in keys], vector).tolist()
        found = [(score, key) for score, key in zip(scores, keys, strict=True) if score >= least]
        found.sort(key=lambda one: -one[0])
        return found

    # -- a graph that is built -----------------------------------------------------------------------------------------

    def start(self, known: set[int]) -> None:
        """Begin to remember what a graph that is to come lacks; ``known`` are the labels that it has."""
        self._next = _Journal(known, self._named)

    def take(self, most: int) -> tuple[list[int], list[bytes]]:
        """Return up to ``most`` labels and vectors that the graph to come lacks; they count as added."""
        assert self._next is not None, "start() comes first"
        labels = self._next.take(most)
        return labels, [self._matrix[self.places[self._named[label]]].tobytes() for label in labels]

    def finish(self, graph: Neighbours) -> None:
        """Search by a graph that lacks nothing."""
        assert self._next is not None, "start() comes first"
        self.graph, self._gone = graph, self._next.gone
        self.changed, self._next = self._next.changed, None

    def abandon(self) -> None:
        """Remember no more: no graph is to come."""
        self._next = None

    def forget_graph(self) -> None:
        """Compare one by one, until there is another graph."""
        self.graph = self._next = None
        self._gone = set()

    def _unname(self, key: str) -> None:
        label = self._labels.pop(key, None)
        if label is None:
            return
        del self._named[label]
        if self.graph is not None:
            self._gone.add(label)
        if self._next is not None:
            self._next.left(label)

    def _attempt(self, step: Callable[[Neighbours], object]) -> bool:
        """Do something with the graph; one that fails is given up, as its neighbours are known exactly."""
        if self.graph is None:
            return False
        try:
            step(self.graph)
        except Exception:  # of native code, or memory
            self.given_up = True
            self.forget_graph()
            return False
        return True


class _Journal:
    """What a graph that is being built lacks, and what it holds that has left."""

    def __init__(self, known: set[int], named: dict[int, str]) -> None:
        self._missing = dict.fromkeys(label for label in named if label not in known)
        self.gone = {label for label in known if label not in named}
        self.changed = len(self._missing) + len(self.gone)

    def came(self, label: int) -> None:
        self.changed += 1
        if label in self.gone:
            self.gone.discard(label)
        else:
            self._missing[label] = None

    def left(self, label: int) -> None:
        self.changed += 1
        if label in self._missing:
            del self._missing[label]
        else:
            self.gone.add(label)

    def take(self, most: int) -> list[int]:
        labels = [label for label, _ in zip(self._missing, range(most), strict=False)]
        for label in labels:
            del self._missing[label]
        return labels
