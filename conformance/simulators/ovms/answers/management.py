"""``/v1/config``, ``/v1/config/reload`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.simulators.ovms.errors import problem_answer
from conformance.simulators.ovms.models import Server
from conformance.simulators.provider import Answer, Call

__all__ = ["config", "metrics", "reload", "versions_of"]

_MICROSECONDS = 1_500


def versions_of(state: str, versions: tuple[str, ...]) -> dict[str, Any]:
    """The versions of one model with their status."""
    status = {"error_code": "OK", "error_message": "OK"}
    return {"model_version_status": [{"version": one, "state": state, "status": status} for one in versions]}


def _config(server: Server) -> dict[str, Any]:
    models = {name: versions_of(server.state_of(name), model.versions) for name, model in server.models.items()}
    return {**models, **{name: versions_of("AVAILABLE", ("1",)) for name in server.graphs}}


def config(call: Call) -> Answer:
    """Every model and graph."""
    return Answer(payload=_config(call.state))


def reload(call: Call) -> Answer:
    """The same; 201 where the file differed from what was loaded."""
    changed, call.state.stale = call.state.stale, False
    return Answer(201 if changed else 200, payload=_config(call.state))


def metrics(call: Call) -> Answer:
    """Counters of what was inferred, a histogram whose every request took the same time, and a label to escape."""
    if not call.state.metrics:
        return problem_answer(400, "Invalid request URL")
    text = "\n".join(_lines(call.state)) + "\n"
    return Answer(body=text.encode(), content_type="text/plain; version=0.0.4")


def _lines(server: Server) -> Iterator[str]:
    keys = sorted({(name, version) for name, model in server.models.items() for version in model.versions})
    for family, counts in (("ovms_requests_success", server.succeeded), ("ovms_requests_fail", server.failed)):
        yield f"# HELP {family} Number of requests to a model or a DAG."
        yield f"# TYPE {family} counter"
        for name, version in keys:
            labels = f'api="KServe",interface="REST",method="ModelInfer",name="{name}",version="{version}"'
            yield f"{family}{{{labels}}} {counts[name, version]}"
    for family in ("ovms_request_time_us", "ovms_inference_time_us", "ovms_wait_for_infer_req_time_us"):
        yield f"# TYPE {family} histogram"
        for name, version in keys:
            number = server.succeeded[name, version]
            labels = f'name="{name}",version="{version}"'
            yield f"{family}_count{{{labels}}} {number}"
            yield f"{family}_sum{{{labels}}} {number * _MICROSECONDS}.000000"
            yield f'{family}_bucket{{{labels},le="10000"}} {number}'
            yield f'{family}_bucket{{{labels},le="+Inf"}} {number}'
    yield "# TYPE ovms_current_requests gauge"
    yield from (f'ovms_current_requests{{name="{name}",version="{version}"}} 0' for name, version in keys)
    yield "# TYPE ovms_current_graphs gauge"
    yield from (f'ovms_current_graphs{{name="{name}"}} 0' for name in server.graphs)
