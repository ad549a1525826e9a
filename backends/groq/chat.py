"""Chat of the Groq backend, whole and streamed: what is checked before it is sent, what an answer says besides.

Wire facts: ``types/chat`` of the official SDK 1.7.0. A whole answer has token counts and times in ``usage`` and cache
statistics in ``x_groq.usage``; a stream has counts and times in ``x_groq.usage`` of its last chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Unpack

from backends.dialects import openai_chat
from backends.groq.chat_stream import GroqStreamReader
from backends.groq.core import GroqCore
from backends.groq.facts import with_facts
from backends.groq.known_models import known_model
from backends.groq.parameters import ChatParameters
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import bad_argument
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, Message

__all__ = ["ChatCalls"]

_PART_ADVICE: Final = {
    "input_audio": "chat takes no sound; use transcribe()",
    "file": "chat takes no files; put their text into the message, or use documents",
}


class ChatCalls(GroqCore):
    """Calls under ``/chat``."""

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatReply:
        """Return the answer to a conversation (``POST /chat/completions``).

        Args:
            messages: at least one, in the dialect's shape: text, images (vision models) and documents as content parts;
                an assistant's message may carry its ``reasoning``.
            model: which model; the backend's, or a cheap current one, when not given.
            **parameters: see :class:`~backends.groq.parameters.ChatParameters`.

        Raises:
            InvalidRequestError: an argument is wrong or the model cannot do this, before anything is sent; or the
                service refused the request.
            UnknownModelError: the model was switched off (before anything is sent) or does not exist.
            BackendError: anything else that can happen to a call.
        """
        operation, options = self._chat(messages, model, parameters, ChatParameters)
        return await self._perform(replace(operation, read=partial(_read_chat, tier=_tier(operation))), options)

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> AsyncStream[ChatReply]:
        """Return the answer to a conversation as a stream; arguments and errors as for :meth:`achat`.

        The reply's ``raw`` is the answer as it would have come whole.
        """
        operation, options = self._chat_stream(messages, model, parameters, ChatParameters)
        reader = partial(GroqStreamReader, self._event_limit(options), _tier(operation))
        return self._stream(replace(operation, stream=reader), options)

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)

    def _chat(
        self, messages: Sequence[Message], model: str | None, parameters: Mapping[str, Any], table: type
    ) -> tuple[Operation[ChatReply], CallOptions]:
        operation, options = super()._chat(messages, model, parameters, table)
        self._check(operation)
        return operation, options

    def _chat_stream(
        self, messages: Sequence[Message], model: str | None, parameters: Mapping[str, Any], table: type
    ) -> tuple[Operation[ChatReply], CallOptions]:
        operation, options = super()._chat_stream(messages, model, parameters, table)
        self._check(operation)
        return operation, options

    def _check(self, operation: Operation[ChatReply]) -> None:
        """Refuse what the tables cannot say because it concerns two things at once."""
        body: Any = operation.body
        if body.get("n", 1) != 1:
            bad_argument("n must be 1: the service makes one choice a request", self.provider.name)
        if "reasoning_format" in body and "include_reasoning" in body:
            bad_argument("reasoning_format and include_reasoning exclude each other", self.provider.name)
        model = known_model(body["model"])
        effort = body.get("reasoning_effort")
        if effort is not None and model is not None and model.efforts and effort not in model.efforts:
            bad_argument(
                f"reasoning_effort of {model.id} must be one of {', '.join(model.efforts)}, not {effort!r}",
                self.provider.name,
            )
        for index, message in enumerate(body["messages"]):
            content = message.get("content")
            for place, part in enumerate(content if isinstance(content, list | tuple) else ()):
                self._check_part(body["model"], part["type"], f"messages[{index}].content[{place}]")

    def _check_part(self, model: str, kind: str, place: str) -> None:
        if kind == "image_url":
            self._check_sight(model, place)
        elif kind in _PART_ADVICE:
            bad_argument(f"{place}: {_PART_ADVICE[kind]}", self.provider.name)


def _tier(operation: Operation[ChatReply]) -> str | None:
    body: Any = operation.body
    tier: str | None = body.get("service_tier")
    return tier


def _read_chat(answer: Answer, tier: str | None) -> ChatReply:
    return with_facts(openai_chat.read_chat(answer), tier)
