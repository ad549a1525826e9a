"""Audio of the Groq backend: transcribe, translate, speak.

Wire facts: ``types/audio`` of the official SDK 1.7.0. Sound is sent as a file or named by a URL (an address or base64),
and a form is sent either way.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Unpack

from backends.dialects import openai_audio
from backends.dialects.openai_audio import SpeechStreamReader, read_speech, transcript_kind
from backends.forms import File, file_part, form
from backends.groq.core import GroqCore
from backends.groq.facts import request_id
from backends.groq.known_models import known_model
from backends.groq.parameters import SpeechParameters, TranscribeParameters, TranslateParameters
from backends.groq.prices import sound_cost
from backends.landing import land
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import Size, bad_argument, check_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.values import Speech, Transcript

__all__ = ["AudioCalls"]

_Text = Annotated[str, Size(1)]


class AudioCalls(GroqCore):
    """Calls under ``/audio``."""

    async def atranscribe(
        self,
        file: File | None = None,
        *,
        url: str | None = None,
        model: str | None = None,
        **parameters: Unpack[TranscribeParameters],
    ) -> Transcript:
        """Return what is said in a recording (``POST /audio/transcriptions``).

        Args:
            file: a path, bytes, an open binary file, or a file name with either; flac, mp3, mp4, mpeg, mpga, m4a, ogg,
                wav or webm.
            url: instead of a file, its address or its base64 URL.
            model: which model.
            **parameters: see :class:`~backends.groq.parameters.TranscribeParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        options, fields = split(parameters, TranscribeParameters, self.provider.name)
        operation = self._heard("transcribe", "transcriptions", file, url, model, fields, options)
        return await self._perform(operation, options)

    async def atranslate(
        self,
        file: File | None = None,
        *,
        url: str | None = None,
        model: str | None = None,
        **parameters: Unpack[TranslateParameters],
    ) -> Transcript:
        """Return what is said in a recording, in English (``POST /audio/translations``); arguments as for
        :meth:`atranscribe`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        options, fields = split(parameters, TranslateParameters, self.provider.name)
        operation = self._heard("translate", "translations", file, url, model, fields, options)
        return await self._perform(operation, options)

    async def aspeech(
        self, text: str, *, voice: str | None = None, model: str | None = None, **parameters: Unpack[SpeechParameters]
    ) -> Speech:
        """Return spoken text as the bytes of a sound file (``POST /audio/speech``).

        Args:
            text: not empty; Orpheus takes about 200 characters.
            voice: a name; the first of the model's in the catalogue when not given.
            model: which model.
            **parameters: see :class:`~backends.groq.parameters.SpeechParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        options, fields = split(parameters, SpeechParameters, self.provider.name)
        return await self._perform(self._spoken("speech", text, voice, model, fields), options)

    def astream_speech(
        self, text: str, *, voice: str | None = None, model: str | None = None, **parameters: Unpack[SpeechParameters]
    ) -> AsyncStream[Speech]:
        """Return spoken text as it is made: each chunk's ``data`` is the next bytes of the sound file."""
        options, fields = split(parameters, SpeechParameters, self.provider.name)
        operation = self._spoken("stream_speech", text, voice, model, fields)
        limit = self._event_limit(options)
        return self._stream(
            replace(operation, stream=lambda: SpeechStreamReader(limit, events=False, keep=True)), options
        )

    async def aspeech_to_file(
        self,
        text: str,
        path: str | Path,
        *,
        voice: str | None = None,
        model: str | None = None,
        **parameters: Unpack[SpeechParameters],
    ) -> Speech:
        """Write spoken text to a file as it is made, in bounded memory; the file appears under its name only when it is
        whole.

        Raises:
            ConfigurationError: the file cannot be written.
            InvalidRequestError: an argument is wrong, before anything is sent; or the service refused the request.
        """
        options, fields = split(parameters, SpeechParameters, self.provider.name)
        operation = self._spoken("speech_to_file", text, voice, model, fields)
        limit = self._event_limit(options)
        operation = replace(operation, stream=lambda: SpeechStreamReader(limit, events=False, keep=False))
        return await land(self._stream(operation, options), path)

    transcribe = blocking(atranscribe)
    translate = blocking(atranslate)
    speech = blocking(aspeech)
    stream_speech = blocking_stream(astream_speech)
    speech_to_file = blocking(aspeech_to_file)

    def _heard(
        self,
        name: str,
        route: str,
        file: File | None,
        url: str | None,
        model: str | None,
        fields: dict[str, Any],
        options: CallOptions,
    ) -> Operation[Transcript]:
        if (file is None) == (url is None):
            bad_argument("pass either file or url", self.provider.name)
        if url is not None:
            check_argument("url", url, _Text, self.provider.name)
        kind = transcript_kind(fields, self.provider.name)
        chosen = self._chosen_model(model, "transcription" if name == "transcribe" else "translation")
        texts = {"model": chosen, **({} if url is None else {"url": url}), **fields}
        parts = [] if file is None else [file_part("file", file, self.provider.name)]
        return Operation(
            name,
            _read_transcript,
            f"/audio/{route}",
            body=form(texts, parts, options, self.provider.name),
            model=chosen,
            expect=kind,
        )

    def _spoken(
        self, name: str, text: str, voice: str | None, model: str | None, fields: dict[str, Any]
    ) -> Operation[Speech]:
        check_argument("text", text, _Text, self.provider.name)
        chosen = self._chosen_model(model, "speech")
        known = known_model(chosen)
        if voice is None:
            if known is None or not known.voices:
                bad_argument(f"voice is missing, and none is known for model {chosen}", self.provider.name)
            voice = known.voices[0]
        check_argument("voice", voice, _Text, self.provider.name)
        return Operation(
            name,
            read_speech,
            "/audio/speech",
            body={"model": chosen, "input": text, "voice": voice, **fields},
            model=chosen,
            expect="bytes",
        )


def _read_transcript(answer: Answer) -> Transcript:
    """Read a transcript; its cost is known where its length is told (``verbose_json``)."""
    reply = openai_audio.read_transcript(answer)
    return replace(
        reply,
        cost=sound_cost(reply.model, reply.duration),
        provider_request_id=reply.provider_request_id or request_id(reply.raw),
    )
