"""Megaservices that take a question and answer in text: with documents, from the web, in code, in another language.

What a megaservice does with the model's name and with usage: it takes neither. The deployment names the model, and usage
comes as zeros, which are read as unknown.
"""

from __future__ import annotations

from typing import Any, Unpack

from backends.opea.core import Asked, OPEACore
from backends.opea.parameters import (
    CodeGenParameters,
    GenerateParameters,
    RagParameters,
    TemplateParameters,
    for_megaservice,
)
from backends.operation import CallOptions, Operation
from backends.parameters import split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply

__all__ = ["MegaserviceCalls"]

_Prepared = tuple[Operation[ChatReply], CallOptions]


class MegaserviceCalls(OPEACore):
    """Calls of the megaservices about text.

    Every one raises, besides what any call can raise:

    - InvalidRequestError: an argument is wrong, before anything is sent.
    - ContentFilterError: a guardrail of the deployment refused.
    - ResponseFormatError: the answer ended without a word, which is all that is seen of a failure behind a service.
    """

    async def achatqna(self, messages: Asked, **parameters: Unpack[RagParameters]) -> ChatReply:
        """Answer a question from the documents that were ingested (``POST /v1/chatqna``).

        Args:
            messages: a question, or a conversation of the roles system, user and assistant.
            **parameters: see :class:`~backends.opea.parameters.RagParameters`.
        """
        operation, options = self._question("chatqna", messages, parameters, RagParameters, stream=False)
        return await self._perform(operation, options)

    def astream_chatqna(self, messages: Asked, **parameters: Unpack[RagParameters]) -> AsyncStream[ChatReply]:
        """Answer from documents, word by word. The end of such a stream does not prove that the answer is whole."""
        operation, options = self._question("chatqna", messages, parameters, RagParameters, stream=True)
        return self._stream(operation, options)

    async def agraphrag(self, messages: Asked, **parameters: Unpack[RagParameters]) -> ChatReply:
        """Answer a question from a graph of documents (``POST /v1/graphrag``)."""
        operation, options = self._question("graphrag", messages, parameters, RagParameters, stream=False)
        return await self._perform(operation, options)

    def astream_graphrag(self, messages: Asked, **parameters: Unpack[RagParameters]) -> AsyncStream[ChatReply]:
        """Answer from a graph of documents, word by word."""
        operation, options = self._question("graphrag", messages, parameters, RagParameters, stream=True)
        return self._stream(operation, options)

    async def ahybridrag(self, messages: Asked, **parameters: Unpack[RagParameters]) -> ChatReply:
        """Answer a question from documents and a graph database (``POST /v1/hybridrag``)."""
        operation, options = self._question("hybridrag", messages, parameters, RagParameters, stream=False)
        return await self._perform(operation, options)

    def astream_hybridrag(self, messages: Asked, **parameters: Unpack[RagParameters]) -> AsyncStream[ChatReply]:
        """Answer from documents and a graph database, word by word."""
        operation, options = self._question("hybridrag", messages, parameters, RagParameters, stream=True)
        return self._stream(operation, options)

    async def asearchqna(self, messages: Asked, **parameters: Unpack[GenerateParameters]) -> ChatReply:
        """Answer a question from a search of the web (``POST /v1/searchqna``)."""
        operation, options = self._question("searchqna", messages, parameters, GenerateParameters, stream=False)
        return await self._perform(operation, options)

    def astream_searchqna(self, messages: Asked, **parameters: Unpack[GenerateParameters]) -> AsyncStream[ChatReply]:
        """Answer from the web, word by word."""
        operation, options = self._question("searchqna", messages, parameters, GenerateParameters, stream=True)
        return self._stream(operation, options)

    async def avideoqna(self, messages: Asked, **parameters: Unpack[TemplateParameters]) -> ChatReply:
        """Answer a question from the videos that were ingested (``POST /v1/videoqna``)."""
        operation, options = self._question("videoqna", messages, parameters, TemplateParameters, stream=False)
        return await self._perform(operation, options)

    def astream_videoqna(self, messages: Asked, **parameters: Unpack[TemplateParameters]) -> AsyncStream[ChatReply]:
        """Answer from videos, word by word."""
        operation, options = self._question("videoqna", messages, parameters, TemplateParameters, stream=True)
        return self._stream(operation, options)

    async def acodegen(self, messages: Asked, **parameters: Unpack[CodeGenParameters]) -> ChatReply:
        """Write code (``POST /v1/codegen``).

        Args:
            messages: what is wanted, or a conversation about it.
            **parameters: see :class:`~backends.opea.parameters.CodeGenParameters`.
        """
        operation, options = self._question("codegen", messages, parameters, CodeGenParameters, stream=False)
        return await self._perform(operation, options)

    def astream_codegen(self, messages: Asked, **parameters: Unpack[CodeGenParameters]) -> AsyncStream[ChatReply]:
        """Write code, piece by piece; the model's own chunks, so a finish reason comes with them."""
        operation, options = self._question("codegen", messages, parameters, CodeGenParameters, stream=True)
        return self._stream(operation, options)

    async def afaqgen(self, messages: Asked, **parameters: Unpack[GenerateParameters]) -> ChatReply:
        """Make questions and answers out of a text (``POST /v1/faqgen``)."""
        operation, options = self._question("faqgen", messages, parameters, GenerateParameters, stream=False)
        return await self._perform(operation, options)

    def astream_faqgen(self, messages: Asked, **parameters: Unpack[GenerateParameters]) -> AsyncStream[ChatReply]:
        """Make questions and answers out of a text, word by word."""
        operation, options = self._question("faqgen", messages, parameters, GenerateParameters, stream=True)
        return self._stream(operation, options)

    async def acodetrans(self, code: str, source: str, target: str, **parameters: Unpack[CallOptions]) -> ChatReply:
        """Translate code (``POST /v1/codetrans``); the service streams whatever is asked, so this waits for the end.

        Args:
            code: what to translate.
            source, target: programming languages, in plain words.
            **parameters: see :class:`~backends.operation.CallOptions`.
        """
        operation, options = self._translated(
            "codetrans", "source_code", code, source, target, parameters, stream=False
        )
        return await self._perform(operation, options)

    def astream_codetrans(
        self, code: str, source: str, target: str, **parameters: Unpack[CallOptions]
    ) -> AsyncStream[ChatReply]:
        """Translate code, piece by piece."""
        operation, options = self._translated("codetrans", "source_code", code, source, target, parameters, stream=True)
        return self._stream(operation, options)

    async def atranslation(self, text: str, source: str, target: str, **parameters: Unpack[CallOptions]) -> ChatReply:
        """Translate a text (``POST /v1/translation``); the service streams whatever is asked, so this waits for the end.

        Args:
            text: what to translate.
            source, target: languages, in plain words (``Chinese``).
            **parameters: see :class:`~backends.operation.CallOptions`.
        """
        operation, options = self._translated(
            "translation", "source_language", text, source, target, parameters, stream=False
        )
        return await self._perform(operation, options)

    def astream_translation(
        self, text: str, source: str, target: str, **parameters: Unpack[CallOptions]
    ) -> AsyncStream[ChatReply]:
        """Translate a text, word by word."""
        operation, options = self._translated(
            "translation", "source_language", text, source, target, parameters, stream=True
        )
        return self._stream(operation, options)

    chatqna = blocking(achatqna)
    stream_chatqna = blocking_stream(astream_chatqna)
    graphrag = blocking(agraphrag)
    stream_graphrag = blocking_stream(astream_graphrag)
    hybridrag = blocking(ahybridrag)
    stream_hybridrag = blocking_stream(astream_hybridrag)
    searchqna = blocking(asearchqna)
    stream_searchqna = blocking_stream(astream_searchqna)
    videoqna = blocking(avideoqna)
    stream_videoqna = blocking_stream(astream_videoqna)
    codegen = blocking(acodegen)
    stream_codegen = blocking_stream(astream_codegen)
    faqgen = blocking(afaqgen)
    stream_faqgen = blocking_stream(astream_faqgen)
    codetrans = blocking(acodetrans)
    stream_codetrans = blocking_stream(astream_codetrans)
    translation = blocking(atranslation)
    stream_translation = blocking_stream(astream_translation)

    def _question(self, service: str, messages: Asked, parameters: Any, table: type, *, stream: bool) -> _Prepared:
        options, fields = for_megaservice(parameters, table)
        return self._answering(service, {"messages": self._asked(messages), **fields}, options, stream=stream)

    def _translated(
        self, service: str, field: str, text: str, source: str, target: str, parameters: Any, *, stream: bool
    ) -> _Prepared:
        options, _ = split(parameters, CallOptions, self.provider.name)
        body = {
            "language_from": self._text("source", source),
            "language_to": self._text("target", target),
            field: self._text("text" if field == "source_language" else "code", text),
        }
        return self._answering(service, body, options, stream=stream)
