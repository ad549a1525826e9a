"""What the server says of itself: ``/info``, health, ``/metrics``, ``/v1/models``."""

from __future__ import annotations

from conformance.simulators.hf_tgi.models import VERSION, Server
from conformance.simulators.provider import Answer, Call

__all__ = ["health", "info", "metrics", "models"]


def info(call: Call) -> Answer:
    """``GET /info``."""
    server: Server = call.state
    return Answer(
        payload={
            "model_id": server.model_id,
            "model_sha": "0123456789abcdef0123456789abcdef01234567",
            "model_pipeline_tag": "text-generation",
            "max_concurrent_requests": server.max_concurrent_requests,
            "max_best_of": server.max_best_of,
            "max_stop_sequences": server.max_stop_sequences,
            "max_input_tokens": server.max_input_tokens,
            "max_total_tokens": server.max_total_tokens,
            "validation_workers": 2,
            "max_client_batch_size": server.max_client_batch_size,
            "router": "text-generation-router",
            "version": VERSION,
            "sha": None,
            "docker_label": None,
        }
    )


def health(call: Call) -> Answer:
    """``GET /health``, ``/`` and ``/ping``: nothing is good news."""
    return Answer(content_type=None)


def models(call: Call) -> Answer:
    """``GET /v1/models``."""
    name = call.state.model_id
    return Answer(payload={"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": name}]})


def metrics(call: Call) -> Answer:
    """``GET /metrics``."""
    counts = call.state.counts
    lines = ["# TYPE tgi_request_count counter", f"tgi_request_count {counts['request_count']}"]
    lines += ["# TYPE tgi_request_success counter", f"tgi_request_success {counts['request_success']}"]
    lines += ["# TYPE tgi_request_failure counter"]
    lines += [f'tgi_request_failure{{err="validation"}} {counts["failure validation"]}']
    for name, total in (("tgi_request_generated_tokens", "generated"), ("tgi_request_input_length", "asked")):
        lines += [f"# TYPE {name} histogram", f'{name}_bucket{{le="+Inf"}} {counts["request_success"]}']
        lines += [f"{name}_sum {counts[total]}", f"{name}_count {counts['request_success']}"]
    lines += ["# TYPE tgi_queue_size gauge", "tgi_queue_size 0", "# TYPE tgi_batch_current_size gauge"]
    lines += ["tgi_batch_current_size 0", ""]
    return Answer(body="\n".join(lines).encode(), content_type="text/plain; charset=utf-8")
