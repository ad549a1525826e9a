"""What the answers under ``/v3`` share: the graph a body names, and the call as the OpenAI simulator sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.simulators.openai.models import Account, ModelKind, SimulatedModel
from conformance.simulators.ovms.errors import problem_answer
from conformance.simulators.ovms.models import Graph
from conformance.simulators.provider import Answer, Call

__all__ = ["as_openai", "graph_of", "served"]


def graph_of(call: Call, *kinds: ModelKind) -> Graph | Answer:
    """The graph that the body names, or the server's refusal."""
    graph: Graph | None = call.state.graphs.get(call.body["model"])
    if graph is None:
        return problem_answer(404, "Mediapipe graph definition with requested name is not found")
    if graph.kind not in kinds:
        return problem_answer(400, f"Mediapipe execution failed. MP status - INVALID_ARGUMENT: Unsupported endpoint "
                                   f"{call.request.path}")  # fmt: skip
    return graph


def as_openai(call: Call, kind: ModelKind, size: int, name: str | None = None, **fields: Any) -> Call:
    """The call at an account with one model, which remembers nothing; ``name`` stands in where it decides something."""
    model = name or call.body["model"]
    return replace(
        call,
        body={**call.body, **fields, "model": model},
        state=Account(models={model: SimulatedModel(model, kind, size)}),
    )


def served(answer: Answer) -> Answer:
    """An answer of the OpenAI simulator with this server's errors: bare in streams, a text otherwise."""
    if answer.status >= 400 and answer.payload is not None:
        return problem_answer(
            answer.status, f"Mediapipe execution failed. MP status - INVALID_ARGUMENT: {answer.problem}"
        )
    if answer.stream is None:
        return answer
    return replace(answer, stream=replace(answer.stream, error=None, pings=None))
