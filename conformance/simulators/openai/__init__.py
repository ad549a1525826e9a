"""The simulated OpenAI (wire state 2026-11): chat, responses, completions, embeddings, media, files, batches, models.

Deliberately absent, and answered with the real service's 404: assistants and threads (switched off 2026-08-26),
image variations, and everything the library does not use (fine-tuning, vector stores, realtime, administration).
"""

from __future__ import annotations

from conformance.simulators.openai import errors
from conformance.simulators.openai.models import Account
from conformance.simulators.openai.routes import ROUTES
from conformance.simulators.provider import Call, Event, Part, Provider

__all__ = ["PROVIDER"]

_LIMITS = (
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-limit-tokens", "2000000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-remaining-tokens", "1999900"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-reset-tokens", "3ms"),
    ("openai-organization", "org-simulated"),
    ("openai-processing-ms", "7"),
    ("openai-version", "2020-10-01"),
)


def _headers(call: Call) -> tuple[tuple[str, str], ...]:
    return (("x-request-id", f"req_{call.nonce}"), *_LIMITS)


PROVIDER = Provider(
    name="openai",
    mount="/openai",
    suffix="/v1",
    routes=ROUTES,
    new_state=Account,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=errors.frame,
    not_found=errors.not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
    headers=_headers,
    pings=(
        Event(raw=b": keep-alive\n\n", part=Part.EXTRA),
        Event(raw=b"event: ping\ndata: {}\n\n", part=Part.EXTRA),
        Event({"object": "chat.completion.chunk", "choices": []}, part=Part.EXTRA),
    ),
)
