"""``:countTokens``, ``:embedContent`` and ``:batchEmbedContents``."""

from __future__ import annotations

from typing import Any

from conformance.simulators.gemini.answers.common import given, model_for, prompt_details, texts_of
from conformance.simulators.gemini.errors import problem_answer
from conformance.simulators.generation import count_tokens, tokenise
from conformance.simulators.openai.answers.embeddings import vector
from conformance.simulators.provider import Answer, Call

__all__ = ["count_content", "embed_batch", "embed_content"]


def count_content(call: Call) -> Answer:
    """The tokens of contents, or of a whole request."""
    model = model_for(call, "countTokens")
    if isinstance(model, Answer):
        return model
    body = call.body
    if ("contents" in body) == ("generateContentRequest" in body):
        return problem_answer(400, "Exactly one of contents and generate_content_request must be set.")
    asked = body.get("generateContentRequest") or body
    contents = [*asked["contents"], *([asked["systemInstruction"]] if "systemInstruction" in asked else ())]
    details = prompt_details(contents)
    if asked.get("tools"):
        details[0]["tokenCount"] += count_tokens(str(asked["tools"]))
    return given({"totalTokens": sum(entry["tokenCount"] for entry in details), "promptTokensDetails": details})


def _values(content: Any, dimensions: int) -> list[float]:
    return vector(tokenise(" ".join(texts_of([content]))) or ["?"], dimensions)


def _embedded(call: Call, requests: list[Any]) -> list[dict[str, Any]] | Answer:
    model = model_for(call, "embedContent")
    if isinstance(model, Answer):
        return model
    rows = []
    for request in requests:
        named = request.get("model")
        if named is not None and named.removeprefix("models/") != model.id:
            return problem_answer(400, "The model of a request must be that of the URL.")
        wanted = int(request.get("outputDimensionality", model.dimensions))
        if wanted > model.dimensions:
            return problem_answer(400, f"output_dimensionality must be at most {model.dimensions}.")
        rows.append({"values": _values(request["content"], wanted)})
    return rows


def embed_content(call: Call) -> Answer:
    """One vector, whatever the number of parts; the nonce is a field, for there is no text to hold it."""
    rows = _embedded(call, [call.body])
    return rows if isinstance(rows, Answer) else given({"embedding": rows[0], "nonce": call.nonce})


def embed_batch(call: Call) -> Answer:
    """As many vectors as requests."""
    requests = call.body["requests"]
    if any("model" not in request for request in requests):
        return problem_answer(400, "* BatchEmbedContentsRequest.requests: model is required")
    rows = _embedded(call, requests)
    if isinstance(rows, Answer):
        return rows
    tokens = sum(count_tokens(text) for request in requests for text in texts_of([request["content"]]))
    return given({"embeddings": rows, "usageMetadata": {"promptTokenCount": tokens}, "nonce": call.nonce})
