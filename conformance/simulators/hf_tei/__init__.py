"""The simulated TEI server (1.9.3): embedding, reranking, classification, SPLADE, tokens, and ``/v1/embeddings``.

A real server has one model and refuses what it is not for. Here the base URL answers every call, as no real server does,
so that one address serves a whole contract; below it stand servers that have one model each, ``/embedding``,
``/reranker``, ``/classifier``, ``/splade`` and ``/sentence-similarity``, and refuse the rest with the real words.

Answers of nothing but numbers carry the nonce as a number: as the last of a vector, as a weight, or as the score of what
has nothing to do with the question. Any key is good that does not contain ``invalid``, and none is needed. A status 429
that names no kind is the vendor's front end, which counts by key; the server's own has the kind ``Overloaded``.
Deliberately absent: ``/vertex``, ``/invocations``, gRPC, and queueing.
"""

from __future__ import annotations

from conformance.simulators.hf_tei import errors
from conformance.simulators.hf_tei.models import Server
from conformance.simulators.hf_tei.routes import ROUTES
from conformance.simulators.openai.framing import data_only
from conformance.simulators.provider import Provider

__all__ = ["PROVIDER"]

PROVIDER = Provider(
    name="hf_tei",
    mount="/hf_tei",
    routes=ROUTES,
    new_state=Server,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=data_only,
    not_found=errors.not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
)
