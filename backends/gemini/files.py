"""Files of the Gemini backend: resumable upload, list, get, download, delete.

Wire facts: files live 48 hours and belong to the project of the key; with keys of several projects use an endpoint with
one of them. ``sizeBytes`` is a number in text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Unpack

from backends.contents import ContentReader
from backends.dialects.openai_common import json_object
from backends.forms import File
from backends.gemini.core import GeminiCore, resource, text_in, unix_seconds
from backends.gemini.failures import raise_inside
from backends.gemini.lists import ListParameters, list_pages
from backends.gemini.uploads import Content, content_of, session_path
from backends.gemini.values import FileInfo
from backends.landing import land
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.paging import Pages, blocking_list
from backends.parameters import Size, bad_argument, split
from backends.twins import blocking
from backends.values import Deleted, FileContent
from backends.wire.values import FormatError, check_header

__all__ = ["FileCalls", "UploadParameters", "deleted_reader"]


class UploadParameters(CallOptions, total=False):
    """Arguments of ``upload_file``.

    Attributes:
        mime_type: of the content; guessed from the file's name when not given.
        display_name: for people, up to 512 characters.
        name: the file's own name at the provider (``files/...``, lower-case letters, digits and dashes).
    """

    mime_type: Annotated[str | None, Size(3, 200)]
    display_name: Annotated[str | None, Size(1, 512)]
    name: Annotated[str | None, Size(1, 60)]


class FileCalls(GeminiCore):
    """Calls under ``/files`` and ``/upload``."""

    async def aupload_file(self, file: File, **parameters: Unpack[UploadParameters]) -> FileInfo:
        """Upload a file in pieces of 8 MiB (``POST /upload/{version}/files``); each is a call of its own.

        A file may be ``PROCESSING`` at first (video): ask again with :meth:`aget_file` until it is ``ACTIVE``.

        Args:
            file: a path, bytes, an open binary file that is seekable, or a file name with either.
            **parameters: see :class:`UploadParameters`; ``deadline`` holds for each call.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, UploadParameters, self.provider.name, body=False)
        content = await asyncio.to_thread(content_of, file, fields.get("mime_type"))
        session = await self._perform(self._session(content, fields, options), options)
        offset = 0
        while True:
            piece = await asyncio.to_thread(content.piece, offset)
            last = offset + len(piece) == content.size
            found = await self._perform(_piece("upload_file", session, piece, offset, last=last), options)
            offset += len(piece)
            if found is not None:
                return found

    def alist_files(self, **parameters: Unpack[ListParameters]) -> Pages[FileInfo]:
        """Return the project's files (``GET /files``), page by page as they are asked for."""
        options, fields = split(parameters, ListParameters, self.provider.name, body=False)
        return list_pages(
            self, "list_files", "files", fields, options, lambda entry: FileInfo(raw=entry, **_file(entry))
        )

    async def aget_file(self, file_id: str, **parameters: Unpack[CallOptions]) -> FileInfo:
        """Return what the provider says of a file (``GET /files/{id}``).

        Args:
            file_id: with or without ``files/``.
            **parameters: options of the call.

        Raises:
            NotFoundError: there is no such file.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._resource_path("files", "file_id", file_id)
        return await self._perform(Operation("get_file", _read_file, path, "GET"), options)

    async def afile_content(self, file_id: str, **parameters: Unpack[CallOptions]) -> FileContent:
        """Return the bytes of a file that the provider made (results of batches, video), bounded by
        ``max_response_bytes``; what was uploaded cannot be had back.

        Raises:
            NotFoundError: there is no such file.
            InvalidRequestError: it was uploaded.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(self._download("file_content", file_id), options)

    async def adownload_file(self, file_id: str, path: str | Path, **parameters: Unpack[CallOptions]) -> FileContent:
        """Write a file that the provider made to disk in bounded memory; it appears under its name only when it is
        whole.

        Raises:
            NotFoundError: there is no such file at the provider.
            ConfigurationError: the local file cannot be written.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        operation = self._download("download_file", file_id, stream=True)
        return await land(self._stream(operation, options), path)

    async def adelete_file(self, file_id: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete a file (``DELETE /files/{id}``). It is repeated only where the first try cannot have arrived: a second
        would find nothing.

        Raises:
            NotFoundError: there is no such file.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._resource_path("files", "file_id", file_id)
        read = deleted_reader("files", file_id)
        return await self._perform(Operation("delete_file", read, path, "DELETE", repeat=Repeat.UNPROCESSED), options)

    upload_file = blocking(aupload_file)
    list_files = blocking_list(alist_files)
    get_file = blocking(aget_file)
    file_content = blocking(afile_content)
    download_file = blocking(adownload_file)
    delete_file = blocking(adelete_file)

    def _session(self, content: Content, fields: dict[str, Any], options: CallOptions) -> Operation[str]:
        """Return the operation that opens an upload; it reads the path of the session."""
        about: dict[str, Any] = {"mimeType": content.mime_type, "sizeBytes": content.size}
        if "display_name" in fields:
            about["displayName"] = fields["display_name"]
        if "name" in fields:
            about["name"] = resource("files", fields["name"])
        headers = (
            ("x-goog-upload-protocol", "resumable"),
            ("x-goog-upload-command", "start"),
            ("x-goog-upload-header-content-length", str(content.size)),
            ("x-goog-upload-header-content-type", content.mime_type),
        )
        try:
            check_header(*headers[-1])
        except ValueError as problem:
            bad_argument(f"mime_type: {problem}", self.provider.name)
        base_url = self.endpoint(options.get("endpoint")).base_url
        return Operation(
            "upload_file",
            lambda answer: session_path(answer.headers.get("x-goog-upload-url"), base_url),
            f"/upload{self._path('files')}",
            body={"file": about},
            headers=headers,
            expect="none",
        )

    def _download(self, name: str, file_id: str, *, stream: bool = False) -> Operation[FileContent]:
        return Operation(
            name,
            _read_content,
            self._resource_path("files", "file_id", file_id, ":download"),
            "GET",
            query=(("alt", "media"),),
            expect="bytes",
            stream=ContentReader if stream else None,
        )


def _piece(name: str, session: str, data: bytes, offset: int, *, last: bool) -> Operation[FileInfo | None]:
    return Operation(
        name,
        _read_uploaded if last else _read_active,
        session,
        body=data,
        headers=(
            ("x-goog-upload-command", "upload, finalize" if last else "upload"),
            ("x-goog-upload-offset", str(offset)),
        ),
        expect="json" if last else "none",
    )


def _read_active(answer: Answer) -> None:
    status = answer.headers.get("x-goog-upload-status")
    if status != "active":
        raise FormatError(f"the upload is {status!r} before its end"[:100])


def _read_uploaded(answer: Answer) -> FileInfo:
    raise_inside(answer.data)
    return FileInfo(**answer.facts(), **_file(json_object(answer.data)["file"]))


def _read_file(answer: Answer) -> FileInfo:
    raise_inside(answer.data)
    return FileInfo(**answer.facts(), **_file(answer.data))


def _file(data: Any) -> dict[str, Any]:
    data = json_object(data)
    name, size = data["name"], data.get("sizeBytes")
    if not isinstance(name, str):
        raise FormatError("a file has no name")
    if isinstance(size, str) and size.isascii() and size.isdigit() and len(size) < 20:
        size = int(size)
    return {
        "id": name,
        "filename": text_in(data, "displayName"),
        "size": size if type(size) is int else None,
        "status": text_in(data, "state"),
        "created": unix_seconds(data.get("createTime")),
        "expires": unix_seconds(data.get("expirationTime")),
        "uri": text_in(data, "uri"),
        "mime_type": text_in(data, "mimeType"),
        "sha256": text_in(data, "sha256Hash"),
        "source": text_in(data, "source"),
    }


def _read_content(answer: Answer) -> FileContent:
    data: bytes = answer.data
    facts = {**answer.facts(), "raw": None}
    return FileContent(**facts, data=data, size=len(data), content_type=answer.headers.get("content-type"))


def deleted_reader(collection: str, name: str) -> Callable[[Answer], Deleted]:
    """Return what reads the empty answer to a DELETE."""

    def read(answer: Answer) -> Deleted:
        raise_inside(answer.data)
        json_object(answer.data)
        return Deleted(**answer.facts(), id=resource(collection, name), deleted=True)

    return read
