"""What Groq's answers share: the model a request names, the request id in the body, errors without empty fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.simulators.groq.errors import problem_answer, unknown_model
from conformance.simulators.groq.models import GroqModel
from conformance.simulators.openai.answers.common import clipped
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.provider import Answer, Call

__all__ = ["extra_of", "model_for", "tidy"]


def model_for(call: Call, kind: ModelKind) -> GroqModel | Answer:
    """The live model the body names, or the refusal of a wrong, retired or misused one."""
    name = call.body.get("model") or ""
    model = call.state.models.get(name)
    if not isinstance(model, GroqModel):
        return unknown_model(clipped(name))
    if model.retired:
        return unknown_model(name, decommissioned=model.lately)
    if model.kind is not kind:
        return problem_answer(400, f"The model `{name}` does not support {kind.value}.")
    return model


def extra_of(call: Call) -> dict[str, Any]:
    """``x_groq`` as every body has it."""
    return {"id": f"req_{call.nonce}"}


def tidy(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """A handler of the dialect whose errors leave out the fields that say nothing."""

    def answer(call: Call) -> Answer:
        made = handler(call)
        if made.status < 400:
            return made
        told = {name: value for name, value in made.payload["error"].items() if value is not None}
        return replace(made, payload={"error": told})

    return answer
