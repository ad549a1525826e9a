"""Files and batches of the Groq backend. Files are for batches only, batches for chat only; lists have one page."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Unpack

from backends.dialects.openai_files import batch_entry, file_entry, read_batch, read_file
from backends.dialects.openai_lists import list_pages
from backends.dialects.openai_offline import OfflineServer
from backends.forms import File, file_part, form
from backends.groq.core import GroqCore
from backends.groq.parameters import BatchParameters, ChatParameters
from backends.offline import BatchRequest
from backends.operation import CallOptions, Operation, Repeat
from backends.paging import Pages, blocking_list
from backends.parameters import Size, bad_argument, check_argument, split
from backends.twins import blocking
from backends.values import Batch, FileInfo

__all__ = ["FileCalls"]

_WINDOW: Final = re.compile(r"([1-9][0-9]{0,3})([hd])", re.ASCII)
_HOURS: Final = {"h": 1, "d": 24}


class FileCalls(OfflineServer, GroqCore):
    """Calls under ``/files`` and ``/batches``; those on a file or batch that is there are the dialect's."""

    async def aupload_file(
        self, file: File, purpose: Literal["batch"] = "batch", **parameters: Unpack[CallOptions]
    ) -> FileInfo:
        """Upload a JSONL file of at most 100 MB for a batch (``POST /files``). It is repeated only where the first try
        cannot have arrived.

        Args:
            file: a path, bytes, an open binary file, or a file name with either.
            purpose: the only one there is.
            **parameters: the options of every call.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        options, _ = split(parameters, CallOptions, self.provider.name)
        check_argument("purpose", purpose, Literal["batch"], self.provider.name)
        body = form({"purpose": purpose}, [file_part("file", file, self.provider.name)], options, self.provider.name)
        return await self._perform(
            Operation("upload_file", read_file, "/files", body=body, repeat=Repeat.UNPROCESSED), options
        )

    def alist_files(self, **parameters: Unpack[CallOptions]) -> Pages[FileInfo]:
        """Return the organisation's files (``GET /files``)."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return list_pages(self, "list_files", "/files", {}, options, lambda row: FileInfo(raw=row, **file_entry(row)))

    async def acreate_batch(
        self,
        input_file_id: str,
        target: Literal["/v1/chat/completions"] = "/v1/chat/completions",
        *,
        completion_window: str = "24h",
        **parameters: Unpack[BatchParameters],
    ) -> Batch:
        """Start a batch over an uploaded file (``POST /batches``). It is repeated only where it cannot have started.

        Args:
            input_file_id: of the file.
            target: the route that every line goes to; there is only one.
            completion_window: ``24h`` to ``7d``.
            **parameters: see :class:`~backends.groq.parameters.BatchParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        options, fields = split(parameters, BatchParameters, self.provider.name)
        check_argument("input_file_id", input_file_id, Annotated[str, Size(1, 500)], self.provider.name)
        check_argument("target", target, Literal["/v1/chat/completions"], self.provider.name)
        check_argument("completion_window", completion_window, str, self.provider.name)
        found = _WINDOW.fullmatch(completion_window)
        if found is None or not 24 <= int(found[1]) * _HOURS[found[2]] <= 168:
            bad_argument("completion_window must be between '24h' and '7d'", self.provider.name)
        body = {"input_file_id": input_file_id, "endpoint": target, "completion_window": completion_window, **fields}
        operation = Operation("create_batch", read_batch, "/batches", body=body, repeat=Repeat.UNPROCESSED)
        return await self._perform(operation, options)

    def alist_batches(self, **parameters: Unpack[CallOptions]) -> Pages[Batch]:
        """Return the organisation's batches (``GET /batches``)."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return list_pages(self, "list_batches", "/batches", {}, options, lambda row: Batch(raw=row, **batch_entry(row)))

    upload_file = blocking(aupload_file)
    list_files = blocking_list(alist_files)
    create_batch = blocking(acreate_batch)
    list_batches = blocking_list(alist_batches)

    def _offline_chat(self, request: BatchRequest) -> Operation[Any]:
        return self._chat(request.messages, request.model, request.parameters, ChatParameters)[0]

    async def _offline_file(self, content: bytes, options: CallOptions) -> str:
        return (await self.aupload_file(("batch.jsonl", content), **options)).id

    async def _offline_batch(self, file_id: str, target: str, options: CallOptions) -> Batch:
        if target != "/v1/chat/completions":
            bad_argument("target must be /v1/chat/completions", self.provider.name)
        return await self.acreate_batch(file_id, **options)
