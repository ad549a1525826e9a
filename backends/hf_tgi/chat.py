"""The OpenAI-compatible side of a TGI server: chat and completion, and what a chat template makes of a conversation.

Wire facts: ``stop`` is a list only; ``response_format`` has the shape of a grammar (OpenAI's is translated);
``presence_penalty`` becomes a repetition penalty; a tool turn still ends with ``stop`` and has one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Unpack

from backends.dialects.openai_chat import chat_operation, chat_stream_operation
from backends.dialects.openai_common import checked_messages
from backends.dialects.openai_completions import (
    Prompt,
    checked_prompt,
    completion_operation,
    completion_stream_operation,
)
from backends.dialects.openai_server import ModelServer
from backends.hf_tgi.core import TGIServer
from backends.hf_tgi.parameters import (
    ChatParameters,
    ChatTokenizeParameters,
    CompleteParameters,
    chat_fields,
    completion_fields,
)
from backends.hf_tgi.reading import read_chat_tokens
from backends.hf_tgi.stream import ChatReader, CompletionReader
from backends.hf_tgi.values import ChatTokens
from backends.operation import Operation
from backends.parameters import bad_argument
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, CompletionReply, Message

__all__ = ["ChatCalls"]

_CHAT: Final = "/v1/chat/completions"
_COMPLETIONS: Final = "/v1/completions"


class ChatCalls(TGIServer, ModelServer):
    """Calls of the OpenAI dialect."""

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatReply:
        """Answer a conversation (``POST /v1/chat/completions``).

        Args:
            messages: at least one, in OpenAI's shape; images where the model sees.
            model: ``tgi``, or a LoRA adapter; the backend's when not given.
            **parameters: see :class:`backends.hf_tgi.parameters.ChatParameters`.

        Returns:
            The reply; ``finish_reason`` is ``stop``, ``length`` or ``stop_sequence``, and ``stop`` for a turn that calls
            a tool, too.

        Raises:
            UnsupportedError: an argument is one that the server would ignore.
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            OverloadedError: more requests than the server takes at once.
            BackendError: anything else that can happen to a call.
        """
        options, fields = chat_fields(parameters)
        return await self._perform(
            chat_operation(
                self._chosen_model(model, "chat"), messages, fields, provider=self.provider.name, path=_CHAT
            ),
            options,
        )

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> AsyncStream[ChatReply]:
        """Answer a conversation piece by piece; arguments and errors as for :meth:`achat`."""
        options, fields = chat_fields(parameters)
        operation = chat_stream_operation(
            self._chosen_model(model, "chat"), messages, fields, provider=self.provider.name, path=_CHAT
        )
        return self._stream(replace(operation, stream=partial(ChatReader, self._event_limit(options))), options)

    async def acomplete(
        self, prompt: str | Sequence[str], *, model: str | None = None, **parameters: Unpack[CompleteParameters]
    ) -> CompletionReply:
        """Go on from one prompt or several in the words of the OpenAI dialect (``POST /v1/completions``).

        ``generate`` is the server's own call: one prompt, with tokens, grammars and every way of sampling.

        Args:
            prompt: a text, or as many as the server takes at once (4 unless its operator says otherwise).
            model: ``tgi``, or a LoRA adapter; the backend's when not given.
            **parameters: see :class:`backends.hf_tgi.parameters.CompleteParameters`.

        Raises:
            UnsupportedError: an argument is one that the server would ignore.
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = completion_fields(parameters)
        _check_texts(prompt)
        return await self._perform(
            completion_operation(
                self._chosen_model(model, "completion"), prompt, fields, provider=self.provider.name, path=_COMPLETIONS
            ),
            options,
        )

    def astream_complete(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[CompleteParameters]
    ) -> AsyncStream[CompletionReply]:
        """Go on from one prompt piece by piece; arguments and errors as for :meth:`acomplete`.

        The last chunk's ``finish_reason`` is the engine's own word (``eos_token``), unlike that of a whole answer.
        """
        options, fields = completion_fields(parameters)
        if not isinstance(prompt, str):
            bad_argument("prompt must be one text in a stream: each of several would report its own usage", "hf_tgi")
        _check_texts(prompt)
        operation = completion_stream_operation(
            self._chosen_model(model, "completion"),
            prompt,
            fields,
            provider=self.provider.name,
            path=_COMPLETIONS,
            usage=False,
        )
        return self._stream(replace(operation, stream=partial(CompletionReader, self._event_limit(options))), options)

    async def achat_tokenize(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatTokenizeParameters]
    ) -> ChatTokens:
        """Return the text that the chat template makes of a conversation, and its tokens (``POST /chat_tokenize``)."""
        options, fields = chat_fields(parameters, ChatTokenizeParameters)
        name = self._chosen_model(model, "chat")
        body = {"model": name, "messages": checked_messages(messages, self.provider.name), **fields}
        return await self._perform(
            Operation("chat_tokenize", read_chat_tokens, "/chat_tokenize", body=body, model=name), options
        )

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)
    complete = blocking(acomplete)
    stream_complete = blocking_stream(astream_complete)
    chat_tokenize = blocking(achat_tokenize)


def _check_texts(prompt: Prompt) -> None:
    checked_prompt(prompt, "hf_tgi", empty=False)
    if not isinstance(prompt, str) and not isinstance(prompt[0], str):
        bad_argument("prompt must be text: the server takes no token ids", "hf_tgi")
