"""What whole and streamed chat answers are made of: the style of a service, calls, log-probabilities, sound."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.simulators.generation import Finish, Turn
from conformance.simulators.openai.answers.media import wave
from conformance.simulators.openai.models import EPOCH
from conformance.simulators.provider import Call

__all__ = ["FINISH", "REASONING_TOKENS", "Style", "base_of", "calls_of", "logprobs_of", "sound_of"]

REASONING_TOKENS = {"minimal": 8, "low": 16, "medium": 32, "high": 64, "xhigh": 128, "max": 256}
FINISH = {
    Finish.END: "stop",
    Finish.STOP_SEQUENCE: "stop",
    Finish.LIMIT: "length",
    Finish.TOOLS: "tool_calls",
    Finish.FILTER: "content_filter",
    Finish.REFUSAL: "stop",
}


@dataclass(frozen=True, slots=True)
class Style:
    """Where services of this dialect differ: extra fields of a message and a chunk, the fingerprint, the padding."""

    id_prefix: str = "chatcmpl-"
    fingerprint: str | None = "fp_simulated"
    message: Mapping[str, Any] = field(default_factory=lambda: {"refusal": None, "annotations": []})
    first_delta: Mapping[str, Any] = field(
        default_factory=lambda: {"role": "assistant", "content": "", "refusal": None}
    )
    obfuscate: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further top-level fields of every answer and chunk."""


def logprobs_of(token: str, top: int) -> dict[str, Any]:
    """The entry of one token; the alternatives are the token itself and made-up ones of falling likelihood."""
    value = -round(0.05 + (len(token) % 7) / 10, 2)
    entry: dict[str, Any] = {"token": token, "logprob": value, "bytes": list(token.encode())}
    others = [token, *(f"{token}{chr(97 + index)}" for index in range(top - 1))][:top]
    entry["top_logprobs"] = [
        {"token": other, "logprob": round(value - place, 2), "bytes": list(other.encode())}
        for place, other in enumerate(others)
    ]
    return entry


def calls_of(call: Call, turn: Turn) -> list[dict[str, Any]]:
    """The turn's tool calls; ids carry the nonce."""
    calls: list[dict[str, Any]] = []
    for index, use in enumerate(turn.tool_uses):
        kind, text = ("custom", "input") if use.free_text else ("function", "arguments")
        inner = {"name": use.name, text: use.arguments}
        calls.append({"id": f"call_{call.nonce}{index}", "type": kind, kind: inner})
    return calls


def base_of(call: Call, style: Style, kind: str) -> dict[str, Any]:
    """The top-level fields that an answer and each of its chunks share."""
    base = {
        "id": style.id_prefix + call.nonce,
        "object": kind,
        "created": EPOCH,
        "model": call.body["model"],
        **style.extra,
    }
    if style.fingerprint is not None:
        base["system_fingerprint"] = style.fingerprint
    return base


def sound_of(call: Call, turn: Turn) -> dict[str, Any]:
    """The spoken answer: a WAV in base64 and its transcript."""
    data = base64.b64encode(wave(call.nonce)).decode()
    return {"id": f"audio_{call.nonce}", "data": data, "expires_at": EPOCH + 3600, "transcript": turn.text}
