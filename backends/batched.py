"""Calls that share a wire call: operations into members of a batch, a batch into one journey, its answer into replies.

    _perform -> Member(own call: id, priority, deadline, counts) -> Batching -> one journey: queue, breaker, key, wire
             <- its own reply: its items, its share of usage and cost, its own id, attempts and latency

Who leaves together and when is decided by :mod:`backends.resilience.batcher`; what may be joined, and how, by the
provider's :class:`~backends.batch_plan.BatchPlan`. A call with ``extra_body`` always travels alone: nobody here knows
what its fields would mean to the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from backends import errors
from backends.base import Backend
from backends.batch_plan import BatchPlan, Shareable
from backends.operation import CallOptions
from backends.resilience.batching import Batching, Member
from backends.resilience.call import Call, travel
from backends.resilience.endpoint import Endpoint
from backends.resilience.shares import cost_shares, usage_shares
from backends.types import Priority, Reply, Usage

__all__ = ["BatchingBackend"]

T = TypeVar("T")


class _Asked:
    """What a member's journey needs of it: its operation as it was asked, and the options of its call."""

    __slots__ = ("is_counted", "operation", "options", "plan")

    def __init__(self, operation: Shareable, options: CallOptions, plan: BatchPlan[Any]) -> None:
        self.operation = operation
        self.options = options
        self.plan = plan
        self.is_counted = False


@dataclass(slots=True)
class _Tally:
    """What has left one endpoint so far; guarded by the backend's lock."""

    wire_calls: int = 0
    calls: int = 0
    inputs: int = 0
    alone: int = 0

    def add(self, members: Sequence[Member[Any]]) -> None:
        self.wire_calls += 1
        for work in [member.work for member in members if not member.work.is_counted]:
            work.is_counted = True  # a request that was refused is sent again in halves
            self.calls += 1
        self.inputs += sum(member.items for member in members)
        self.alone += len(members) == 1


