"""The Ollama backend: chat, completion, embeddings, loading of models; model management is inherited.

Wire facts: ``docs/api.md``, ``api/types.go`` and ``server/routes.go`` of the server (v0.33). Checked against the
official Python client 0.6.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Unpack

from backends.ollama.answers import read_chat, read_completion, read_embeddings
from backends.ollama.messages import checked_images, checked_messages, checked_tools
from backends.ollama.parameters import ChatParameters, CompleteParameters, EmbedParameters, LoadParameters, taken
from backends.ollama.refusals import REFUSALS
from backends.ollama.stream import ChatReader, CompletionReader
from backends.ollama.transfers import Transfers
from backends.operation import CallOptions, Operation
from backends.parameters import bad_argument
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, CompletionReply, Embeddings, Message, Texts

__all__ = ["Ollama"]


class Ollama(Transfers):
    """Ollama servers behind queue, retries, breaker, keys and counters.

    No key is needed for a server of one's own; ``https://ollama.com`` takes ``OLLAMA_API_KEY``. See
    :class:`backends.ollama.server.OllamaServer` for the address and :class:`backends.base.Backend` for the rest.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatReply:
        """Answer a conversation.

        Args:
            messages: ``{"role": ..., "content": ...}`` each, with ``images``, ``thinking``, ``tool_calls`` and
                ``tool_name`` where they belong. The arguments of tool calls may be an object or its JSON text.
            model: its name; the backend's model when not given.
            **parameters: see :class:`backends.ollama.parameters.ChatParameters`.

        Returns:
            The reply; ``finish_reason`` is the server's ``done_reason``, which is ``stop`` for a turn that calls
            tools, too.

        Raises:
            InvalidRequestError: an argument is wrong; nothing was sent.
            UnknownModelError: the server does not have the model.
            BackendError: see :mod:`backends.errors`.
        """
        operation, options = self._chat(messages, model, parameters, stream=False)
        return await self._perform(operation, options)

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> AsyncStream[ChatReply]:
        """Answer a conversation piece by piece; arguments and errors as for :meth:`achat`."""
        operation, options = self._chat(messages, model, parameters, stream=True)
        return self._stream(operation, options)

    def _chat(
        self, messages: Sequence[Message], model: str | None, parameters: Any, *, stream: bool
    ) -> tuple[Operation[ChatReply], CallOptions]:
        options, fields = taken(parameters, ChatParameters)
        if "tools" in fields:
            fields["tools"] = checked_tools(fields["tools"])
        name = self._model(model)
        body = {"model": name, "messages": checked_messages(messages), "stream": stream, **fields}
        reader = partial(ChatReader, self._fail(name), self._longest_line(options)) if stream else None
        return Operation(
            "stream_chat" if stream else "chat",
            read_chat,
            "/api/chat",
            body=body,
            model=name,
            stream=reader,
            inspect=self._inspect,
        ), options

    async def acomplete(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[CompleteParameters]
    ) -> CompletionReply:
        """Go on from a prompt (``/api/generate``).

        Args:
            prompt: the text, not empty.
            model: its name; the backend's model when not given.
            **parameters: see :class:`backends.ollama.parameters.CompleteParameters`.

        Returns:
            The reply; ``raw["context"]`` can be passed as ``context`` to go on from it.

        Raises:
            InvalidRequestError: an argument is wrong; nothing was sent.
            UnknownModelError: the server does not have the model.
            BackendError: see :mod:`backends.errors`.
        """
        operation, options = self._complete(prompt, model, parameters, stream=False)
        return await self._perform(operation, options)

    def astream_complete(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[CompleteParameters]
    ) -> AsyncStream[CompletionReply]:
        """Go on from a prompt piece by piece; arguments and errors as for :meth:`acomplete`."""
        operation, options = self._complete(prompt, model, parameters, stream=True)
        return self._stream(operation, options)

    def _complete(
        self, prompt: str, model: str | None, parameters: Any, *, stream: bool
    ) -> tuple[Operation[CompletionReply], CallOptions]:
        options, fields = taken(parameters, CompleteParameters)
        if not isinstance(prompt, str):
            bad_argument(f"prompt must be text, not {type(prompt).__name__}", "ollama")
        if not prompt:
            bad_argument("prompt must not be empty; use load() and unload() to load a model and let it go", "ollama")
        if fields.get("raw") and fields.keys() & {"system", "template", "context"}:
            bad_argument("raw=True cannot go with system, template or context", "ollama")
        if "images" in fields:
            fields["images"] = checked_images(fields["images"])
        name = self._model(model)
        reader = partial(CompletionReader, self._fail(name), self._longest_line(options)) if stream else None
        return Operation(
            "stream_complete" if stream else "complete",
            read_completion,
            "/api/generate",
            body={"model": name, "prompt": prompt, "stream": stream, **fields},
            model=name,
            stream=reader,
            inspect=self._inspect,
        ), options

    async def aembed(
        self, texts: Texts, *, model: str | None = None, **parameters: Unpack[EmbedParameters]
    ) -> Embeddings:
        """Return the embedding of each text, in their order; the vectors have length 1.

        Args:
            texts: one text or several.
            model: its name; the backend's model when not given.
            **parameters: see :class:`backends.ollama.parameters.EmbedParameters`.

        Raises:
            InvalidRequestError: an argument is wrong; nothing was sent.
            ContextLengthError: a text does not fit and ``truncate=False``.
            BackendError: see :mod:`backends.errors`.
        """
        options, fields = taken(parameters, EmbedParameters)
        number = _checked_texts(texts)
        name = self._model(model)
        return await self._perform(
            Operation(
                "embed",
                partial(read_embeddings, number=number),
                "/api/embed",
                body={"model": name, "input": texts, **fields},
                model=name,
                inspect=self._inspect,
            ),
            options,
        )

    async def aload(self, model: str | None = None, **parameters: Unpack[LoadParameters]) -> CompletionReply:
        """Load a model that completes or chats, so that the next call need not wait; ``finish_reason`` is ``load``."""
        return await self._touch("load", model, *taken(parameters, LoadParameters))

    async def aunload(self, model: str | None = None, **parameters: Unpack[CallOptions]) -> CompletionReply:
        """Take a model out of memory now; ``finish_reason`` is ``unload``."""
        options, fields = taken(parameters, CallOptions)
        return await self._touch("unload", model, options, {**fields, "keep_alive": 0})

    async def _touch(
        self, name: str, model: str | None, options: CallOptions, fields: dict[str, Any]
    ) -> CompletionReply:
        model = self._model(model)
        return await self._perform(
            Operation(
                name,
                read_completion,
                "/api/generate",
                body={"model": model, "stream": False, **fields},
                model=model,
                inspect=self._inspect,
            ),
            options,
        )

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)
    complete = blocking(acomplete)
    stream_complete = blocking_stream(astream_complete)
    embed = blocking(aembed)
    load = blocking(aload)
    unload = blocking(aunload)


def _checked_texts(texts: Any) -> int:
    """Return how many texts there are."""
    if isinstance(texts, str):
        if not texts:
            bad_argument("texts must not be empty", "ollama")
        return 1
    if not isinstance(texts, list | tuple):
        bad_argument(f"texts must be text or a list of texts, not {type(texts).__name__}", "ollama")
    if not texts:
        bad_argument("texts must not be empty", "ollama")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            bad_argument(f"texts[{index}] must be text, not {type(text).__name__}", "ollama")
        if not text:
            bad_argument(f"texts[{index}] must not be empty", "ollama")
    return len(texts)
