"""Answers of TEI's own routes read into values, and parts of one call put together.

Wire facts: results are bare lists in the order of the inputs, except rankings, which come by score with the ``index`` of
each text. Counts and times stand in headers: ``x-compute-tokens``, and milliseconds in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from backends.dialects.hugging_face import header_count, header_seconds, typed_error
from backends.dialects.openai_common import count, json_object
from backends.dialects.openai_embeddings import read_vector
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
from backends.operation import Answer
from backends.types import Embeddings, Ranked, Ranking, Reply, Usage
from backends.wire.values import FormatError

__all__ = [
    "cut_ranking",
    "joined",
    "read_embeddings",
    "read_info",
    "read_predictions",
    "read_ranking",
    "read_similarities",
    "read_sparse",
    "read_texts",
    "read_token_embeddings",
    "read_tokens",
    "timings",
]

R = TypeVar("R", bound=Reply)


def _rows(data: Any, number: int, what: str) -> list[Any]:
    """Return a list with one row for each input.

    Raises:
        FormatError: it is another.
        BackendError: it is an error body in spite of its status.
    """
    if type(data) is dict and data.get("error"):
        raise typed_error(None, data)
    if type(data) is not list or len(data) != number:
        raise FormatError(f"{len(data) if type(data) is list else 'no'} {what} came for {number} inputs")
    return data


def _facts(answer: Answer) -> dict[str, Any]:
    tokens = header_count(answer.headers, "x-compute-tokens")
    return {**answer.facts(), "model": answer.model, "usage": Usage(tokens, None, tokens)}


def _number(value: Any) -> float:
    """Return one finite number."""
    return read_vector([value])[0]


def read_embeddings(answer: Answer, number: int) -> Embeddings:
    """Read one vector for each input.

    Raises:
        FormatError: one is missing, holds what is not a finite number, or differs in length from the rest.
    """
    vectors = tuple(map(read_vector, _rows(answer.data, number, "vectors")))
    if len({*map(len, vectors)}) != 1:
        raise FormatError("the vectors differ in length")
    return Embeddings(**_facts(answer), vectors=vectors)


def read_token_embeddings(answer: Answer, number: int) -> TokenEmbeddings:
    """Read the vectors of every token of each input."""
    rows = _rows(answer.data, number, "lists of vectors")
    if not all(type(row) is list and row for row in rows):
        raise FormatError("an input has no vectors")
    return TokenEmbeddings(**_facts(answer), vectors=tuple(tuple(map(read_vector, row)) for row in rows))


def read_sparse(answer: Answer, number: int) -> SparseEmbeddings:
    """Read the weights of each input; an input may have none."""
    vectors = []
    for row in _rows(answer.data, number, "sparse vectors"):
        vector: dict[int, float] = {}
        for entry in row:
            index = entry["index"]
            if type(index) is not int or index < 0 or index in vector:
                raise FormatError("the weights are not numbered one by one")
            vector[index] = _number(entry["value"])
        vectors.append(vector)
    return SparseEmbeddings(**_facts(answer), vectors=tuple(vectors))


def read_ranking(answer: Answer, number: int, first: int = 0) -> Ranking:
    """Read the scores of every text; the first of them was the caller's number ``first``.

    Raises:
        FormatError: a text is missing, doubled, or was never given.
    """
    results = []
    seen: set[int] = set()
    for entry in _rows(answer.data, number, "scores"):
        index, text = entry["index"], entry.get("text")
        if type(index) is not int or not 0 <= index < number or index in seen:
            raise FormatError("the scores are not numbered one by one")
        seen.add(index)
        results.append(Ranked(first + index, _number(entry["score"]), text if type(text) is str else None))
    return Ranking(**_facts(answer), results=tuple(sorted(results, key=lambda entry: -(entry.score or 0.0))))


def cut_ranking(data: Any, counts: Sequence[int]) -> list[list[dict[str, Any]]]:
    """Cut the scores of texts that several requests gave into the scores of each, numbered as that request gave them.

    Raises:
        FormatError: a text is missing or was never given.
    """
    parts: list[list[dict[str, Any]]] = [[] for _ in counts]
    owners = [(owner, place) for owner, count in enumerate(counts) for place in range(count)]
    for entry in _rows(data, len(owners), "scores"):
        index = entry["index"]
        if type(index) is not int or not 0 <= index < len(owners):
            raise FormatError("the scores are not numbered one by one")
        owner, place = owners[index]
        parts[owner].append({**entry, "index": place})
    return parts


def read_predictions(answer: Answer, number: int, *, several: bool) -> Predictions:
    """Read the labels of each input; of a single one they come without an outer list, unless it shared the request."""
    data = answer.data
    is_listed = several or (type(data) is list and len(data) == 1 and type(data[0]) is list)
    rows = _rows(data, number, "lists of labels") if is_listed else [data]
    if any(type(row) is not list or not row for row in rows):
        raise FormatError("an input has no labels")
    return Predictions(**_facts(answer), rows=tuple(tuple(map(_label, row)) for row in rows))


def _label(entry: Any) -> Label:
    if type(entry["label"]) is not str:
        raise FormatError("a label is not text")
    return Label(entry["label"], _number(entry["score"]))


def read_similarities(answer: Answer, number: int) -> Similarities:
    """Read one number for each sentence."""
    return Similarities(**_facts(answer), scores=tuple(map(_number, _rows(answer.data, number, "similarities"))))


def read_tokens(answer: Answer, number: int) -> tuple[tuple[Token, ...], ...]:
    """Read the tokens of each text."""
    return tuple(tuple(map(_token, row)) for row in _rows(answer.data, number, "lists of tokens"))


def _token(entry: Any) -> Token:
    token = Token(entry["id"], entry["text"], entry["special"], entry.get("start"), entry.get("stop"))
    places = all(place is None or type(place) is int for place in (token.start, token.stop))
    if type(token.id) is not int or type(token.text) is not str or type(token.special) is not bool or not places:
        raise FormatError("a token is not what the route has")
    return token


def read_texts(answer: Answer, number: int) -> tuple[str, ...]:
    """Read one text for each list of ids."""
    rows = _rows(answer.data, number, "texts")
    if not all(type(row) is str for row in rows):
        raise FormatError("a text is not text")
    return tuple(rows)


def read_info(answer: Answer) -> ServerInfo:
    """Read a server's description; ``model_type`` is an object with one key."""
    data = json_object(answer.data)
    if type(data["model_id"]) is not str:
        raise FormatError("model_id is not text")
    facts: dict[str, Any] = {name: count(data.get(name)) for name in _LIMITS}
    facts |= {name: data[name] for name in _WORDS if type(data.get(name)) is str}
    kinds = data.get("model_type")
    if type(kinds) is dict and len(kinds) == 1:
        kind, about = next(iter(kinds.items()))
        facts["model_type"] = kind
        if type(about) is dict:
            facts["pooling"] = about["pooling"] if type(about.get("pooling")) is str else None
            facts["labels"] = {int(number): str(label) for number, label in (about.get("id2label") or {}).items()}
    cuts = data.get("auto_truncate")
    return ServerInfo(data["model_id"], auto_truncate=cuts if type(cuts) is bool else None, **facts, raw=data)


