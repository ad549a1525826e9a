"""The simulated TEI's table of routes: the same for every kind of model, each kind below a path of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from conformance.simulators.hf_tei import fields
from conformance.simulators.hf_tei.answers import about, embedding, scoring
from conformance.simulators.hf_tei.answers.common import Serve
from conformance.simulators.hf_tei.models import ModelKind
from conformance.simulators.provider import Route
from conformance.simulators.shape import Record

__all__ = ["ROUTES"]

_CALLS: tuple[tuple[str, Serve, Record], ...] = (
    ("/embed", embedding.embed, fields.EMBED),
    ("/embed_all", embedding.embed_all, fields.EMBED_TOKENS),
    ("/embed_sparse", embedding.embed_sparse, fields.EMBED_TOKENS),
    ("/similarity", embedding.similarity, fields.SIMILARITY),
    ("/v1/embeddings", embedding.openai_embed, fields.OPENAI_EMBED),
    ("/embeddings", embedding.openai_embed, fields.OPENAI_EMBED),
    ("/rerank", scoring.rerank, fields.RERANK),
    ("/predict", scoring.predict, fields.PREDICT),
    ("/tokenize", about.tokenize, fields.TOKENIZE),
    ("/decode", about.decode, fields.DECODE),
)
_ALIAS: dict[ModelKind, tuple[Serve, Record]] = {
    ModelKind.RERANKER: (scoring.rerank, fields.RERANK),
    ModelKind.CLASSIFIER: (scoring.predict, fields.PREDICT),
    ModelKind.SPLADE: (embedding.embed_sparse, fields.EMBED_TOKENS),
    ModelKind.SIMILARITY: (embedding.similarity, fields.SIMILARITY),
}
"""What ``POST /`` means; for the other kinds it is ``/embed``."""


def _routes(kind: ModelKind, prefix: str) -> Iterator[Route]:
    for path, serve, body in _CALLS:
        yield Route("POST", prefix + path, partial(serve, kind), body=body)
    serve, body = _ALIAS.get(kind, (embedding.embed, fields.EMBED))
    yield Route("GET", f"{prefix}/info", partial(about.info, kind))
    yield Route("GET", f"{prefix}/metrics", partial(about.metrics, kind), open_to_all=True)
    for root in dict.fromkeys((prefix or "/", f"{prefix}/")):
        yield Route("POST", root, partial(serve, kind), body=body)
    for path in ("/health", "/ping", "/"):
        yield Route("GET", prefix + path, partial(about.health, kind), open_to_all=True)


ROUTES: tuple[Route, ...] = (
    *_routes(ModelKind.EVERYTHING, ""),
    *(route for kind in ModelKind if kind is not ModelKind.EVERYTHING for route in _routes(kind, f"/{kind.value}")),
)
