"""The Responses API of the vLLM backend: create and stream, and what one does with a response that the server keeps."""

from __future__ import annotations

from typing import Unpack

from backends.dialects.openai_responses import PATH, Input, ResponseReply, read_response, response_operation
from backends.dialects.openai_responses_stream import response_stream_operation
from backends.operation import CallOptions, Operation
from backends.parameters import split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.vllm.core import VLLMServer
from backends.vllm.parameters import ResponseParameters
from backends.vllm.rules import unrefused

__all__ = ["ResponseCalls"]

_ID_PREFIX = "resp_"


class ResponseCalls(VLLMServer):
    """Calls under ``/v1/responses``. A response's id is ``resp_`` and our request id."""

    async def aresponses(
        self,
        input: Input,  # noqa: A002 - the API's name
        *,
        model: str | None = None,
        **parameters: Unpack[ResponseParameters],
    ) -> ResponseReply:
        """Return a response to a text or to input items (``POST /v1/responses``).

        Args:
            input: a text, or messages, function outputs and items of earlier answers.
            model: a served model or LoRA adapter; the backend's, else the server's first, when not given.
            **parameters: see :class:`~backends.vllm.parameters.ResponseParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            BackendError: anything else, also a response that came with the status ``failed``.
        """
        options, fields = split(unrefused(parameters), ResponseParameters, self.provider.name)
        name = self._chosen_model(model, "chat")
        path = self.dialect_path + PATH
        operation = response_operation(name, input, fields, provider=self.provider.name, path=path)
        return await self._perform(*self._dressed(operation, options, id_prefix=_ID_PREFIX))

    def astream_responses(
        self,
        input: Input,  # noqa: A002 - the API's name
        *,
        model: str | None = None,
        **parameters: Unpack[ResponseParameters],
    ) -> AsyncStream[ResponseReply]:
        """Return a response as a stream; each chunk's ``raw`` is the event, and the reply's ``raw`` the finished
        response. Arguments and errors as for :meth:`aresponses`."""
        options, fields = split(unrefused(parameters), ResponseParameters, self.provider.name)
        operation = response_stream_operation(
            self._chosen_model(model, "chat"),
            input,
            fields,
            provider=self.provider.name,
            path=self.dialect_path + PATH,
            max_event_bytes=self._event_limit(options),
        )
        return self._stream(*self._dressed(operation, options, id_prefix=_ID_PREFIX))

    async def aget_response(self, response_id: str, **parameters: Unpack[CallOptions]) -> ResponseReply:
        """Return a kept response in whatever status it is (``GET /v1/responses/{id}``); a failed one is returned, not
        raised.

        Raises:
            NotFoundError: there is no such response; a server keeps them only where it was started to.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("get_response", read_response, self._path_of(response_id), "GET"), options)

    async def acancel_response(self, response_id: str, **parameters: Unpack[CallOptions]) -> ResponseReply:
        """Stop a response that works in the background (``POST /v1/responses/{id}/cancel``).

        Raises:
            NotFoundError: there is no such response.
            InvalidRequestError: it does not work in the background.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = self._path_of(response_id) + "/cancel"
        return await self._perform(Operation("cancel_response", read_response, path), options)

    responses = blocking(aresponses)
    stream_responses = blocking_stream(astream_responses)
    get_response = blocking(aget_response)
    cancel_response = blocking(acancel_response)

    def _path_of(self, response_id: str) -> str:
        return f"{self.dialect_path}{PATH}/{self._segment('response_id', response_id)}"
