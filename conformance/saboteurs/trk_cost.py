"""Saboteurs of TRK-08: bills that are too small, too large, or invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from backends.resilience.purse import Purse
from backends.telemetry.prices import Charge, ModelPrices, PriceTable
from backends.types import Usage
from conformance.saboteurs import saboteur


def _recount(backend: Any, change: Callable[[Usage], Usage]) -> None:
    """Price other counts than those of the reply."""
    price = backend._till._price

    def spoilt(reply: Any, asked: Any, table: Any) -> Any:
        return price(replace(reply, usage=change(reply.usage)), asked, table)

    backend._till._price = spoilt


def _reprice(backend: Any, change: Callable[[Any], Any]) -> None:
    """Tell another cost than the right one."""
    price = backend._till._price
    backend._till._price = lambda *arguments: change(price(*arguments))


@saboteur("TRK-08", "charges cached tokens once as cached and once as input")
def counts_cached_twice(backend: Any) -> None:
    """litellm#6215."""
    _recount(backend, lambda usage: replace(usage, input_tokens=(usage.input_tokens or 0) + (usage.cached_tokens or 0)))


@saboteur("TRK-08", "charges cached tokens at the full price")
def ignores_the_discount(backend: Any) -> None:
    """litellm#11364."""
    _recount(backend, lambda usage: replace(usage, cached_tokens=0))


@saboteur("TRK-08", "charges the answer without the reasoning")
def drops_the_reasoning(backend: Any) -> None:
    """litellm#18599."""
    _recount(
        backend,
        lambda usage: (
            usage
            if usage.output_tokens is None
            else replace(
                usage, output_tokens=usage.output_tokens - (usage.reasoning_tokens or 0), reasoning_tokens=None
            )
        ),
    )


@saboteur("TRK-08", "charges sound as text")
def hears_text(backend: Any) -> None:
    """One rate for every token."""
    _recount(backend, lambda usage: replace(usage, audio_tokens=None, audio_output_tokens=None))


@saboteur("TRK-08", "charges one-hour writes as five-minute ones", subjects=("claude",))
def one_lifetime(backend: Any) -> None:
    """litellm#36762."""
    _recount(backend, lambda usage: replace(usage, cache_write_1h_tokens=0))


@saboteur("TRK-08", "takes a cost that is not known for nothing")
def unknown_is_free(backend: Any) -> None:
    """agenta#7076."""
    _reprice(backend, lambda cost: cost or 0.0)


@saboteur("TRK-08", "takes a cost of zero for one that is not known")
def free_is_unknown(backend: Any) -> None:
    """``or None`` (litellm#37992)."""
    _reprice(backend, lambda cost: cost or None)


@saboteur("TRK-08", "records an interrupted stream as zero")
def broken_streams_are_free(backend: Any) -> None:
    """litellm#14457."""

    def spoilt(reader: Any, call: Any, passage: Any, error: Any = None) -> Usage:
        del reader
        call.charge = Charge(0.0)
        passage.charge(Usage(0, 0, 0), call.charge)
        if error is not None:
            error.usage, error.cost = Usage(0, 0, 0), 0.0
        return Usage(0, 0, 0)

    backend._till.charged_so_far = spoilt


@saboteur("TRK-08", "charges nothing for a stream that its caller gave up")
def abandoned_streams_are_free(backend: Any) -> None:
    """Only errors are looked at."""
    charge = backend._till.charged_so_far
    backend._till.charged_so_far = lambda *arguments: charge(*arguments) if len(arguments) == 4 else None


@saboteur("TRK-08", "leaves what is not known out of the count")
def silent_about_gaps(backend: Any) -> None:
    """The sum looks like the bill."""
    finished = backend._metrics.finished

    def spoilt(*arguments: Any, charge: Charge | None = None, **facts: Any) -> None:
        finished(*arguments, charge=None if charge is None or charge.cost is None else charge, **facts)

    backend._metrics.finished = spoilt


@saboteur("TRK-08", "has prices from nowhere", subjects=("claude",))
def prices_from_nowhere(backend: Any) -> None:
    """Figures in the code."""
    table = backend.prices

    class Bare(PriceTable):
        def find(self, model: object) -> ModelPrices | None:
            found = table.find(model)
            return None if found is None else replace(found, source="", as_of=None)

    backend._till._table = Bare({name: table.find(name) for name in table.models})


@saboteur("TRK-08", "has no budget")
def spends_freely(backend: Any) -> None:
    """The setting is accepted and inert."""
    backend._till.admit = lambda call, endpoint: None


@saboteur("TRK-08", "looks at its budget without the calls in flight")
def forgets_who_flies(backend: Any) -> None:
    """Ten calls start on the last dollar."""

    class Forgetful(Purse):
        def reserve(self, most: float | None) -> None:
            """Set nothing aside."""

    backend._till._purse = Forgetful(backend._till._purse.limit)
