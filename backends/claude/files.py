"""Files of the Claude backend: uploads for messages to refer to, and what tools have made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Unpack

from backends.claude.core import ClaudeCore
from backends.claude.failures import raise_inside
from backends.claude.lists import NEXT_PAGE, list_pages
from backends.claude.parameters import ClaudeOptions, ListParameters
from backends.claude.values import StoredFile, unix_time
from backends.contents import ContentReader
from backends.dialects.openai_common import count, json_object
from backends.forms import File, file_part, form
from backends.landing import land
from backends.operation import Answer, Operation, Repeat
from backends.paging import Pages, blocking_list
from backends.parameters import Between
from backends.twins import blocking
from backends.values import Deleted, FileContent

__all__ = ["FileCalls", "UploadParameters", "read_deleted"]

_PATH = "/v1/files"
_BINARY = ("accept", "application/binary")


class UploadParameters(ClaudeOptions, total=False):
    """Arguments of ``upload_file``: ``expires_in_seconds`` is 3600 to 7776000; the file stays unless given."""

    expires_in_seconds: Annotated[int | None, Between(3600, 7_776_000)]


class FileCalls(ClaudeCore):
    """Calls under ``/v1/files``."""

    async def aupload_file(self, file: File, **parameters: Unpack[UploadParameters]) -> StoredFile:
        """Upload a file (``POST /v1/files``), for ``{"type": "file", "file_id": ...}`` as the source of an image or
        document. It is repeated only where the first try cannot have arrived.

        Args:
            file: a path, bytes, an open binary file, or a file name with either; its type is told by the name.
            **parameters: see :class:`UploadParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields, headers = self._taken(parameters, UploadParameters)
        body = form(fields, [file_part("file", file, "claude")], options, "claude")
        operation = Operation("upload_file", _read_file, _PATH, body=body, headers=headers, repeat=Repeat.UNPROCESSED)
        return await self._perform(operation, options)

    def alist_files(self, **parameters: Unpack[ListParameters]) -> Pages[StoredFile]:
        """Return the workspace's files (``GET /v1/files``), newest first, page by page as they are asked for."""
        taken = self._taken(parameters, ListParameters, body=False)
        return list_pages(
            self, "list_files", _PATH, NEXT_PAGE, taken, lambda entry: StoredFile(raw=entry, **_file(entry))
        )

    async def aget_file(self, file_id: str, **parameters: Unpack[ClaudeOptions]) -> StoredFile:
        """Return what the provider says of a file (``GET /v1/files/{id}``).

        Raises:
            NotFoundError: there is no such file.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        operation = Operation("get_file", _read_file, self._file_path(file_id), "GET", headers=headers)
        return await self._perform(operation, options)

    async def afile_content(self, file_id: str, **parameters: Unpack[ClaudeOptions]) -> FileContent:
        """Return the bytes of a file (``GET /v1/files/{id}/content``), bounded by ``max_response_bytes``; see
        ``download_file``.

        Raises:
            NotFoundError: there is no such file.
            InvalidRequestError: the file may not be downloaded (``file_not_downloadable``).
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        path = self._file_path(file_id) + "/content"
        operation = Operation("file_content", _read_content, path, "GET", headers=(*headers, _BINARY), expect="bytes")
        return await self._perform(operation, options)

    async def adownload_file(self, file_id: str, path: str | Path, **parameters: Unpack[ClaudeOptions]) -> FileContent:
        """Write a file of any size to disk in bounded memory; it appears under its name only when it is whole.

        Raises:
            NotFoundError: there is no such file at the provider.
            InvalidRequestError: the file may not be downloaded (``file_not_downloadable``).
            ConfigurationError: the local file cannot be written.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        source = self._file_path(file_id) + "/content"
        operation = Operation(
            "download_file",
            _read_content,
            source,
            "GET",
            headers=(*headers, _BINARY),
            expect="bytes",
            stream=ContentReader,
        )
        return await land(self._stream(operation, options), path)

    async def adelete_file(self, file_id: str, **parameters: Unpack[ClaudeOptions]) -> Deleted:
        """Delete a file (``DELETE /v1/files/{id}``).

        Raises:
            NotFoundError: there is no such file.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        operation = Operation("delete_file", read_deleted, self._file_path(file_id), "DELETE", headers=headers)
        return await self._perform(operation, options)

    upload_file = blocking(aupload_file)
    list_files = blocking_list(alist_files)
    get_file = blocking(aget_file)
    file_content = blocking(afile_content)
    download_file = blocking(adownload_file)
    delete_file = blocking(adelete_file)

    def _file_path(self, file_id: str) -> str:
        return f"{_PATH}/{self._segment('file_id', file_id)}"


def _file(data: Any) -> dict[str, Any]:
    data = json_object(data)
    downloadable = data.get("downloadable")
    return {
        "id": data["id"],
        "filename": data.get("filename"),
        "size": count(data.get("size_bytes")),
        "created": unix_time(data.get("created_at")),
        "expires": unix_time(data.get("expires_at")),
        "media_type": data.get("mime_type"),
        "downloadable": downloadable if isinstance(downloadable, bool) else None,
    }


def _read_file(answer: Answer) -> StoredFile:
    raise_inside(answer.data)
    return StoredFile(**answer.facts(), **_file(answer.data))


def _read_content(answer: Answer) -> FileContent:
    data: bytes = answer.data
    facts = {**answer.facts(), "raw": None}
    return FileContent(**facts, data=data, size=len(data), content_type=answer.headers.get("content-type"))


def read_deleted(answer: Answer) -> Deleted:
    """Read ``{"id", "type": "..._deleted"}``."""
    data = json_object(answer.data)
    raise_inside(data)
    return Deleted(**answer.facts(), id=data["id"], deleted=str(data["type"]).endswith("_deleted"))
