"""The Responses API of the OpenAI backend: create and stream, and what one does with a stored response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Unpack

from backends.dialects.openai_common import count, json_object
from backends.dialects.openai_errors import raise_inside
from backends.dialects.openai_files import read_deleted
from backends.dialects.openai_lists import ListParameters, list_pages
from backends.dialects.openai_responses import (
    PATH,
    Input,
    ResponseReply,
    checked_input,
    read_response,
    response_operation,
)
from backends.dialects.openai_responses_stream import response_stream_operation
from backends.dialects.openai_values import Deleted
from backends.openai.core import OpenAICore
from backends.openai.parameters import ResponseParameters, TokenParameters
from backends.operation import Answer, CallOptions, Operation
from backends.paging import Pages, blocking_list
from backends.parameters import Size, bad_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import JSON, TokenCount
from backends.wire.values import FormatError

__all__ = ["ResponseCalls", "RetrieveParameters"]


class RetrieveParameters(CallOptions, total=False):
    """Arguments of ``get_response``: ``include`` names further parts of the output to send."""

    include: Annotated[Sequence[str] | None, Size(1)]


class InputItemParameters(ListParameters, total=False):
    """Arguments of ``list_input_items``."""

    include: Annotated[Sequence[str] | None, Size(1)]
    order: Literal["asc", "desc"] | None


class ResponseCalls(OpenAICore):
    """Calls under ``/responses``."""

    async def aresponses(
        self,
        input: Input,  # noqa: A002 - the API's name
        *,
        model: str | None = None,
        **parameters: Unpack[ResponseParameters],
    ) -> ResponseReply:
        """Return a response to a text or to input items (``POST /responses``).

        The provider keeps it unless ``store=False``. With ``background=True`` the reply comes at once with status
        ``queued``.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
            BackendError: anything else, also a response that came with the status ``failed``.
        """
        options, fields = split(parameters, ResponseParameters, self.provider.name)
        operation = response_operation(
            self._response_model(model, fields), input, self._checked_state(fields), provider=self.provider.name
        )
        return await self._perform(operation, options)

    def astream_responses(
        self,
        input: Input,  # noqa: A002 - the API's name
        *,
        model: str | None = None,
        **parameters: Unpack[ResponseParameters],
    ) -> AsyncStream[ResponseReply]:
        """Return a response as a stream; each chunk's ``raw`` is the event, and the reply's ``raw`` the finished
        response.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        options, fields = split(parameters, ResponseParameters, self.provider.name)
        operation = response_stream_operation(
            self._response_model(model, fields),
            input,
            self._checked_state(fields),
            provider=self.provider.name,
            max_event_bytes=self._event_limit(options),
        )
        return self._stream(operation, options)

    async def aget_response(self, response_id: str, **parameters: Unpack[RetrieveParameters]) -> ResponseReply:
        """Return a stored response in whatever status it is (``GET /responses/{id}``); a failed one is returned, not
        raised.

        Raises:
            NotFoundError: there is no such response.
        """
        options, fields = split(parameters, RetrieveParameters, self.provider.name, body=False)
        path = f"{PATH}/{self._segment('response_id', response_id)}"
        query = tuple(("include[]", name) for name in fields.get("include", ()))
        return await self._perform(Operation("get_response", read_response, path, "GET", query=query), options)

    async def adelete_response(self, response_id: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete a stored response (``DELETE /responses/{id}``).

        Raises:
            NotFoundError: there is no such response.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = f"{PATH}/{self._segment('response_id', response_id)}"
        return await self._perform(Operation("delete_response", read_deleted, path, "DELETE"), options)

    async def acancel_response(self, response_id: str, **parameters: Unpack[CallOptions]) -> ResponseReply:
        """Stop a response that works in the background (``POST /responses/{id}/cancel``).

        Raises:
            NotFoundError: there is no such response.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = f"{PATH}/{self._segment('response_id', response_id)}/cancel"
        return await self._perform(Operation("cancel_response", read_response, path), options)

    def alist_input_items(self, response_id: str, **parameters: Unpack[InputItemParameters]) -> Pages[JSON]:
        """Return what was put into a stored response, untouched (``GET /responses/{id}/input_items``).

        Args:
            response_id: of the response.
            **parameters: ``limit`` is the page size, 1 to 100; ``order`` is ``asc`` or ``desc``.
        """
        options, fields = split(parameters, InputItemParameters, self.provider.name, body=False)
        path = f"{PATH}/{self._segment('response_id', response_id)}/input_items"
        return list_pages(self, "list_input_items", path, fields, options, json_object)

    async def acount_input_tokens(
        self,
        input: Input,  # noqa: A002 - the API's name
        *,
        model: str | None = None,
        **parameters: Unpack[TokenParameters],
    ) -> TokenCount:
        """Return how many input tokens a response to this would take, as the provider counts
        (``POST /responses/input_tokens``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, TokenParameters, self.provider.name)
        name = self._chosen_model(model, "chat")
        body = {"model": name, "input": checked_input(input, self.provider.name), **fields}
        operation = Operation("count_input_tokens", _read_count, f"{PATH}/input_tokens", body=body, model=name)
        return await self._perform(operation, options)

    responses = blocking(aresponses)
    stream_responses = blocking_stream(astream_responses)
    get_response = blocking(aget_response)
    delete_response = blocking(adelete_response)
    cancel_response = blocking(acancel_response)
    list_input_items = blocking_list(alist_input_items)
    count_input_tokens = blocking(acount_input_tokens)

    def _response_model(self, model: str | None, fields: dict[str, Any]) -> str | None:
        """A stored prompt brings its own model."""
        return (
            None if model is None and self.model is None and "prompt" in fields else self._chosen_model(model, "chat")
        )

    def _checked_state(self, fields: dict[str, Any]) -> dict[str, Any]:
        if "previous_response_id" in fields and "conversation" in fields:
            bad_argument("previous_response_id and conversation exclude each other", self.provider.name)
        return fields


def _read_count(answer: Answer) -> TokenCount:
    data = json_object(answer.data)
    raise_inside(data)
    tokens = count(data["input_tokens"])
    if tokens is None:
        raise FormatError("the count is not a number")
    return TokenCount(tokens, estimated=False, method="provider")
