"""``/v3/embeddings``, ``/v3/rerank``, ``/v3/tokenize`` and the list of models."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.openai.answers import embeddings
from conformance.simulators.openai.answers.embeddings import vector
from conformance.simulators.openai.models import EPOCH, ModelKind
from conformance.simulators.ovms.answers.common import as_openai, graph_of, served
from conformance.simulators.ovms.errors import problem_answer
from conformance.simulators.provider import Answer, Call

__all__ = ["embed", "get_model", "list_models", "rerank", "tokenize"]

_MOST_TEXTS = 500
_PAD = 0
_BEGIN = 1


def _invalid(text: str) -> Answer:
    return problem_answer(400, f"Mediapipe execution failed. MP status - INVALID_ARGUMENT: {text}")


def embed(call: Call) -> Answer:
    """``POST /v3/embeddings``: no model in the answer, the nonce in a field of its own."""
    graph = graph_of(call, ModelKind.EMBEDDING)
    if isinstance(graph, Answer):
        return graph
    given = call.body["input"]
    if isinstance(given, list) and len(given) > _MOST_TEXTS:
        return _invalid(f"Number of documents exceeds {_MOST_TEXTS}")
    answer = served(embeddings.embed(as_openai(call, ModelKind.EMBEDDING, graph.size)))
    if answer.status >= 400:
        return answer
    payload = {name: value for name, value in answer.payload.items() if name != "model"}
    return replace(answer, payload={**payload, "nonce": call.nonce})


def rerank(call: Call) -> Answer:
    """``POST /v3/rerank``: the more words shared, the higher the score."""
    graph = graph_of(call, ModelKind.EMBEDDING)
    if isinstance(graph, Answer):
        return graph
    if not graph.reranks:
        return _invalid("Unsupported endpoint /v3/rerank")
    body = call.body
    wanted = vector(tokenise(body["query"]), graph.size)
    results: list[dict[str, Any]] = []
    for index, document in enumerate(body["documents"]):
        found = vector(tokenise(document), graph.size)
        score = sum(one * other for one, other in zip(wanted, found, strict=True))
        entry: dict[str, Any] = {"index": index, "relevance_score": round((score + 1) / 2, 8)}
        results.append({**entry, "document": document} if body.get("return_documents") else entry)
    results.sort(key=lambda one: (-one["relevance_score"], one["index"]))
    return Answer(payload={"results": results[: body.get("top_n") or len(results)], "nonce": call.nonce})


def tokenize(call: Call) -> Answer:
    """``POST /v3/tokenize``: one list for a text, a list of lists for several."""
    graph = graph_of(call, ModelKind.CHAT, ModelKind.EMBEDDING)
    if isinstance(graph, Answer):
        return graph
    text = call.body["text"]
    rows = [_ids(one, call.body, graph.size) for one in ([text] if isinstance(text, str) else text)]
    return Answer(payload={"tokens": rows[0] if isinstance(text, str) else rows, "nonce": call.nonce})


def _ids(text: str, body: dict[str, Any], size: int) -> list[int]:
    ids = [2 + zlib.crc32(word.encode()) % 30_000 for word in tokenise(text)]
    if body.get("add_special_tokens") is not False:
        ids.insert(0, _BEGIN)
    length = body.get("max_length") or size
    ids = ids[:length]
    if body.get("pad_to_max_length"):
        padding = [_PAD] * (length - len(ids))
        ids = padding + ids if body.get("padding_side") == "left" else ids + padding
    return ids


def _row(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": EPOCH, "owned_by": "OVMS"}


def list_models(call: Call) -> Answer:
    """``GET /v3/models``: graphs and models."""
    names = (*call.state.graphs, *call.state.models)
    return Answer(payload={"data": [_row(name) for name in names], "object": "list"})


def get_model(call: Call) -> Answer:
    """``GET /v3/models/M``; the status of an unknown one is 500."""
    name = call.params["model"]
    if name not in call.state.graphs and name not in call.state.models:
        return problem_answer(500, "Model not found")
    return Answer(payload=_row(name))
