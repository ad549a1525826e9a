"""Offline chats of the OpenAI dialect: requests are lines of an uploaded file, answers are lines of two others.

Wire facts: a line is ``{"custom_id", "method": "POST", "url", "body"}``; an answer's is ``{"custom_id", "response":
{"status_code", "request_id", "body"}, "error"}``, good ones in ``output_file_id``, bad ones in ``error_file_id``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from backends import errors
from backends.dialects.openai_chat import read_chat
from backends.dialects.openai_common import json_object
from backends.dialects.openai_files import FileServer
from backends.offline import BatchAnswer, BatchRequest, OfflineBackend, located
from backends.operation import Answer, CallOptions, Operation
from backends.values import Batch, FileContent
from backends.wire import jsontext
from backends.wire.values import FormatError

__all__ = ["OfflineServer"]

_TARGET: Final = "/v1/chat/completions"


class OfflineServer(FileServer, OfflineBackend):
    """Offline chats of a server of the dialect; the provider says how its chats and files are made."""

    @abstractmethod
    def _offline_chat(self, request: BatchRequest) -> Operation[Any]:
        """Return the operation of a chat, checked as if it were called now."""

    @abstractmethod
    async def _offline_file(self, content: bytes, options: CallOptions) -> str:
        """Upload the lines and return the file's id."""

    @abstractmethod
    async def _offline_batch(self, file_id: str, target: str, options: CallOptions) -> Batch:
        """Start the batch over an uploaded file."""

    async def _handed_in(self, requests: Sequence[BatchRequest], options: CallOptions) -> Batch:
        lines = [self._line(request, f"requests[{index}]") for index, request in enumerate(requests)]
        file_id = await self._offline_file(b"".join(lines), options)
        return await self._offline_batch(file_id, _TARGET, options)

    def _line(self, request: BatchRequest, where: str) -> bytes:
        operation = located(where, lambda: self._offline_chat(request))
        line = {"custom_id": request.custom_id, "method": "POST", "url": _TARGET, "body": operation.body}
        try:
            return jsontext.dumps(line) + b"\n"
        except ValueError as error:
            raise errors.InvalidRequestError(
                f"{where}: {error}", provider=self.provider.name, code="invalid_argument"
            ) from None

    async def _look(self, batch_id: str, options: CallOptions) -> Batch:
        return await self.aget_batch(batch_id, **options)

    async def _answers(self, batch: Batch, options: CallOptions) -> dict[str, BatchAnswer]:
        answers: dict[str, BatchAnswer] = {}
        for file_id in (batch.output_file_id, batch.error_file_id):
            if file_id is not None:
                answers.update(self._read_lines(await self.afile_content(file_id, **options)))
        return answers

    def _read_lines(self, content: FileContent) -> Iterator[tuple[str, BatchAnswer]]:
        for number, line in enumerate(content.data.splitlines(), 1):
            if not line.strip():
                continue
            try:
                data = json_object(jsontext.loads(line))
                yield _name(data), self._answer_of(data, content)
            except (FormatError, KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
                raise errors.ResponseFormatError(
                    f"Line {number} of the batch's answers cannot be read: {type(problem).__name__}.",
                    provider=self.provider.name,
                    request_id=content.request_id,
                ) from None

    def _answer_of(self, data: Mapping[str, Any], content: FileContent) -> BatchAnswer:
        response = data.get("response")
        operation: Operation[Any] = Operation("batch_answers", read_chat, "", body={})
        if response is None:
            return BatchAnswer(error=self._told(400, {"error": data.get("error") or {}}, operation, content))
        status, body = json_object(response)["status_code"], response["body"]
        if type(status) is not int or status >= 400:
            return BatchAnswer(error=self._told(status if type(status) is int else 500, body, operation, content))
        identity = response.get("request_id")
        answer = Answer(
            status,
            {},
            body,
            content.request_id,
            identity if isinstance(identity, str) else None,
            content.attempts,
            content.latency,
        )
        try:
            reply = read_chat(answer)
        except errors.BackendError as error:
            return BatchAnswer(error=error)
        # A batch has prices of its own, which nobody has told us.
        return BatchAnswer(replace(reply, cost=None))

    def _told(self, status: int, body: Any, operation: Operation[Any], content: FileContent) -> errors.BackendError:
        error = self.read_error(status, {}, body, operation)
        error.provider, error.request_id = self.provider.name, content.request_id
        return error


def _name(data: Mapping[str, Any]) -> str:
    name = data["custom_id"]
    if not isinstance(name, str):
        raise FormatError("custom_id is no text")
    return name
