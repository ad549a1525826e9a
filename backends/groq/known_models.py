"""What is known of Groq's models: what they do, limits, prices, retirements. Data in ``models.json``, dated and
sourced there.

It refuses only what cannot go well: a model asked for what it does not do, and one that was switched off. A name that
it does not know is sent; the service decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from backends.settings import nearest

__all__ = ["CATEGORIES", "KnownModel", "Prices", "catalogue", "default_model", "explain", "known_model", "price_facts"]

CATEGORIES: Final = ("chat", "vision", "system", "safety", "audio", "transcription", "translation", "speech")
"""What a model can be; most are several."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars; None is not known, 0.0 is free.

    Attributes:
        input, cached, output: per 1,000,000 tokens; ``cached`` is for input tokens that the service had in its cache.
        hour: per hour of sound heard.
        thousand_characters: per 1000 characters spoken.
        approximate: the figures are third-party and rounded; good for an estimate, not for a bill.
    """

    input: float | None = None
    cached: float | None = None
    output: float | None = None
    hour: float | None = None
    thousand_characters: float | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model of the catalogue.

    Attributes:
        id: its name in calls.
        categories: of :data:`CATEGORIES`.
        stage: ``production``, ``preview``, ``unlisted`` (seen in the API or SDK, not on the model page) or
            ``retired``.
        description: one sentence.
        context, max_output: in tokens, None where not known.
        images: whether it reads images; None is not known.
        efforts: values of ``reasoning_effort`` that it takes; empty where not known or none.
        voices: of a speech model, its default first.
        prices: what is known of them.
        retired: when it was switched off, ``YYYY-MM-DD``, None for a current model or an unknown date.
        named: what the vendor named in its place; may be gone itself.
        replacement: the current model to use in its place.
    """

    id: str
    categories: tuple[str, ...]
    stage: str
    description: str = ""
    context: int | None = None
    max_output: int | None = None
    images: bool | None = None
    efforts: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    prices: Prices = Prices()
    retired: str | None = None
    named: tuple[str, ...] = ()
    replacement: str | None = None

    @property
    def off(self) -> bool:
        """True when it was switched off."""
        return self.stage == "retired"

    def said(self) -> str:
        """Return a sentence about its retirement, empty for a current model."""
        if not self.off:
            return ""
        when = f" on {self.retired}" if self.retired else ""
        return f"{self.id} was switched off{when}; use {self.replacement}."


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _models() -> dict[str, KnownModel]:
    rows = [*_document()["models"], *({**row, "stage": "retired"} for row in _document()["retired"])]
    return {row["id"]: _model(row) for row in rows}


def _model(row: dict[str, Any]) -> KnownModel:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    fields["prices"] = Prices(**row.get("prices", {}))
    return KnownModel(**fields)


def known_model(name: str) -> KnownModel | None:
    """Return a model by its name, None where the catalogue does not have it."""
    return _models().get(name)


def catalogue(category: str | None = None, *, retired: bool = False) -> tuple[KnownModel, ...]:
    """Return the current models, or the retired ones.

    Args:
        category: only those that are this; one of :data:`CATEGORIES`.
        retired: the retired ones instead.

    Raises:
        ValueError: there is no such category.
    """
    if category is not None and category not in CATEGORIES:
        raise ValueError(f"category must be one of {', '.join(CATEGORIES)}, not {category!r}")
    return tuple(
        model for model in _models().values() if model.off == retired and (not category or category in model.categories)
    )


def default_model(kind: str) -> str:
    """Return the model of calls of a kind that name none: a cheap current one."""
    name: str = _document()["defaults"][kind]
    return name


def price_facts() -> tuple[str, str]:
    """Return from when the prices are (``YYYY-MM-DD``) and where they come from."""
    facts = _document()["prices"]
    return facts["as_of"], facts["source"]


def explain(name: str, seen: Iterable[str] = ()) -> tuple[str, tuple[str, ...]]:
    """Return a sentence about a model that the service did not know, and the names that may have been meant.

    Args:
        name: the model asked for.
        seen: names that the service itself has listed.
    """
    model = known_model(name)
    if model is not None and model.off:
        return model.said(), (model.replacement,) if model.replacement else ()
    current = [known.id for known in catalogue()]
    near = nearest(name, [other for other in dict.fromkeys((*seen, *current)) if other != name])
    if near:
        return "", near
    gone = [known_model(other) for other in nearest(name, [known.id for known in catalogue(retired=True)])]
    meant = tuple(dict.fromkeys(known.replacement for known in gone if known is not None and known.replacement))
    return "", meant or (default_model("chat"),)
