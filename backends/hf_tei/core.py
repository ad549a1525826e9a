"""What every call to a TEI server shares: its address and keys, its errors, and the splitting of calls that are too large.

Wire facts: ``router/src`` of text-embeddings-inference 1.9.3. A request takes ``max_client_batch_size`` inputs (32 unless
the operator says otherwise; ``/info`` tells) and a larger one is refused whole, so it is split here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Final, TypeVar

from backends import errors
from backends.dialects.hugging_face import KEY_FILE_VARIABLES, KEY_VARIABLES, typed_error
from backends.dialects.openai_server import DialectServer
from backends.hf_tei.reading import joined, read_info
from backends.operation import CallOptions, Operation
from backends.provider import Provider
from backends.together import together
from backends.types import Reply

__all__ = ["INFO", "TEIServer"]

R = TypeVar("R", bound=Reply)
T = TypeVar("T")
_USUAL_BATCH: Final = 32
INFO: Final = Operation("info", read_info, "/info", "GET")


class TEIServer(DialectServer):
    """Base of the groups of calls; see :class:`backends.hf_tei.HFTEI`."""

    provider: ClassVar[Provider] = Provider(
        name="hf_tei",
        title="Hugging Face TEI",
        base_url="http://127.0.0.1:8080",
        key_required=False,
        key_variables=KEY_VARIABLES,
        key_file_variables=KEY_FILE_VARIABLES,
        base_url_variables=("HF_TEI_BASE_URL",),
        default_model="tei",
    )
    dialect_path: ClassVar[str] = "/v1"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._batch_sizes: dict[str, int] = {}

    @property
    def openai_base_url(self) -> str:
        """Address of the server's OpenAI-compatible side, for clients that want one."""
        return self.base_url + "/v1"

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer: the kind that the body names goes before the status."""
        del headers, operation
        return typed_error(status, data)

    async def _parts(
        self, make: Callable[[slice], Operation[T]], number: int, options: CallOptions, *, beside: int = 0
    ) -> list[T]:
        """Perform one call on ``number`` inputs, in as many parts as the server wants, and return the parts' results in
        the order of the inputs.

        Args:
            make: makes the operation of some of the inputs.
            number: how many there are.
            options: of the call; its deadline is that of all parts together.
            beside: further inputs that every part carries (the source of similarities).
        """
        settings = self._prepared_endpoint(options).settings
        if number + beside == 1 and settings.max_batch_size == 1:
            return [await self._perform(make(slice(0, 1)), options)]
        deadline_at = self._deadline_at(options)
        size = max(1, await self._batch_size(options) - beside)
        pieces = [slice(start, min(start + size, number)) for start in range(0, number, size)]
        return await together(
            [partial(self._part, _bounded(make(piece), size), options, deadline_at) for piece in pieces],
            settings.max_concurrent_requests,
        )

    async def _whole(
        self, make: Callable[[slice], Operation[R]], number: int, options: CallOptions, field: str, *, beside: int = 0
    ) -> R:
        """Perform one call and return its reply, put together from its parts by ``field``."""
        started = self._clock.monotonic()
        parts = await self._parts(make, number, options, beside=beside)
        return joined(parts, self._clock.monotonic() - started, field)

    async def _part(self, operation: Operation[T], options: CallOptions, deadline_at: float | None) -> T:
        return await self._perform(operation, self._left(options, deadline_at))

    async def _batch_size(self, options: CallOptions) -> int:
        """Return how many inputs a request to this endpoint may have; the server is asked once.

        A front end without ``/info`` is taken for a server with the usual bound.
        """
        name = self._prepared_endpoint(options).name
        known = self._batch_sizes.get(name)
        if known is not None:
            return known
        asking: CallOptions = {**options}
        asking.pop("request_id", None)
        asking.pop("extra_body", None)
        try:
            told = (await self._perform(INFO, asking)).max_client_batch_size
        except (errors.NotFoundError, errors.UnsupportedError):
            told = None
        return self._batch_sizes.setdefault(name, told or _USUAL_BATCH)

    def _deadline_at(self, options: CallOptions) -> float | None:
        """Return the moment of the call's deadline; what is no duration is left for the call itself to refuse."""
        deadline = options.get("deadline")
        if deadline is None:
            deadline = self._prepared_endpoint(options).settings.deadline
        if isinstance(deadline, bool) or not isinstance(deadline, int | float) or not deadline > 0:
            return None
        return self._clock.monotonic() + deadline

    def _left(self, options: CallOptions, deadline_at: float | None) -> CallOptions:
        """Return the options of one part, with what is left of the time."""
        if deadline_at is None:
            return options
        left = deadline_at - self._clock.monotonic()
        if left <= 0:
            raise errors.DeadlineExceededError(
                "The deadline passed before every part was sent.", provider=self.provider.name
            )
        return {**options, "deadline": left}


def _bounded(operation: Operation[T], size: int) -> Operation[T]:
    """Return an operation that shares requests of no more than so many inputs, the server's bound."""
    if operation.batch is None:
        return operation
    return replace(operation, batch=replace(operation.batch, most_items=size))
