"""What one attempt holds while it is on the wire, and how all of it is given back exactly once.

It decides nothing: the endpoint's machines learn from how it was closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from backends.resilience import keys as key_pool
from backends.resilience.allowance import Draw
from backends.resilience.breaker import Lease
from backends.secret import Key
from backends.telemetry.prices import Charge
from backends.types import Usage

if TYPE_CHECKING:
    from backends.resilience.endpoint import Endpoint

__all__ = ["Passage"]


class Passage:
    """What one attempt holds: a slot, a lease of the breaker, a key and what it drew from budgets. It is given back once,
    whatever happens.

    Attributes:
        key: to send with; None where the server takes none.
        draw: what it drew; None where there are no budgets.
        began: when it began (monotonic seconds).
    """

    __slots__ = (
        "_admission",
        "_breaker_lease",
        "_charge",
        "_endpoint",
        "_in_flight",
        "_key_lease",
        "_number",
        "_open",
        "_usage",
        "began",
        "draw",
        "key",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        breaker_lease: Lease,
        key_lease: key_pool.KeyLease | None,
        draw: Draw | None,
        began: float,
    ) -> None:
        self._endpoint = endpoint
        self._admission = endpoint.admission
        self._breaker_lease = breaker_lease
        self._key_lease = key_lease
        self._in_flight = endpoint.admission.active
        self._number = endpoint.adaptive.sent() if endpoint.adaptive is not None else 0
        self._open = True
        self._usage: Usage | None = None
        self._charge: Charge | None = None
        self.key: Key | None = key_lease.key if key_lease is not None else None
        self.draw = draw
        self.began = began

    @property
    def probe(self) -> bool:
        """True for the one attempt that a half-open breaker let through."""
        return self._breaker_lease.probe

    def answered(self, kind: str) -> None:
        """The answer, or the first content of a stream, is there; ``kind`` is what usually takes as long as this."""
        if self._is_current():
            endpoint = self._endpoint
            endpoint.learn_answer(kind, self._number, endpoint.clock.monotonic() - self.began, self._in_flight)

    def overloaded(self) -> None:
        """The server said that it is asked too much, or did not answer in time."""
        if self._is_current():
            self._endpoint.learn_refusal(self._number)

    def hear(self, headers: Mapping[str, str] | None) -> None:
        """Headers of the answer (names in lower case) may tell what is left of rate limits; None when there was no answer."""
        if headers is not None and self.draw is not None and self._is_current():
            self._endpoint.learn_rates(self.draw, headers)

    def charge(self, usage: Usage | None, charge: Charge | None) -> None:
        """Note what the attempt used and what that is charged; the key is told when the passage ends, however it does."""
        self._usage, self._charge = usage, charge

    def succeed(self, usage: Usage | None = None, charge: Charge | None = None) -> None:
        """The attempt ended well."""
        self.charge(usage, charge)
        self._close("success")

    def alive(self) -> None:
        """The attempt failed, but the provider is up (a 4xx): a probe counts as passed, a closed breaker learns nothing."""
        self._close("success" if self._breaker_lease.probe else "neutral", failed=True)

    def fail(self) -> None:
        """The attempt failed in a way that speaks of an outage."""
        self._close("failure", failed=True)

    def let_go(self) -> None:
        """The attempt was cancelled, or says nothing of the provider."""
        self._close("neutral")

    def cool_key(self, until: float) -> None:
        """The server answered 429: keep the key unused until then (monotonic seconds)."""
        if self.draw is not None and self._is_current():
            self._endpoint.refuse_rate(self.draw)
        if self._key_lease is not None:
            self._endpoint.cool(self._key_lease, until)

    def retire_key(self, reason: str) -> None:
        """Take the key out of service."""
        if self._key_lease is not None:
            self._endpoint.retire(self._key_lease, reason)

    def _close(self, outcome: str, *, failed: bool = False) -> None:
        if self._open:
            self._open = False
            if self._is_current():
                self._endpoint.finish(
                    self._breaker_lease, self._key_lease, outcome, self._usage, failed, self._charge, self
                )

    def _is_current(self) -> bool:
        """False for a call of the parent process, before a fork."""
        return self._endpoint.admission is self._admission
