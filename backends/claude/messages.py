"""Messages of the Claude backend: chat, whole and streamed, and token counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Unpack

from backends.claude.core import ClaudeCore
from backends.claude.parameters import CountParameters, MessageParameters
from backends.claude.replies import read_count, read_message
from backends.claude.requests import conversation, message_body
from backends.claude.stream import MessageReader
from backends.claude.values import MessageReply
from backends.operation import CONVERSATION, CallOptions, Operation
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import Message, TokenCount

__all__ = ["PATH", "MessageCalls"]

PATH: Final = "/v1/messages"
_SECONDS_PER_TOKEN: Final = 3600 / 128_000
_PATIENCE: Final = 600.0
"""Seconds of silence that the settings allow anyway, and what the official client waits for a whole answer."""


class MessageCalls(ClaudeCore):
    """Calls under ``/v1/messages``, batches apart."""

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[MessageParameters]
    ) -> MessageReply:
        """Return the answer to a conversation (``POST /v1/messages``).

        Args:
            messages: ``{"role": "user" or "assistant", "content": text or blocks}`` each, in the provider's shape.
                System messages before the first of them become the system prompt, as the argument ``system`` does;
                later ones stay where they are. ``data`` of an image's or document's source may be bytes.
            model: which model; the backend's, or a cheap current one, when not given.
            **parameters: see :class:`~backends.claude.parameters.MessageParameters`. A long answer (``max_tokens``
                above 21,333) is waited for in proportion to its length, beyond ``read_timeout``; better stream it.

        Returns:
            The reply; its usage counts the whole prompt, cached tokens included.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
            UnsupportedError: an argument that this version of the API does not have.
            BackendError: anything else that can happen to a call.
        """
        operation, options = self._message(messages, model, parameters, stream=False)
        return await self._perform(operation, options)

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[MessageParameters]
    ) -> AsyncStream[MessageReply]:
        """Return the answer to a conversation as a stream; arguments as for :meth:`achat`.

        Chunks carry text, ``reasoning`` and pieces of tool calls; ``raw`` of each is the provider's event, citations
        among them. The reply is there after the last chunk.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        operation, options = self._message(messages, model, parameters, stream=True)
        return self._stream(operation, options)

    def _message(
        self, messages: Sequence[Message], model: str | None, parameters: Mapping[str, Any], *, stream: bool
    ) -> tuple[Operation[MessageReply], CallOptions]:
        options, fields, headers = self._taken(parameters, MessageParameters)
        name = self._chosen_model(model)
        body = message_body(name, messages, fields)
        if not stream:
            expected = body["max_tokens"] * _SECONDS_PER_TOKEN
            silence = expected if expected > _PATIENCE else None
            return Operation(
                "chat",
                read_message,
                PATH,
                body=body,
                headers=headers,
                model=name,
                silence=silence,
                cacheable=CONVERSATION,
            ), options
        reader = partial(MessageReader, name, self._event_limit(options))
        body["stream"] = True
        return Operation(
            "stream_chat",
            read_message,
            PATH,
            body=body,
            headers=headers,
            model=name,
            stream=reader,
            cacheable=CONVERSATION,
        ), options

    async def acount_tokens(
        self,
        content: str | Sequence[Message],
        *,
        model: str | None = None,
        **parameters: Unpack[CountParameters],
    ) -> TokenCount:
        """Return how many input tokens a message would take, as the provider counts (``POST
        /v1/messages/count_tokens``).

        Args:
            content: messages as for :meth:`achat`; a text counts as one user message.
            model: whose tokens.
            **parameters: see :class:`~backends.claude.parameters.CountParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields, headers = self._taken(parameters, CountParameters)
        name = self._chosen_model(model)
        messages = [{"role": "user", "content": content}] if isinstance(content, str) else content
        body = {"model": name, **conversation(messages, fields)}
        operation = Operation(
            "count_tokens", read_count, f"{PATH}/count_tokens", body=body, headers=headers, model=name
        )
        return await self._perform(operation, options)

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)
    count_tokens = blocking(acount_tokens)
