"""Hugging Face Text Embeddings Inference: embeddings, rankings, labels, tokens, and what the server tells.

State of 1.9.3. A server has one model, whose kind decides which calls it answers. Not built: the entry points of hosting
platforms (``/invocations``, ``/vertex``), the alias ``/`` of the call that fits the model, and gRPC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.dialects.prometheus import Metric
from backends.hf_tei.embedding import EmbedCalls
from backends.hf_tei.ranking import RankingCalls
from backends.hf_tei.reading import timings
from backends.hf_tei.refusals import REFUSALS
from backends.hf_tei.server import ServerCalls
from backends.hf_tei.values import (
    Label,
    Predictions,
    ServerInfo,
    Similarities,
    SparseEmbeddings,
    Timings,
    Token,
    TokenEmbeddings,
)
from backends.hf_tei.vectors import cosine_similarity, normalize, similarities

__all__ = [
    "HFTEI",
    "Label",
    "Metric",
    "Predictions",
    "ServerInfo",
    "Similarities",
    "SparseEmbeddings",
    "Timings",
    "Token",
    "TokenEmbeddings",
    "cosine_similarity",
    "normalize",
    "similarities",
    "timings",
]


class HFTEI(EmbedCalls, RankingCalls, ServerCalls):
    """TEI servers behind queue, retries, breaker, keys and counters; arguments as of :class:`backends.base.Backend`.

    ``base_url`` is the server's root, without ``/v1``: argument, metadata, ``HF_TEI_BASE_URL``, credentials file, port
    8080 of this machine. No key is needed unless the server asks for one: ``HF_TOKEN``, ``HUGGING_FACE_HUB_TOKEN``, or
    the file that ``HF_TOKEN_PATH`` names.

    An embedder and a reranker are two servers: two backends, or two endpoints of one (``create_endpoint``), each with
    its own queue, breaker, key and limits. Lists longer than the server takes at once are split; see :meth:`aembed`.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
