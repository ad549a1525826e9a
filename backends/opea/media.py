"""Services for pictures and sound: questions about images, spoken questions, speech in both directions.

Wire facts: pictures and recordings travel as bare base64; a picture may also be an address that the service fetches.
AudioQnA answers with the base64 of a WAV file as one JSON string, AvatarChatbot with the place of a video file at the
server. Both never stream; MultimodalQnA takes ``stream`` and does not.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar, Unpack

from backends.dialects.openai_audio import SpeechStreamReader, read_speech, read_transcript
from backends.forms import File, file_part, form
from backends.opea.answers import read_answer
from backends.opea.core import SILENCE, Asked, OPEACore
from backends.opea.events import AnswerReader
from backends.opea.parameters import (
    AudioParameters,
    GenerateParameters,
    TemplateParameters,
    VisionParameters,
    for_megaservice,
)
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import Between, Size, bad_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply
from backends.values import Speech, Transcript
from backends.wire.values import FormatError

__all__ = ["MediaCalls", "SpeechParameters", "TranscribeParameters"]

T = TypeVar("T")


class SpeechParameters(CallOptions, total=False):
    """Arguments of ``speech``.

    Attributes:
        voice: ``default`` unless given.
        model: the speech model, where the service has several.
        response_format: names the sound in the answer; most services send WAV whatever is asked.
        speed: 1.0 unless given; most services take no other.
    """

    voice: Annotated[str | None, Size(1)]
    model: Annotated[str | None, Size(1, 500)]
    response_format: Annotated[str | None, Size(1)]
    speed: Annotated[float | None, Between(0)]


class TranscribeParameters(CallOptions, total=False):
    """Arguments of ``transcribe``: ``language`` in plain words (``english``), ``prompt``, ``temperature``, ``model``."""

    language: Annotated[str | None, Size(1)]
    prompt: str | None
    temperature: Annotated[float | None, Between(0)]
    model: Annotated[str | None, Size(1, 500)]


class MediaCalls(OPEACore):
    """Calls of the services about pictures and sound."""

    async def avisualqna(self, messages: Asked, **parameters: Unpack[GenerateParameters]) -> ChatReply:
        """Answer a question about an image (``POST /v1/visualqna``).

        Args:
            messages: a conversation with at least one ``image_url`` part: an address, a ``data:`` URL or base64.
            **parameters: see :class:`~backends.opea.parameters.GenerateParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, or there is no image; nothing was sent.
            ContentFilterError: a guardrail of the deployment refused.
        """
        operation, options = self._visual(messages, parameters, stream=False)
        return await self._perform(operation, options)

    def astream_visualqna(self, messages: Asked, **parameters: Unpack[GenerateParameters]) -> AsyncStream[ChatReply]:
        """Answer a question about an image, word by word."""
        operation, options = self._visual(messages, parameters, stream=True)
        return self._stream(operation, options)

    async def amultimodalqna(self, messages: Asked, **parameters: Unpack[TemplateParameters]) -> ChatReply:
        """Answer a question of text, images and sound (``audio`` parts with base64) from what was ingested
        (``POST /v1/multimodalqna``). Where the answer comes from stands in ``raw["choices"][0]["metadata"]``."""
        options, fields = for_megaservice(parameters, TemplateParameters)
        body = {"messages": _with_bare_images(self._asked(messages)), **fields}
        operation, placed = self._answering("multimodalqna", body, options, stream=False)
        return await self._perform(operation, placed)

    async def alvm(
        self, prompt: str, image: File | Sequence[File] | None = None, **parameters: Unpack[VisionParameters]
    ) -> ChatReply:
        """Return what a vision model says of one or several images (``POST /v1/lvm``).

        Args:
            prompt: the question.
            image: paths, bytes or open files; none asks about text alone.
            **parameters: see :class:`~backends.opea.parameters.VisionParameters`.
        """
        operation, options = self._seen(prompt, image, parameters, stream=False)
        return await self._perform(operation, options)

    def astream_lvm(
        self, prompt: str, image: File | Sequence[File] | None = None, **parameters: Unpack[VisionParameters]
    ) -> AsyncStream[ChatReply]:
        """Return what a vision model says of images, word by word."""
        operation, options = self._seen(prompt, image, parameters, stream=True)
        return self._stream(operation, options)

    async def aaudioqna(self, audio: File, **parameters: Unpack[AudioParameters]) -> Speech:
        """Return a spoken answer to a spoken question (``POST /v1/audioqna``).

        Args:
            audio: the recording.
            **parameters: see :class:`~backends.opea.parameters.AudioParameters`; ``max_tokens`` is 128 unless given.
        """
        return await self._spoken("audioqna", audio, parameters, _read_sound)

    async def aavatarchatbot(self, audio: File, **parameters: Unpack[AudioParameters]) -> ChatReply:
        """Have an avatar answer a spoken question (``POST /v1/avatarchatbot``); the text is the place of the video file
        at the server."""
        return await self._spoken("avatarchatbot", audio, parameters, _read_place)

    async def atranscribe(self, file: File, **parameters: Unpack[TranscribeParameters]) -> Transcript:
        """Return what is said in a recording (``POST /v1/audio/transcriptions``)."""
        options, fields = split(parameters, TranscribeParameters, self.provider.name)
        parts = [file_part("file", file, self.provider.name)]
        operation = Operation(
            "transcribe",
            read_transcript,
            "/v1/audio/transcriptions",
            body=form(fields, parts, options, self.provider.name),
            model=fields.get("model"),
        )
        return await self._perform(operation, self._at(options, "asr"))

    async def aspeech(self, text: str, **parameters: Unpack[SpeechParameters]) -> Speech:
        """Return spoken text as the bytes of a sound file (``POST /v1/audio/speech``)."""
        operation, options = self._speaking("speech", text, parameters)
        return await self._perform(operation, options)

    def astream_speech(self, text: str, **parameters: Unpack[SpeechParameters]) -> AsyncStream[Speech]:
        """Return spoken text as it is made: each chunk's ``data`` is the next bytes of the sound file."""
        operation, options = self._speaking("stream_speech", text, parameters)
        return self._stream(operation, options)

    visualqna = blocking(avisualqna)
    stream_visualqna = blocking_stream(astream_visualqna)
    multimodalqna = blocking(amultimodalqna)
    lvm = blocking(alvm)
    stream_lvm = blocking_stream(astream_lvm)
    audioqna = blocking(aaudioqna)
    avatarchatbot = blocking(aavatarchatbot)
    transcribe = blocking(atranscribe)
    speech = blocking(aspeech)
    stream_speech = blocking_stream(astream_speech)

    def _visual(self, messages: Asked, parameters: Any, *, stream: bool) -> tuple[Operation[ChatReply], CallOptions]:
        options, fields = for_megaservice(parameters, GenerateParameters)
        checked = _with_bare_images(self._asked(messages))
        if isinstance(checked, str) or not any(_images_of(message) for message in checked):
            bad_argument("messages must hold an image_url part", self.provider.name)
        return self._answering("visualqna", {"messages": checked, **fields}, options, stream=stream)

    def _seen(
        self, prompt: str, image: Any, parameters: Any, *, stream: bool
    ) -> tuple[Operation[ChatReply], CallOptions]:
        options, fields = split(parameters, VisionParameters, self.provider.name)
        several = isinstance(image, list) or (isinstance(image, tuple) and not _is_named(image))
        if several:
            pictures: Any = [self._base64(f"image[{index}]", one) for index, one in enumerate(image)]
        else:
            pictures = "" if image is None else self._base64("image", image)
        placed = self._at(options, "lvm")
        operation = Operation(
            "stream_lvm" if stream else "lvm",
            read_answer,
            "/v1/lvm",
            body={"image": pictures, "prompt": self._text("prompt", prompt), **fields, "stream": stream},
            model="lvm",
            expect="text",
            stream=partial(AnswerReader, "lvm", self._event_limit(placed)) if stream else None,
        )
        return operation, placed

    async def _spoken(self, service: str, audio: File, parameters: Any, read: Callable[[Answer], T]) -> T:
        options, fields = for_megaservice(parameters, AudioParameters)
        operation = Operation(
            service,
            read,
            f"/v1/{service}",
            body={"audio": self._base64("audio", audio), **fields, "stream": False},
            model=service,
            silence=SILENCE,
        )
        return await self._perform(operation, self._at(options, service))

    def _speaking(self, name: str, text: str, parameters: Any) -> tuple[Operation[Speech], CallOptions]:
        options, fields = split(parameters, SpeechParameters, self.provider.name)
        placed = self._at(options, "tts")
        limit = self._event_limit(placed)
        operation = Operation(
            name,
            read_speech,
            "/v1/audio/speech",
            body={"input": self._text("text", text), **fields},
            model=fields.get("model"),
            expect="bytes",
            stream=partial(SpeechStreamReader, limit, events=False, keep=True) if name != "speech" else None,
        )
        return operation, placed

    def _base64(self, name: str, file: File) -> str:
        """Return a caller's file as base64."""
        content = file_part(name, file, self.provider.name).content
        if isinstance(content, Path):
            content = content.read_bytes()
        elif not isinstance(content, bytes):
            content = content.read()
        return base64.b64encode(content).decode()


def _is_named(image: tuple[Any, ...]) -> bool:
    """Say whether a tuple is a file name with its content."""
    return len(image) == 2 and isinstance(image[0], str) and not isinstance(image[1], str)


def _images_of(message: Any) -> list[Any]:
    content = message.get("content")
    parts = content if isinstance(content, list | tuple) else ()
    return [part for part in parts if part["type"] == "image_url"]


def _with_bare_images(messages: Asked) -> Asked:
    """Return messages whose ``data:`` URLs are bare base64: the services take an address or that, and nothing else."""
    if isinstance(messages, str):
        return messages
    return [
        {**message, "content": [_bare(part) for part in message["content"]]} if _images_of(message) else message
        for message in messages
    ]


def _bare(part: Any) -> Any:
    image = part.get("image_url") if part["type"] == "image_url" else None
    if not isinstance(image, dict) or not str(image.get("url")).startswith("data:"):
        return part
    return {**part, "image_url": {**image, "url": image["url"].partition(",")[2]}}


def _read_sound(answer: Answer) -> Speech:
    if not isinstance(answer.data, str):
        raise FormatError("it is not sound in base64")
    try:
        data = base64.b64decode(answer.data, validate=True)
    except binascii.Error:
        raise FormatError("it is not sound in base64") from None
    if not data:
        raise FormatError("there is no sound")
    return Speech(**answer.facts(), model=answer.model, data=data, size=len(data), content_type="audio/wav")


def _read_place(answer: Answer) -> ChatReply:
    if not isinstance(answer.data, str) or not answer.data:
        raise FormatError("the answer names no file")
    return ChatReply(**answer.facts(), model=answer.model, text=answer.data, texts=(answer.data,))
