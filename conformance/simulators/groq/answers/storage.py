"""``/models``, ``/files`` and ``/batches`` where they differ from the dialect's: lists of one page, batches of chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conformance.simulators.groq.errors import problem_answer, unknown_model
from conformance.simulators.openai.answers import batches
from conformance.simulators.openai.answers.common import clipped
from conformance.simulators.provider import Answer, Call, Request

__all__ = ["delete_model", "get_batch", "get_model", "list_batches", "list_files", "list_models"]


def list_models(call: Call) -> Answer:
    """Every living model; not paged."""
    alive = [model.as_json() for model in call.state.models.values() if not model.retired]
    return Answer(payload={"object": "list", "data": alive})


def get_model(call: Call) -> Answer:
    """One model."""
    model = call.state.models.get(call.params["model"])
    if model is None or model.retired:
        return unknown_model(clipped(call.params["model"]))
    return Answer(payload=model.as_json())


def delete_model(call: Call) -> Answer:
    """The models are the service's own."""
    return problem_answer(403, f"You may not delete the model `{clipped(call.params['model'])}`.")


def list_files(call: Call) -> Answer:
    """Newest first; not paged."""
    files = [one.as_json() for one in reversed(call.state.files.values())]
    return Answer(payload={"object": "list", "data": files})


def list_batches(call: Call) -> Answer:
    """Newest first; not paged; looking at the list moves nothing."""
    return Answer(payload={"object": "list", "data": [dict(one) for one in reversed(call.state.batches.values())]})


def get_batch(call: Call) -> Answer:
    """One step on. Its lines name the dialect's own paths, which stand below ``/openai`` here."""
    dispatch = call.dispatch
    assert dispatch is not None

    def below(send: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        return lambda request: send(replace(request, path="/openai" + request.path))

    return batches.get(replace(call, dispatch=below(dispatch)))
