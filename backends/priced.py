"""What a backend's replies cost: the prices in force, and what a provider may say otherwise.

Money is counted in :mod:`backends.charging`, which asks here. A price that nobody knows is never made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from backends.charging import Till, plain_terms
from backends.provider import Provider
from backends.telemetry.price_tables import vendor_prices
from backends.telemetry.prices import PriceTable, Terms, cost_of
from backends.types import Reply

__all__ = ["Priced"]


class Priced:
    """Adds prices to a backend, which sets the attributes declared here."""

    provider: ClassVar[Provider]
    _till: Till

    @property
    def prices(self) -> PriceTable:
        """The prices in force, each with its source and date: the caller's, then the vendor's."""
        return self._till.table

    def vendor_prices(self) -> PriceTable:
        """Return what is known of this vendor's prices; a provider that keeps them elsewhere overrides it."""
        return vendor_prices(self.provider.name)

    def terms(self, reply: Reply, asked: Mapping[str, Any]) -> Terms:
        """Return on what terms a reply was made: service tier, units besides tokens, what nobody has a price for.

        Args:
            reply: as it was read; of a stream that broke off, what came of it.
            asked: the body of the request.
        """
        return plain_terms(reply, asked)

    def reply_cost(self, reply: Reply, asked: Mapping[str, Any], prices: PriceTable) -> float | None:
        """Return what a reply costs by a table in US dollars, None where that is not known."""
        found = prices.find(reply.model)
        return None if found is None else cost_of(found, reply.usage, self.terms(reply, asked))

    def renew_budget(self) -> None:
        """Begin to spend anew: what was spent until now no longer counts against ``max_cost``."""
        self._till.renew()