_LIMITS = (
    "max_input_length",
    "max_client_batch_size",
    "max_batch_tokens",
    "max_batch_requests",
    "max_concurrent_requests",
)
_WORDS = ("model_sha", "model_dtype", "served_model_name", "version", "sha", "docker_label")


def timings(reply: Reply | Mapping[str, str]) -> Timings:
    """Return where the time of a reply went, from its headers (or from headers with lower-case names)."""
    headers = reply.headers if isinstance(reply, Reply) else reply
    return Timings(
        compute=header_seconds(headers, "x-compute-time"),
        total=header_seconds(headers, "x-total-time"),
        tokenization=header_seconds(headers, "x-tokenization-time"),
        queue=header_seconds(headers, "x-queue-time"),
        inference=header_seconds(headers, "x-inference-time"),
        input_characters=header_count(headers, "x-compute-characters"),
    )


def joined(parts: Sequence[R], latency: float, field: str, raw: Any = None) -> R:
    """Return the reply of a call that came in parts, as if it had come whole.

    Args:
        parts: in the order of the inputs; a single one is returned as it is.
        latency: seconds of all of them together.
        field: the field that holds one value for each input.
        raw: the payload as it would have come whole; the rows of the parts, one behind the other, unless given.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    tokens = [part.usage.input_tokens for part in parts]
    known = [number for number in tokens if number is not None]
    total = sum(known) if len(known) == len(tokens) else None
    values: dict[str, Any] = {field: tuple(value for part in parts for value in getattr(part, field))}
    return replace(
        first,
        **values,
        raw=[row for part in parts for row in part.raw] if raw is None else raw,
        usage=Usage(total, None, total),
        attempts=sum(part.attempts for part in parts),
        latency=latency,
    )
