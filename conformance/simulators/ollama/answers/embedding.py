"""``POST /api/embed`` (unit vectors, many texts) and the old ``POST /api/embeddings`` (one text, any length)."""

from __future__ import annotations

from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.ollama.answers.common import context_of, metrics, model_for, touch
from conformance.simulators.ollama.errors import problem_answer
from conformance.simulators.openai.answers.embeddings import vector
from conformance.simulators.provider import Answer, Call

__all__ = ["embed", "embed_one"]

_LENGTH_OF_OLD_VECTORS = 3.0


def embed(call: Call) -> Answer:
    """Vectors of length 1 in the order of the texts; the nonce is a field, for there is no text to hold it."""
    body = call.body
    given = body.get("input")
    if given is None or (isinstance(given, str) and not given):
        given = []
    texts: Any = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return problem_answer(400, "invalid input type")
    model = model_for(call, "embedding", verb="embed")
    if isinstance(model, Answer):
        return model
    size = context_of(body, model)
    words = [tokenise(text) for text in texts]
    if body.get("truncate") is False and any(len(one) > size for one in words):
        return problem_answer(400, "the input length exceeds the context length")
    words = [one[:size] for one in words]
    figures = metrics(call.nonce, touch(call, model), sum(map(len, words)), 0)
    kept = ("total_duration", "load_duration", "prompt_eval_count")
    dimensions = body.get("dimensions") or 0
    # A shorter vector is made anew instead of cut: so few words push so few directions that little would be left.
    dimensions = dimensions if 0 < dimensions < model.dimensions else model.dimensions
    rows = [vector(one, dimensions) for one in words]
    payload = {"model": body["model"], "embeddings": rows, "nonce": call.nonce}
    return Answer(
        payload={**payload, **{name: figures[name] for name in kept if name in figures}},
        content_type="application/json; charset=utf-8",
    )


def embed_one(call: Call) -> Answer:
    """The deprecated call; its vectors are not normalised."""
    body = call.body
    model = model_for(call, "embedding", verb="embed")
    if isinstance(model, Answer):
        return model
    touch(call, model)
    values = vector(tokenise(body.get("prompt") or ""), model.dimensions) if body.get("prompt") else []
    return Answer(
        payload={"embedding": [round(value * _LENGTH_OF_OLD_VECTORS, 8) for value in values], "nonce": call.nonce},
        content_type="application/json; charset=utf-8",
    )
