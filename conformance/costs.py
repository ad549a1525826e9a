"""What answers must cost: a provider's own cases as data, beside its subject, for the check of TRK-08. Nothing is judged
here.

``conformance/subjects/<name>_costs.py`` holds ``COSTS``, and the subject's expectations name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["OWN_PRICES", "CostCase", "Costs"]

OWN_PRICES: Final[Mapping[str, Any]] = {
    "input": 2.0,
    "cached_input": 0.5,
    "cache_write": 2.5,
    "cache_write_1h": 4.0,
    "output": 8.0,
    "reasoning": 16.0,
    "audio_input": 40.0,
    "audio_output": 80.0,
    "tiers": {"flex": 0.5},
    "source": "made up for the contract",
    "as_of": "2026-11-01",
}
"""Prices for a provider of which none are known: every kind has one of its own, so that no two can be confused."""


@dataclass(frozen=True, slots=True)
class CostCase:
    """One answer and its price.

    Attributes:
        about: what is special about it.
        changes: fields of the answer and what the server puts there.
        dollars: what it costs; None where nobody can know.
    """

    about: str
    changes: Mapping[str, Any]
    dollars: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The price cases of one provider.

    Attributes:
        model: the model asked for.
        model_field: where the answer names its model.
        cases: answers and their prices.
        prices: given to the backend; None leaves it to the vendor's table.
        rates: dollars for a million tokens of fresh input, cached input and output of that model, for answers whose
            counts are the server's own.
        bound: options of the call that bound its output.
    """

    model: str
    model_field: str
    cases: tuple[CostCase, ...]
    rates: tuple[float, float, float]
    prices: Mapping[str, Any] | None = None
    bound: Mapping[str, Any]
