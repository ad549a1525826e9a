"""What usage costs in US dollars: prices as values, and the arithmetic that charges every part of a reply once.

The detail counts of :class:`~backends.types.Usage` are contained in its two main counts, so each detail is taken out of
its main count before either is priced. A figure that is needed and missing gives None, never 0; a provider's zero costs
zero. Nothing here reads a file, knows a provider or guesses a price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from backends.types import Usage

__all__ = ["ANY_MODEL", "STANDARD", "Charge", "ModelPrices", "PriceTable", "Rates", "Terms", "cost_of"]

ANY_MODEL: Final = "*"
"""The name of a row that prices every model without a row of its own; only a caller's own table has it."""
_MILLION: Final = 1_000_000
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars; None is not known, 0.0 is free.

    Attributes:
        input, output: per 1,000,000 tokens that no other rate is for.
        cached_input: per 1,000,000 input tokens that came from the provider's prompt cache.
        cache_write, cache_write_1h: per 1,000,000 input tokens written to it, for five minutes (or the only lifetime
            there is) and for an hour.
        reasoning: per 1,000,000 output tokens of reasoning; None charges them as ``output``, of which they are a part.
        audio_input, audio_output, image_input, image_output: per 1,000,000 tokens that are counted apart as sound or
            as pictures.
        request: per request.
        image: per picture made.
        second: per second of sound heard.
        character: per character spoken.
    """

    input: float | None = None
    output: float | None = None
    cached_input: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None
    reasoning: float | None = None
    audio_input: float | None = None
    audio_output: float | None = None
    image_input: float | None = None
    image_output: float | None = None
    request: float | None = None
    image: float | None = None
    second: float | None = None
    character: float | None = None

    @property
    def by_tokens(self) -> bool:
        """Whether tokens are charged at all."""
        return self.input is not None or self.output is not None

    def dearest(self, *names: str) -> float | None:
        """Return the highest known rate of these, None where none is known."""
        known = [rate for rate in (getattr(self, name) for name in names) if rate is not None]
        return max(known, default=None)


RATE_NAMES: Final = tuple(entry.name for entry in fields(Rates))


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """The prices of one model.

    Attributes:
        model: its name as the provider answers it.
        rates: the standard ones.
        source: where the figures stand.
        as_of: from when they are, ``YYYY-MM`` or ``YYYY-MM-DD``; None where the caller who gave them did not say.
        approximate: the figures are rounded, or the lowest of several: good for a plan, not for a bill.
        tiers: factor on every rate, by service tier. A tier that is not listed has no known price; no tier is factor 1.
        steps: rates for the whole request once its input is longer than so many tokens, the highest step that applies.
    """

    model: str
    rates: Rates
    source: str
    as_of: str | None = None
    approximate: bool = False
    tiers: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    steps: tuple[tuple[int, Rates], ...] = ()

    def rates_for(self, input_tokens: int | None) -> Rates | None:
        """Return the rates of a request of that length; None where they depend on a length that is not known."""
        if not self.steps:
            return self.rates
        if input_tokens is None:
            return None
        reached = [(above, rates) for above, rates in self.steps if input_tokens > above]
        return max(reached, key=lambda step: step[0])[1] if reached else self.rates


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a reply was made.

    Attributes:
        tier: the service tier that answered; None is the standard one.
        units: what was used besides tokens: ``image``, ``second`` and ``character`` with their numbers.
        unpriced: something was charged that the reply does not count (a search the provider ran), so no sum is right.
        generates: False for what has no output tokens by its nature (embeddings, rankings).
    """

    tier: str | None = None
    units: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    unpriced: bool = False
    generates: bool = True

    def made(self, tier: str | None, *, unpriced: bool) -> Terms:
        """Return these terms with what a provider says besides."""
        if tier is None and not unpriced:
            return self
        return replace(self, tier=tier, unpriced=self.unpriced or unpriced)


