"""Summaries of documents, and the documents that answers are made from: what is stored and deleted.

Wire facts: DocSum takes JSON, or a form with files; every value of a form is text. Data preparation takes a form; of
several files in one form its release 1.5 reads only the last (``form.get("files")``), so a file is a request of its own
here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, TypeVar, Unpack

from backends.dialects.openai_common import json_object
from backends.forms import File, file_part, form
from backends.opea.core import SILENCE, OPEACore
from backends.opea.parameters import DocSumParameters, for_megaservice
from backends.opea.values import Ingested, StoredFile
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.parameters import Between, Size, bad_argument, check_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply
from backends.values import Deleted
from backends.wire.jsontext import dumps
from backends.wire.multipart import FilePart
from backends.wire.values import FormatError

__all__ = ["DocumentCalls", "IndexParameters", "IngestParameters"]

T = TypeVar("T")


class IndexParameters(CallOptions, total=False):
    """Adds ``index_name``: which index, where the store has several (Redis)."""

    index_name: Annotated[str | None, Size(1)]


class IngestParameters(IndexParameters, total=False):
    """Arguments of ``ingest`` and ``ingest_links``.

    Attributes:
        chunk_size, chunk_overlap: characters of a piece, and of what two pieces share; 1500 and 100 unless given.
        process_table: whether tables of a PDF are read.
        table_strategy: ``fast`` unless given.
    """

    chunk_size: Annotated[int | None, Between(1)]
    chunk_overlap: Annotated[int | None, Between(0)]
    process_table: bool | None
    table_strategy: Literal["fast", "hq", "llm"] | None


class DocumentCalls(OPEACore):
    """Calls of DocSum and of data preparation."""

    async def adocsum(
        self, text: str = "", *, files: Sequence[File] = (), **parameters: Unpack[DocSumParameters]
    ) -> ChatReply:
        """Sum up a text, files, or speech (``POST /v1/docsum``; of the megaservice or of the service behind it).

        Args:
            text: the text, or the base64 of a recording where ``type`` is ``audio`` or ``video``; may be left out
                where there are files.
            files: paths, bytes or open files, each of the kind that ``type`` says: txt, pdf and docx, or recordings.
            **parameters: see :class:`~backends.opea.parameters.DocSumParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or there is nothing to sum up.
            ContentFilterError: a guardrail of the deployment refused.
        """
        operation, options = self._summed(text, files, parameters, stream=False)
        return await self._perform(operation, options)

    def astream_docsum(
        self, text: str = "", *, files: Sequence[File] = (), **parameters: Unpack[DocSumParameters]
    ) -> AsyncStream[ChatReply]:
        """Sum up, word by word; arguments and errors as for :meth:`adocsum`."""
        operation, options = self._summed(text, files, parameters, stream=True)
        return self._stream(operation, options)

    async def aingest(self, file: File, **parameters: Unpack[IngestParameters]) -> Ingested:
        """Store a document for retrieval (``POST /v1/dataprep/ingest``). It is repeated only where the first try cannot
        have arrived.

        Args:
            file: a path, bytes, an open binary file, or a file name with either.
            **parameters: see :class:`IngestParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or a file of this name is there.
        """
        options, fields = split(parameters, IngestParameters, self.provider.name)
        return await self._ingested(fields, [file_part("files", file, self.provider.name)], options, "ingest")

    async def aingest_links(self, links: Sequence[str], **parameters: Unpack[IngestParameters]) -> Ingested:
        """Store web pages for retrieval; the service fetches them.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or a page is there.
        """
        options, fields = split(parameters, IngestParameters, self.provider.name)
        check_argument("links", links, Annotated[Sequence[Annotated[str, Size(1)]], Size(1)], self.provider.name)
        fields["link_list"] = dumps(list(links)).decode()
        return await self._ingested(fields, [], options, "ingest_links")

    async def alist_files(self, **parameters: Unpack[IndexParameters]) -> tuple[StoredFile, ...]:
        """Return what was ingested (``POST /v1/dataprep/get``); ``index_name="all"`` looks into every index."""
        options, fields = split(parameters, IndexParameters, self.provider.name)
        return await self._prepared("list_files", "get", fields, options, _read_files)

    async def adelete_file(self, name: str, **parameters: Unpack[IndexParameters]) -> Deleted:
        """Delete a document (``POST /v1/dataprep/delete``).

        Raises:
            NotFoundError: there is none of this name.
            InvalidRequestError: the name is ``all``, which the service takes for all of them: see
                :meth:`adelete_all_files`.
        """
        options, fields = split(parameters, IndexParameters, self.provider.name)
        if self._text("name", name) == "all":
            bad_argument("name must not be 'all', which deletes everything; call delete_all_files", self.provider.name)
        body = {"file_path": name, **fields}
        return await self._prepared("delete_file", "delete", body, options, partial(_read_deleted, name))

    async def adelete_all_files(self, **parameters: Unpack[IndexParameters]) -> Deleted:
        """Delete every document, of one index where one is named."""
        options, fields = split(parameters, IndexParameters, self.provider.name)
        body = {"file_path": "all", **fields}
        return await self._prepared("delete_all_files", "delete", body, options, partial(_read_deleted, "all"))

    async def alist_indices(self, **parameters: Unpack[CallOptions]) -> tuple[str, ...]:
        """Return the names of the indices (``POST /v1/dataprep/indices``, Redis only)."""
        options, _ = split(parameters, CallOptions, self.provider.name)
        return await self._prepared("list_indices", "indices", {}, options, _read_indices)

    docsum = blocking(adocsum)
    stream_docsum = blocking_stream(astream_docsum)
    ingest = blocking(aingest)
    ingest_links = blocking(aingest_links)
    list_files = blocking(alist_files)
    delete_file = blocking(adelete_file)
    delete_all_files = blocking(adelete_all_files)
    list_indices = blocking(alist_indices)

    def _summed(
        self, text: str, files: Sequence[File], parameters: Any, *, stream: bool
    ) -> tuple[Operation[ChatReply], CallOptions]:
        options, fields = for_megaservice(parameters, DocSumParameters)
        fields.setdefault("type", "text")
        if isinstance(files, str | bytes) or not isinstance(files, Sequence):
            bad_argument(f"files must be a list of files, not {type(files).__name__}", self.provider.name)
        if not files:
            return self._answering("docsum", {"messages": self._text("text", text), **fields}, options, stream=stream)
        check_argument("text", text, str, self.provider.name)
        parts = [file_part("files", file, self.provider.name) for file in files]
        body = form({"messages": text, **fields, "stream": stream}, parts, options, self.provider.name)
        return self._answering("docsum", body, options, stream=stream)

    async def _ingested(
        self, fields: dict[str, Any], parts: list[FilePart], options: CallOptions, name: str
    ) -> Ingested:
        operation = Operation(
            name,
            _read_ingested,
            "/v1/dataprep/ingest",
            body=form(fields, parts, options, self.provider.name),
            repeat=Repeat.UNPROCESSED,
            silence=SILENCE,
        )
        return await self._perform(operation, self._at(options, "dataprep"))

    async def _prepared(
        self, name: str, route: str, body: dict[str, Any], options: CallOptions, read: Callable[[Answer], T]
    ) -> T:
        operation = Operation(name, read, f"/v1/dataprep/{route}", body=body)
        return await self._perform(operation, self._at(options, "dataprep"))


def _read_ingested(answer: Answer) -> Ingested:
    data = json_object(answer.data)
    if data["status"] != 200:
        raise FormatError(f"the preparation ended with status {data['status']!r}")
    return Ingested(**answer.facts(), message=str(data.get("message") or ""))


def _read_deleted(name: str, answer: Answer) -> Deleted:
    status = json_object(answer.data)["status"]
    if not isinstance(status, bool):
        raise FormatError("the service does not say whether it deleted anything")
    return Deleted(**answer.facts(), id=name, deleted=status)


def _read_files(answer: Answer) -> tuple[StoredFile, ...]:
    return tuple(
        StoredFile(entry["name"], entry["id"], entry.get("type"), entry.get("parent"), entry)
        for entry in map(json_object, _listed(answer.data))
    )


def _read_indices(answer: Answer) -> tuple[str, ...]:
    names = _listed(answer.data)
    if not all(isinstance(name, str) for name in names):
        raise FormatError("an index has no name")
    return tuple(names)


def _listed(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise FormatError(f"a list was expected, not {type(data).__name__}")
    return data
