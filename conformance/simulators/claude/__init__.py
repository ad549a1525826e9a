"""The simulated Claude (wire state 2026-11): messages, token counts, message batches, files, models, in both versions
of the API.

Deliberately absent: skills, user profiles, the administration of organisations, OAuth, and what the server's own tools
would do (their definitions are taken and nothing is made of them). Unknown beta names are ignored. Prompt caching is
real in its counts: a prefix of 1024 tokens or more that ends at a breakpoint is written once and read from then on.
"""

from __future__ import annotations

from conformance.simulators.claude import errors
from conformance.simulators.claude.framing import frame
from conformance.simulators.claude.models import Account
from conformance.simulators.claude.routes import ROUTES
from conformance.simulators.provider import Call, Event, Part, Provider

__all__ = ["PROVIDER"]

_RESET = "2026-10-30T12:00:01Z"
_LIMITS = tuple(
    (f"anthropic-ratelimit-{kind}-{what}", value)
    for kind, limit, left in (
        ("requests", "4000", "3999"),
        ("tokens", "2800000", "2799000"),
        ("input-tokens", "2000000", "1999000"),
        ("output-tokens", "800000", "800000"),
    )
    for what, value in (("limit", limit), ("remaining", left), ("reset", _RESET))
)


def _headers(call: Call) -> tuple[tuple[str, str], ...]:
    return (("request-id", f"req_{call.nonce}"), ("anthropic-organization-id", "org-simulated"), *_LIMITS)


PROVIDER = Provider(
    name="claude",
    mount="/claude",
    routes=ROUTES,
    new_state=Account,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=frame,
    not_found=errors.not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
    headers=_headers,
    pings=(
        Event({"type": "ping"}, part=Part.EXTRA),
        Event(raw=b": keep-alive\n\n", part=Part.EXTRA),
        Event({"type": "weather_report", "sunny": True}, part=Part.EXTRA),
    ),
)
