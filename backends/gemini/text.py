"""Chat, generation in the native shape, pictures, embeddings and token counts of the Gemini backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Unpack

from backends.gemini.answers import read_count, read_embeddings, read_reply
from backends.gemini.catalogue import full_name
from backends.gemini.contents import Contents, Turn, contents_of, conversation
from backends.gemini.core import GeminiCore
from backends.gemini.parameters import (
    CountParameters,
    EmbedParameters,
    GenerateParameters,
    generation_body,
    taken,
)
from backends.gemini.parts import parts_of
from backends.gemini.shared_embedding import embed_plan
from backends.gemini.stream import GenerationReader
from backends.gemini.values import GeminiReply
from backends.operation import EXACT, Answer, Cacheable, CallOptions, Operation
from backends.parameters import bad_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import Embeddings, TokenCount
from backends.values import Image, Images
from backends.wire.values import FormatError

__all__ = ["TextCalls", "embed_requests"]

_CONTENTS: Final = Cacheable("contents")
_EMBED: Final = {"task_type": "taskType", "title": "title", "dimensions": "outputDimensionality"}


class TextCalls(GeminiCore):
    """Calls of a model: ``models/{model}:generateContent`` and its neighbours."""

    async def achat(
        self, messages: Sequence[Turn], *, model: str | None = None, **parameters: Unpack[GenerateParameters]
    ) -> GeminiReply:
        """Return the answer to a conversation.

        Args:
            messages: ``{"role": ..., "content": ...}`` each: text, or parts with pictures, sound and files. System
                messages become the system instruction, wherever they stand. ``{"role": ..., "parts": [...]}`` is
                Gemini's own shape. An earlier reply can stand as the assistant's message: it goes back as it came, with
                the signatures that tool calls need. Results of tools are
                ``{"role": "tool", "tool_call_id" or "name": ..., "content": ...}``.
            model: its name, with or without ``models/``; the backend's, or a cheap current one, when not given.
            **parameters: see :class:`~backends.gemini.parameters.GenerateParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
            ContentFilterError: the provider's policy let nothing of prompt or answer through.
            UnknownModelError: there is no such model, or it was retired; with suggestions.
            BackendError: anything else that can happen to a call.
        """
        return await self._generate("chat", conversation, messages, model, parameters)

    def astream_chat(
        self, messages: Sequence[Turn], *, model: str | None = None, **parameters: Unpack[GenerateParameters]
    ) -> AsyncStream[GeminiReply]:
        """Return the answer to a conversation as a stream; arguments and errors as for :meth:`achat`.

        The reply's ``raw`` is the answer as it would have come whole; pictures and sound stand in ``data`` of chunks.
        """
        return self._generate_stream("stream_chat", conversation, messages, model, parameters)

    async def agenerate(
        self, contents: Contents, *, model: str | None = None, **parameters: Unpack[GenerateParameters]
    ) -> GeminiReply:
        """Return the answer to a text, or to contents in Gemini's own shape (``[{"role", "parts"}]``).

        Parameters, reply and errors are those of :meth:`achat`.
        """
        return await self._generate("generate", contents_of, contents, model, parameters)

    def astream_generate(
        self, contents: Contents, *, model: str | None = None, **parameters: Unpack[GenerateParameters]
    ) -> AsyncStream[GeminiReply]:
        """Return the same as :meth:`agenerate` as a stream."""
        return self._generate_stream("stream_generate", contents_of, contents, model, parameters)

    async def agenerate_image(
        self, prompt: str | Sequence[Any], *, model: str | None = None, **parameters: Unpack[GenerateParameters]
    ) -> Images:
        """Return pictures made by an image model (``generateContent`` with ``responseModalities``).

        Args:
            prompt: text, or parts with the pictures to start from.
            model: an image model.
            **parameters: see :class:`~backends.gemini.parameters.GenerateParameters`; ``image_config`` has the shape.

        Raises:
            ContentFilterError: the provider's policy let nothing through.
            ResponseFormatError: the model answered in words only.
        """
        options, fields = taken(parameters, GenerateParameters)
        fields.setdefault("response_modalities", ["TEXT", "IMAGE"])
        contents = [{"role": "user", "parts": parts_of(prompt, "prompt")}]
        operation, options = self._operation(
            "generate_image", _read_images, contents, [], self._chosen_model(model, "image"), fields, options
        )
        return await self._perform(operation, options)

    async def aembed(
        self,
        texts: str | Sequence[str | Mapping[str, Any]],
        *,
        model: str | None = None,
        **parameters: Unpack[EmbedParameters],
    ) -> Embeddings:
        """Return one vector per text, in the order of the texts (``embedContent``, ``batchEmbedContents``).

        Args:
            texts: one or several; for a multimodal model an entry may be a content ``{"parts": [...]}``.
            model: an embedding model.
            **parameters: see :class:`~backends.gemini.parameters.EmbedParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, EmbedParameters, self.provider.name)
        name = self._chosen_model(model, "embedding")
        requests = embed_requests(texts, name, fields)
        several = len(requests) > 1
        operation = Operation(
            "embed",
            partial(read_embeddings, number=len(requests)),
            self._model_path(name, ":batchEmbedContents" if several else ":embedContent"),
            body={"requests": requests} if several else requests[0],
            model=name,
            cacheable=EXACT,
            batch=embed_plan(requests, self._model_path(name, ":batchEmbedContents")),
        )
        return await self._perform(operation, options)

    async def acount_tokens(
        self, content: Contents, *, model: str | None = None, **parameters: Unpack[CountParameters]
    ) -> TokenCount:
        """Return how many tokens a text or a conversation is, as the provider counts (``countTokens``).

        Args:
            content: a text, or messages as for :meth:`achat`.
            model: whose tokens.
            **parameters: what else would stand in the request.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = taken(parameters, CountParameters)
        contents, system = contents_of(content) if isinstance(content, str) else conversation(content)
        name = self._chosen_model(model, "chat")
        body = generation_body(contents, system, fields)
        if body.keys() != {"contents"}:
            body = {"generateContentRequest": {"model": full_name(name), **body}}
        operation = Operation("count_tokens", read_count, self._model_path(name, ":countTokens"), body=body, model=name)
        return await self._perform(operation, options)

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)
    generate = blocking(agenerate)
    stream_generate = blocking_stream(astream_generate)
    generate_image = blocking(agenerate_image)
    embed = blocking(aembed)
    count_tokens = blocking(acount_tokens)

    async def _generate(self, name: str, shaped: Any, given: Any, model: str | None, parameters: Any) -> GeminiReply:
        options, fields = taken(parameters, GenerateParameters)
        contents, system = shaped(given)
        chosen = self._chosen_model(model, "chat")
        operation, options = self._operation(name, read_reply, contents, system, chosen, fields, options)
        return await self._perform(operation, options)

    def _generate_stream(
        self, name: str, shaped: Any, given: Any, model: str | None, parameters: Any
    ) -> AsyncStream[GeminiReply]:
        options, fields = taken(parameters, GenerateParameters)
        contents, system = shaped(given)
        chosen = self._chosen_model(model, "chat")
        operation, options = self._operation(
            name, read_reply, contents, system, chosen, fields, options, limit=self._event_limit(options)
        )
        return self._stream(operation, options)

    def _operation(
        self,
        name: str,
        read: Any,
        contents: list[dict[str, Any]],
        system: list[dict[str, Any]],
        model: str,
        fields: Mapping[str, Any],
        options: CallOptions,
        limit: int | None = None,
    ) -> tuple[Operation[Any], CallOptions]:
        """Return the operation of a generation, a stream where ``limit`` bounds its events."""
        body = generation_body(contents, system, fields)
        extra = options.get("extra_body")
        if extra and isinstance(extra.get("generationConfig"), Mapping) and "generationConfig" in body:
            # What is given by name stays where extra_body adds to the same object.
            config = {**body["generationConfig"], **extra["generationConfig"]}
            options = {**options, "extra_body": {**extra, "generationConfig": config}}
        streamed = limit is not None
        return Operation(
            name,
            read,
            self._model_path(model, ":streamGenerateContent" if streamed else ":generateContent"),
            query=(("alt", "sse"),) if streamed else (),
            body=body,
            model=model,
            stream=partial(GenerationReader, limit, model) if limit is not None else None,
            cacheable=_CONTENTS if read is read_reply else None,
        ), options


def embed_requests(texts: Any, model: str, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one request for each text.

    Raises:
        InvalidRequestError: there is no text, or one is empty or of another type.
    """
    given = [texts] if isinstance(texts, str) else texts
    if not isinstance(given, list | tuple):
        bad_argument(f"texts must be text or a list of texts, not {type(texts).__name__}", "gemini")
    if not given:
        bad_argument("texts must not be empty", "gemini")
    shared = {"model": full_name(model), **{_EMBED[name]: value for name, value in fields.items()}}
    requests = []
    for index, text in enumerate(given):
        if isinstance(text, Mapping) and "parts" in text:
            parts = parts_of(text["parts"], f"texts[{index}].parts")
        elif isinstance(text, str):
            parts = parts_of(text, f"texts[{index}]")
        else:
            bad_argument(f"texts[{index}] must be text or a content with parts, not {type(text).__name__}", "gemini")
        requests.append({**shared, "content": {"parts": parts}})
    return requests


def _read_images(answer: Answer) -> Images:
    reply = read_reply(answer)
    pictures = [media for media in reply.media if media.mime_type.startswith("image/")]
    if not pictures:
        raise FormatError(f"no picture came, only words: {reply.text[:100]!r}")
    return Images(
        **{**answer.facts(), "provider_request_id": reply.provider_request_id},
        usage=reply.usage,
        model=reply.model,
        images=tuple(Image(media.data) for media in pictures),
        output_format=pictures[0].mime_type.partition("/")[2],
    )
