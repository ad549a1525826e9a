"""The text generation service and the embedding service: OpenAI's dialect, without a model to choose.

Wire facts: ``POST /v1/chat/completions`` takes a list of messages for the model's chat, or one text for its completion;
the answers differ accordingly. The deployment names the model; the caller's name is only used where the model's own
server stands behind the address. Completion brings no usage in streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Unpack

from backends.dialects.openai_chat import chat_operation, chat_stream_operation
from backends.dialects.openai_common import checked_model, named_body
from backends.dialects.openai_completions import CompletionStreamReader, read_completion
from backends.dialects.openai_parameters import EmbedBasics
from backends.opea.core import OPEACore
from backends.opea.parameters import ChatParameters, CompleteParameters, for_model
from backends.operation import CONVERSATION, CallOptions, Operation
from backends.parameters import Size, check_argument
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, CompletionReply, Embeddings, Message, Texts

__all__ = ["ModelCalls"]

_Texts = Annotated[str, Size(1)] | Annotated[Sequence[Annotated[str, Size(1)]], Size(1)]


class ModelCalls(OPEACore):
    """Calls of the services in front of the models. ``model`` may be left out: the deployment has one."""

    def _chosen_model(self, model: str | None, kind: str) -> str | None:
        """Return the model of a call, None where neither it nor the backend names one."""
        del kind
        name = model if model is not None else self.model
        return checked_model(name, self.provider.name) if name is not None else None

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatReply:
        """Return the model's answer to a conversation (``POST /v1/chat/completions``); for answers from documents see
        ``chatqna``.

        Args:
            messages: at least one; text and images as content parts where the model takes them.
            model: which model, where the address serves several.
            **parameters: see :class:`~backends.opea.parameters.ChatParameters`.

        Raises:
            UnsupportedError: an argument is one that the service would drop (tools, log probabilities).
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        options, fields = for_model(parameters, ChatParameters)
        operation = chat_operation(
            self._chosen_model(model, "chat"),
            messages,
            {**fields, "stream": False},
            provider=self.provider.name,
            path="/v1/chat/completions",
        )
        return await self._perform(operation, self._at(options, "llm"))

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> AsyncStream[ChatReply]:
        """Return the model's answer as a stream; its ``reply`` is there after the last chunk.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        options, fields = for_model(parameters, ChatParameters)
        placed = self._at(options, "llm")
        operation = chat_stream_operation(
            self._chosen_model(model, "chat"),
            messages,
            fields,
            provider=self.provider.name,
            path="/v1/chat/completions",
            max_event_bytes=self._event_limit(placed),
        )
        return self._stream(operation, placed)

    async def acomplete(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[CompleteParameters]
    ) -> CompletionReply:
        """Return the continuation of a prompt, or an answer from ``documents`` that are given with it.

        Args:
            prompt: the text, not empty; the question where there are documents.
            model: which model, where the address serves several.
            **parameters: see :class:`~backends.opea.parameters.CompleteParameters`.

        Raises:
            UnsupportedError: an argument is one that the service would drop.
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        operation, options = self._continued(prompt, model, parameters, stream=False)
        return await self._perform(operation, options)

    def astream_complete(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[CompleteParameters]
    ) -> AsyncStream[CompletionReply]:
        """Return the continuation of a prompt as a stream."""
        operation, options = self._continued(prompt, model, parameters, stream=True)
        return self._stream(operation, options)

    async def aembed(self, texts: Texts, *, model: str | None = None, **parameters: Unpack[EmbedBasics]) -> Embeddings:
        """Return one vector per text, in the order of the texts (``POST /v1/embeddings``).

        Args:
            texts: one text or several; line breaks count as blanks at most services.
            model: which model, where the address serves several.
            **parameters: see :class:`~backends.dialects.openai_parameters.EmbedBasics`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        check_argument("texts", texts, _Texts, self.provider.name)
        operation, options = self._embedding(texts, model, parameters, EmbedBasics)
        return await self._perform(operation, self._at(options, "embedding"))

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)
    complete = blocking(acomplete)
    stream_complete = blocking_stream(astream_complete)
    embed = blocking(aembed)

    def _continued(
        self, prompt: str, model: str | None, parameters: Any, *, stream: bool
    ) -> tuple[Operation[CompletionReply], CallOptions]:
        options, fields = for_model(parameters, CompleteParameters)
        placed = self._at(options, "llm")
        name = self._chosen_model(model, "completion")
        operation = Operation(
            "stream_complete" if stream else "complete",
            read_completion,
            "/v1/chat/completions",
            body=named_body(name, {"messages": self._text("prompt", prompt), **fields, "stream": stream}),
            model=name,
            stream=partial(CompletionStreamReader, self._event_limit(placed)) if stream else None,
            cacheable=CONVERSATION,
        )
        return operation, placed
