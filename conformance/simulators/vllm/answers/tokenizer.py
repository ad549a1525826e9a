"""``/tokenize`` and ``/detokenize``: what one makes of a text the other undoes."""

from __future__ import annotations

from conformance.simulators.provider import Answer, Call
from conformance.simulators.vllm.answers.common import model_for, prompt_ids, rendered
from conformance.simulators.vllm.errors import problem_answer

__all__ = ["detokenize", "tokenize"]


def tokenize(call: Call) -> Answer:
    """A prompt, or messages as the template writes them."""
    body = call.body
    model = model_for(call)
    if isinstance(model, Answer):
        return model
    if (body.get("prompt") is None) == (body.get("messages") is None):
        return problem_answer(400, "Field required", kind="Bad Request", param="body.prompt")
    ids = prompt_ids(call, body["prompt"] if body.get("messages") is None else rendered(body), model)
    pieces = [call.state.vocabulary.piece(number).replace(" ", "Ġ") for number in ids]
    return Answer(
        payload={
            "count": len(ids),
            "max_model_len": model.max_model_len,
            "tokens": ids,
            "token_strs": pieces if body.get("return_token_strs") else None,
        }
    )


def detokenize(call: Call) -> Answer:
    """The text of tokens."""
    model = model_for(call)
    if isinstance(model, Answer):
        return model
    return Answer(payload={"prompt": "".join(map(call.state.vocabulary.piece, call.body["tokens"]))})
