"""``/responses``, a beta that keeps nothing: the dialect's own answer, never stored."""

from __future__ import annotations

from dataclasses import replace

from conformance.simulators.groq.answers.common import model_for
from conformance.simulators.groq.errors import problem_answer
from conformance.simulators.openai.answers.responses import create
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.provider import Answer, Call

__all__ = ["respond"]


def respond(call: Call) -> Answer:
    """``POST /responses``."""
    model = model_for(call, ModelKind.CHAT)
    if isinstance(model, Answer):
        return model
    if call.body.get("store"):
        return problem_answer(400, "`store` is not supported", param="store")
    return create(replace(call, body={**call.body, "store": False}))
