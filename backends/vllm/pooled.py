"""How answers of vLLM's pooling routes read: outputs, classes, scores, rankings. Everything a server sends is hostile
until it was counted, numbered and found to be finite. Pure."""

from __future__ import annotations

import math
from typing import Any

from backends.dialects.openai_common import json_object, read_usage
from backends.dialects.openai_embeddings import read_vector
from backends.dialects.openai_errors import raise_inside
from backends.operation import Answer
from backends.types import Ranked, Ranking
from backends.vllm.values import Labelled, Numbers, Pooled, Scores, Verdict
from backends.wire.values import FormatError

__all__ = ["read_classes", "read_pooled", "read_ranking", "read_scores"]


def read_pooled(answer: Answer, number: int) -> Pooled:
    """Read ``{"data": [{"index", "data": [...]}]}``.

    Raises:
        FormatError: an output is missing, doubled, or not of finite numbers.
        BackendError: it is an error body in spite of its status.
    """
    return Pooled(**_facts(answer), outputs=tuple(_numbers(entry["data"]) for entry in _entries(answer.data, number)))


def read_classes(answer: Answer, number: int) -> Labelled:
    """Read ``{"data": [{"index", "label", "probs", "num_classes"}]}``.

    Raises:
        FormatError: a verdict is missing, doubled, or not of finite numbers.
        BackendError: it is an error body in spite of its status.
    """
    return Labelled(**_facts(answer), verdicts=tuple(map(_verdict, _entries(answer.data, number))))


def read_scores(answer: Answer, number: int) -> Scores:
    """Read ``{"data": [{"index", "score"}]}``.

    Raises:
        FormatError: a score is missing, doubled, or not a finite number.
        BackendError: it is an error body in spite of its status.
    """
    return Scores(**_facts(answer), scores=tuple(_finite(entry["score"]) for entry in _entries(answer.data, number)))


def read_ranking(answer: Answer, number: int) -> Ranking:
    """Read ``{"results": [{"index", "document": {"text"}, "relevance_score"}]}``; best first, whatever came first.

    Raises:
        FormatError: a result belongs to no text, is doubled, or has no finite score.
        BackendError: it is an error body in spite of its status.
    """
    data = json_object(answer.data)
    raise_inside(data)
    ranked = []
    for entry in data["results"]:
        index, document = entry["index"], entry.get("document") or {}
        if type(index) is not int or not 0 <= index < number:
            raise FormatError("a result belongs to none of the texts")
        text = document.get("text")
        ranked.append(Ranked(index, _finite(entry["relevance_score"]), text if isinstance(text, str) else None))
    if len({one.index for one in ranked}) != len(ranked):
        raise FormatError("a text is ranked twice")
    return Ranking(**_facts(answer), results=tuple(sorted(ranked, key=lambda one: -(one.score or 0.0))))


def _facts(answer: Answer) -> dict[str, Any]:
    data = json_object(answer.data)
    raise_inside(data)
    model = data.get("model")
    return {
        **answer.facts(),
        "usage": read_usage(data.get("usage")),
        "model": model if isinstance(model, str) else answer.model,
    }


def _entries(data: Any, number: int) -> list[dict[str, Any]]:
    """Return the entries of a list in the order of the inputs."""
    entries = [json_object(entry) for entry in data["data"]]
    places = [entry.get("index", place) for place, entry in enumerate(entries)]
    if sorted(places) != list(range(number)):
        raise FormatError(f"{len(entries)} results for {number} inputs are not numbered one by one")
    return [entry for _, entry in sorted(zip(places, entries, strict=True), key=lambda pair: pair[0])]


def _numbers(data: Any) -> Numbers:
    if type(data) is list and data and type(data[0]) is list:
        return tuple(map(read_vector, data))
    return read_vector(data)


def _verdict(entry: dict[str, Any]) -> Verdict:
    label = entry.get("label")
    return Verdict(label if isinstance(label, str) else None, read_vector(entry["probs"]))


def _finite(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise FormatError("a score is not a finite number")
    return float(value)
