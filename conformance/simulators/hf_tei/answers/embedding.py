"""``/embed``, ``/embed_all``, ``/embed_sparse``, ``/similarity`` and ``/v1/embeddings``."""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

from conformance.simulators.generation import numeral
from conformance.simulators.hf_tei.answers.common import Counted, headers_of, number_of, read_inputs
from conformance.simulators.hf_tei.errors import empty, flat, invalid, wrong_model
from conformance.simulators.hf_tei.models import DIMENSIONS, VOCABULARY_SIZE, ModelKind
from conformance.simulators.openai.answers.embeddings import vector
from conformance.simulators.provider import Answer, Call

__all__ = ["embed", "embed_all", "embed_sparse", "openai_embed", "similarity"]

_LENGTH_AS_MADE = 3.0
_NO_EMBEDDER = "an embedding model"


def _vector(call: Call, words: list[str], dimensions: int, *, normalize: bool = True) -> list[float]:
    """The vector of words; its last number is the nonce, too small to matter."""
    values = vector(words, dimensions - 1) if dimensions > 1 else []
    if not normalize:
        values = [round(value * _LENGTH_AS_MADE, 8) for value in values]
    return [*values, numeral(call.nonce)]


def _dense(kind: ModelKind, call: Call, name: str) -> Counted | Answer:
    """The inputs of a call that wants dense vectors, or its refusal."""
    if not kind.embeds():
        return wrong_model(_NO_EMBEDDER)
    dimensions = call.body.get("dimensions")
    if dimensions is not None and not 1 <= dimensions <= DIMENSIONS:
        return invalid(f"`dimensions` must be between 1 and {DIMENSIONS}. Given: {dimensions}")
    return read_inputs(call.state, call.body[name], call.body, name)


def embed(kind: ModelKind, call: Call) -> Answer:
    """``POST /embed``."""
    counted = _dense(kind, call, "inputs")
    if isinstance(counted, Answer):
        return counted
    body = call.body
    if kind is ModelKind.SPLADE and body.get("normalize"):
        return invalid("`normalize` is not available for SPLADE models")
    size, normalize = body.get("dimensions") or DIMENSIONS, body.get("normalize") is not False
    rows = [_vector(call, words, size, normalize=normalize) for words in counted.words]
    return Answer(payload=rows, headers=headers_of(call, counted))


def embed_all(kind: ModelKind, call: Call) -> Answer:
    """``POST /embed_all``: a vector for each token, the special ones around the words included."""
    if kind is ModelKind.SPLADE:
        return invalid("`embed_all` is not available for SPLADE models")
    counted = _dense(kind, call, "inputs")
    if isinstance(counted, Answer):
        return counted
    rows = [[_vector(call, [word], DIMENSIONS) for word in ("[CLS]", *words, "[SEP]")] for words in counted.words]
    return Answer(payload=rows, headers=headers_of(call, counted))


def embed_sparse(kind: ModelKind, call: Call) -> Answer:
    """``POST /embed_sparse``; the weight of the last number of the vocabulary is the nonce."""
    if kind not in (ModelKind.SPLADE, ModelKind.EVERYTHING):
        return wrong_model("an embedding model with SPLADE pooling")
    counted = read_inputs(call.state, call.body["inputs"], call.body)
    if isinstance(counted, Answer):
        return counted
    rows = []
    for words in counted.words:
        weights: dict[int, float] = {}
        for word in words:
            number = number_of(call.state, word.strip().lower())
            weights[number] = round(weights.get(number, 0.5) + 0.5, 4)
        weights[VOCABULARY_SIZE - 1] = numeral(call.nonce)
        rows.append([{"index": number, "value": weights[number]} for number in sorted(weights)])
    return Answer(payload=rows, headers=headers_of(call, counted))


def similarity(kind: ModelKind, call: Call) -> Answer:
    """``POST /similarity``: by the words that two sentences share; without any it is the nonce."""
    if not kind.embeds():
        return wrong_model(_NO_EMBEDDER)
    asked, parameters = call.body["inputs"], call.body.get("parameters") or {}
    if not asked["sentences"]:
        return empty("sentences")
    counted = read_inputs(call.state, [asked["source_sentence"], *asked["sentences"]], parameters)
    if isinstance(counted, Answer):
        return counted
    source, *others = (_set(words) for words in counted.words)
    scores = []
    for other in others:
        shared = len(source & other)
        scores.append(round(shared / math.sqrt(len(source) * len(other)), 6) if shared else numeral(call.nonce))
    return Answer(payload=scores, headers=headers_of(call, counted))


def _set(words: list[str]) -> set[str]:
    return {word.strip().lower() for word in words}


def openai_embed(kind: ModelKind, call: Call) -> Answer:
    """``POST /v1/embeddings``; its errors are flat."""
    counted = _dense(kind, call, "input")
    if isinstance(counted, Answer):
        return flat(counted)
    size, packed = call.body.get("dimensions") or DIMENSIONS, call.body.get("encoding_format") == "base64"
    data: list[dict[str, Any]] = []
    for index, words in enumerate(counted.words):
        values = _vector(call, words, size)
        encoded = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if packed else values
        data.append({"object": "embedding", "embedding": encoded, "index": index})
    usage = {"prompt_tokens": counted.tokens, "total_tokens": counted.tokens}
    payload = {"object": "list", "data": data, "model": call.state.model_id, "usage": usage}
    return Answer(payload=payload, headers=headers_of(call, counted))
