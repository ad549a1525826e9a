"""Embeddings in the OpenAI dialect: ``POST /embeddings``.

Wire facts: the official clients ask for ``encoding_format: base64`` (little-endian float32) unless told otherwise,
which is a quarter of the bytes of text; an answer with lists of numbers is accepted all the same. ``index`` tells
which input a vector belongs to.
"""

from __future__ import annotations

import base64
import binascii
import math
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final

from backends.batch_plan import BatchPlan, counted_rows, in_field, listed
from backends.dialects.openai_common import json_object, named_body, read_usage
from backends.dialects.openai_completions import Prompt, checked_prompt
from backends.dialects.openai_errors import raise_inside
from backends.operation import EXACT, Answer, Operation
from backends.parameters import bad_argument
from backends.types import Embeddings
from backends.wire.values import FormatError

__all__ = ["PATH", "cut_numbered", "embed_operation", "read_embeddings", "read_vector"]

PATH: Final = "/embeddings"


def embed_operation(
    model: str | None,
    texts: Prompt,
    fields: Mapping[str, Any],
    *,
    provider: str | None = None,
    path: str = PATH,
    most: int | None = None,
    most_length: int | None = None,
    encoding: str | None = "base64",
) -> Operation[Embeddings]:
    """Return the operation of an embedding call.

    Args:
        model, texts, fields: what to send; one text gives one vector. Without a model the server takes its own.
        provider, path: of the server.
        most: how many inputs the provider takes in one request, None for no bound of its own.
        most_length: bound of the texts' bytes in a request that several callers share, None for none.
        encoding: ``encoding_format`` where the caller gave none; None sends none.

    Raises:
        InvalidRequestError: there is no text, one is empty, or there are too many.
    """
    number = checked_prompt(texts, provider, name="texts", empty=False)
    if most is not None and number > most:
        bad_argument(f"texts must have at most {most} items, not {number}", provider)
    body = named_body(model, {"input": texts, **fields})
    if encoding is not None:
        body.setdefault("encoding_format", encoding)
    plan: BatchPlan[Embeddings] = in_field(
        "input", listed(texts), cut_numbered, most_items=most, most_length=most_length
    )
    return Operation(
        "embed",
        lambda answer: read_embeddings(answer, number),
        path,
        body=body,
        model=model,
        cacheable=EXACT,
        batch=plan,
    )


def cut_numbered(data: Any, counts: Sequence[int]) -> list[dict[str, Any]]:
    """Cut an answer with numbered rows into answers of so many rows each, numbered from 0 again.

    What the answer says besides (its model, the usage of all) stands in each.

    Raises:
        FormatError: the rows are not numbered one by one, or there is not one for each input.
    """
    answer = json_object(data)
    raise_inside(answer)
    rows = [dict(json_object(row)) for row in answer["data"]]
    for place, row in enumerate(rows):
        row.setdefault("index", place)
    rows.sort(key=lambda row: row["index"])
    if [row["index"] for row in rows] != [*range(len(rows))]:
        raise FormatError("the vectors are not numbered one by one")
    parts = counted_rows(rows, counts)
    return [{**answer, "data": [{**row, "index": place} for place, row in enumerate(part)]} for part in parts]


def read_embeddings(answer: Answer, number: int) -> Embeddings:
    """Read the vectors into the order of their texts.

    Raises:
        FormatError: one is missing, doubled, not numbers, or of another length than the rest.
        BackendError: it is an error body in spite of its status.
    """
    data = json_object(answer.data)
    raise_inside(data)
    entries = data["data"]
    if len(entries) != number:
        raise FormatError(f"{len(entries)} vectors came for {number} texts")
    ordered: list[tuple[float, ...] | None] = [None] * number
    for place, entry in enumerate(entries):
        index = entry.get("index", place)
        if type(index) is not int or not 0 <= index < number or ordered[index] is not None:
            raise FormatError("the vectors are not numbered one by one")
        ordered[index] = read_vector(entry["embedding"])
    vectors = tuple(vector for vector in ordered if vector is not None)
    if len({len(vector) for vector in vectors}) != 1:
        raise FormatError("the vectors differ in length")
    model = data.get("model")
    return Embeddings(
        **answer.facts(),
        usage=read_usage(data.get("usage")),
        model=model if isinstance(model, str) else answer.model,
        vectors=vectors,
    )


def read_vector(value: Any) -> tuple[float, ...]:
    """Read one vector from base64 or from a list.

    Raises:
        FormatError: it is neither, is empty, or holds what is not a finite number.
    """
    vector: tuple[float, ...]
    if type(value) is str:
        numbers = array("f")
        try:
            numbers.frombytes(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            raise FormatError("a vector is not base64 of 32-bit numbers") from None
        if sys.byteorder == "big":
            numbers.byteswap()
        vector = tuple(numbers)
    elif type(value) is list:
        if not {*map(type, value)} <= {int, float}:
            raise FormatError("a vector holds something that is not a number")
        vector = tuple(map(float, value))
    else:
        raise FormatError("a vector is neither base64 nor a list")
    if not vector:
        raise FormatError("a vector is empty")
    # One sum instead of a test for each: NaN and infinities survive addition, and sums of float32 fit into a double.
    if not math.isfinite(sum(vector)):
        raise FormatError("a vector holds a number that is not finite")
    return vector
