"""Audio of the OpenAI backend: speak, transcribe, translate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Unpack

from backends.dialects.openai_audio import (
    SpeechStreamReader,
    TranscriptStreamReader,
    read_speech,
    read_transcript,
    transcript_kind,
)
from backends.forms import File, file_part, form
from backends.landing import land
from backends.openai.core import OpenAICore
from backends.operation import CallOptions, Operation
from backends.parameters import Between, Size, check_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.values import Speech, Transcript

__all__ = ["AudioCalls", "SpeechParameters", "TranscribeParameters", "TranslateParameters"]

_Spoken = Annotated[str, Size(1, 4096)]
_STREAMABLE: Final = ("json", "text", "diarized_json")


class SpeechParameters(CallOptions, total=False):
    """Arguments of ``speech``, ``stream_speech`` and ``speech_to_file``.

    Attributes:
        instructions: how to speak.
        response_format: mp3 unless given.
        speed: 0.25 to 4.
    """

    instructions: str | None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] | None
    speed: Annotated[float | None, Between(0.25, 4)]


class SpeechStreamParameters(SpeechParameters, total=False):
    """Adds ``stream_format``: ``audio`` (plain bytes, every model) or ``sse`` (events with usage at the end)."""

    stream_format: Literal["audio", "sse"] | None


class TranslateParameters(CallOptions, total=False):
    """Arguments of ``translate``."""

    prompt: str | None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] | None
    temperature: Annotated[float | None, Between(0, 1)]


class TranscribeParameters(CallOptions, total=False):
    """Arguments of ``transcribe`` and ``stream_transcribe``.

    Attributes:
        chunking_strategy: ``auto`` or ``{"type": "server_vad", ...}``.
        include: ``["logprobs"]``.
        keywords: words that are likely to occur.
        known_speaker_names, known_speaker_references: for diarized transcripts.
        language, languages: ISO-639-1 codes.
        response_format: ``json`` unless given; ``text``, ``srt`` and ``vtt`` give their body as the text.
        temperature: 0 to 1.
        timestamp_granularities: ``word``, ``segment``; only with ``verbose_json``.
    """

    chunking_strategy: Literal["auto"] | Mapping[str, Any] | None
    include: Sequence[Literal["logprobs"]] | None
    keywords: Sequence[str] | None
    known_speaker_names: Sequence[str] | None
    known_speaker_references: Sequence[str] | None
    language: str | None
    languages: Sequence[str] | None
    prompt: str | None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] | None
    temperature: Annotated[float | None, Between(0, 1)]
    timestamp_granularities: Annotated[Sequence[Literal["word", "segment"]] | None, Size(1, 2)]


class AudioCalls(OpenAICore):
    """Calls under ``/audio``."""

    async def aspeech(
        self,
        text: str,
        *,
        voice: str | Mapping[str, str] = "alloy",
        model: str | None = None,
        **parameters: Unpack[SpeechParameters],
    ) -> Speech:
        """Return spoken text as the bytes of a sound file (``POST /audio/speech``).

        Args:
            text: 1 to 4096 characters.
            voice: a name, or ``{"id": ...}`` of a voice of one's own.
            model: which model.
            **parameters: see :class:`SpeechParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, SpeechParameters, self.provider.name)
        return await self._perform(self._spoken("speech", text, voice, model, fields), options)

    def astream_speech(
        self,
        text: str,
        *,
        voice: str | Mapping[str, str] = "alloy",
        model: str | None = None,
        **parameters: Unpack[SpeechStreamParameters],
    ) -> AsyncStream[Speech]:
        """Return spoken text as it is made: each chunk's ``data`` is the next bytes of the sound file."""
        options, fields = split(parameters, SpeechStreamParameters, self.provider.name)
        return self._stream(self._spoken("stream_speech", text, voice, model, fields, options, keep=True), options)

    async def aspeech_to_file(
        self,
        text: str,
        path: str | Path,
        *,
        voice: str | Mapping[str, str] = "alloy",
        model: str | None = None,
        **parameters: Unpack[SpeechParameters],
    ) -> Speech:
        """Write spoken text to a file as it is made, in bounded memory; the file appears under its name only when it
        is whole.

        Raises:
            ConfigurationError: the file cannot be written.
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, SpeechParameters, self.provider.name)
        operation = self._spoken("speech_to_file", text, voice, model, fields, options, keep=False)
        return await land(self._stream(operation, options), path)

    async def atranscribe(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranscribeParameters]
    ) -> Transcript:
        """Return what is said in a recording (``POST /audio/transcriptions``).

        Args:
            file: a path, bytes, an open binary file, or a file name with either.
            model: which model.
            **parameters: see :class:`TranscribeParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, TranscribeParameters, self.provider.name)
        name = self._chosen_model(model, "transcription")
        return await self._perform(self._heard("transcribe", "transcriptions", file, name, fields, options), options)

    def astream_transcribe(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranscribeParameters]
    ) -> AsyncStream[Transcript]:
        """Return what is said in a recording as it is recognised; not for every model."""
        options, fields = split(parameters, TranscribeParameters, self.provider.name)
        name = self._chosen_model(model, "transcription")
        return self._stream(self._heard("stream_transcribe", "transcriptions", file, name, fields, options), options)

    async def atranslate(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranslateParameters]
    ) -> Transcript:
        """Return what is said in a recording, in English (``POST /audio/translations``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, TranslateParameters, self.provider.name)
        # Translation has a model of its own: one set for transcription does not translate.
        name = self._chosen_model(model, "translation")
        return await self._perform(self._heard("translate", "translations", file, name, fields, options), options)

    speech = blocking(aspeech)
    stream_speech = blocking_stream(astream_speech)
    speech_to_file = blocking(aspeech_to_file)
    transcribe = blocking(atranscribe)
    stream_transcribe = blocking_stream(astream_transcribe)
    translate = blocking(atranslate)

    def _spoken(
        self,
        name: str,
        text: str,
        voice: str | Mapping[str, str],
        model: str | None,
        fields: dict[str, Any],
        options: CallOptions | None = None,
        *,
        keep: bool = True,
    ) -> Operation[Speech]:
        check_argument("text", text, _Spoken, self.provider.name)
        check_argument("voice", voice, Annotated[str, Size(1)] | Mapping[str, str], self.provider.name)
        chosen = self._chosen_model(model, "speech")
        limit = self._event_limit(options) if options is not None else 0
        events = fields.get("stream_format") == "sse"
        return Operation(
            name,
            read_speech,
            "/audio/speech",
            body={"model": chosen, "input": text, "voice": voice, **fields},
            model=chosen,
            expect="bytes",
            stream=(lambda: SpeechStreamReader(limit, events=events, keep=keep)) if options is not None else None,
        )

    def _heard(
        self, name: str, route: str, file: File, model: str, fields: dict[str, Any], options: CallOptions
    ) -> Operation[Transcript]:
        streamed = name.startswith("stream_")
        kind = transcript_kind(fields, self.provider.name, streamed=streamed, streamable=_STREAMABLE)
        part = file_part("file", file, self.provider.name)
        texts = {"model": model, **fields}
        if streamed:
            texts["stream"] = True
        limit = self._event_limit(options)
        return Operation(
            name,
            read_transcript,
            f"/audio/{route}",
            body=form(texts, [part], options, self.provider.name),
            model=model,
            expect=kind,
            stream=(lambda: TranscriptStreamReader(limit)) if streamed else None,
        )
