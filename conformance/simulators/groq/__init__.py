"""The simulated Groq (wire state 2026-11): chat, responses, audio, models, files, batches.

It lives below ``/openai/v1`` as the service does, so its official client takes the mount as its base URL and clients of
the OpenAI dialect take ``.../openai/v1``. Deliberately absent, and answered with a 404: embeddings (no model is left),
images, moderation, text completion.
"""

from __future__ import annotations

from conformance.simulators.groq import errors
from conformance.simulators.groq.framing import frame
from conformance.simulators.groq.models import Organisation
from conformance.simulators.groq.routes import ROUTES
from conformance.simulators.provider import Call, Event, Part, Provider

__all__ = ["PROVIDER"]

_LIMITS = (
    ("x-ratelimit-limit-requests", "500000"),
    ("x-ratelimit-limit-tokens", "250000"),
    ("x-ratelimit-remaining-requests", "499999"),
    ("x-ratelimit-remaining-tokens", "249900"),
    ("x-ratelimit-reset-requests", "172.8ms"),
    ("x-ratelimit-reset-tokens", "24ms"),
)
"""One request of a day's and a hundred tokens of a minute's are used, so the windows are full again soon."""


def _headers(call: Call) -> tuple[tuple[str, str], ...]:
    return (("x-request-id", f"req_{call.nonce}"), *_LIMITS)


PROVIDER = Provider(
    name="groq",
    mount="/groq",
    routes=ROUTES,
    new_state=Organisation,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=frame,
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
