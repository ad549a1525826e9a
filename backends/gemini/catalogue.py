"""What is known of Gemini's models: kinds, retirement dates, successors. Data only; state of 2026-11.

Source: ai.google.dev/gemini-api/docs/deprecations. The service decides what exists; nothing here refuses a model before
it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backends.settings import nearest

__all__ = ["DEFAULTS", "KNOWN", "Known", "bare_name", "explain", "full_name"]


@dataclass(frozen=True, slots=True)
class Known:
    """One model: ``chat``, ``embedding`` or ``image``; when it retires for what, if announced (``YYYY-MM-DD``)."""

    kind: str
    retires: str | None = None
    replacement: str | None = None


KNOWN: Final[dict[str, Known]] = {
    "gemini-3.8-flash": Known("chat"),
    "gemini-3.7-flash": Known("chat"),
    "gemini-3.6-flash": Known("chat"),
    "gemini-3.5-flash": Known("chat"),
    "gemini-3.5-flash-lite": Known("chat"),
    "gemini-3.1-flash-lite": Known("chat", "2027-05-07", "gemini-3.5-flash-lite"),
    "gemini-2.5-pro": Known("chat", "2026-12-01", "gemini-3.8-flash"),
    "gemini-2.5-flash": Known("chat", "2026-12-01", "gemini-3.5-flash-lite"),
    "gemini-2.0-flash": Known("chat", "2026-06-01", "gemini-3.5-flash"),
    "gemini-2.0-flash-lite": Known("chat", "2026-06-01", "gemini-3.5-flash-lite"),
    "gemini-3.1-flash-image": Known("image"),
    "gemini-3-pro-image": Known("image"),
    "gemini-embedding-2": Known("embedding"),
    "gemini-embedding-001": Known("embedding"),
    "text-embedding-004": Known("embedding", "2026-01-14", "gemini-embedding-001"),
}
DEFAULTS: Final = {
    "chat": "gemini-3.5-flash-lite",
    "embedding": "gemini-embedding-001",
    "image": "gemini-3.1-flash-image",
}
"""The model of calls of a kind that name none: a cheap current one."""


def bare_name(model: str) -> str:
    """Return a model's name without ``models/``."""
    return model.removeprefix("models/")


def full_name(model: str) -> str:
    """Return a model's name with its collection."""
    return model if model.startswith("tunedModels/") else f"models/{model}"


def explain(model: str) -> tuple[str, tuple[str, ...]]:
    """Return a sentence about a model that the service did not know, and the names that may have been meant."""
    name = bare_name(model)
    known = KNOWN.get(name)
    if known is not None and known.retires is not None and known.replacement is not None:
        return f"{name} retires on {known.retires} or has retired; use {known.replacement}.", (known.replacement,)
    current = [other for other, entry in KNOWN.items() if entry.retires is None and other != name]
    return "", nearest(name, current)
