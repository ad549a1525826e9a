"""Chats that a vendor works through later and cheaper, under one interface: hand in, look, take the answers by their ids.

    batch = claude.submit_batch([{"custom_id": "a", "messages": [...]}, {"custom_id": "b", "messages": [...]}])
    claude.get_batch(batch.id).ended              # one look
    answers = claude.finish_batch(batch.id)       # looks until it has ended
    answers["a"].reply.text

How a vendor takes requests and gives answers is the provider's (``_handed_in``, ``_answers``). Nothing of a request is kept here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar, Unpack

from backends import errors
from backends.exchange import ExchangingBackend
from backends.operation import CallOptions
from backends.parameters import bad_argument, split
from backends.twins import blocking
from backends.types import ChatReply, Message

__all__ = ["BatchAnswer", "BatchRequest", "OfflineBackend", "batch_requests", "located"]

T = TypeVar("T")
_LONGEST_ID = 64
"""Characters of an id that every vendor takes (Claude: 1 to 64)."""


class JobState(Protocol):
    """What every provider's batch tells."""

    @property
    def id(self) -> str:
        """The provider's id of it."""
        ...

    @property
    def status(self) -> str:
        """The provider's word for where it is."""
        ...

    @property
    def ended(self) -> bool:
        """True when its status is final."""
        ...

    @property
    def request_id(self) -> str:
        """Of the call that looked."""
        ...


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One chat of a batch.

    Attributes:
        custom_id: the caller's own name of it.
        messages: as ``chat`` takes them.
        model: None is the backend's own.
        parameters: of ``chat``.
    """

    custom_id: str
    messages: Sequence[Message]
    model: str | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What became of one chat of a batch; exactly one of both is there.

    Attributes:
        reply: the answer; its ``request_id`` is that of the call which fetched it.
        error: the typed error, not raised: the other requests are not concerned.
    """

    reply: ChatReply | None = None
    error: errors.BackendError | None = None


def batch_requests(given: Any, provider: str, most: int) -> list[BatchRequest]:
    """Return the requests of a batch, checked as far as they are alike everywhere.

    Args:
        given: mappings with ``custom_id``, ``messages`` and arguments of ``chat``.
        provider: row name, for the error.
        most: how many a batch may hold.

    Raises:
        InvalidRequestError: there are none or too many, or one is malformed; the message says which.
    """
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Sequence) or not 1 <= len(given) <= most:
        bad_argument(f"requests must be a list of 1 to {most} mappings", provider)
    seen: set[str] = set()
    return [_request(one, f"requests[{index}]", seen, provider) for index, one in enumerate(given)]


def _request(one: Any, where: str, seen: set[str], provider: str) -> BatchRequest:
    if not isinstance(one, Mapping) or not {"custom_id", "messages"} <= set(one):
        bad_argument(f"{where} must be a mapping with custom_id and messages", provider)
    parameters = dict(one)
    name, messages, model = parameters.pop("custom_id"), parameters.pop("messages"), parameters.pop("model", None)
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_ID:
        bad_argument(f"{where}['custom_id'] must be text of 1 to {_LONGEST_ID} characters", provider)
    if name in seen:
        bad_argument(f"{where}['custom_id'] {name!r} is not the only one of its name", provider)
    seen.add(name)
    strange = sorted(CallOptions.__annotations__.keys() & parameters.keys())
    if strange:
        bad_argument(f"{where}: {strange[0]} belongs to the call, not to one request", provider)
    return BatchRequest(name, messages, model, parameters)


def located(where: str, make: Callable[[], T]) -> T:
    """Return what ``make`` makes; an argument that it refuses is named with where it stands.

    Raises:
        InvalidRequestError: as said.
    """
    try:
        return make()
    except errors.InvalidRequestError as error:
        error.message = f"{where}: {error.message}"
        error.args = (error.message,)
        raise


