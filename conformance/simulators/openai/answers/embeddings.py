"""``POST /embeddings``: unit vectors that are the same for the same text and close for texts that share words."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from functools import lru_cache
from typing import Any

from conformance.simulators.generation import count_tokens, tokenise
from conformance.simulators.openai.answers.common import model_for, too_long
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.provider import Answer, Call

__all__ = ["embed", "vector"]

_MOST_TOKENS = 8_192
_MOST_TOKENS_OF_REQUEST = 300_000


@lru_cache(maxsize=4096)
def _direction(word: str) -> tuple[tuple[int, float], ...]:
    digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
    return tuple(
        (int.from_bytes(digest[at : at + 2], "big"), 1.0 if digest[at + 2] & 1 else -1.0) for at in range(0, 24, 3)
    )


def vector(words: list[str], dimensions: int) -> list[float]:
    """A unit vector: each word pushes eight fixed directions, so shared words mean similar vectors."""
    values = [0.0] * dimensions
    for word in words or [""]:
        for index, sign in _direction(word.strip().lower()):
            values[index % dimensions] += sign
    length = math.sqrt(sum(value * value for value in values))
    if not length:
        values[0] = length = 1.0
    return [round(value / length, 8) for value in values]


def embed(call: Call) -> Answer:
    """One vector for each input; the nonce travels in the ``x-request-id`` header, for there is no text to hold it."""
    model = model_for(call, ModelKind.EMBEDDING)
    if isinstance(model, Answer):
        return model
    body = call.body
    dimensions = body.get("dimensions") or model.size
    if body.get("dimensions") and model.id == "text-embedding-ada-002":
        return problem_answer(400, "This model does not support specifying dimensions.", param="dimensions")
    if dimensions > model.size:
        message = f"Invalid value for 'dimensions': must be at most {model.size} for this model."
        return problem_answer(400, message, param="dimensions", code="invalid_value")
    given = body["input"]
    single = isinstance(given, str) or isinstance(given[0], int)
    inputs: list[str | list[int]] = [given] if single else given
    counts = [count_tokens(one) if isinstance(one, str) else len(one) for one in inputs]
    refusal = too_long(max(counts), _MOST_TOKENS, "input")
    if refusal:
        return refusal
    if sum(counts) > _MOST_TOKENS_OF_REQUEST:
        message = f"Invalid 'input': maximum request size is {_MOST_TOKENS_OF_REQUEST} tokens per request."
        return problem_answer(400, message, param="input", code="max_tokens_per_request")
    words = [tokenise(one) if isinstance(one, str) else [str(token) for token in one] for one in inputs]
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector(list(some), dimensions), packed=packed)}
        for index, some in enumerate(words)
    ]
    usage = {"prompt_tokens": sum(counts), "total_tokens": sum(counts)}
    return Answer(payload={"object": "list", "data": data, "model": model.id, "usage": usage})


def _encoded(values: list[float], *, packed: bool) -> Any:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if packed else values
