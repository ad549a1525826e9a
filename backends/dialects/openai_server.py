"""What every server of the OpenAI dialect is: chat, completion, embedding and models as calls of a backend.

A provider inherits the groups that it has and says what differs: its :class:`~backends.provider.Provider`, the path
of the dialect below its address, its own argument tables, what it knows of models. The wire itself stands in the
other modules of this package. Nothing here knows a provider, and nothing waits, retries or locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Unpack

from backends import errors
from backends.dialects.openai_chat import chat_operation, chat_stream_operation
from backends.dialects.openai_common import checked_model, json_object
from backends.dialects.openai_completions import Prompt, completion_operation, completion_stream_operation
from backends.dialects.openai_embeddings import embed_operation
from backends.dialects.openai_errors import raise_inside, typed_error
from backends.dialects.openai_parameters import ChatBasics, CompletionBasics, EmbedBasics
from backends.http import HTTPBackend
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import split
from backends.segments import checked_segment
from backends.settings import nearest
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, CompletionReply, Embeddings, Message, Model
from backends.wire.values import FormatError

__all__ = ["ChatServer", "CompletionServer", "DialectServer", "EmbedServer", "ModelServer", "read_model", "read_models"]

_MOST_NAMES: Final = 10_000


class DialectServer(HTTPBackend):
    """Base of the groups of calls: paths, models, errors, and the operations that the public methods perform.

    Attributes:
        dialect_path: what stands between the base URL and the dialect's paths (``/v3``).
        most_texts: inputs that one embedding request takes, None where the server sets no bound.
        most_bytes: bound of the texts' bytes in an embedding request that several callers share, None for none.
        many_prompts: whether a completion request takes a list of prompts, so that several callers may share one.
        usage_asked: whether streams ask for the usage chunk with ``stream_options``.
    """

    dialect_path: ClassVar[str] = ""
    most_texts: ClassVar[int | None] = None
    most_bytes: ClassVar[int | None] = None
    many_prompts: ClassVar[bool] = False
    usage_asked: ClassVar[bool] = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._seen_models: tuple[str, ...] = ()

    # -- what a provider may change ------------------------------------------------------------------------------------

    def explain(self, model: str) -> tuple[str, tuple[str, ...]]:
        """Return a sentence about a model that the server did not know, and the names that may have been meant: by
        default the nearest of those that ``models()`` has shown."""
        return "", nearest(model, [name for name in self._seen_models if name != model])

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer; an unknown or retired model comes with suggestions."""
        del headers
        return typed_error(status, data, model=operation.model, explain=self.explain)

    def _chosen_model(self, model: str | None, kind: str) -> str | None:
        """Return the model of a call: its own, else the backend's; ``kind`` is ``chat``, ``completion``,
        ``embedding`` or a provider's own word. A server that serves a single model may be sent none.

        Raises:
            InvalidRequestError: neither names one.
        """
        del kind
        return checked_model(model if model is not None else self.model, self.provider.name)

    # -- operations ----------------------------------------------------------------------------------------------------

    def _chat(
        self, messages: Sequence[Message], model: str | None, parameters: Mapping[str, Any], table: type
    ) -> tuple[Operation[ChatReply], CallOptions]:
        """Return the operation of a whole chat answer and the options of its call."""
        options, fields = split(parameters, table, self.provider.name)
        path = self.dialect_path + "/chat/completions"
        name = self._chosen_model(model, "chat")
        return chat_operation(name, messages, fields, provider=self.provider.name, path=path), options

    def _chat_stream(
        self, messages: Sequence[Message], model: str | None, parameters: Mapping[str, Any], table: type
    ) -> tuple[Operation[ChatReply], CallOptions]:
        """Return the operation of a streamed chat answer and the options of its call."""
        options, fields = split(parameters, table, self.provider.name)
        operation = chat_stream_operation(
            self._chosen_model(model, "chat"),
            messages,
            fields,
            provider=self.provider.name,
            path=self.dialect_path + "/chat/completions",
            usage=self.usage_asked,
            max_event_bytes=self._event_limit(options),
        )
        return operation, options

    def _completion(
        self, prompt: Prompt, model: str | None, parameters: Mapping[str, Any], table: type
    ) -> tuple[Operation[CompletionReply], CallOptions]:
        """Return the operation of a whole completion and the options of its call."""
        options, fields = split(parameters, table, self.provider.name)
        path = self.dialect_path + "/completions"
        name = self._chosen_model(model, "completion")
        operation = completion_operation(
            name, prompt, fields, provider=self.provider.name, path=path, several=self.many_prompts
        )
        return operation, options

    def _completion_stream(
        self, prompt: Prompt, model: str | None, parameters: Mapping[str, Any], table: type
    ) -> tuple[Operation[CompletionReply], CallOptions]:
        """Return the operation of a streamed completion and the options of its call."""
        options, fields = split(parameters, table, self.provider.name)
        operation = completion_stream_operation(
            self._chosen_model(model, "completion"),
            prompt,
            fields,
            provider=self.provider.name,
            path=self.dialect_path + "/completions",
            usage=self.usage_asked,
            max_event_bytes=self._event_limit(options),
        )
        return operation, options

    def _embedding(
        self, texts: Prompt, model: str | None, parameters: Mapping[str, Any], table: type
    ) -> tuple[Operation[Embeddings], CallOptions]:
        """Return the operation of an embedding call and the options of its call."""
        options, fields = split(parameters, table, self.provider.name)
        operation = embed_operation(
            self._chosen_model(model, "embedding"),
            texts,
            fields,
            provider=self.provider.name,
            path=self.dialect_path + "/embeddings",
            most=self.most_texts,
            most_length=self.most_bytes,
        )
        return operation, options

    def _event_limit(self, options: CallOptions) -> int:
        return self.endpoint(options.get("endpoint")).settings.max_event_bytes

    def _segment(self, name: str, value: Any) -> str:
        """Return an id as one escaped path segment.

        Raises:
            InvalidRequestError: it is not text, or cannot be a path segment.
        """
        return checked_segment(name, value, self.provider.name)


