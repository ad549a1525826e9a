"""``/models``: list, get, delete; and the endpoints that are dead."""

from __future__ import annotations

from conformance.simulators.openai.answers.common import clipped
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.models import find_model
from conformance.simulators.provider import Answer, Call

__all__ = ["delete_model", "get_model", "list_models", "variations"]


def list_models(call: Call) -> Answer:
    """Every living model; not paged."""
    alive = [model.as_json() for model in call.state.models.values() if not model.retired]
    return Answer(payload={"object": "list", "data": alive})


def _absent(name: str) -> Answer:
    return problem_answer(404, f"The model '{clipped(name)}' does not exist", param="model", code="model_not_found")


def get_model(call: Call) -> Answer:
    """One model."""
    model = find_model(call.state, call.params["model"])
    return _absent(call.params["model"]) if model is None else Answer(payload=model.as_json())


def delete_model(call: Call) -> Answer:
    """Only fine-tuned models can be deleted."""
    name = call.params["model"]
    model = find_model(call.state, name)
    if model is None:
        return _absent(name)
    if not name.startswith("ft:"):
        return problem_answer(403, f"You have insufficient permissions to delete the model {name}.", param="model")
    del call.state.models[name]
    return Answer(payload={"id": name, "object": "model", "deleted": True})


def variations(call: Call) -> Answer:
    """Image variations no longer take requests."""
    message = "Image variations are no longer supported: the model `dall-e-2` has been deprecated."
    return problem_answer(400, message, param="model", code="model_not_found")
