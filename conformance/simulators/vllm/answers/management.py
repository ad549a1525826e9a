"""What is served and how the server fares; LoRA adapters, sleep, caches."""

from __future__ import annotations

from urllib.parse import parse_qsl

from conformance.simulators.provider import Answer, Call
from conformance.simulators.vllm.errors import problem_answer
from conformance.simulators.vllm.models import ServedModel, Task

__all__ = [
    "health",
    "is_sleeping",
    "list_models",
    "load",
    "load_lora",
    "metrics",
    "reset_prefix_cache",
    "sleep",
    "unload_lora",
    "version",
    "wake_up",
]

_PARTS = ("weights", "kv_cache")


def list_models(call: Call) -> Answer:
    """Names of models, then adapters."""
    models = sorted(call.state.models.values(), key=lambda model: model.parent is not None)
    return Answer(payload={"object": "list", "data": [model.as_json() for model in models]})


def health(call: Call) -> Answer:
    """Nothing, and that is good."""
    return Answer(content_type=None)


def version(call: Call) -> Answer:
    """``GET /version``."""
    return Answer(payload={"version": "0.32.0"})


def load(call: Call) -> Answer:
    """No request is on its way while this one is answered."""
    return Answer(payload={"server_load": 0})


def metrics(call: Call) -> Answer:
    """A few families as Prometheus reads them: gauges, counters, a histogram."""
    state = call.state
    name = next(iter(state.models))
    own = f'engine="0",model_name="{name}"'
    awake = int(not state.asleep)
    lines = [
        "# HELP vllm:num_requests_running Number of requests in model execution batches.",
        "# TYPE vllm:num_requests_running gauge",
        f"vllm:num_requests_running{{{own}}} 0.0",
        f"vllm:num_requests_waiting{{{own}}} 0.0",
        f"vllm:kv_cache_usage_perc{{{own}}} 0.0",
        f'vllm:engine_sleep_state{{{own},sleep_state="awake"}} {awake}.0',
        f'vllm:engine_sleep_state{{{own},sleep_state="weights_offloaded"}} {int(not awake and not state.discarded)}.0',
        f'vllm:engine_sleep_state{{{own},sleep_state="discard_all"}} {int(state.discarded)}.0',
        "# TYPE vllm:prompt_tokens counter",
        f"vllm:prompt_tokens_total{{{own}}} {float(state.prompt_tokens)}",
        f"vllm:generation_tokens_total{{{own}}} {float(state.generation_tokens)}",
        f'vllm:request_success_total{{{own},finished_reason="stop"}} {float(state.served)}',
        "# TYPE vllm:e2e_request_latency_seconds histogram",
        f'vllm:e2e_request_latency_seconds_bucket{{{own},le="0.3"}} {float(state.served)}',
        f'vllm:e2e_request_latency_seconds_bucket{{{own},le="+Inf"}} {float(state.served)}',
        f"vllm:e2e_request_latency_seconds_count{{{own}}} {float(state.served)}",
        f"vllm:e2e_request_latency_seconds_sum{{{own}}} {state.served * 0.125}",
    ]
    text = "\n".join(lines) + "\n"
    return Answer(body=text.encode(), content_type="text/plain; version=0.0.4; charset=utf-8")


def load_lora(call: Call) -> Answer:
    """Add an adapter to the first model that generates; the answer is plain text."""
    name, path = call.body["lora_name"], call.body["lora_path"]
    models = call.state.models
    if not name or not path:
        return problem_answer(400, "Both 'lora_name' and 'lora_path' must be provided.", kind="InvalidUserInput")
    if name in models and not call.body.get("load_inplace"):
        message = (
            f"The lora adapter '{name[:200]}' has already been loaded. If you want to load the adapter in place, set "
            "'load_inplace' to True."
        )
        return problem_answer(400, message, kind="InvalidUserInput")
    if "missing" in path:
        return problem_answer(404, f"Loading lora {name[:200]} failed: No adapter found for {path[:200]}")
    base = call.state.first([Task.GENERATE])
    models[name] = ServedModel(name, max_model_len=None, root=path, parent=base.id)
    return _said(f"Success: LoRA adapter '{name}' added successfully.")


def unload_lora(call: Call) -> Answer:
    """Let an adapter go."""
    name = call.body["lora_name"]
    model = call.state.models.get(name)
    if model is None or model.parent is None:
        return problem_answer(404, f"The lora adapter '{name[:200]}' cannot be found.")
    del call.state.models[name]
    return _said(f"Success: LoRA adapter '{name}' removed successfully.")


def _said(text: str) -> Answer:
    return Answer(body=text.encode(), content_type="text/plain; charset=utf-8")


def sleep(call: Call) -> Answer:
    """Everything sleeps; level 2 throws the weights away."""
    call.state.asleep = set(_PARTS)
    call.state.discarded = call.request.parameters.get("level") == "2"
    return Answer(content_type=None)


def wake_up(call: Call) -> Answer:
    """What is named wakes, everything unless something is; tags are repeated in the query."""
    tags = {value for name, value in parse_qsl(call.request.query) if name == "tags"}
    call.state.asleep -= tags or set(_PARTS)
    call.state.discarded = call.state.discarded and bool(call.state.asleep)
    return Answer(content_type=None)


def is_sleeping(call: Call) -> Answer:
    """Whether anything sleeps."""
    return Answer(payload={"is_sleeping": bool(call.state.asleep)})


def reset_prefix_cache(call: Call) -> Answer:
    """Forget prefixes."""
    call.state.resets += 1
    return Answer(content_type=None)
