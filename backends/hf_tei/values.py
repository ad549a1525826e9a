"""What TEI's own calls give beyond dense vectors: token vectors, sparse vectors, rankings, labels, similarities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.types import Reply

__all__ = [
    "Label",
    "Predictions",
    "ServerInfo",
    "Similarities",
    "SparseEmbeddings",
    "Timings",
    "Token",
    "TokenEmbeddings",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEmbeddings(Reply):
    """For each text, in order, one vector per token; the pooling that makes one of them is left to the caller."""

    vectors: tuple[tuple[tuple[float, ...], ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseEmbeddings(Reply):
    """For each text, in order, the weights that are not zero, by their number in the vocabulary."""

    vectors: tuple[Mapping[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """One class of a classifier and how likely it is."""

    label: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions(Reply):
    """For each input, in order, every label, the likeliest first."""

    rows: tuple[tuple[Label, ...], ...] = ()

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels of the first input."""
        return self.rows[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarities(Reply):
    """Cosine similarities of the sentences to the source sentence, in the order of the sentences."""

    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a text: characters ``start`` to ``stop`` of it, None for a special token that stands for none."""

    id: int
    text: str
    special: bool
    start: int | None = None
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says of itself (``GET /info``); None where it does not say.

    Attributes:
        model_id, model_sha, model_dtype, served_model_name: the model.
        model_type: ``embedding``, ``classifier`` or ``reranker``.
        pooling: of an embedding model: ``cls``, ``mean``, ``splade`` ...
        labels: of a classifier or reranker, by their number.
        max_input_length: tokens of one input.
        max_client_batch_size: inputs of one request; larger calls are split here.
        max_batch_tokens, max_batch_requests, max_concurrent_requests: bounds of the server's own batching.
        auto_truncate: whether inputs that are too long are cut unless a call says.
        version, sha, docker_label: of the server's software.
        raw: the whole answer, untouched.
    """

    model_id: str
    model_sha: str | None = None
    model_dtype: str | None = None
    served_model_name: str | None = None
    model_type: str | None = None
    pooling: str | None = None
    labels: Mapping[int, str] = field(default_factory=dict)
    max_input_length: int | None = None
    max_client_batch_size: int | None = None
    max_batch_tokens: int | None = None
    max_batch_requests: int | None = None
    max_concurrent_requests: int | None = None
    auto_truncate: bool | None = None
    version: str | None = None
    sha: str | None = None
    docker_label: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one answer went, in seconds as the server measured them; None where it does not say.

    Of an answer with several inputs the last three are means. Of a call that was split they are those of its first part.

    Attributes:
        compute, total: the whole request.
        tokenization, queue, inference: its stages.
        input_characters: length of the inputs.
    """

    compute: float | None = None
    total: float | None = None
    tokenization: float | None = None
    queue: float | None = None
    inference: float | None = None
    input_characters: int | None = None
