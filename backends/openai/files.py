"""Files and batches of the OpenAI backend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Unpack

from backends.dialects.openai_common import count, json_object
from backends.dialects.openai_errors import raise_inside
from backends.landing import Landing
from backends.openai.core import OpenAICore
from backends.openai.file_streams import ContentReader
from backends.openai.forms import File, file_part, form
from backends.openai.lists import ListParameters, list_pages
from backends.openai.parameters import Metadata
from backends.openai.responses import read_deleted
from backends.openai.values import Batch, Deleted, FileContent, FileInfo
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.paging import Pages, blocking_list
from backends.parameters import Size, bad_argument, check_argument, split
from backends.twins import blocking

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


class FileCalls(OpenAICore):
    """Calls under ``/files`` and ``/batches``."""

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
            Operation("upload_file", _read_file, "/files", body=body, repeat=Repeat.UNPROCESSED), options
        )

    def alist_files(self, **parameters: Unpack[FileListParameters]) -> Pages[FileInfo]:
        """Return the account's files (``GET /files``), newest first, page by page as they are asked for."""
        options, fields = split(parameters, FileListParameters, self.provider.name, body=False)
        return list_pages(
            self, "list_files", "/files", fields, options, lambda entry: FileInfo(raw=entry, **_file(entry))
        )

    async def aget_file(self, file_id: str, **parameters: Unpack[CallOptions]) -> FileInfo:
        """Return what the provider says of a file (``GET /files/{id}``).

        Raises:
            NotFoundError: there is no such file.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("get_file", _read_file, self._file_path(file_id), "GET"), options)

    async def afile_content(self, file_id: str, **parameters: Unpack[CallOptions]) -> FileContent:
        """Return the bytes of a file (``GET /files/{id}/content``), bounded by ``max_response_bytes``; see
        ``download_file``.

        Raises:
            NotFoundError: there is no such file.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._file_path(file_id) + "/content"
        return await self._perform(Operation("file_content", _read_content, path, "GET", expect="bytes"), options)

    async def adownload_file(self, file_id: str, path: str | Path, **parameters: Unpack[CallOptions]) -> FileContent:
        """Write a file of any size to disk in bounded memory; it appears under its name only when it is whole.

        Raises:
            NotFoundError: there is no such file at the provider.
            ConfigurationError: the local file cannot be written.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        source = self._file_path(file_id) + "/content"
        operation = Operation("download_file", _read_content, source, "GET", expect="bytes", stream=ContentReader)
        async with Landing(path) as landing, self._stream(operation, options) as stream:
            async for chunk in stream:
                if chunk.data:
                    await landing.write(chunk.data)
            return stream.reply

    async def adelete_file(self, file_id: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete a file (``DELETE /files/{id}``).

        Raises:
            NotFoundError: there is no such file.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("delete_file", read_deleted, self._file_path(file_id), "DELETE"), options)

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
        operation = Operation("create_batch", _read_batch, "/batches", body=body, repeat=Repeat.UNPROCESSED)
        return await self._perform(operation, options)

    async def aget_batch(self, batch_id: str, **parameters: Unpack[CallOptions]) -> Batch:
        """Return a batch as it stands (``GET /batches/{id}``).

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = f"/batches/{self._segment('batch_id', batch_id)}"
        return await self._perform(Operation("get_batch", _read_batch, path, "GET"), options)

    def alist_batches(self, **parameters: Unpack[ListParameters]) -> Pages[Batch]:
        """Return the account's batches (``GET /batches``), newest first, page by page as they are asked for."""
        options, fields = split(parameters, ListParameters, self.provider.name, body=False)
        return list_pages(
            self, "list_batches", "/batches", fields, options, lambda entry: Batch(raw=entry, **_batch(entry))
        )

    async def acancel_batch(self, batch_id: str, **parameters: Unpack[CallOptions]) -> Batch:
        """Stop a batch (``POST /batches/{id}/cancel``); what is done by then stays.

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = f"/batches/{self._segment('batch_id', batch_id)}/cancel"
        return await self._perform(Operation("cancel_batch", _read_batch, path), options)

    upload_file = blocking(aupload_file)
    list_files = blocking_list(alist_files)
    get_file = blocking(aget_file)
    file_content = blocking(afile_content)
    download_file = blocking(adownload_file)
    delete_file = blocking(adelete_file)
    create_batch = blocking(acreate_batch)
    get_batch = blocking(aget_batch)
    list_batches = blocking_list(alist_batches)
    cancel_batch = blocking(acancel_batch)

    def _file_path(self, file_id: str) -> str:
        return f"/files/{self._segment('file_id', file_id)}"

    def _check_expiry(self, name: str, value: Mapping[str, Any] | None) -> None:
        if value is None:
            return
        seconds = value.get("seconds")
        if set(value) != {"anchor", "seconds"} or value["anchor"] != "created_at":
            bad_argument(f"{name} must be {{'anchor': 'created_at', 'seconds': ...}}", self.provider.name)
        if type(seconds) is not int or not 3600 <= seconds <= 2_592_000:
            bad_argument(f"{name}['seconds'] must be between 3600 and 2592000", self.provider.name)


def _file(data: Any) -> dict[str, Any]:
    data = json_object(data)
    return {
        "id": data["id"],
        "filename": data.get("filename"),
        "purpose": data.get("purpose"),
        "size": count(data.get("bytes")),
        "status": data.get("status"),
        "created": data.get("created_at"),
        "expires": data.get("expires_at"),
    }


def _read_file(answer: Answer) -> FileInfo:
    raise_inside(answer.data)
    return FileInfo(**answer.facts(), **_file(answer.data))


def _read_content(answer: Answer) -> FileContent:
    data: bytes = answer.data
    facts = {**answer.facts(), "raw": None}
    return FileContent(**facts, data=data, size=len(data), content_type=answer.headers.get("content-type"))


def _batch(data: Any) -> dict[str, Any]:
    data = json_object(data)
    counts = data.get("request_counts") or {}
    return {
        "id": data["id"],
        "status": data["status"],
        "endpoint": data.get("endpoint"),
        "input_file_id": data.get("input_file_id"),
        "output_file_id": data.get("output_file_id"),
        "error_file_id": data.get("error_file_id"),
        "total": count(counts.get("total")),
        "succeeded": count(counts.get("completed")),
        "failed": count(counts.get("failed")),
        "problems": data.get("errors"),
    }


def _read_batch(answer: Answer) -> Batch:
    return Batch(**answer.facts(), **_batch(answer.data))
