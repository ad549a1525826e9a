"""Message batches of the Claude backend: many messages at half the price, answered within a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final, NoReturn, Unpack

from backends.claude.core import ClaudeCore
from backends.claude.failures import raise_inside
from backends.claude.files import read_deleted
from backends.claude.lists import AFTER_LAST, list_pages
from backends.claude.messages import PATH as MESSAGES
from backends.claude.parameters import ClaudeOptions, ListParameters, MessageParameters
from backends.claude.requests import message_body
from backends.claude.results import ResultReader, unread
from backends.claude.values import Batch, BatchResults, ItemChunk, MessageReply, unix_time
from backends.dialects.openai_common import count, json_object
from backends.errors import InvalidRequestError
from backends.offline import BatchAnswer, BatchRequest, OfflineBackend
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.paging import Pages, blocking_list
from backends.parameters import bad_argument
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.values import Deleted

__all__ = ["BatchCalls"]

_PATH: Final = MESSAGES + "/batches"
_MOST_REQUESTS: Final = 100_000
_LONGEST_ID: Final = 64
_BINARY: Final = ("accept", "application/binary")


class BatchCalls(ClaudeCore, OfflineBackend):
    """Calls under ``/v1/messages/batches``."""

    most_offline: ClassVar[int] = _MOST_REQUESTS

    async def acreate_batch(self, requests: Sequence[Mapping[str, Any]], **parameters: Unpack[ClaudeOptions]) -> Batch:
        """Start a batch (``POST /v1/messages/batches``). It is repeated only where it cannot have started.

        Args:
            requests: ``{"custom_id": ..., "params": {...}}`` each, up to 100,000. ``custom_id`` is the caller's,
                1 to 64 characters, different for each; ``params`` holds ``messages`` and any argument of ``chat``,
                with the same defaults, the backend's model among them.
            **parameters: options of the call; ``betas`` count for every request.

        Raises:
            InvalidRequestError: a request is malformed, before anything is sent, and the message says which; or the
                provider refused the batch.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions)
        body = {"requests": self._requests(requests)}
        operation = Operation("create_batch", _read_batch, _PATH, body=body, headers=headers, repeat=Repeat.UNPROCESSED)
        return await self._perform(operation, options)

    async def aget_batch(self, batch_id: str, **parameters: Unpack[ClaudeOptions]) -> Batch:
        """Return a batch as it stands (``GET /v1/messages/batches/{id}``); ask again until it has ``ended``.

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        operation = Operation("get_batch", _read_batch, self._batch_path(batch_id), "GET", headers=headers)
        return await self._perform(operation, options)

    def alist_batches(self, **parameters: Unpack[ListParameters]) -> Pages[Batch]:
        """Return the workspace's batches (``GET /v1/messages/batches``), newest first, page by page."""
        taken = self._taken(parameters, ListParameters, body=False)
        return list_pages(
            self, "list_batches", _PATH, AFTER_LAST, taken, lambda entry: Batch(raw=entry, **_batch(entry))
        )

    def abatch_results(self, batch_id: str, **parameters: Unpack[ClaudeOptions]) -> AsyncStream[BatchResults]:
        """Return the results of a batch that has ended, as a stream of lines in any order (``GET .../results``).

        Each chunk is an :class:`~backends.claude.values.ItemChunk`: its ``item`` holds the request's ``custom_id``
        and its message or typed error; a message's ``cost`` is told where the price of the tier ``batch`` is known, and
        adds to no sum, because results can be read more than once. Nothing is kept of items gone by; the stream's reply counts them.

        Raises:
            NotFoundError: there is no such batch.
            InvalidRequestError: it has not ended.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        return self._stream(
            Operation(
                "batch_results",
                unread,
                self._batch_path(batch_id) + "/results",
                "GET",
                headers=(*headers, _BINARY),
                stream=partial(ResultReader, self._event_limit(options), self._item_cost),
            ),
            options,
        )

    async def acancel_batch(self, batch_id: str, **parameters: Unpack[ClaudeOptions]) -> Batch:
        """Stop a batch (``POST .../cancel``); what is done by then stays and can be read once it has ended.

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        path = self._batch_path(batch_id) + "/cancel"
        return await self._perform(Operation("cancel_batch", _read_batch, path, headers=headers), options)

    async def adelete_batch(self, batch_id: str, **parameters: Unpack[ClaudeOptions]) -> Deleted:
        """Delete a batch that has ended, with its results (``DELETE /v1/messages/batches/{id}``).

        Raises:
            NotFoundError: there is no such batch.
            InvalidRequestError: it has not ended; cancel it first.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        operation = Operation("delete_batch", read_deleted, self._batch_path(batch_id), "DELETE", headers=headers)
        return await self._perform(operation, options)

    async def _handed_in(self, requests: Sequence[BatchRequest], options: CallOptions) -> Batch:
        named = [
            {
                "custom_id": request.custom_id,
                "params": {"messages": request.messages, "model": request.model, **request.parameters},
            }
            for request in requests
        ]
        return await self.acreate_batch(named, **options)

    async def _look(self, batch_id: str, options: CallOptions) -> Batch:
        return await self.aget_batch(batch_id, **options)

    async def _answers(self, batch: Batch, options: CallOptions) -> dict[str, BatchAnswer]:
        answers: dict[str, BatchAnswer] = {}
        async with self.abatch_results(batch.id, **options) as lines:
            async for line in lines:
                item = line.item if isinstance(line, ItemChunk) else None
                if item is not None and (item.reply is not None or item.error is not None):
                    answers[item.custom_id] = BatchAnswer(item.reply, item.error)
        return answers

    create_batch = blocking(acreate_batch)
    get_batch = blocking(aget_batch)
    list_batches = blocking_list(alist_batches)
    batch_results = blocking_stream(abatch_results)
    cancel_batch = blocking(acancel_batch)
    delete_batch = blocking(adelete_batch)

    def _item_cost(self, reply: MessageReply) -> float | None:
        return self.reply_cost(reply, {}, self.prices)

    def _batch_path(self, batch_id: str) -> str:
        return f"{_PATH}/{self._segment('batch_id', batch_id)}"

    def _requests(self, requests: Any) -> list[dict[str, Any]]:
        if isinstance(requests, str | bytes | Mapping) or not isinstance(requests, Sequence):
            bad_argument(f"requests must be a list, not {type(requests).__name__}", "claude")
        if not 1 <= len(requests) <= _MOST_REQUESTS:
            bad_argument(f"requests must have between 1 and {_MOST_REQUESTS} items, not {len(requests)}", "claude")
        known: set[str] = set()
        return [self._request(request, f"requests[{index}]", known) for index, request in enumerate(requests)]

    def _request(self, request: Any, where: str, known: set[str]) -> dict[str, Any]:
        if not isinstance(request, Mapping) or set(request) != {"custom_id", "params"}:
            bad_argument(f"{where} must be {{'custom_id': ..., 'params': {{...}}}}", "claude")
        name, params = request["custom_id"], request["params"]
        if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_ID:
            bad_argument(f"{where}['custom_id'] must be text of 1 to {_LONGEST_ID} characters", "claude")
        if name in known:
            bad_argument(f"{where}['custom_id'] {name!r} is not the only one of its name", "claude")
        known.add(name)
        if not isinstance(params, Mapping):
            bad_argument(f"{where}['params'] must be a mapping, not {type(params).__name__}", "claude")
        given = dict(params)
        messages, model = given.pop("messages", None), given.pop("model", None)
        try:
            strange = sorted(ClaudeOptions.__annotations__.keys() & given.keys())
            if strange:
                bad_argument(f"{strange[0]} belongs to the call, not to one request", "claude")
            _, fields, _ = self._taken(given, MessageParameters)
            return {"custom_id": name, "params": message_body(self._chosen_model(model), messages, fields)}
        except InvalidRequestError as error:
            _again(error, f"{where}['params']")


def _again(error: InvalidRequestError, where: str) -> NoReturn:
    """Raise the error of an argument again, with the request that it belongs to."""
    raise type(error)(
        f"{where}: {error.message}", provider="claude", code=error.code, suggestions=error.suggestions
    ) from None


def _batch(data: Any) -> dict[str, Any]:
    data = json_object(data)
    counts = json_object(data.get("request_counts") or {})
    number = {
        ours: count(counts.get(theirs))
        for ours, theirs in (
            ("processing", "processing"),
            ("succeeded", "succeeded"),
            ("failed", "errored"),
            ("cancelled", "canceled"),
            ("expired", "expired"),
        )
    }
    known = [value for value in number.values() if value is not None]
    return {
        "id": data["id"],
        "status": data["processing_status"],
        "total": sum(known) if known else None,
        **number,
        "created": unix_time(data.get("created_at")),
        "expires": unix_time(data.get("expires_at")),
        "ended_at": unix_time(data.get("ended_at")),
        "results_url": data.get("results_url"),
    }


def _read_batch(answer: Answer) -> Batch:
    raise_inside(answer.data)
    return Batch(**answer.facts(), **_batch(answer.data))
