"""Embedding, retrieval, reranking and data preparation, and what a real megaservice asks of TEI itself."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

from conformance.simulators.generation import count_tokens
from conformance.simulators.multipart import Upload
from conformance.simulators.opea.answers.common import document_id, prompt_of
from conformance.simulators.opea.errors import detail
from conformance.simulators.opea.models import DEFAULT_INDEX, DIMENSIONS, EMBED_MODEL, embedded, similarity
from conformance.simulators.provider import Answer, Call

__all__ = [
    "delete",
    "embed",
    "indices",
    "ingest",
    "listed",
    "rerank",
    "retrieval_tool",
    "retrieve",
    "tei_embed",
    "tei_rerank",
]

_PREPARED = {"status": 200, "message": "Data preparation succeeded"}


def _texts(given: Any) -> list[str]:
    return [text.replace("\n", " ") for text in ([given] if isinstance(given, str) else given)]


def embed(call: Call) -> Answer:
    """``POST /v1/embeddings``."""
    call.state.used("opea_service@embedding")
    texts = _texts(call.body["input"])
    size = call.body.get("dimensions") or DIMENSIONS
    packed = call.body.get("encoding_format") == "base64"
    data = []
    for index, text in enumerate(texts):
        values = embedded(text)[:size]
        encoded = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if packed else values
        data.append({"index": index, "object": "embedding", "embedding": encoded})
    tokens = sum(map(count_tokens, texts))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0}
    return Answer(payload={"object": "list", "model": EMBED_MODEL, "data": data, "usage": usage})


def retrieve(call: Call) -> Answer:
    """``POST /v1/retrieval`` in both protocols."""
    call.state.used("opea_service@retrievers")
    body = call.body
    pieces = call.state.nearest(body.get("embedding") or [], body.get("k") or 4, body.get("index_name"))
    if "input" in body:
        found = [{"text": piece.text, "metadata": {"source": piece.source}} for piece in pieces]
        return Answer(payload={"retrieved_docs": found})
    docs = [{"id": document_id(call), "text": piece.text, "downstream_black_list": []} for piece in pieces]
    return Answer(
        payload={
            "id": document_id(call),
            "retrieved_docs": docs,
            "initial_query": body["text"],
            "top_n": 1,
            "metadata": [{"source": piece.source} for piece in pieces],
        }
    )


def _ranked(query: str, texts: list[str]) -> list[tuple[int, float]]:
    scores = [
        (index, round((similarity(embedded(query), embedded(text)) + 1) / 2, 8)) for index, text in enumerate(texts)
    ]
    return sorted(scores, key=lambda pair: -pair[1])


def _for_model(call: Call, query: str, texts: list[str]) -> Answer:
    document = {"id": document_id(call), "model": None, "query": query, "documents": texts, "max_tokens": 1024}
    return Answer(payload={**document, "top_k": 10, "top_p": 0.95, "temperature": 0.01, "stream": True})


def rerank(call: Call) -> Answer:
    """``POST /v1/reranking`` in both protocols."""
    call.state.used("opea_service@reranking")
    body = call.body
    texts = [one["text"] for one in body["retrieved_docs"]]
    query = body["input"] if "input" in body else body["initial_query"]
    best = _ranked(query, texts)[: body.get("top_n") or 1]
    if "input" in body:
        return Answer(payload={"reranked_docs": [{"text": texts[index], "score": score} for index, score in best]})
    return _for_model(call, query, [texts[index] for index, _ in best])


def retrieval_tool(call: Call) -> Answer:
    """``POST /v1/retrievaltool``: what the reranker would hand to a model."""
    question = prompt_of(call.body["messages"])
    pieces = call.state.nearest(embedded(question), call.body.get("k") or 4)
    best = _ranked(question, [piece.text for piece in pieces])[: call.body.get("top_n") or 1]
    return _for_model(call, question, [pieces[index].text for index, _ in best])


def tei_embed(call: Call) -> Answer:
    """``POST /embed`` of TEI."""
    return Answer(payload=[embedded(text) for text in _texts(call.body["inputs"])])


def tei_rerank(call: Call) -> Answer:
    """``POST /rerank`` of TEI."""
    ranked = _ranked(call.body["query"], call.body["texts"])
    return Answer(payload=[{"index": index, "score": score} for index, score in ranked])


def ingest(call: Call) -> Answer:
    """``POST /v1/dataprep/ingest``: of several files in one form the real service reads the last, and so does this."""
    body, state = call.body, call.state
    size, overlap, index = body.get("chunk_size") or 1500, body.get("chunk_overlap") or 0, body.get("index_name")
    if (index or "").lower() == "all":
        return detail(400, "'all' cannot be used as an index_name because it is reserved.")
    upload = body.get("files")
    if upload:
        upload = upload[-1] if isinstance(upload, list) else upload
        assert isinstance(upload, Upload)
        if not state.store(index, upload.filename, upload.content.decode("utf-8", "replace"), size, overlap):
            again = "Please change file name or index name."
            return detail(400, f"Uploaded file {upload.filename} already exists. {again}")
        return Answer(payload=_PREPARED)
    if not body.get("link_list"):
        return detail(400, "Must provide either a file or a string list.")
    try:
        links = json.loads(body["link_list"])
    except ValueError:
        links = None
    if not isinstance(links, list):
        return detail(400, f"Link_list {body['link_list']} should be a list.")
    for link in links:
        if not state.store(index, f"{link}.txt", f"What the page {link} says.", size, overlap):
            return detail(400, f"Uploaded link {link} already exists. Please change another link or index_name.")
    return Answer(payload=_PREPARED)


def listed(call: Call) -> Answer:
    """``POST /v1/dataprep/get``."""
    index = call.body.get("index_name") or DEFAULT_INDEX
    entries = [
        {"name": name, "id": name, "type": "File", "parent": "", "index_name": known}
        for known, files in call.state.files.items()
        for name in files
        if index in ("all", known)
    ]
    return Answer(payload=entries)


def delete(call: Call) -> Answer:
    """``POST /v1/dataprep/delete``."""
    files, path, index = call.state.files, call.body["file_path"], call.body.get("index_name")
    if path == "all":
        for known in [index] if index else list(files):
            files.pop(known, None)
        return Answer(payload={"status": True})
    if files.get(index or DEFAULT_INDEX, {}).pop(path, None) is None:
        return detail(404, "File not found in db file-keys. Please check file_path.")
    return Answer(payload={"status": True})


def indices(call: Call) -> Answer:
    """``POST /v1/dataprep/indices``."""
    return Answer(payload=["file-keys", *call.state.files])
