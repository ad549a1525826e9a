"""Files and batches of the OpenAI backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Unpack

from backends.dialects.openai_files import batch_entry, file_entry, read_batch, read_file
from backends.dialects.openai_lists import ListParameters, list_pages
from backends.dialects.openai_offline import OfflineServer
from backends.forms import File, file_part, form
from backends.offline import BatchRequest
from backends.openai.core import OpenAICore
from backends.openai.parameters import ChatParameters, Metadata
from backends.operation import CallOptions, Operation, Repeat
from backends.paging import Pages, blocking_list
from backends.parameters import Size, bad_argument, check_argument, split
from backends.twins import blocking
from backends.values import Batch, FileInfo

__all__ = ["BatchParameters", "FileCalls", "FileListParameters", "UploadParameters"]


class UploadParameters(CallOptions, total=False):
    """Arguments of ``upload_file``: ``expires_after`` is ``{"anchor": "created_at", "seconds": 3600 to 2592000}``."""

    expires_after: Mapping[str, Any] | None


class FileListParameters(ListParameters, total=False):
    """Arguments of ``list_files``; ``limit`` is the page size."""

    order: Literal["asc", "desc"] | None
    purpose: str | None


class BatchParameters(CallOptions, total=False):
    """Arguments of ``create_batch``."""

    metadata: Metadata | None
    output_expires_after: Mapping[str, Any] | None


class FileCalls(OfflineServer, OpenAICore):
    """Calls under ``/files`` and ``/batches``; those on a file or batch that is there are the dialect's."""

    async def aupload_file(self, file: File, purpose: str, **parameters: Unpack[UploadParameters]) -> FileInfo:
        """Upload a file (``POST /files``). It is repeated only where the first try cannot have arrived.

        Args:
            file: a path, bytes, an open binary file, or a file name with either.
            purpose: ``batch``, ``user_data``, ``vision``, ``fine-tune``, ``evals``.
            **parameters: see :class:`UploadParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, UploadParameters, self.provider.name)
        check_argument("purpose", purpose, Annotated[str, Size(1, 100)], self.provider.name)
        self._check_expiry("expires_after", fields.get("expires_after"))
        part = file_part("file", file, self.provider.name)
        body = form({"purpose": purpose, **fields}, [part], options, self.provider.name)
        return await self._perform(
            Operation("upload_file", read_file, "/files", body=body, repeat=Repeat.UNPROCESSED), options
        )

    def alist_files(self, **parameters: Unpack[FileListParameters]) -> Pages[FileInfo]:
        """Return the account's files (``GET /files``), newest first, page by page as they are asked for."""
        options, fields = split(parameters, FileListParameters, self.provider.name, body=False)
        return list_pages(
            self, "list_files", "/files", fields, options, lambda entry: FileInfo(raw=entry, **file_entry(entry))
        )

    async def acreate_batch(
        self,
        input_file_id: str,
        target: str,
        *,
        completion_window: Literal["24h"] = "24h",
        **parameters: Unpack[BatchParameters],
    ) -> Batch:
        """Start a batch over an uploaded JSONL file (``POST /batches``). It is repeated only where it cannot have
        started.

        Args:
            input_file_id: of a file with purpose ``batch``.
            target: the route that every line goes to: ``/v1/chat/completions``, ``/v1/responses``,
                ``/v1/embeddings``...
            completion_window: the only one there is.
            **parameters: see :class:`BatchParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, BatchParameters, self.provider.name)
        check_argument("input_file_id", input_file_id, Annotated[str, Size(1, 500)], self.provider.name)
        check_argument("target", target, Annotated[str, Size(1, 500)], self.provider.name)
        check_argument("completion_window", completion_window, Literal["24h"], self.provider.name)
        if not target.startswith("/v1/"):
            bad_argument(
                f"target must be a route such as /v1/chat/completions, not {target[:100]!r}", self.provider.name
            )
        self._check_expiry("output_expires_after", fields.get("output_expires_after"))
        body = {"input_file_id": input_file_id, "endpoint": target, "completion_window": completion_window, **fields}
        operation = Operation("create_batch", read_batch, "/batches", body=body, repeat=Repeat.UNPROCESSED)
        return await self._perform(operation, options)

    def alist_batches(self, **parameters: Unpack[ListParameters]) -> Pages[Batch]:
        """Return the account's batches (``GET /batches``), newest first, page by page as they are asked for."""
        options, fields = split(parameters, ListParameters, self.provider.name, body=False)
        return list_pages(
            self, "list_batches", "/batches", fields, options, lambda entry: Batch(raw=entry, **batch_entry(entry))
        )

    upload_file = blocking(aupload_file)
    list_files = blocking_list(alist_files)
    create_batch = blocking(acreate_batch)
    list_batches = blocking_list(alist_batches)

    def _offline_chat(self, request: BatchRequest) -> Operation[Any]:
        return self._chat(request.messages, request.model, request.parameters, ChatParameters)[0]

    async def _offline_file(self, content: bytes, options: CallOptions) -> str:
        return (await self.aupload_file(("batch.jsonl", content), "batch", **options)).id

    async def _offline_batch(self, file_id: str, target: str, options: CallOptions) -> Batch:
        return await self.acreate_batch(file_id, target, **options)

    def _check_expiry(self, name: str, value: Mapping[str, Any] | None) -> None:
        if value is None:
            return
        seconds = value.get("seconds")
        if set(value) != {"anchor", "seconds"} or value["anchor"] != "created_at":
            bad_argument(f"{name} must be {{'anchor': 'created_at', 'seconds': ...}}", self.provider.name)
        if type(seconds) is not int or not 3600 <= seconds <= 2_592_000:
            bad_argument(f"{name}['seconds'] must be between 3600 and 2592000", self.provider.name)
