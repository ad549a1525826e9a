"""What a simulated TEI server holds: its limits, its vocabulary, what it has counted. Rebuilt at reset. No HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["DIMENSIONS", "PROMPTS", "VERSION", "VOCABULARY_SIZE", "ModelKind", "Server", "model_type"]

VERSION = "1.9.3"
DIMENSIONS = 64
VOCABULARY_SIZE = 30_522
PROMPTS: Mapping[str, str] = {"query": "query: ", "passage": "passage: "}


class ModelKind(StrEnum):
    """What a model is for; ``EVERYTHING`` is no real one."""

    EVERYTHING = "everything"
    EMBEDDING = "embedding"
    SPLADE = "splade"
    RERANKER = "reranker"
    CLASSIFIER = "classifier"
    SIMILARITY = "sentence-similarity"
    """An embedding model, started with ``TASK=sentence-similarity``."""

    def embeds(self) -> bool:
        """Whether it makes vectors of some kind."""
        return self not in (ModelKind.RERANKER, ModelKind.CLASSIFIER)


def model_type(kind: ModelKind) -> dict[str, Any]:
    """``model_type`` of ``/info``: an object with one key."""
    if kind is ModelKind.CLASSIFIER:
        labels = {"0": "negative", "1": "positive", "2": "neutral"}
        return {"classifier": {"id2label": labels, "label2id": {label: int(at) for at, label in labels.items()}}}
    if kind is ModelKind.RERANKER:
        return {"reranker": {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}}
    return {"embedding": {"pooling": "splade" if kind is ModelKind.SPLADE else "mean"}}


@dataclass(slots=True)
class Server:
    """The state behind one server; limits as they are by default."""

    model_id: str = "simulated/tiny-embedder"
    max_client_batch_size: int = 32
    max_input_length: int = 512
    max_concurrent_requests: int = 512
    max_batch_tokens: int = 16_384
    words: dict[int, str] = field(default_factory=dict)
    """Tokens that were seen, by their number: what ``/decode`` knows."""
    counts: Counter[str] = field(default_factory=Counter)