class OfflineBackend(ExchangingBackend):
    """Adds offline batches of chats to a backend; see the module docstring."""

    most_offline: ClassVar[int] = 50_000
    """How many requests a batch may hold."""

    async def asubmit_batch(self, requests: Sequence[Mapping[str, Any]], **options: Unpack[CallOptions]) -> Any:
        """Hand in chats to be answered later; returns the provider's batch (``id``, ``status``, ``ended``, counts).

        Args:
            requests: ``{"custom_id": ..., "messages": [...]}`` each, with ``model`` and any argument of ``chat``; the id is
                the caller's, 1 to 64 characters, different for each.
            **options: of the calls that hand it in.

        Raises:
            InvalidRequestError: a request is malformed, before anything is sent, and the message says which; or the
                provider refused the batch.
        """
        chosen, _ = split(options, CallOptions, self.provider.name, body=False)
        return await self._handed_in(batch_requests(requests, self.provider.name, self.most_offline), chosen)

    async def abatch_answers(self, batch_id: str, **options: Unpack[CallOptions]) -> dict[str, BatchAnswer]:
        """Return the answers of a batch that has ended, by the ids of its requests.

        A request without an answer, as of a batch that was cancelled, is not in it. All answers are held in memory and
        bounded by ``max_response_bytes``.

        Raises:
            NotFoundError: there is no such batch.
            InvalidRequestError: it has not ended; the code is ``not_ended``.
        """
        chosen, _ = split(options, CallOptions, self.provider.name, body=False)
        return await self._answers(await self._ended(batch_id, chosen), chosen)

    async def afinish_batch(
        self, batch_id: str, *, every: float = 30.0, **options: Unpack[CallOptions]
    ) -> dict[str, BatchAnswer]:
        """Look at a batch until it has ended, and return its answers by the ids of its requests.

        Args:
            batch_id: the provider's id of it.
            every: seconds between two looks.
            **options: of the calls; ``deadline`` bounds the whole of it. Giving up stops nothing at the provider.

        Raises:
            DeadlineExceededError: it had not ended by then.
            NotFoundError: there is no such batch.
        """
        if isinstance(every, bool) or not isinstance(every, int | float) or not every > 0:
            bad_argument(f"every must be a number of seconds above 0, not {every!r}", self.provider.name)
        chosen, _ = split(options, CallOptions, self.provider.name, body=False)
        deadline = chosen.pop("deadline", None)
        ends_at = None if deadline is None else self._clock.monotonic() + deadline
        while True:
            batch = await self._look(batch_id, _until(chosen, ends_at, self._clock.monotonic()))
            if batch.ended:
                return await self._answers(batch, _until(chosen, ends_at, self._clock.monotonic()))
            if ends_at is not None and self._clock.monotonic() + every >= ends_at:
                raise errors.DeadlineExceededError(
                    f"{batch.id} is {batch.status}, and the next look would be after the deadline.",
                    provider=self.provider.name,
                )
            await self._clock.sleep(every)

    submit_batch = blocking(asubmit_batch)
    batch_answers = blocking(abatch_answers)
    finish_batch = blocking(afinish_batch)

    async def _ended(self, batch_id: str, options: CallOptions) -> Any:
        """Look at a batch that must have ended, and return it.

        Raises:
            InvalidRequestError: it has not; the code is ``not_ended``.
        """
        batch = await self._look(batch_id, options)
        if batch.ended:
            return batch
        raise errors.InvalidRequestError(
            f"{batch.id} is {batch.status}: its answers are there when it has ended.",
            provider=self.provider.name,
            request_id=batch.request_id,
            code="not_ended",
        )

    # -- what a provider says ------------------------------------------------------------------------------------------

    @abstractmethod
    async def _handed_in(self, requests: Sequence[BatchRequest], options: CallOptions) -> Any:
        """Send the requests and return the provider's batch."""

    @abstractmethod
    async def _look(self, batch_id: str, options: CallOptions) -> JobState:
        """Return a batch as it stands."""

    @abstractmethod
    async def _answers(self, batch: Any, options: CallOptions) -> dict[str, BatchAnswer]:
        """Return the answers of a batch that has ended, as :meth:`_look` returned it."""


def _until(options: CallOptions, ends_at: float | None, now: float) -> CallOptions:
    return options if ends_at is None else {**options, "deadline": max(1e-9, ends_at - now)}
