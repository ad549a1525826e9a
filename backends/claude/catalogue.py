"""What is known of Claude models: names, retirement dates, successors. Data in ``models.json``, dated and sourced there.

The service decides what exists; nothing here refuses a model before it was asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backends.settings import nearest

__all__ = ["Known", "explain", "known_models"]


@dataclass(frozen=True, slots=True)
class Known:
    """One model, and when it retires for what, if announced (dates as ``YYYY-MM-DD``)."""

    id: str
    retires: str | None = None
    replacement: str | None = None


@cache
def known_models() -> dict[str, Known]:
    """Return the models by name."""
    document = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))
    return {row["id"]: Known(**row) for row in document["models"]}


def explain(name: str) -> tuple[str, tuple[str, ...]]:
    """Return a sentence about a model that the service did not know, and the names that may have been meant.

    A retired model is told with its date and successor; what retires is not suggested while anything else is near.
    """
    models = known_models()
    model = models.get(name)
    if model is not None and model.retires is not None and model.replacement is not None:
        return f"{name} retires on {model.retires} or has retired; use {model.replacement}.", (model.replacement,)
    others = [known for known in models.values() if known.id != name]
    current = nearest(name, [known.id for known in others if known.retires is None])
    return "", current or nearest(name, [known.id for known in others])