class BatchingBackend(Backend):
    """Adds batching to :class:`~backends.base.Backend`; how a journey is made, :mod:`backends.http` says."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._batchings: dict[str, Batching] = {}
        self._tallies: dict[str, _Tally] = {}

    def _journey(self, operation: Any, options: CallOptions, endpoint: Endpoint) -> Call[Any]:
        """Return the call that puts a joined operation on the wire; it is not counted, its members are."""
        raise NotImplementedError

    # -- one caller ----------------------------------------------------------------------------------------------------

    def _ride(
        self, call: Call[T], operation: Shareable, options: CallOptions, endpoint: Endpoint
    ) -> Callable[[], Awaitable[T]] | None:
        """Return how a call travels in a batch, None when it travels by itself."""
        plan = operation.batch
        if plan is None or endpoint.settings.max_batch_size < 2 or options.get("extra_body"):
            return None
        member = Member(
            call,
            _Asked(operation, options, plan),
            _group(operation, options, plan),
            len(plan.items),
            plan.length(),
            plan.most_items,
            plan.most_length,
        )

        async def ride() -> T:
            endpoint.check()  # behind an open breaker nobody waits for others first
            return await self._batching(endpoint).ride(member)

        return ride

    def _batching(self, endpoint: Endpoint) -> Batching:
        found = self._batchings.get(endpoint.name)
        if found is None:
            settings = endpoint.settings
            made = Batching(
                self._clock, settings.max_batch_size, settings.batch_timeout, partial(self._send_batch, endpoint)
            )
            found = self._batchings.setdefault(endpoint.name, made)
        return found

    # -- one journey ---------------------------------------------------------------------------------------------------

    async def _send_batch(self, endpoint: Endpoint, members: Sequence[Member[Any]], level: int) -> Sequence[Any]:
        """Make one wire call for members and return their replies; one alone sends just what it would have sent."""
        first = members[0]
        self._shared(endpoint, members)
        if len(members) == 1:
            result, passage = await travel(first.call, endpoint, self._random)
            result = self._till.charged(result, first.call)
            passage.succeed(getattr(result, "usage", None), first.call.charge)
            return [result]
        asked: list[_Asked] = [member.work for member in members]
        joined = asked[0].plan.join([one.operation for one in asked])
        options: CallOptions = {**asked[0].options, "priority": Priority(level), "request_id": first.call.id}
        call = self._journey(joined, options, endpoint)
        call.deadline_at = _latest([member.call.deadline_at for member in members])
        try:
            replies, passage = await travel(call, endpoint, self._random)
        finally:
            for member in members:
                member.call.attempts += call.attempts
                member.call.queued += call.queued
        answered = [place for place, reply in enumerate(replies) if not isinstance(reply, errors.BackendError)]
        # Each reply still has the usage of all of them, so that one tells what the key is charged for the wire call.
        whole = self._till.charged(replies[answered[0]], call) if answered else None
        passage.succeed(getattr(whole, "usage", None), call.charge)
        results = list(replies)
        if answered:
            parted = self._parted([members[place] for place in answered], [replies[place] for place in answered])
            for place, result in zip(answered, parted, strict=True):
                results[place] = result
        return results

    def _shared(self, endpoint: Endpoint, members: Sequence[Member[Any]]) -> None:
        with self._lock:
            self._tallies.setdefault(endpoint.name, _Tally()).add(members)
            if len(members) > 1:
                self._metrics.shared(len(members))

    def sharing_status(self, endpoint: str | None = None) -> dict[str, Any]:
        """Return how the calls of one endpoint share requests, since the backend was made: what to tune its settings by.

        ``calls`` of callers left in ``wire_calls`` requests, which ``saved`` the difference (less than nothing where most were
        refused and sent again in halves); ``alone`` of the requests carried one caller. ``average_fill`` is how many inputs a
        request held, None before the first: near ``max_batch_size`` a larger one may bring more, near 1 ``batch_timeout`` only
        delays. ``waiting`` callers have not left yet.

        Raises:
            ConfigurationError: there is no such endpoint.
        """
        chosen = self.endpoint(endpoint)
        batching = self._batchings.get(chosen.name)
        with self._lock:
            tally = replace(self._tallies.get(chosen.name, _Tally()))
        return {
            "max_batch_size": chosen.settings.max_batch_size,
            "batch_timeout": chosen.settings.batch_timeout,
            "waiting": 0 if batching is None else len(batching),
            "wire_calls": tally.wire_calls,
            "calls": tally.calls,
            "inputs": tally.inputs,
            "alone": tally.alone,
            "saved": tally.calls - tally.wire_calls,
            "average_fill": tally.inputs / tally.wire_calls if tally.wire_calls else None,
        }

    def _parted(self, members: Sequence[Member[Any]], replies: Sequence[Any]) -> list[Any]:
        """Return each member's reply with facts of its own and its share of what the wire call used."""
        if not isinstance(replies[0], Reply):
            return list(replies)
        plans = [member.work.plan for member in members]
        read = [member.length for member in members]
        written = [plan.written(reply) if plan.written else 0 for plan, reply in zip(plans, replies, strict=True)]
        usages = usage_shares(replies[0].usage, read, written if any(written) else read)
        cost = replies[0].cost
        costs: Sequence[float | None] = [None] * len(members)
        if cost is not None:
            costs = cost_shares(cost, _cost_weights(usages, read))
        now = self._clock.monotonic()
        return [
            replace(
                reply,
                request_id=member.call.id,
                attempts=member.call.attempts,
                latency=now - member.call.started,
                usage=usage,
                cost=share,
            )
            for member, reply, usage, share in zip(members, replies, usages, costs, strict=True)
        ]

    # -- lifecycle -----------------------------------------------------------------------------------------------------

    def _begin_close(self) -> bool:
        """Refuse who waits for a batch as well."""
        begun = super()._begin_close()
        if begun:
            for batching in list(self._batchings.values()):
                batching.close()
        return begun

    def _after_fork(self) -> None:
        super()._after_fork()
        self._tallies = {}
        for batching in self._batchings.values():
            batching.after_fork()


def _group(operation: Shareable, options: CallOptions, plan: BatchPlan[Any]) -> tuple[Any, ...]:
    """Return what operations must have in common to share a wire call; the endpoint has batches of its own."""
    extra = options.get("extra_headers") or {}
    return (
        operation.name,
        operation.model,
        operation.headers,
        tuple(sorted(extra.items())),
        plan.shared(operation),
    )


def _latest(deadlines: Sequence[float | None]) -> float | None:
    """Return when nobody of a batch waits any more, None for never; each member minds its own deadline."""
    known = [deadline for deadline in deadlines if deadline is not None]
    return max(known) if len(known) == len(deadlines) else None


def _cost_weights(usages: Sequence[Usage], lengths: Sequence[int]) -> Sequence[int]:
    """Return what a cost is parted by: the tokens of each, else its length."""
    tokens = [usage.total_tokens or (usage.input_tokens or 0) + (usage.output_tokens or 0) for usage in usages]
    if any(tokens):
        return tokens
    return lengths if any(lengths) else [1] * len(lengths)
