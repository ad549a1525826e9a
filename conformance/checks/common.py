"""What several chapters need to set a scene: endpoints on a second server, calls told apart at the wire. It judges nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from conformance.simulators.generation import numeral
from conformance.simulators.record import Seen
from conformance.simulators.server import Simulator
from conformance.trial import Trial

__all__ = ["ENDPOINT_KEY", "elsewhere", "made", "marked", "shows", "texts"]

ENDPOINT_KEY: Final = "sk-endpoint-9d2f61c07b3e4a58"
"""The key of a second endpoint."""


def elsewhere(trial: Trial, other: Simulator) -> dict[str, Any]:
    """Return arguments of ``create_endpoint`` for the subject's provider on another server, with a key of its own."""
    provider = trial.subject.provider
    place = other.base_url(provider) if provider is not None else other.origin
    return {"base_url": place, "api_key": ENDPOINT_KEY}


async def made(call: Callable[[], Any]) -> Any:
    """Make a call of any kind: one that raises at once, one to await, a stream."""
    result = call()
    if hasattr(result, "collect"):
        result = result.collect()
    return await result if inspect.isawaitable(result) else result


def marked(number: int) -> str:
    """Return a text that tells one call from another at the wire."""
    return f"call-number-{number:04d}"


def shows(nonce: str, written: str) -> bool:
    """Say whether a nonce stands in what was written, as text or, where an answer has only numbers, as a number."""
    return nonce in written or repr(numeral(nonce)) in written


def texts(seen: list[Seen]) -> list[str]:
    """Return which marked call each request belongs to, in order of arrival (it stands in the body, path or query)."""
    found = []
    for request in seen:
        everything = request.body.decode("utf-8", "replace") + request.path + request.query
        start = everything.find("call-number-")
        found.append(everything[start : start + 16] if start >= 0 else "")
    return found
