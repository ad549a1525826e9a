"""What a simulated deployment holds: ingested documents by index, conversations, prompts, feedback, counters. Rebuilt at
reset; nothing here knows HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.openai.answers.embeddings import vector

__all__ = ["DEFAULT_INDEX", "DIMENSIONS", "EMBED_MODEL", "LLM_MODEL", "Deployment", "Piece", "embedded", "similarity"]

LLM_MODEL = "meta-llama/Meta-Llama-3-8B-Instruct"
EMBED_MODEL = "BAAI/bge-base-en-v1.5"
DIMENSIONS = 64
DEFAULT_INDEX = "rag_redis"
_SERVICES = ("opea_service@llm", "opea_service@embedding", "opea_service@retrievers", "opea_service@reranking")


def embedded(text: str) -> list[float]:
    """The vector of a text; texts that share words are close."""
    return vector(tokenise(text), DIMENSIONS)


def similarity(one: list[float], other: list[float]) -> float:
    """Cosine of two unit vectors, 0 where their lengths differ."""
    return round(sum(a * b for a, b in zip(one, other, strict=True)), 8) if len(one) == len(other) else 0.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an ingested document and its vector."""

    source: str
    text: str
    vector: list[float] = field(repr=False)


@dataclass(slots=True)
class Deployment:
    """The state behind one server's OPEA. ``counts`` are answered requests by service."""

    files: dict[str, dict[str, list[Piece]]] = field(default_factory=dict)
    chats: dict[str, dict[str, Any]] = field(default_factory=dict)
    prompts: dict[str, dict[str, Any]] = field(default_factory=dict)
    feedback: dict[str, dict[str, Any]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SERVICES, 0))

    def used(self, service: str) -> None:
        """Count one request of a service."""
        self.counts[service] = self.counts.get(service, 0) + 1

    def store(self, index: str | None, name: str, text: str, size: int, overlap: int) -> bool:
        """Cut a document into pieces and keep them; False when one of this name is there."""
        known = self.files.setdefault(index or DEFAULT_INDEX, {})
        if name in known:
            return False
        step = max(1, size - overlap)
        pieces = [text[start : start + size] for start in range(0, max(1, len(text)), step)]
        known[name] = [Piece(name, piece, embedded(piece)) for piece in pieces]
        return True

    def nearest(self, embedding: list[float], k: int, index: str | None = None) -> list[Piece]:
        """The pieces most similar to a vector, the best first, equals in order of their arrival."""
        pieces = [piece for file in self.files.get(index or DEFAULT_INDEX, {}).values() for piece in file]
        return sorted(pieces, key=lambda piece: -similarity(piece.vector, embedding))[:k]
