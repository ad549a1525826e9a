"""Chains: where a call may go, in which order, and after which failures it goes on to the next.

Pure: it sends nothing, waits for nothing and knows no provider.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from backends import errors

__all__ = ["Chain", "Hop", "HopFailure", "Order", "goes_on"]

_TRY_ELSEWHERE: Final = (errors.UnknownModelError, errors.UnsupportedError, errors.ContextLengthError)
"""Faults of the request that are faults only here."""
_TRY_NOWHERE: Final = (errors.DeadlineExceededError, errors.StreamInterruptedError)
"""Faults of others that another hop does not mend: time is over, or content has been given out already."""


class Order(StrEnum):
    """Which hop of a chain goes first; the others follow in turn."""

    IN_ORDER = "in_order"
    """The first as long as it answers; the others stand by."""
    ROUND_ROBIN = "round_robin"
    """Calls begin at each hop in turn."""
    LEAST_LOADED = "least_loaded"
    """The fewest requests, active and waiting, as a share of what it takes at once; among equals they take turns."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One place where a call may go.

    Attributes:
        client: name of a provider or backend of the multiplexer.
        model: to ask there; None is the backend's own.
        endpoint: of that backend; None is its default.
        parameters: what is asked differently there; they replace the call's own.
    """

    client: str
    model: str | None = None
    endpoint: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HopFailure:
    """Why one hop did not answer.

    Attributes:
        client, model, endpoint: which hop.
        error: name of the error's class.
        message: of the error.
        status: of the provider's last answer, None without one.
        attempts: how often it was on the wire there.
        seconds: how long it took to fail.
        cost: what it is charged in US dollars, None when unknown.
    """

    client: str
    model: str | None
    endpoint: str | None
    error: str
    message: str
    status: int | None
    attempts: int
    seconds: float
    cost: float | None

    @classmethod
    def of(cls, hop: Hop, error: errors.BackendError, seconds: float) -> HopFailure:
        """Return the record of an error at a hop."""
        return cls(
            hop.client,
            hop.model,
            hop.endpoint,
            type(error).__name__,
            error.message,
            error.status,
            error.attempts,
            seconds,
            error.cost,
        )


def goes_on(error: errors.BackendError, also: tuple[type[errors.BackendError], ...] = ()) -> bool:
    """Tell whether another hop may do better: what is the request's own fault is not repeated elsewhere.

    Args:
        error: how the last hop ended.
        also: classes that go on besides (``ContentFilterError``, say).
    """
    if isinstance(error, _TRY_NOWHERE):
        return False
    return error.fault != "caller" or isinstance(error, (*_TRY_ELSEWHERE, *also))


class Chain:
    """Hops in an order, and counts of what became of calls. Not thread-safe: its owner guards it.

    Args:
        hops: where calls may go, at least one.
        order: which goes first.
        patience: the longest, in seconds, that a hop may wait for its own next attempt while another hop is left.
        also: errors after which to go on besides those of :func:`goes_on`.

    Raises:
        ConfigurationError: an argument does not fit; the message names it.
    """

    __slots__ = ("_answered", "_begun", "_failed", "_turn", "also", "hops", "order", "patience")

    def __init__(
        self,
        hops: Sequence[Hop],
        *,
        order: Order | str = Order.IN_ORDER,
        patience: float = 0.0,
        also: Sequence[type[errors.BackendError]] = (),
    ) -> None:
        self.hops = tuple(hops)
        if not self.hops or not all(isinstance(hop, Hop) for hop in self.hops):
            raise errors.ConfigurationError("hops must be one Hop or more.")
        if order not in list(Order):
            raise errors.ConfigurationError(f"order must be one of {', '.join(Order)}, not {order!r}.")
        if isinstance(patience, bool) or not isinstance(patience, int | float) or not patience >= 0:
            raise errors.ConfigurationError(f"patience must be a number of seconds, 0 or more, not {patience!r}.")
        if not all(isinstance(kind, type) and issubclass(kind, errors.BackendError) for kind in also):
            raise errors.ConfigurationError("also must hold classes of backends.errors.")
        self.order = Order(order)
        self.patience = patience
        self.also = tuple(also)
        self._turn = 0
        self._begun = 0
        self._answered = [0] * len(self.hops)
        self._failed: list[Counter[str]] = [Counter() for _ in self.hops]

    def route(self, load: Callable[[Hop], float]) -> tuple[Hop, ...]:
        """Return the hops in the order in which the next call should try them.

        Args:
            load: how busy a hop is; asked only where the order needs it.
        """
        self._begun += 1
        hops = self.hops
        if self.order is Order.IN_ORDER:
            return hops
        turn, self._turn = self._turn, (self._turn + 1) % len(hops)
        turned = hops[turn:] + hops[:turn]
        return turned if self.order is Order.ROUND_ROBIN else tuple(sorted(turned, key=load))

    def answered(self, hop: Hop) -> None:
        """Count an answer."""
        self._answered[self.hops.index(hop)] += 1

    def failed(self, hop: Hop, error: errors.BackendError) -> None:
        """Count a failure by its class."""
        self._failed[self.hops.index(hop)][type(error).__name__] += 1

    def status(self) -> dict[str, Any]:
        """Return order, calls, and answers and failures by hop, as JSON-ready values."""
        return {
            "order": self.order.value,
            "patience": self.patience,
            "calls": self._begun,
            "hops": [
                {
                    "client": hop.client,
                    "model": hop.model,
                    "endpoint": hop.endpoint,
                    "answered": answered,
                    "failed": dict(sorted(failed.items())),
                }
                for hop, answered, failed in zip(self.hops, self._answered, self._failed, strict=True)
            ],
        }
