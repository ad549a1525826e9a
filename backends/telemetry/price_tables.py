"""Price tables as data: the file of a vendor (``backends/<row>/prices.json``) and the mapping of a caller, read alike.

A row names its figures, its source and its date; a name that means nothing is refused with the nearest one, so that no
price is given and then ignored. Nothing here computes a cost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from backends.errors import ConfigurationError
from backends.settings import nearest
from backends.telemetry.prices import RATE_NAMES, ModelPrices, PriceTable, Rates

__all__ = ["given_prices", "vendor_prices"]

_GIVEN: Final = "given by the caller"
_ROW_NAMES: Final = (*RATE_NAMES, "tiers", "steps", "aliases", "source", "as_of", "approximate")
_ABOVE: Final = "above_input_tokens"


@cache
def vendor_prices(row: str) -> PriceTable:
    """Return the prices that are known of a vendor, by row name (``claude``); empty where none are. Reads a file once."""
    path = Path(__file__).parents[1] / row / "prices.json"
    if not path.is_file():
        return PriceTable()
    document = json.loads(path.read_text(encoding="utf-8"))
    return _table({entry["id"]: {name: entry[name] for name in entry if name != "id"} for entry in document["models"]})


def given_prices(prices: Any) -> PriceTable:
    """Return a caller's own prices.

    Args:
        prices: by model name, or ``"*"`` for every model without a row of its own: a mapping of the names in
            :class:`~backends.telemetry.prices.Rates` to US dollars, and optionally ``tiers`` (name to factor),
            ``steps`` (a list of such mappings with ``above_input_tokens``), ``aliases``, ``source`` and ``as_of``.

    Raises:
        ConfigurationError: a name is unknown or a figure is none; the message names it.
    """
    if not isinstance(prices, Mapping):
        _refuse(f"prices must be a mapping of model names, not {type(prices).__name__}")
    return _table(prices)


def _table(prices: Mapping[Any, Any]) -> PriceTable:
    rows: dict[str, ModelPrices] = {}
    for model, row in prices.items():
        if not isinstance(model, str) or not model:
            _refuse("prices: a model's name must be text")
        where = f"prices[{model!r}]"
        if not isinstance(row, Mapping):
            _refuse(f"{where} must be a mapping, not {type(row).__name__}")
        _known(row, _ROW_NAMES, where)
        made = ModelPrices(
            model,
            _rates(row, where),
            _text(row, "source", where) or _GIVEN,
            _text(row, "as_of", where),
            row.get("approximate") is True,
            _tiers(row.get("tiers", {}), where),
            _steps(row.get("steps", ()), where),
        )
        for name in (model, *_aliases(row.get("aliases", ()), where)):
            if name in rows:
                _refuse(f"{where}: {name!r} has a price already")
            rows[name] = made
    return PriceTable(rows)


def _rates(row: Mapping[str, Any], where: str) -> Rates:
    return Rates(**{name: _figure(row[name], f"{where}[{name!r}]") for name in RATE_NAMES if row.get(name) is not None})


def _tiers(tiers: Any, where: str) -> Mapping[str, float]:
    if not isinstance(tiers, Mapping):
        _refuse(f"{where}['tiers'] must be a mapping of tier names to factors")
    return {str(name): _figure(factor, f"{where}['tiers'][{name!r}]") for name, factor in tiers.items()}


def _steps(steps: Any, where: str) -> tuple[tuple[int, Rates], ...]:
    if not isinstance(steps, list | tuple) or not all(isinstance(step, Mapping) for step in steps):
        _refuse(f"{where}['steps'] must be a list of mappings")
    found = []
    for index, step in enumerate(steps):
        place = f"{where}['steps'][{index}]"
        _known(step, (*RATE_NAMES, _ABOVE), place)
        above = step.get(_ABOVE)
        if type(above) is not int or above < 0:
            _refuse(f"{place}[{_ABOVE!r}] must be a whole number of tokens")
        found.append((above, _rates(step, place)))
    return tuple(found)


def _aliases(aliases: Any, where: str) -> tuple[str, ...]:
    if not isinstance(aliases, list | tuple) or not all(isinstance(name, str) and name for name in aliases):
        _refuse(f"{where}['aliases'] must be a list of model names")
    return tuple(aliases)


def _figure(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        _refuse(f"{where} must be a number of US dollars, 0 or more, or None, not {value!r}")
    return float(value)


def _text(row: Mapping[str, Any], name: str, where: str) -> str | None:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        _refuse(f"{where}[{name!r}] must be text")
    return value


def _known(row: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in row:
        if name not in names:
            raise ConfigurationError(f"{where}: unknown name {name!r}.", suggestions=nearest(str(name), names))


def _refuse(message: str) -> NoReturn:
    raise ConfigurationError(f"{message}.")
