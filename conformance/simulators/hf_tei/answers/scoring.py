"""``/rerank`` and ``/predict``."""

from __future__ import annotations

import zlib
from typing import Any

from conformance.simulators.generation import numeral, tokenise
from conformance.simulators.hf_tei.answers.common import Counted, cut, headers_of, too_many
from conformance.simulators.hf_tei.errors import empty, failure, invalid, wrong_model
from conformance.simulators.hf_tei.models import ModelKind
from conformance.simulators.provider import Answer, Call

__all__ = ["predict", "rerank"]


def _read(call: Call, inputs: list[list[str]]) -> Counted | Answer:
    """Inputs of one or two texts each as words."""
    found, characters, tokens = [], 0, 0
    for texts in inputs:
        words = cut(call.state, [word for text in texts for word in tokenise(text)], call.body)
        if isinstance(words, Answer):
            return words
        found.append(words)
        characters += sum(map(len, texts))
        tokens += len(words) + 1 + len(texts)
    return Counted(found, characters, tokens)


def _set(text: str) -> set[str]:
    return {word.strip().lower() for word in tokenise(text)}


def _relevance(call: Call, query: str, text: str) -> float:
    """By the words of the query that a text has; without any it is the nonce."""
    wanted = _set(query)
    shared = len(wanted & _set(text))
    if not shared:
        return numeral(call.nonce)
    share = shared / len(wanted)
    return round(share * 8 - 4, 4) if call.body.get("raw_scores") else round(0.1 + 0.8 * share, 6)


def rerank(kind: ModelKind, call: Call) -> Answer:
    """``POST /rerank``."""
    if kind not in (ModelKind.RERANKER, ModelKind.EVERYTHING):
        return wrong_model("a re-ranker model")
    query, texts = call.body["query"], call.body["texts"]
    if not texts:
        return empty("texts")
    if not query:
        return invalid("`query` cannot be empty")
    counted = too_many(call.state, len(texts)) or _read(call, [[query, text] for text in texts])
    if isinstance(counted, Answer):
        return counted
    rows: list[dict[str, Any]] = []
    for index, text in enumerate(texts):
        rows.append({"index": index, **({"text": text} if call.body.get("return_text") else {})})
        rows[-1]["score"] = _relevance(call, query, text)
    return Answer(payload=sorted(rows, key=lambda row: -row["score"]), headers=headers_of(call, counted))


def predict(kind: ModelKind, call: Call) -> Answer:
    """``POST /predict``: a flat list is one input, whatever a client believes."""
    if kind not in (ModelKind.CLASSIFIER, ModelKind.RERANKER, ModelKind.EVERYTHING):
        return wrong_model("a classifier model")
    given = call.body["inputs"]
    if given == []:
        return empty("inputs")
    several = isinstance(given, list) and isinstance(given[0], list)
    inputs = given if several else [[given] if isinstance(given, str) else given]
    if not all(1 <= len(texts) <= 2 for texts in inputs):
        return failure(
            422, "Validation", "Input validation error: `inputs` must be a text, a pair, or a list of either"
        )
    if any(text == "" for texts in inputs for text in texts):
        return invalid("`inputs` cannot be empty")
    counted = too_many(call.state, len(inputs)) or _read(call, inputs)
    if isinstance(counted, Answer):
        return counted
    rows = [_labels(kind, call, texts) for texts in inputs]
    return Answer(payload=rows if several else rows[0], headers=headers_of(call, counted))


def _labels(kind: ModelKind, call: Call, texts: list[str]) -> list[dict[str, Any]]:
    """The labels of one input, the likeliest first; the last is as likely as the nonce is large."""
    if kind is ModelKind.RERANKER:
        return [{"score": _relevance(call, texts[0], texts[-1]), "label": "LABEL_0"}]
    doubt = zlib.crc32("\0".join(texts).encode("utf-8", "surrogatepass")) % 400 / 1000
    first, second = ("positive", "negative") if "good" in _set(texts[0]) else ("negative", "positive")
    scores = (4.0 - doubt, doubt - 4.0) if call.body.get("raw_scores") else (1 - doubt, doubt)
    return [
        {"score": round(scores[0], 6), "label": first},
        {"score": round(scores[1], 6), "label": second},
        {"score": numeral(call.nonce), "label": "neutral"},
    ]