class ChatServer(DialectServer):
    """Chat. A provider with an argument table of its own overrides both methods and makes their twins anew."""

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatBasics]
    ) -> ChatReply:
        """Return the answer to a conversation (``POST /chat/completions``).

        Args:
            messages: at least one, in the provider's shape.
            model: which model; the backend's when not given.
            **parameters: see :class:`~backends.dialects.openai_parameters.ChatBasics`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
            BackendError: anything else that can happen to a call.
        """
        operation, options = self._chat(messages, model, parameters, ChatBasics)
        return await self._perform(operation, options)

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatBasics]
    ) -> AsyncStream[ChatReply]:
        """Return the answer to a conversation as a stream; its ``reply`` is there after the last chunk.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        operation, options = self._chat_stream(messages, model, parameters, ChatBasics)
        return self._stream(operation, options)

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)


class CompletionServer(DialectServer):
    """Text completion."""

    async def acomplete(
        self, prompt: Prompt, *, model: str | None = None, **parameters: Unpack[CompletionBasics]
    ) -> CompletionReply:
        """Return the continuation of a prompt (``POST /completions``).

        Args:
            prompt: a text, several, or token ids; ``texts`` of the reply has ``n`` for each, in order.
            model: which model; the backend's when not given.
            **parameters: see :class:`~backends.dialects.openai_parameters.CompletionBasics`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        operation, options = self._completion(prompt, model, parameters, CompletionBasics)
        return await self._perform(operation, options)

    def astream_complete(
        self, prompt: Prompt, *, model: str | None = None, **parameters: Unpack[CompletionBasics]
    ) -> AsyncStream[CompletionReply]:
        """Return the continuation of a prompt as a stream.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        operation, options = self._completion_stream(prompt, model, parameters, CompletionBasics)
        return self._stream(operation, options)

    complete = blocking(acomplete)
    stream_complete = blocking_stream(astream_complete)


class EmbedServer(DialectServer):
    """Embeddings."""

    batches: ClassVar[frozenset[str]] = frozenset({"embed"})

    async def aembed(self, texts: Prompt, *, model: str | None = None, **parameters: Unpack[EmbedBasics]) -> Embeddings:
        """Return one vector per text, in the order of the texts (``POST /embeddings``).

        Args:
            texts: a text, several, or token ids.
            model: which model; the backend's when not given.
            **parameters: see :class:`~backends.dialects.openai_parameters.EmbedBasics`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        operation, options = self._embedding(texts, model, parameters, EmbedBasics)
        return await self._perform(operation, options)

    embed = blocking(aembed)


class ModelServer(DialectServer):
    """The list of models, and one of it."""

    async def amodels(self, **parameters: Unpack[CallOptions]) -> tuple[Model, ...]:
        """Return every model that the server has or the key may use (``GET /models``)."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        found = await self._perform(Operation("models", read_models, self.dialect_path + "/models", "GET"), options)
        self._seen_models = tuple(model.id for model in found[:_MOST_NAMES])
        return found

    async def aget_model(self, model: str, **parameters: Unpack[CallOptions]) -> Model:
        """Return one model (``GET /models/{model}``).

        Raises:
            UnknownModelError: there is no such model; with suggestions where ``models()`` was asked before.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        path = f"{self.dialect_path}/models/{self._segment('model', checked_model(model, self.provider.name))}"
        return await self._perform(Operation("get_model", read_model, path, "GET", model=model), options)

    models = blocking(amodels)
    get_model = blocking(aget_model)


def read_models(answer: Answer) -> tuple[Model, ...]:
    """Read ``{"object": "list", "data": [...]}``."""
    data = json_object(answer.data)
    raise_inside(data)
    return tuple(map(_model, data["data"]))


def read_model(answer: Answer) -> Model:
    """Read one entry of the list by itself."""
    raise_inside(answer.data)
    return _model(answer.data)


def _model(entry: Any) -> Model:
    """``shutdown_date`` is OpenAI's, ``YYYY-MM-DD``."""
    entry = json_object(entry)
    if type(entry["id"]) is not str:
        raise FormatError("a model has no name")
    return Model(entry["id"], entry, entry.get("owned_by"), entry.get("created"), entry.get("shutdown_date"))