STANDARD: Final = Terms()


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request is charged.

    Attributes:
        cost: in US dollars; None where it is not known.
        estimated: the count behind it is this library's own.
    """

    cost: float | None
    estimated: bool = False


class PriceTable:
    """Prices by model. A name is looked up as it is: a dated snapshot or an alias has a price only where it is listed.

    Args:
        rows: by every name that has them.
    """

    __slots__ = ("_rows",)

    def __init__(self, rows: Mapping[str, ModelPrices] = _NOTHING) -> None:
        self._rows = dict(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def models(self) -> tuple[str, ...]:
        """Every name that has a price."""
        return tuple(self._rows)

    def find(self, model: object) -> ModelPrices | None:
        """Return the prices of a model, else those of any model, else None; what an answer names may be no name at all."""
        found = self._rows.get(model) if isinstance(model, str) else None
        return found if found is not None else self._rows.get(ANY_MODEL)

    def under(self, others: PriceTable) -> PriceTable:
        """Return this table with the rows of another in place of its own of the same names."""
        return PriceTable({**self._rows, **others._rows})


def cost_of(prices: ModelPrices | None, usage: Usage, terms: Terms = STANDARD, *, plan: bool = False) -> float | None:
    """Return what a reply costs in US dollars, None where a price or a count that is needed is not known.

    Args:
        prices: of its model; None has no known cost.
        usage: what was counted.
        terms: on which it was made.
        plan: prices that are good for a plan will do.
    """
    if prices is None or (prices.approximate and not plan) or terms.unpriced:
        return None
    factor = 1.0 if terms.tier is None else prices.tiers.get(terms.tier)
    rates = prices.rates_for(usage.input_tokens)
    if factor is None or rates is None:
        return None
    dollars = rates.request or 0.0
    charged = rates.request is not None
    for name, number in terms.units.items():
        rate = getattr(rates, name)
        if rate is not None:
            dollars, charged = dollars + number * rate, True
    if rates.by_tokens:
        tokens = _token_cost(rates, usage, terms.generates)
        return None if tokens is None else factor * (dollars + tokens)
    return factor * dollars if charged else None


def _token_cost(rates: Rates, usage: Usage, generates: bool) -> float | None:
    given = _input_cost(usage, rates)
    made = _output_cost(usage, rates) if generates or usage.output_tokens else 0.0
    return None if given is None or made is None else (given + made) / _MILLION


def _input_cost(usage: Usage, rates: Rates) -> float | None:
    """Return the price of a million times the input, each token in one part of it; None where the counts contradict each
    other, or leave open which part a token belongs to."""
    cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    hour, pictures = usage.cache_write_1h_tokens or 0, usage.image_tokens or 0
    sound = usage.audio_tokens or 0
    if sound and usage.audio_output_tokens is None:
        return None
    heard = sound - (usage.audio_output_tokens or 0)
    if cached and (heard or pictures):
        return None
    if written and usage.cache_write_1h_tokens is None and rates.cache_write_1h not in (None, rates.cache_write):
        return None
    given = usage.input_tokens
    plain = None if given is None else given - cached - written - heard - pictures
    if hour > written or heard < 0 or (plain is not None and plain < 0):
        return None
    return _sum(
        (plain, rates.input),
        (cached, rates.cached_input),
        (written - hour, rates.cache_write),
        (hour, rates.cache_write_1h),
        (heard, rates.audio_input),
        (pictures, rates.image_input),
    )


def _output_cost(usage: Usage, rates: Rates) -> float | None:
    """Return the price of a million times the output, each token in one part of it; None where the counts contradict each
    other."""
    thoughts = 0 if rates.reasoning is None else usage.reasoning_tokens or 0
    spoken, pictures = usage.audio_output_tokens or 0, usage.image_output_tokens or 0
    made = usage.output_tokens
    plain = None if made is None else made - thoughts - spoken - pictures
    if plain is not None and plain < 0:
        return None
    return _sum(
        (plain, rates.output),
        (thoughts, rates.reasoning),
        (spoken, rates.audio_output),
        (pictures, rates.image_output),
    )


def _sum(*parts: tuple[int | None, float | None]) -> float | None:
    """Return the price of amounts at their rates; None where one that is neither nothing nor free lacks either."""
    total = 0.0
    for amount, rate in parts:
        if amount == 0 or rate == 0:
            continue
        if amount is None or rate is None:
            return None
        total += amount * rate
    return total
