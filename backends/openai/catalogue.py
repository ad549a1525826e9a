"""What is known of OpenAI's models: kinds, retirement dates, successors. Data in ``models.json``, dated and sourced
there.

The service decides what exists; nothing here refuses a model before it was asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from backends.settings import nearest

__all__ = ["Known", "default_model", "explain", "known_models"]


@dataclass(frozen=True, slots=True)
class Known:
    """One model: its kind, and when it retires for what, if announced (dates as ``YYYY-MM-DD``)."""

    id: str
    kind: str
    retires: str | None = None
    replacement: str | None = None


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))
    return loaded


@cache
def known_models() -> dict[str, Known]:
    """Return the models by name."""
    return {row["id"]: Known(**row) for row in _document()["models"]}


def default_model(kind: str) -> str:
    """Return the model of calls of a kind that name none: a cheap current one."""
    name: str = _document()["defaults"][kind]
    return name


def explain(name: str) -> tuple[str, tuple[str, ...]]:
    """Return a sentence about a model that the service did not know, and the names that may have been meant.

    A retired model is told with its date and successor; what retires is not suggested while anything else is near.
    """
    models = known_models()
    model = models.get(name)
    if model is not None and model.retires is not None:
        successor = f"; use {model.replacement}" if model.replacement else ""
        said = f"{name} retires on {model.retires} or has retired{successor}."
        return said, (model.replacement,) if model.replacement else _near(name, model.kind)
    return "", _near(name, model.kind if model is not None else None)


def _near(name: str, kind: str | None) -> tuple[str, ...]:
    candidates = [model for model in known_models().values() if model.id != name and kind in (None, model.kind)]
    current = nearest(name, [model.id for model in candidates if model.retires is None])
    return current or nearest(name, [model.id for model in candidates])
