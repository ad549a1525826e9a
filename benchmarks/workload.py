"""What is asked and answered: one realistic exchange, the same bytes for every client.

The size matters more than the words: an answer of a few hundred tokens with the vendor's usual headers, a stream of one
token per event. Nothing here measures.
"""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["ANSWER_TEXT", "KEY", "MESSAGES", "MODEL", "STREAM_TEXT", "STREAM_TOKENS", "answer", "stream_events"]

MODEL: Final = "gpt-4o-mini"
KEY: Final = "sk-benchmark-not-a-secret"
MESSAGES: Final[list[dict[str, Any]]] = [
    {
        "role": "system",
        "content": "You are the support assistant of a shop for bicycle parts. Answer in at most three sentences, name "
        "the part number where there is one, and say so when you do not know.",
    },
    {
        "role": "user",
        "content": "My rear derailleur skips under load on the three smallest sprockets since I changed the chain. The "
        "cassette has 9,000 km, the chain is new, the hanger was straightened last year. What should I check first, "
        "and which tool do I need for it?",
    },
]
ANSWER_TEXT: Final = (
    "A new chain on a cassette with 9,000 km is the likely cause: the worn teeth of the small sprockets no longer "
    "hold it under load. Check the cassette with a wear gauge first; if the teeth are hooked, replace it, for which "
    "you need a lock-ring tool and a chain whip. If the cassette is fine, check the hanger with an alignment gauge "
    "before you touch the cable tension."
)
STREAM_TOKENS: Final = 400
_WORDS: Final = ANSWER_TEXT.split(" ")
_TOKENS: Final = [" " + _WORDS[index % len(_WORDS)] for index in range(STREAM_TOKENS)]
STREAM_TEXT: Final = "".join(_TOKENS)


def answer() -> bytes:
    """Return the body of a whole chat completion."""
    return json.dumps(
        {
            "id": "chatcmpl-BenchmarkAnswer00000000000001",
            "object": "chat.completion",
            "created": 1_760_000_000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": ANSWER_TEXT, "refusal": None, "annotations": []},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 104,
                "completion_tokens": 91,
                "total_tokens": 195,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 0,
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 0,
                    "rejected_prediction_tokens": 0,
                },
            },
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
        },
        indent=2,  # as the vendor sends it
    ).encode()


def stream_events() -> list[bytes]:
    """Return the events of a streamed chat completion: a role, one token each, a finish reason, the terminator."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas.extend({"content": token} for token in _TOKENS)
    events = [_event(delta, None) for delta in deltas]
    events.append(_event({}, "stop"))
    events.append(b"data: [DONE]\n\n")
    return events


def _event(delta: dict[str, Any], finish_reason: str | None) -> bytes:
    chunk = {
        "id": "chatcmpl-BenchmarkStream0000000000001",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"
