"""What several answers share: the model a request names, durations, time stamps, token counts, final metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.simulators.generation import Finish, Turn, count_tokens
from conformance.simulators.ollama.errors import problem_answer
from conformance.simulators.ollama.models import Server, StoredModel, is_name
from conformance.simulators.provider import Answer, Call

__all__ = [
    "DONE_REASON",
    "context_of",
    "is_streamed",
    "logprobs_of",
    "metrics",
    "missing",
    "model_for",
    "prompt_tokens",
    "seconds_of",
    "stamp",
    "touch",
]

DONE_REASON = {finish: "length" if finish is Finish.LIMIT else "stop" for finish in Finish}
"""A turn that calls tools ends with ``stop`` as well."""

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DEFAULT_KEEP_ALIVE = 300.0
_WARM, _COLD = 2_000_000, 1_300_000_000
_NANOSECONDS_OF_TOKEN = 10_000_000


def missing(name: str) -> Answer:
    """The 404 of a model that is not installed."""
    return problem_answer(404, f"model '{name[:200]}' not found")


def model_for(call: Call, *capabilities: str, verb: str = "chat") -> StoredModel | Answer:
    """The installed model the body names, or the server's refusal of a wrong name or of a model that cannot do it."""
    name = call.body["model"]
    if not is_name(name):
        return problem_answer(400, "invalid model name")
    state: Server = call.state
    model = state.find(name)
    if model is None:
        return missing(name)
    if model.remote and call.key is None:
        return problem_answer(401, "unauthorized")
    for capability in capabilities:
        if capability not in model.capabilities:
            what = verb if capability in ("completion", "embedding") else capability
            return problem_answer(400, f'"{name}" does not support {what}')
    return model


def seconds_of(keep_alive: Any) -> float:
    """``keep_alive`` in seconds."""
    if keep_alive is None:
        return _DEFAULT_KEEP_ALIVE
    if not isinstance(keep_alive, str):
        return float(keep_alive)
    sign = -1 if keep_alive.startswith("-") else 1
    pieces = re.findall(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", keep_alive)
    return sign * sum(float(number) * _UNITS[unit] for number, unit in pieces)


def touch(call: Call, model: StoredModel) -> int:
    """Load the model if need be and note how long it stays; nanoseconds of loading."""
    cold = call.state.keep(model, seconds_of(call.body.get("keep_alive")))
    return _COLD if cold else _WARM


def stamp(nonce: str, index: int) -> str:
    """``created_at`` of the object number ``index``: a fraction of up to nine digits, trailing zeros cut."""
    fraction = f"{(int(nonce[:8], 16) + index * _NANOSECONDS_OF_TOKEN) % 10**9:09d}".rstrip("0")
    return f"2026-05-01T10:00:00{'.' + fraction if fraction else ''}Z"


def is_streamed(body: Mapping[str, Any]) -> bool:
    """An absent ``stream`` means yes."""
    return body.get("stream") is not False


def context_of(body: Mapping[str, Any], model: StoredModel) -> int:
    """Tokens of context: the request's, the model's own parameter, what it was made for."""
    options = body.get("options") or {}
    return int(options.get("num_ctx") or model.parameters.get("num_ctx") or model.context)


def metrics(nonce: str, load: int, asked: int, said: int) -> dict[str, int]:
    """Counts and nanoseconds of the final object; zeros are left out."""
    reading = asked * 1_000_000 + int(nonce[:4], 16)
    writing = said * _NANOSECONDS_OF_TOKEN + int(nonce[4:8], 16) if said else 0
    figures = {
        "total_duration": load + reading + writing,
        "load_duration": load,
        "prompt_eval_count": asked,
        "prompt_eval_duration": reading if asked else 0,
        "eval_count": said,
        "eval_duration": writing,
    }
    return {name: value for name, value in figures.items() if value}


def logprobs_of(turn: Turn | Sequence[str], top: int) -> list[dict[str, Any]]:
    """One entry for each token."""
    tokens = turn.tokens if isinstance(turn, Turn) else turn
    entries = []
    for token in tokens:
        value = -round(0.05 + (len(token) % 7) / 10, 2)
        entry: dict[str, Any] = {"token": token, "logprob": value, "bytes": list(token.encode())}
        others = [token, *(f"{token}{chr(97 + index)}" for index in range(top - 1))][:top]
        if others:
            entry["top_logprobs"] = [
                {"token": other, "logprob": round(value - place, 2), "bytes": list(other.encode())}
                for place, other in enumerate(others)
            ]
        entries.append(entry)
    return entries


def prompt_tokens(texts: Sequence[str], images: int = 0) -> int:
    """Tokens of a prompt: four for each message, 256 for each image."""
    return sum(map(count_tokens, texts)) + 4 * len(texts) + 256 * images
