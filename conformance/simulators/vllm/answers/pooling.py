"""Embeddings, pooling, classes, scores and rankings: all made of vectors that are close for texts that share words."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.openai.answers.common import text_of
from conformance.simulators.openai.answers.embeddings import vector
from conformance.simulators.openai.models import EPOCH
from conformance.simulators.provider import Answer, Call
from conformance.simulators.vllm.answers.common import identifier, model_for, prompt_ids, rendered, unfit, usage
from conformance.simulators.vllm.errors import problem_answer
from conformance.simulators.vllm.fields import PAIRS
from conformance.simulators.vllm.models import ServedModel, Task

__all__ = ["classify", "embed", "pool", "rerank", "score"]

_POOLS = (Task.EMBED, Task.CLASSIFY, Task.SCORE)
_SCORES = (Task.SCORE, Task.EMBED)
_LABELS = ("negative", "positive")
_ROWS = frozenset({"token_embed", "token_classify"})


def embed(call: Call) -> Answer:
    """``POST /v1/embeddings``."""
    body = call.body
    model = model_for(call, Task.EMBED)
    inputs = model if isinstance(model, Answer) else _inputs(call, model)
    if isinstance(inputs, Answer):
        return inputs
    assert isinstance(model, ServedModel)
    size = body.get("dimensions") or model.dimensions
    if body.get("dimensions") and not model.matryoshka:
        message = f"Model '{model.id}' does not support Matryoshka embeddings; dimensions must be unset (received dimensions={size})."
        return problem_answer(400, message)
    packed = body.get("encoding_format") == "base64"
    rows = [vector(_words(call, ids), size) for ids in inputs]
    data = [
        {"index": index, "object": "embedding", "embedding": _packed(row) if packed else row}
        for index, row in enumerate(rows)
    ]
    return _listed(call, model, "embd-", data, inputs)


def pool(call: Call) -> Answer:
    """``POST /pooling``: a vector for each input, or for each of its tokens if the task says so."""
    model = model_for(call, *_POOLS)
    inputs = model if isinstance(model, Answer) else _inputs(call, model)
    if isinstance(inputs, Answer):
        return inputs
    assert isinstance(model, ServedModel)
    size = call.body.get("dimensions") or model.dimensions
    data = []
    for index, ids in enumerate(inputs):
        words = _words(call, ids)
        made = [vector([word], size) for word in words] if call.body.get("task") in _ROWS else vector(words, size)
        data.append({"index": index, "object": "pooling", "data": made})
    return _listed(call, model, "pooling-", data, inputs)


def classify(call: Call) -> Answer:
    """``POST /classify``."""
    model = model_for(call, Task.CLASSIFY)
    inputs = model if isinstance(model, Answer) else _inputs(call, model)
    if isinstance(inputs, Answer):
        return inputs
    assert isinstance(model, ServedModel)
    data = []
    for index, ids in enumerate(inputs):
        likely = round(0.5 + vector(_words(call, ids), 8)[0] / 2, 6)
        probs = [round(1 - likely, 6), likely]
        label = _LABELS[probs.index(max(probs))]
        data.append({"index": index, "label": label, "probs": probs, "num_classes": len(probs)})
    return _listed(call, model, "classify-", data, inputs)


def score(call: Call) -> Answer:
    """``POST /score``: one with each of several, or pair by pair."""
    body = call.body
    model = model_for(call, *_SCORES)
    if isinstance(model, Answer):
        return model
    names = next((pair for pair in PAIRS if pair[0] in body and pair[1] in body), None)
    if names is None:
        return problem_answer(400, "Both sides of the pairs must be given.", kind="Bad Request", param="body.text_1")
    left, right = (_texts(body[name]) for name in names)
    if len(left) not in (1, len(right)):
        message = "Input lengths must be either 1:1, 1:N or N:N"
        return problem_answer(400, message)
    pairs = list(zip(left * len(right) if len(left) == 1 else left, right, strict=True))
    ids = [prompt_ids(call, f"{one} {other}", model) for one, other in pairs]
    refusal = next(
        (bad for (one, other), row in zip(pairs, ids, strict=True) if (bad := unfit(call, model, one + other, row))),
        None,
    )
    if refusal is not None:
        return refusal
    data = [
        {"index": index, "object": "score", "score": _likeness(one, other)} for index, (one, other) in enumerate(pairs)
    ]
    return _listed(call, model, "score-", data, ids)


def rerank(call: Call) -> Answer:
    """``POST /rerank``: best first."""
    body = call.body
    model = model_for(call, *_SCORES)
    if isinstance(model, Answer):
        return model
    query, texts = _texts(body["query"])[0], _texts(body["documents"])
    results: list[dict[str, Any]] = [
        {"index": index, "document": {"text": text, "multi_modal": None}, "relevance_score": _likeness(query, text)}
        for index, text in enumerate(texts)
    ]
    results.sort(key=lambda result: -result["relevance_score"])
    asked = sum(len(prompt_ids(call, f"{query} {text}", model)) for text in texts)
    call.state.count(asked, 0)
    counts = {"prompt_tokens": asked, "total_tokens": asked}
    name = identifier(call, "score-")
    return Answer(
        payload={"id": name, "model": model.id, "usage": counts, "results": results[: body.get("top_n") or None]}
    )


def _inputs(call: Call, model: ServedModel) -> list[list[int]] | Answer:
    """Token numbers of every input, or what is wrong with them."""
    body = call.body
    if (body.get("input") is None) == (body.get("messages") is None):
        return problem_answer(400, "Field required", kind="Bad Request", param="body.input")
    given = rendered({"add_generation_prompt": False, **body}) if body.get("messages") else body["input"]
    if not given:
        return problem_answer(400, "You must pass at least one prompt")
    prompts = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    rows = [prompt_ids(call, prompt, model) for prompt in prompts]
    refusals = (unfit(call, model, prompt, row) for prompt, row in zip(prompts, rows, strict=True))
    return next((refusal for refusal in refusals if refusal is not None), None) or rows


def _words(call: Call, ids: Sequence[int]) -> list[str]:
    return [call.state.vocabulary.piece(number) for number in ids]


def _packed(row: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"={len(row)}f", *row)).decode()


def _texts(items: Any) -> list[str]:
    several = items if isinstance(items, list) else [items]
    return [one if isinstance(one, str) else text_of(one["content"]) for one in several]


def _likeness(one: str, other: str) -> float:
    left, right = vector(tokenise(one), 64), vector(tokenise(other), 64)
    return round(0.5 + sum(a * b for a, b in zip(left, right, strict=True)) / 2, 6)


def _listed(call: Call, model: ServedModel, prefix: str, data: list[Any], inputs: Sequence[Sequence[int]]) -> Answer:
    asked = sum(map(len, inputs))
    call.state.count(asked, 0)
    base = {"id": identifier(call, prefix), "object": "list", "created": EPOCH, "model": model.id}
    return Answer(payload={**base, "data": data, "usage": usage(asked)})
