"""What calls of one backend cost, and the budgets that bound it: replies are priced, broken streams are charged for what
came, and a call that a budget has no room for is refused before it is sent.

A cost is right or None. Nothing here sends, waits or reads an answer; how an answer tells what was charged is the
provider's (:meth:`backends.base.Backend.terms`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from backends import errors
from backends.operation import CountsSoFar
from backends.resilience.call import Call
from backends.resilience.endpoint import Endpoint, Passage
from backends.resilience.purse import Purse
from backends.settings import Settings
from backends.telemetry.bounds import most_cost
from backends.telemetry.broken_off import usage_so_far
from backends.telemetry.prices import STANDARD, Charge, PriceTable, Terms
from backends.types import ChatReply, CompletionReply, Reply, Usage
from backends.values import Images, Speech, Transcript

__all__ = ["Till", "plain_terms"]

T = TypeVar("T")
_NO_USAGE: Final = Usage()
_FREE: Final = Charge(0.0)
_UNKNOWN: Final = Charge(None)
_MAY_HAVE_COST: Final = (
    errors.DeadlineExceededError,
    errors.ResponseFormatError,
    errors.StreamInterruptedError,
    errors.TransportError,
)
"""Failures after which the provider may have done the work, and charge it, without our hearing how much."""
_MOST_TENANTS: Final = 10_000
_OTHER_TENANTS: Final = "(other)"
"""The purse that tenants beyond those share: what is remembered is bounded, and so is what they spend."""
_NEVER_SENT: Final = frozenset(
    {"connect", "connect_timeout", "tls", "reset_before_sent", "redirect", "insecure", "proxy"}
)
"""Codes of transport errors after which it cannot."""


def plain_terms(reply: Reply, asked: Mapping[str, Any]) -> Terms:
    """Return what a reply of any provider says of its terms: what it used besides tokens, and whether it generates."""
    if isinstance(reply, ChatReply | CompletionReply):
        return STANDARD
    units: dict[str, float] = {}
    if isinstance(reply, Transcript) and reply.duration is not None:
        units["second"] = reply.duration
    elif isinstance(reply, Speech) and isinstance(asked.get("input"), str):
        units["character"] = len(asked["input"])
    elif isinstance(reply, Images):
        units["image"] = len(reply.images)
    return Terms(units=units, generates=reply.usage.output_tokens is not None)


class Till:
    """The prices and budgets of one backend, safe from every thread.

    Args:
        vendor: gives the vendor's prices; asked at the first call, because it may read a file.
        own: prices that the caller gave; they stand in place of the vendor's for the same names.
        price: prices one reply by a table: ``price(reply, asked, table)``.
        settings: of the backend; ``max_cost`` bounds the whole of it, ``max_cost_per_tenant`` each tenant of it.
    """

    def __init__(
        self,
        vendor: Callable[[], PriceTable],
        own: PriceTable,
        price: Callable[[Reply, Mapping[str, Any], PriceTable], float | None],
        settings: Settings,
    ) -> None:
        self._vendor = vendor
        self._own = own
        self._price = price
        self._table: PriceTable | None = None
        self._purse = Purse(settings.max_cost)
        self._per_tenant = settings.max_cost_per_tenant
        self._tenants: dict[str, Purse] = {}
        self._purses: dict[str, Purse] = {}
        self._lock = threading.Lock()

    @property
    def table(self) -> PriceTable:
        """The prices in force: the caller's, then the vendor's."""
        if self._table is None:
            self._table = self._vendor().under(self._own)
        return self._table

    # -- what was charged ----------------------------------------------------------------------------------------------

    def charged(self, result: T, call: Call[Any]) -> T:
        """Return a result with its cost, and note on the call what it is charged; what is no reply stays as it is."""
        if not isinstance(result, Reply):
            return result
        if result.cached:
            call.charge = _FREE
            return result if result.cost == 0.0 else replace(result, cost=0.0)
        if call.asked is None:
            return result  # nothing was made: a question about what there is
        cost = result.cost
        if cost is None or len(self._own):
            cost = self._price(result, call.asked, self.table)
        if cost is None and call.model is None and result.usage == _NO_USAGE:
            return result  # nothing says that it is charged at all
        call.charge = _UNKNOWN if cost is None else Charge(cost, result.usage.estimated)
        return result if cost == result.cost else replace(result, cost=cost)

    def charged_so_far(
        self, reader: Any, call: Call[Any], passage: Passage, error: errors.BackendError | None = None
    ) -> Usage | None:
        """Charge a stream that broke off, or was given up, for what came; return its usage, None where nobody knows.

        Args:
            reader: of the stream.
            call: it is noted here.
            passage: of the call; its key is charged, too.
            error: what broke it off; it is told usage and cost.
        """
        if call.asked is None or not isinstance(reader, CountsSoFar):
            return None
        came = reader.so_far()
        usage = usage_so_far(came, call.asked)
        reply = Reply(raw=came.raw, usage=usage, model=came.model or call.model)
        cost = self._price(reply, call.asked, self.table)
        call.charge = Charge(cost, usage.estimated)
        passage.charge(usage, call.charge)
        if error is not None:
            error.usage, error.cost = usage, cost
        return usage

    def failed(self, call: Call[Any], error: errors.BackendError | None) -> None:
        """Note on a call that ended without an answer, by an error or by its caller (None), that it may have been charged
        nobody knows what."""
        if call.charge is not None or call.asked is None or call.model is None or not call.attempts:
            return
        if error is None or (isinstance(error, _MAY_HAVE_COST) and error.code not in _NEVER_SENT):
            call.charge = _UNKNOWN

    # -- budgets -------------------------------------------------------------------------------------------------------

    def admit(self, call: Call[Any], endpoint: Endpoint) -> None:
        """Let a call start, with the most it can cost set aside where that is known.

        Raises:
            BudgetExceededError: a budget has no room for it; nothing was sent.
            ConfigurationError: there is a budget, and no price to hold it by.
        """
        per_tenant = self._per_tenant if call.tenant is not None else None
        if self._purse.limit is None and endpoint.settings.max_cost is None and per_tenant is None:
            return
        if call.asked is None:
            return
        prices = self.table.find(call.model)
        if prices is None and (call.model is not None or not len(self.table)):
            of = "this provider" if call.model is None else f"model {call.model[:100]!r}"
            raise errors.ConfigurationError(
                f"max_cost needs prices, and none are known of {of}: pass prices= to the backend (an empty row lets calls of a "
                "model pass uncounted)."
            )
        most = most_cost(prices, call.asked)
        with self._lock:
            self._purses.setdefault(endpoint.name, Purse(endpoint.settings.max_cost))
            owners = (
                "max_cost of this backend",
                f"max_cost of endpoint {endpoint.name!r}",
                f"max_cost_per_tenant of tenant {(call.tenant or '')[:100]!r}",
            )
            purses = self._purses_of(call, endpoint)
            for purse, owner in zip(purses, owners, strict=False):
                if not purse.admits(most):
                    raise _over_budget(purse, owner, most)
            for purse in purses:
                purse.reserve(most)
            call.reserved = most
            call.admitted = True

    def settle(self, call: Call[Any], endpoint: Endpoint) -> None:
        """Take the end of a call: what it was charged is spent, what was set aside for it is free again."""
        if not call.admitted:
            return
        call.admitted = False
        cost = call.charge.cost if call.charge is not None else None
        with self._lock:
            for purse in self._purses_of(call, endpoint):
                purse.settle(call.reserved, cost)

    def _purses_of(self, call: Call[Any], endpoint: Endpoint) -> tuple[Purse, ...]:
        """Return the purses that a call spends from: the backend's, its endpoint's and its tenant's."""
        purses = (self._purse, self._purses[endpoint.name])
        if self._per_tenant is None or call.tenant is None:
            return purses
        known = self._tenants
        name = call.tenant if call.tenant in known or len(known) < _MOST_TENANTS else _OTHER_TENANTS
        return (*purses, known.setdefault(name, Purse(self._per_tenant)))

    def renew(self) -> None:
        """Forget what was spent of every budget; calls in flight keep what is set aside for them."""
        with self._lock:
            for purse in (self._purse, *self._purses.values(), *self._tenants.values()):
                purse.spent = 0.0

    def after_fork(self) -> None:
        """Forget the parent's calls, not what it had spent."""
        self._lock = threading.Lock()
        self._purse = self._purse.renewed()
        self._purses = {name: purse.renewed() for name, purse in self._purses.items()}
        self._tenants = {name: purse.renewed() for name, purse in self._tenants.items()}

    def status(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Return the budget of the backend, and those of the endpoints that have begun to spend."""
        with self._lock:
            return self._purse.status(), {name: purse.status() for name, purse in self._purses.items()}


def _over_budget(purse: Purse, owner: str, most: float | None) -> errors.BudgetExceededError:
    says = f"{owner} is {purse.limit:g} US dollars: {purse.spent:.6g} are spent"
    if purse.reserved:
        says += f", {purse.reserved:.6g} are set aside for calls in flight"
    if most is not None:
        says += f", and this call may cost {most:.6g}"
    return errors.BudgetExceededError(f"{says}. Nothing was sent.", code="max_cost")
