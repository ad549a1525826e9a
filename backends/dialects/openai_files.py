"""Files and batches of the OpenAI dialect: the calls that every server which has them shares, and how they read.

What differs stays with the provider: which purposes and expiries an upload takes, how lists are narrowed, what a
batch may be made of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from backends.contents import ContentReader
from backends.dialects.openai_common import count, json_object
from backends.dialects.openai_errors import raise_inside
from backends.dialects.openai_server import DialectServer
from backends.landing import land
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import split
from backends.twins import blocking
from backends.values import Batch, Deleted, FileContent, FileInfo

__all__ = [
    "FileServer",
    "batch_entry",
    "file_entry",
    "read_batch",
    "read_deleted",
    "read_file",
]


class FileServer(DialectServer):
    """What one does with a file or batch that is there."""

    async def aget_file(self, file_id: str, **parameters: Unpack[CallOptions]) -> FileInfo:
        """Return what the provider says of a file (``GET /files/{id}``).

        Raises:
            NotFoundError: there is no such file.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("get_file", read_file, self._file_path(file_id), "GET"), options)

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
        return await land(self._stream(operation, options), path)

    async def adelete_file(self, file_id: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete a file (``DELETE /files/{id}``).

        Raises:
            NotFoundError: there is no such file.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("delete_file", read_deleted, self._file_path(file_id), "DELETE"), options)

    async def aget_batch(self, batch_id: str, **parameters: Unpack[CallOptions]) -> Batch:
        """Return a batch as it stands (``GET /batches/{id}``).

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("get_batch", read_batch, self._batch_path(batch_id), "GET"), options)

    async def acancel_batch(self, batch_id: str, **parameters: Unpack[CallOptions]) -> Batch:
        """Stop a batch (``POST /batches/{id}/cancel``); what is done by then stays.

        Raises:
            NotFoundError: there is no such batch.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._batch_path(batch_id) + "/cancel"
        return await self._perform(Operation("cancel_batch", read_batch, path), options)

    get_file = blocking(aget_file)
    file_content = blocking(afile_content)
    download_file = blocking(adownload_file)
    delete_file = blocking(adelete_file)
    get_batch = blocking(aget_batch)
    cancel_batch = blocking(acancel_batch)

    def _file_path(self, file_id: str) -> str:
        return f"{self.dialect_path}/files/{self._segment('file_id', file_id)}"

    def _batch_path(self, batch_id: str) -> str:
        return f"{self.dialect_path}/batches/{self._segment('batch_id', batch_id)}"


def file_entry(data: Any) -> dict[str, Any]:
    """Return the fields of :class:`FileInfo` in a file object."""
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


def read_file(answer: Answer) -> FileInfo:
    """Read a file object."""
    raise_inside(answer.data)
    return FileInfo(**answer.facts(), **file_entry(answer.data))


def _read_content(answer: Answer) -> FileContent:
    data: bytes = answer.data
    facts = {**answer.facts(), "raw": None}
    return FileContent(**facts, data=data, size=len(data), content_type=answer.headers.get("content-type"))


def batch_entry(data: Any) -> dict[str, Any]:
    """Return the fields of :class:`Batch` in a batch object."""
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


def read_batch(answer: Answer) -> Batch:
    """Read a batch object."""
    return Batch(**answer.facts(), **batch_entry(answer.data))


def read_deleted(answer: Answer) -> Deleted:
    """Read ``{"id", "deleted": true}``."""
    data = json_object(answer.data)
    raise_inside(data)
    return Deleted(**answer.facts(), id=data["id"], deleted=data["deleted"] is True)
