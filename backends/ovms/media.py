"""Images and audio under ``/v3``: generate, edit, transcribe, translate, speak.

Wire facts: ``docs/model_server_rest_api_image_generation.md``, ``_image_edit.md``, ``_speech_to_text.md`` and
``_text_to_speech.md`` of the server. Images come as base64 only, sound as WAV, recordings go in as WAV or MP3; only
transcription can be streamed, and only from graphs made for it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Unpack

from backends.dialects.openai_audio import TranscriptStreamReader, read_speech
from backends.dialects.openai_common import json_object, text_of
from backends.forms import File, file_part, form
from backends.operation import Answer, CallOptions, Operation
from backends.ovms.bare_errors import watched
from backends.ovms.failures import raise_inside
from backends.ovms.parameters import (
    EditParameters,
    ImageParameters,
    SpeechParameters,
    TranscribeParameters,
    TranslateParameters,
)
from backends.ovms.server import OVMSServer
from backends.parameters import Size, check_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.values import Image, Images, Speech, Transcript
from backends.wire.values import FormatError

__all__ = ["MediaCalls"]

_Text = Annotated[str, Size(1)]


class MediaCalls(OVMSServer):
    """Calls of models that make or read images and sound."""

    async def agenerate_image(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[ImageParameters]
    ) -> Images:
        """Return images made from a description (``POST /v3/images/generations``), decoded.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, ImageParameters, self.provider.name)
        check_argument("prompt", prompt, _Text, self.provider.name)
        chosen = self._chosen_model(model, "image")
        body = {"model": chosen, "prompt": prompt, **fields}
        operation = Operation("generate_image", _read_images, "/v3/images/generations", body=body, model=chosen)
        return await self._perform(operation, options)

    async def aedit_image(
        self,
        image: File,
        prompt: str,
        *,
        mask: File | None = None,
        model: str | None = None,
        **parameters: Unpack[EditParameters],
    ) -> Images:
        """Return images made from another and a description (``POST /v3/images/edits``).

        Args:
            image: a path, bytes or an open file.
            prompt: what to make of it.
            mask: a picture whose white pixels mark what is to change.
            model: which model; the backend's when not given.
            **parameters: see :class:`~backends.ovms.parameters.EditParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, EditParameters, self.provider.name)
        check_argument("prompt", prompt, _Text, self.provider.name)
        files = [file_part("image", image, self.provider.name)]
        if mask is not None:
            files.append(file_part("mask", mask, self.provider.name))
        chosen = self._chosen_model(model, "image")
        body = form({"model": chosen, "prompt": prompt, **fields}, files, options, self.provider.name)
        operation = Operation("edit_image", _read_images, "/v3/images/edits", body=body, model=chosen)
        return await self._perform(operation, options)

    async def aspeech(self, text: str, *, model: str | None = None, **parameters: Unpack[SpeechParameters]) -> Speech:
        """Return spoken text as the bytes of a WAV file (``POST /v3/audio/speech``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, SpeechParameters, self.provider.name)
        check_argument("text", text, _Text, self.provider.name)
        chosen = self._chosen_model(model, "speech")
        body = {"model": chosen, "input": text, **fields}
        return await self._perform(
            Operation("speech", read_speech, "/v3/audio/speech", body=body, model=chosen, expect="bytes"), options
        )

    async def atranscribe(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranscribeParameters]
    ) -> Transcript:
        """Return what is said in a recording (``POST /v3/audio/transcriptions``).

        Args:
            file: a path, bytes or an open file: WAV or MP3.
            model: which model; the backend's when not given.
            **parameters: see :class:`~backends.ovms.parameters.TranscribeParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, TranscribeParameters, self.provider.name)
        return await self._perform(self._heard("transcribe", "transcriptions", file, model, fields, options), options)

    def astream_transcribe(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranscribeParameters]
    ) -> AsyncStream[Transcript]:
        """Return what is said in a recording as it is recognised; only graphs made for it can do that.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        options, fields = split(parameters, TranscribeParameters, self.provider.name)
        operation = self._heard("stream_transcribe", "transcriptions", file, model, fields, options)
        return self._stream(watched(operation), options)

    async def atranslate(
        self, file: File, *, model: str | None = None, **parameters: Unpack[TranslateParameters]
    ) -> Transcript:
        """Return what is said in a recording, in English (``POST /v3/audio/translations``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, TranslateParameters, self.provider.name)
        return await self._perform(self._heard("translate", "translations", file, model, fields, options), options)

    def _heard(
        self, name: str, route: str, file: File, model: str | None, fields: dict[str, Any], options: CallOptions
    ) -> Operation[Transcript]:
        part = file_part("file", file, self.provider.name)
        chosen = self._chosen_model(model, "transcription")
        streamed = name.startswith("stream_")
        texts = {"model": chosen, **fields, **({"stream": True} if streamed else {})}
        limit = self._event_limit(options)
        return Operation(
            name,
            _read_transcript,
            f"/v3/audio/{route}",
            body=form(texts, [part], options, self.provider.name),
            model=chosen,
            stream=(lambda: TranscriptStreamReader(limit)) if streamed else None,
        )

    generate_image = blocking(agenerate_image)
    edit_image = blocking(aedit_image)
    speech = blocking(aspeech)
    transcribe = blocking(atranscribe)
    stream_transcribe = blocking_stream(astream_transcribe)
    translate = blocking(atranslate)


def _read_images(answer: Answer) -> Images:
    data = json_object(answer.data)
    raise_inside(data)
    images = []
    for entry in data["data"]:
        try:
            images.append(Image(base64.b64decode(entry["b64_json"], validate=True)))
        except binascii.Error:
            raise FormatError("an image is not base64") from None
    if not images:
        raise FormatError("there are no images")
    return Images(**answer.facts(), model=answer.model, images=tuple(images))


def _read_transcript(answer: Answer) -> Transcript:
    data = json_object(answer.data)
    raise_inside(data)
    return Transcript(
        **answer.facts(),
        model=answer.model,
        text=text_of(data["text"]),
        segments=tuple(data.get("segments") or ()),
        words=tuple(data.get("words") or ()),
    )
