"""Batches of the Gemini backend: jobs at half the price that are done within a day.

Wire facts: ``models/{model}:batchGenerateContent`` and ``:asyncBatchEmbedContent`` give a long-running operation
``batches/...``; its state stands in ``metadata.state``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Unpack

from backends.gemini.batch_requests import (
    batch_facts,
    file_source,
    generation_source,
    inline_results,
    line_results,
    results_of,
)
from backends.gemini.core import GeminiCore
from backends.gemini.failures import raise_inside
from backends.gemini.files import deleted_reader
from backends.gemini.lists import ListParameters, list_pages
from backends.gemini.parameters import EmbedParameters
from backends.gemini.text import embed_requests
from backends.gemini.values import Batch, BatchResult, FileInfo
from backends.offline import BatchAnswer, BatchRequest, OfflineBackend
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.paging import Pages, blocking_list
from backends.parameters import Size, bad_argument, split
from backends.twins import blocking
from backends.types import Reply
from backends.values import Deleted

__all__ = ["BatchCalls", "BatchParameters", "EmbeddingBatchParameters"]


class BatchParameters(CallOptions, total=False):
    """Arguments of ``create_batch``: ``display_name`` is for people."""

    display_name: Annotated[str | None, Size(1, 512)]


class EmbeddingBatchParameters(EmbedParameters, total=False):
    """Arguments of ``create_embedding_batch``: those of ``embed``, and ``display_name``."""

    display_name: Annotated[str | None, Size(1, 512)]


@dataclass(frozen=True, slots=True)
class _Job:
    """A batch as it stands, with the results that came in the same answer."""

    id: str
    status: str
    ended: bool
    request_id: str
    batch: Batch
    inline: tuple[BatchResult, ...]


class BatchCalls(GeminiCore, OfflineBackend):
    """Calls under ``/batches``."""

    async def acreate_batch(
        self,
        requests: FileInfo | str | Sequence[Mapping[str, Any]],
        *,
        model: str | None = None,
        **parameters: Unpack[BatchParameters],
    ) -> Batch:
        """Start a batch of generations. It is repeated only where it cannot have started.

        Args:
            requests: an uploaded JSONL file (``files/...``, lines ``{"key", "request"}``), or mappings with
                ``messages``, ``custom_id`` (the caller's own name of the request) and parameters of chat.
            model: of all requests.
            **parameters: see :class:`BatchParameters`.

        Raises:
            InvalidRequestError: a request is malformed, before anything is sent; or the provider refused the batch.
        """
        options, fields = split(parameters, BatchParameters, self.provider.name)
        name = self._chosen_model(model, "chat")
        source = generation_source(requests)
        return await self._perform(
            self._creation("create_batch", ":batchGenerateContent", name, source, fields), options
        )

    async def acreate_embedding_batch(
        self,
        texts: FileInfo | Sequence[str | Mapping[str, Any]],
        *,
        model: str | None = None,
        **parameters: Unpack[EmbeddingBatchParameters],
    ) -> Batch:
        """Start a batch of embeddings over texts, or over an uploaded JSONL file; as with :meth:`acreate_batch`."""
        options, fields = split(parameters, EmbeddingBatchParameters, self.provider.name)
        name = self._chosen_model(model, "embedding")
        about = {"display_name": fields.pop("display_name")} if "display_name" in fields else {}
        source = (
            file_source(texts)
            if isinstance(texts, FileInfo)
            else {"requests": {"requests": [{"request": one} for one in embed_requests(texts, name, fields)]}}
        )
        operation = self._creation("create_embedding_batch", ":asyncBatchEmbedContent", name, source, about)
        return await self._perform(operation, options)

    async def aget_batch(self, batch_id: str, **parameters: Unpack[CallOptions]) -> Batch:
        """Return how far a batch is (``GET /batches/{id}``).

        Args:
            batch_id: with or without ``batches/``.
            **parameters: options of the call.

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._resource_path("batches", "batch_id", batch_id)
        return await self._perform(Operation("get_batch", _read_batch, path, "GET"), options)

    def alist_batches(self, **parameters: Unpack[ListParameters]) -> Pages[Batch]:
        """Return the project's batches (``GET /batches``), page by page as they are asked for."""
        options, fields = split(parameters, ListParameters, self.provider.name, body=False)
        return list_pages(
            self,
            "list_batches",
            "batches",
            fields,
            options,
            lambda entry: Batch(raw=entry, **batch_facts(entry)),
            key="operations",
        )

    async def acancel_batch(self, batch_id: str, **parameters: Unpack[CallOptions]) -> Reply:
        """Ask for the end of a batch (``POST /batches/{id}:cancel``); :meth:`aget_batch` tells when it has ended.

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._resource_path("batches", "batch_id", batch_id, ":cancel")
        return await self._perform(Operation("cancel_batch", _read_nothing, path), options)

    async def adelete_batch(self, batch_id: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete a batch and its results (``DELETE /batches/{id}``).

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._resource_path("batches", "batch_id", batch_id)
        read = deleted_reader("batches", batch_id)
        return await self._perform(Operation("delete_batch", read, path, "DELETE", repeat=Repeat.UNPROCESSED), options)

    async def abatch_results(self, batch_id: str, **parameters: Unpack[CallOptions]) -> tuple[BatchResult, ...]:
        """Return what became of each request of a batch that has ended, in the order of the provider.

        Results in a file are a second call, bounded by ``max_response_bytes``; see ``download_file`` for larger ones.

        Raises:
            NotFoundError: there is no such batch.
            InvalidRequestError: it has not ended yet; its code is ``not_ended``.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._results(await self._ended(batch_id, options), options)

    async def _results(self, job: _Job, options: CallOptions) -> tuple[BatchResult, ...]:
        batch = job.batch
        if batch.output_file_id is None:
            return job.inline
        file = self._resource_path("files", "file_id", batch.output_file_id, ":download")
        operation = Operation(
            "batch_results", _read_lines, file, "GET", query=(("alt", "media"),), model=batch.endpoint, expect="bytes"
        )
        return await self._perform(operation, options)

    async def _handed_in(self, requests: Sequence[BatchRequest], options: CallOptions) -> Batch:
        models = {request.model for request in requests}
        if len(models) > 1:
            bad_argument("requests of one batch must name the same model", self.provider.name)
        named = [
            {"custom_id": request.custom_id, "messages": request.messages, **request.parameters} for request in requests
        ]
        return await self.acreate_batch(named, model=models.pop(), **options)

    async def _look(self, batch_id: str, options: CallOptions) -> _Job:
        path = self._resource_path("batches", "batch_id", batch_id)
        return await self._perform(Operation("batch_results", _read_job, path, "GET"), options)

    async def _answers(self, batch: _Job, options: CallOptions) -> dict[str, BatchAnswer]:
        return {
            result.custom_id: BatchAnswer(result.reply, result.error)
            for result in await self._results(batch, options)
            if result.custom_id is not None and (result.reply is not None or result.error is not None)
        }

    create_batch = blocking(acreate_batch)
    create_embedding_batch = blocking(acreate_embedding_batch)
    get_batch = blocking(aget_batch)
    list_batches = blocking_list(alist_batches)
    cancel_batch = blocking(acancel_batch)
    delete_batch = blocking(adelete_batch)
    batch_results = blocking(abatch_results)

    def _creation(
        self, name: str, verb: str, model: str, source: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> Operation[Batch]:
        batch: dict[str, Any] = {"inputConfig": source}
        if "display_name" in fields:
            batch["displayName"] = fields["display_name"]
        return Operation(
            name,
            _read_batch,
            self._model_path(model, verb),
            body={"batch": batch},
            model=model,
            repeat=Repeat.UNPROCESSED,
        )


def _read_batch(answer: Answer) -> Batch:
    if not isinstance(answer.data, dict) or "name" not in answer.data:  # a failed job has an error of its own
        raise_inside(answer.data, answer.model)
    return Batch(**answer.facts(), **batch_facts(answer.data))


def _read_job(answer: Answer) -> _Job:
    batch = _read_batch(answer)
    inline = results_of(inline_results(batch), answer) if batch.ended else ()
    return _Job(batch.id, batch.status, batch.ended, batch.request_id, batch, inline)


def _read_lines(answer: Answer) -> tuple[BatchResult, ...]:
    return results_of(line_results(answer.data), answer)


def _read_nothing(answer: Answer) -> Reply:
    raise_inside(answer.data)
    return Reply(**answer.facts())
