"""The Responses API of the Groq backend, a beta without state (``console.groq.com/docs/responses-api``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, Unpack

from backends.dialects.openai_responses import Input, ResponseReply, read_created_response, response_operation
from backends.dialects.openai_responses_stream import ResponseStreamReader, response_stream_operation
from backends.groq.core import GroqCore
from backends.groq.facts import with_facts
from backends.groq.parameters import ResponseParameters
from backends.operation import Answer
from backends.parameters import bad_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream

__all__ = ["ResponseCalls"]

_STATE: Final = ("previous_response_id", "conversation", "background")


class ResponseCalls(GroqCore):
    """Calls under ``/responses``."""

    async def aresponses(
        self,
        input: Input,  # noqa: A002 - the API's name
        *,
        model: str | None = None,
        **parameters: Unpack[ResponseParameters],
    ) -> ResponseReply:
        """Return a response to a text or to input items (``POST /responses``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
            BackendError: anything else, also a response that came with the status ``failed``.
        """
        options, fields = split(self._stateless(parameters), ResponseParameters, self.provider.name)
        operation = response_operation(self._chosen_model(model, "chat"), input, fields, provider=self.provider.name)
        self._check_items(operation.model or "", operation.body)
        return await self._perform(replace(operation, read=partial(_read, tier=fields.get("service_tier"))), options)

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
        options, fields = split(self._stateless(parameters), ResponseParameters, self.provider.name)
        name = self._chosen_model(model, "chat")
        operation = response_stream_operation(name, input, fields, provider=self.provider.name)
        self._check_items(name, operation.body)
        reader = partial(_Reader, self._event_limit(options), fields.get("service_tier"))
        return self._stream(replace(operation, stream=reader), options)

    responses = blocking(aresponses)
    stream_responses = blocking_stream(astream_responses)

    def _stateless(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in _STATE:
            if parameters.get(name) is not None:
                bad_argument(
                    f"{name}: the service keeps no responses; send the whole conversation as input", self.provider.name
                )
        return parameters

    def _check_items(self, model: str, body: Any) -> None:
        for index, item in enumerate(body["input"] if not isinstance(body["input"], str) else ()):
            content = item.get("content")
            for place, part in enumerate(content if isinstance(content, list | tuple) else ()):
                if isinstance(part, Mapping) and part.get("type") == "input_image":
                    self._check_sight(model, f"input[{index}].content[{place}]")


class _Reader(ResponseStreamReader):
    __slots__ = ("_tier",)

    def __init__(self, max_event_bytes: int, tier: str | None) -> None:
        super().__init__(max_event_bytes)
        self._tier = tier

    def reply(self, answer: Answer) -> ResponseReply:
        return with_facts(super().reply(answer), self._tier)


def _read(answer: Answer, tier: str | None) -> ResponseReply:
    return with_facts(read_created_response(answer), tier)
