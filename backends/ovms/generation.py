"""Generation in the OpenAI dialect under ``/v3``: chat, completion, responses, whole and streamed.

Wire facts: ``docs/model_server_rest_api_chat.md``, ``_completions.md`` and ``_responses.md`` of the server. Answers have
no id; a stream opens with a delta whose content is null; usage in streams comes only from continuous batching.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from backends.dialects.openai_responses import Input, ResponseReply, response_operation
from backends.dialects.openai_responses_stream import response_stream_operation
from backends.ovms.bare_errors import watched
from backends.ovms.parameters import ChatParameters, CompletionParameters, ResponseParameters
from backends.ovms.server import OVMSServer
from backends.parameters import bad_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, CompletionReply, Message

__all__ = ["GenerationCalls"]


class GenerationCalls(OVMSServer):
    """Calls of language models."""

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatReply:
        """Return the answer to a conversation (``POST /v3/chat/completions``).

        Args:
            messages: at least one; addresses of images need ``--allowed_media_domains`` at the server.
            model: name of the graph; the backend's when not given.
            **parameters: see :class:`~backends.ovms.parameters.ChatParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            UnknownModelError: the server has no such graph.
            AuthenticationError: the server wants another key.
        """
        operation, options = self._chat(messages, model, _checked(parameters), ChatParameters)
        return await self._perform(operation, options)

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> AsyncStream[ChatReply]:
        """Return the answer to a conversation as a stream; its ``reply`` is there after the last chunk.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        operation, options = self._chat_stream(messages, model, _checked(parameters), ChatParameters)
        return self._stream(watched(operation), options)

    async def acomplete(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[CompletionParameters]
    ) -> CompletionReply:
        """Return the continuation of a prompt (``POST /v3/completions``).

        Args:
            prompt: one text; the server takes neither several nor token ids.
            model: name of the graph; the backend's when not given.
            **parameters: see :class:`~backends.ovms.parameters.CompletionParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        operation, options = self._completion(_one(prompt), model, _checked(parameters), CompletionParameters)
        return await self._perform(operation, options)

    def astream_complete(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[CompletionParameters]
    ) -> AsyncStream[CompletionReply]:
        """Return the continuation of a prompt as a stream.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        operation, options = self._completion_stream(_one(prompt), model, _checked(parameters), CompletionParameters)
        return self._stream(watched(operation), options)

    async def aresponses(
        self,
        input: Input,  # noqa: A002 - the API's name
        *,
        model: str | None = None,
        **parameters: Unpack[ResponseParameters],
    ) -> ResponseReply:
        """Return a response to a text or to input items (``POST /v3/responses``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(_checked(parameters), ResponseParameters, self.provider.name)
        operation = response_operation(
            self._chosen_model(model, "chat"), input, fields, provider=self.provider.name, path="/v3/responses"
        )
        return await self._perform(operation, options)

    def astream_responses(
        self,
        input: Input,  # noqa: A002 - the API's name
        *,
        model: str | None = None,
        **parameters: Unpack[ResponseParameters],
    ) -> AsyncStream[ResponseReply]:
        """Return a response as a stream; each chunk's ``raw`` is the event.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        options, fields = split(_checked(parameters), ResponseParameters, self.provider.name)
        operation = response_stream_operation(
            self._chosen_model(model, "chat"),
            input,
            fields,
            provider=self.provider.name,
            path="/v3/responses",
            max_event_bytes=self._event_limit(options),
        )
        return self._stream(watched(operation), options)

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)
    complete = blocking(acomplete)
    stream_complete = blocking_stream(astream_complete)
    responses = blocking(aresponses)
    stream_responses = blocking_stream(astream_responses)


def _one(prompt: Any) -> str:
    if not isinstance(prompt, str):
        bad_argument(f"prompt must be one text, not {type(prompt).__name__}", "ovms")
    return prompt


def _checked(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse what the server refuses about two arguments at once."""
    if (
        parameters.get("num_assistant_tokens") is not None
        and parameters.get("assistant_confidence_threshold") is not None
    ):
        bad_argument("num_assistant_tokens and assistant_confidence_threshold exclude each other", "ovms")
    return parameters
