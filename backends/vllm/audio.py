"""Transcription and translation of the vLLM backend, for servers whose model hears.

Wire facts: ``vllm/entrypoints/speech_to_text`` of the server. Forms are those of the dialect; a stream is not: its pieces
look like chat (``transcription.chunk``), and usage is asked for by a field of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, Unpack

from backends.dialects.openai_audio import read_transcript, transcript_kind
from backends.dialects.openai_common import read_usage, text_of
from backends.dialects.openai_events import EventReader
from backends.forms import File, file_part, form
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import Between, Size, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import Chunk, Usage
from backends.values import Transcript
from backends.vllm.core import VLLMServer
from backends.vllm.parameters import Seed
from backends.wire.values import FormatError

__all__ = ["AudioCalls", "TranscribeParameters", "TranscriptReader", "TranslateParameters"]


class TranslateParameters(CallOptions, total=False):
    """Arguments of ``translate`` and ``stream_translate``.

    Attributes:
        language: of the recording, ISO-639-1.
        prompt: text that guides the model or went before.
        response_format: ``json`` unless given; ``text``, ``srt`` and ``vtt`` give their body as the text.
        temperature: 0 to 1.
        to_language: of the text, for models that can choose.
        max_completion_tokens, seed, top_k, top_p, min_p, repetition_penalty, frequency_penalty, presence_penalty: as for
            chat.
    """

    frequency_penalty: Annotated[float | None, Between(-2, 2)]
    language: str | None
    max_completion_tokens: Annotated[int | None, Between(1)]
    min_p: Annotated[float | None, Between(0, 1)]
    presence_penalty: Annotated[float | None, Between(-2, 2)]
    prompt: str | None
    repetition_penalty: Annotated[float | None, Between(1e-9)]
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] | None
    seed: Seed | None
    temperature: Annotated[float | None, Between(0, 1)]
    to_language: str | None
    top_k: Annotated[int | None, Between(-1)]
    top_p: Annotated[float | None, Between(0, 1)]


class TranscribeParameters(TranslateParameters, total=False):
    """Arguments of ``transcribe`` and ``stream_transcribe``.

    Attributes:
        hotwords: words that are likely to occur.
        timestamp_granularities: ``word``, ``segment``; only with ``verbose_json``.
    """

    hotwords: str | None
    timestamp_granularities: Annotated[Sequence[Literal["word", "segment"]] | None, Size(1, 2)]


class AudioCalls(VLLMServer):
    """Calls under ``/v1/audio``."""

    async def atranscribe(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranscribeParameters]
    ) -> Transcript:
        """Return what is said in a recording (``POST /v1/audio/transcriptions``).

        Args:
            file: a path, bytes, an open binary file, or a file name with either.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: see :class:`TranscribeParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, TranscribeParameters, self.provider.name)
        return await self._perform(self._heard("transcribe", "transcriptions", file, model, fields, options), options)

    def astream_transcribe(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranscribeParameters]
    ) -> AsyncStream[Transcript]:
        """Return what is said in a recording as it is recognised; arguments and errors as for :meth:`atranscribe`."""
        options, fields = split(parameters, TranscribeParameters, self.provider.name)
        operation = self._heard("stream_transcribe", "transcriptions", file, model, fields, options)
        return self._stream(operation, options)

    async def atranslate(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranslateParameters]
    ) -> Transcript:
        """Return what is said in a recording, in English unless ``to_language`` says otherwise
        (``POST /v1/audio/translations``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, TranslateParameters, self.provider.name)
        return await self._perform(self._heard("translate", "translations", file, model, fields, options), options)

    def astream_translate(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranslateParameters]
    ) -> AsyncStream[Transcript]:
        """Return the translation of a recording as it is made; arguments and errors as for :meth:`atranslate`."""
        options, fields = split(parameters, TranslateParameters, self.provider.name)
        operation = self._heard("stream_translate", "translations", file, model, fields, options)
        return self._stream(operation, options)

    transcribe = blocking(atranscribe)
    stream_transcribe = blocking_stream(astream_transcribe)
    translate = blocking(atranslate)
    stream_translate = blocking_stream(astream_translate)

    def _heard(
        self, name: str, route: str, file: File, model: str | None, fields: dict[str, Any], options: CallOptions
    ) -> Operation[Transcript]:
        streamed = name.startswith("stream_")
        kind = transcript_kind(fields, self.provider.name, streamed=streamed)
        part = file_part("file", file, self.provider.name)
        chosen = self._chosen_model(model, "transcription") or None
        texts = {"model": chosen, **fields}  # a form leaves out what is None
        if streamed:
            texts |= {"stream": True, "stream_include_usage": True}
        return Operation(
            name,
            read_transcript,
            f"{self.dialect_path}/audio/{route}",
            body=form(texts, [part], options, self.provider.name),
            model=chosen,
            expect=kind,
            stream=partial(TranscriptReader, self._event_limit(options)) if streamed else None,
        )


class TranscriptReader(EventReader):
    """Reads ``transcription.chunk`` and ``translation.chunk`` objects up to ``[DONE]``."""

    __slots__ = ("_last", "_model", "_text", "_usage")

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._text: list[str] = []
        self._usage = Usage()
        self._model: str | None = None
        self._last: dict[str, Any] | None = None

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one piece; what is not one is passed over."""
        usage = None
        if payload.get("usage"):
            usage = self._usage = read_usage(payload["usage"])
        choices = payload.get("choices")
        if not choices:
            return (Chunk(usage=usage, raw=payload),) if choices is not None else ()
        self._last = payload
        self._model = payload["model"] if isinstance(payload.get("model"), str) else None
        choice = choices[0]
        text = text_of((choice.get("delta") or {}).get("content"))
        self._text.append(text)
        return (Chunk(text, finish_reason=choice.get("finish_reason"), usage=usage, raw=payload),)

    def partial(self) -> str | None:
        """Return the text so far, None when there is none."""
        return "".join(self._text) or None

    def ended(self) -> None:
        """Refuse a stream that ends without a single piece."""
        if self._last is None:
            raise FormatError("the stream ended without any content")

    def reply(self, answer: Answer) -> Transcript:
        """Return the reply of the whole stream; ``raw`` is its last piece."""
        self.ended()
        facts = {**answer.facts(), "raw": self._last}
        return Transcript(**facts, usage=self._usage, model=self._model or answer.model, text="".join(self._text))
