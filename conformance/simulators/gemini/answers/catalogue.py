"""``/models``: the catalogue, in pages, and one entry."""

from __future__ import annotations

from conformance.simulators.gemini.answers.common import clipped, given, page, version_of
from conformance.simulators.gemini.errors import problem_answer
from conformance.simulators.provider import Answer, Call

__all__ = ["get_model", "list_models"]


def list_models(call: Call) -> Answer:
    """Every model that this version of the API knows."""
    known = [model.as_json() for model in call.state.models.values() if version_of(call) in model.versions]
    return page(call, "models", known, 50)


def get_model(call: Call) -> Answer:
    """One model."""
    model = call.state.models.get(call.params["model"])
    if model is None or version_of(call) not in model.versions:
        name = clipped(call.params["model"])
        return problem_answer(404, f"Model is not found: models/{name} for api version {version_of(call)}")
    return given(model.as_json())
