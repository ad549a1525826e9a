"""Chat and completion of the vLLM backend, for servers whose model generates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

from backends.dialects.openai_chat import read_chat
from backends.dialects.openai_common import checked_messages
from backends.dialects.openai_completions import Prompt
from backends.operation import Operation
from backends.parameters import bad_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, CompletionReply, Message
from backends.vllm.core import VLLMServer
from backends.vllm.parameters import ChatParameters, CompletionParameters
from backends.vllm.rules import unrefused
from backends.vllm.streams import ChatReader, CompletionReader

__all__ = ["TextCalls"]


class TextCalls(VLLMServer):
    """Calls that answer in text. Our request id is sent with each: the answer's id is ``chatcmpl-`` or ``cmpl-`` and
    that id."""

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatReply:
        """Return the answer to a conversation (``POST /v1/chat/completions``).

        Args:
            messages: at least one; images, sound and video as content parts where the model takes them.
            model: a served model or LoRA adapter; the backend's, else the server's first, when not given.
            **parameters: see :class:`~backends.vllm.parameters.ChatParameters`.

        Returns:
            The reply; ``raw`` has ``stop_reason``, ``token_ids``, ``prompt_logprobs`` and the like. A call of a tool
            that was named in ``tool_choice`` ends with ``stop``.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            ContextLengthError: the messages are longer than the model's context.
            UnknownModelError: nothing of that name is served; with the names that are.
            BackendError: anything else that can happen to a call.
        """
        operation, options = self._chat(messages, model, unrefused(parameters), ChatParameters)
        return await self._perform(*self._dressed(operation, options))

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> AsyncStream[ChatReply]:
        """Return the answer to a conversation as a stream; arguments and errors as for :meth:`achat`.

        The usage chunk is asked for unless ``stream_options`` says otherwise. The reply's ``raw`` is the answer as
        it would have come whole. A piece of text may hold U+FFFD where the server cut a character.
        """
        operation, options = self._chat_stream(messages, model, unrefused(parameters), ChatParameters)
        operation = replace(operation, stream=partial(ChatReader, self._event_limit(options)))
        return self._stream(*self._dressed(operation, options))

    async def achat_batch(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        model: str | None = None,
        **parameters: Unpack[ChatParameters],
    ) -> ChatReply:
        """Return the answers to several conversations in one request (``POST /v1/chat/completions/batch``); the
        server works on them together.

        Args:
            conversations: messages of each.
            model, **parameters: as for :meth:`achat`, for all of them.

        Returns:
            One reply; ``texts`` has an answer for each conversation, in order, and ``usage`` counts all.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            NotFoundError: the server is of an age without this route.
        """
        options, fields = split(unrefused(parameters), ChatParameters, self.provider.name)
        fields.pop("stream_options", None)
        name = self._chosen_model(model, "chat")
        body = {"model": name, "messages": _checked_conversations(conversations, self.provider.name), **fields}
        operation = Operation("chat_batch", read_chat, f"{self.dialect_path}/chat/completions/batch", body=body)
        return await self._perform(*self._dressed(operation, options))

    async def acomplete(
        self, prompt: Prompt, *, model: str | None = None, **parameters: Unpack[CompletionParameters]
    ) -> CompletionReply:
        """Return the continuation of a prompt (``POST /v1/completions``).

        Args:
            prompt: a text, several, or token ids; ``texts`` of the reply has ``n`` for each, in order.
            model: a served model or LoRA adapter; the backend's, else the server's first, when not given.
            **parameters: see :class:`~backends.vllm.parameters.CompletionParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            ContextLengthError: the prompt is longer than the model's context.
            UnknownModelError: nothing of that name is served; with the names that are.
        """
        operation, options = self._completion(prompt, model, unrefused(parameters), CompletionParameters)
        return await self._perform(*self._dressed(operation, options))

    def astream_complete(
        self, prompt: Prompt, *, model: str | None = None, **parameters: Unpack[CompletionParameters]
    ) -> AsyncStream[CompletionReply]:
        """Return the continuation of a prompt as a stream; arguments and errors as for :meth:`acomplete`."""
        operation, options = self._completion_stream(prompt, model, unrefused(parameters), CompletionParameters)
        operation = replace(operation, stream=partial(CompletionReader, self._event_limit(options)))
        return self._stream(*self._dressed(operation, options))

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)
    chat_batch = blocking(achat_batch)
    complete = blocking(acomplete)
    stream_complete = blocking_stream(astream_complete)


def _checked_conversations(conversations: Any, provider: str) -> list[list[Message]]:
    if not isinstance(conversations, list | tuple) or not conversations:
        bad_argument("conversations must be a list of lists of messages, and not empty", provider)
    return [checked_messages(messages, provider) for messages in conversations]
