"""Images of the OpenAI backend: generate, edit, and both with partial images on the way."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Unpack

from backends.dialects.openai_common import json_object, read_usage
from backends.dialects.openai_errors import raise_inside, stream_error
from backends.dialects.openai_events import EventReader
from backends.dialects.openai_forms import File, file_part, form
from backends.openai.core import OpenAICore
from backends.openai.values import Image, Images
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import Between, Size, bad_argument, check_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import Chunk, Usage
from backends.wire.values import FormatError

__all__ = ["EditParameters", "ImageCalls", "ImageParameters"]

_Prompt = Annotated[str, Size(1, 32_000)]


class PictureParameters(CallOptions, total=False):
    """Arguments that making and editing have in common.

    Attributes:
        background: ``transparent`` needs png or webp.
        complexity: of the picture, where the model has it.
        frame_count, frame_duration_ms, svg: of the animated and vector preview formats.
        n: 1 to 10 images.
        output_compression: 0 to 100, for webp and jpeg.
        output_format: png unless given.
        partial_images: 0 to 3 images on the way; only with streams.
        quality: ``auto`` unless given.
        size: ``auto`` or ``WIDTHxHEIGHT`` in pixels, multiples of 16.
    """

    background: Literal["transparent", "opaque", "auto"] | None
    complexity: Literal["low", "medium", "high"] | None
    frame_count: Annotated[int | None, Between(1)]
    frame_duration_ms: Annotated[int | None, Between(1)]
    n: Annotated[int | None, Between(1, 10)]
    output_compression: Annotated[int | None, Between(0, 100)]
    output_format: Literal["png", "webp", "jpeg", "gif", "svg"] | None
    partial_images: Annotated[int | None, Between(0, 3)]
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"] | None
    safety_identifier: Annotated[str | None, Size(0, 128)]
    size: Annotated[str | None, Size(1, 20)]
    svg: Mapping[str, Any] | None
    user: str | None


class ImageParameters(PictureParameters, total=False):
    """Arguments of ``generate_image`` and ``stream_image``; ``moderation="low"`` filters less."""

    moderation: Literal["low", "auto"] | None


class EditParameters(PictureParameters, total=False):
    """Arguments of ``edit_image`` and ``stream_image_edit``; ``input_fidelity`` is how closely to keep to the input."""

    input_fidelity: Literal["high", "low"] | None


class ImageCalls(OpenAICore):
    """Calls under ``/images``."""

    async def agenerate_image(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[ImageParameters]
    ) -> Images:
        """Return images made from a description (``POST /images/generations``), decoded.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
            ContentFilterError: the provider's policy refused the prompt.
        """
        options, fields = split(parameters, ImageParameters, self.provider.name)
        return await self._perform(self._generation(prompt, model, fields, options, streamed=False), options)

    def astream_image(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[ImageParameters]
    ) -> AsyncStream[Images]:
        """Return an image as it becomes clearer: each chunk's ``data`` is a whole image file, the last the finished
        one."""
        options, fields = split(parameters, ImageParameters, self.provider.name)
        return self._stream(self._generation(prompt, model, fields, options, streamed=True), options)

    async def aedit_image(
        self,
        images: File | Sequence[File],
        prompt: str,
        *,
        mask: File | None = None,
        markup: File | None = None,
        model: str | None = None,
        **parameters: Unpack[EditParameters],
    ) -> Images:
        """Return images made from up to 16 others and a description (``POST /images/edits``).

        Args:
            images: paths, bytes or open files.
            prompt: what to make of them, 1 to 32,000 characters.
            mask: a picture whose transparent areas are to change.
            markup: a picture with marks that say what to change, where the model takes one.
            model: which model.
            **parameters: see :class:`EditParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, EditParameters, self.provider.name)
        return await self._perform(
            self._edit(images, prompt, {"mask": mask, "markup": markup}, model, fields, options, streamed=False),
            options,
        )

    def astream_image_edit(
        self,
        images: File | Sequence[File],
        prompt: str,
        *,
        mask: File | None = None,
        markup: File | None = None,
        model: str | None = None,
        **parameters: Unpack[EditParameters],
    ) -> AsyncStream[Images]:
        """Return an edited image as it becomes clearer; see :meth:`astream_image`."""
        options, fields = split(parameters, EditParameters, self.provider.name)
        return self._stream(
            self._edit(images, prompt, {"mask": mask, "markup": markup}, model, fields, options, streamed=True), options
        )

    generate_image = blocking(agenerate_image)
    stream_image = blocking_stream(astream_image)
    edit_image = blocking(aedit_image)
    stream_image_edit = blocking_stream(astream_image_edit)

    def _generation(
        self, prompt: str, model: str | None, fields: dict[str, Any], options: CallOptions, *, streamed: bool
    ) -> Operation[Images]:
        name = self._image_facts(prompt, model, fields, streamed=streamed)
        body = {"model": name, "prompt": prompt, **fields}
        if streamed:
            body["stream"] = True
        return Operation(
            "stream_image" if streamed else "generate_image",
            _read_images,
            "/images/generations",
            body=body,
            model=name,
            stream=self._reader(fields, options) if streamed else None,
        )

    def _edit(
        self,
        images: File | Sequence[File],
        prompt: str,
        guides: Mapping[str, File | None],
        model: str | None,
        fields: dict[str, Any],
        options: CallOptions,
        *,
        streamed: bool,
    ) -> Operation[Images]:
        name = self._image_facts(prompt, model, fields, streamed=streamed)
        given: list[Any] = images if isinstance(images, list) else [images]
        if not 1 <= len(given) <= 16:
            bad_argument(f"images must be 1 to 16, not {len(given)}", self.provider.name)
        label = "image[]" if isinstance(images, list) else "image"
        parts = [_as(label, file_part("image", image, self.provider.name)) for image in given]
        parts.extend(file_part(kind, file, self.provider.name) for kind, file in guides.items() if file is not None)
        texts = {"model": name, "prompt": prompt, **fields}
        if streamed:
            texts["stream"] = True
        return Operation(
            "stream_image_edit" if streamed else "edit_image",
            _read_images,
            "/images/edits",
            body=form(texts, parts, options, self.provider.name),
            model=name,
            stream=self._reader(fields, options) if streamed else None,
        )

    def _image_facts(self, prompt: str, model: str | None, fields: dict[str, Any], *, streamed: bool) -> str:
        check_argument("prompt", prompt, _Prompt, self.provider.name)
        if not streamed and fields.get("partial_images"):
            bad_argument("partial_images needs a stream: use stream_image or stream_image_edit", self.provider.name)
        return self._chosen_model(model, "image")

    def _reader(self, fields: dict[str, Any], options: CallOptions) -> Callable[[], ImageStreamReader]:
        limit, number = self._event_limit(options), fields.get("n", 1)
        return lambda: ImageStreamReader(limit, number)


def _as(name: str, part: Any) -> Any:
    return part if part.name == name else type(part)(name, part.filename, part.content, part.content_type)


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise FormatError("an image is not base64 text")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise FormatError("an image is not base64") from None


def _read_images(answer: Answer) -> Images:
    data = json_object(answer.data)
    raise_inside(data)
    images = []
    for entry in data["data"]:
        url = entry.get("url")
        content = b"" if url and not entry.get("b64_json") else _decoded(entry.get("b64_json"))
        images.append(Image(content, url, entry.get("revised_prompt")))
    if not images:
        raise FormatError("there are no images")
    return _images(tuple(images), data, answer, answer.facts(), read_usage(data.get("usage")))


def _images(
    images: tuple[Image, ...], data: Mapping[str, Any], answer: Answer, facts: dict[str, Any], usage: Usage
) -> Images:
    return Images(
        **facts,
        usage=usage,
        model=answer.model,
        images=images,
        output_format=data.get("output_format"),
        size=data.get("size"),
        quality=data.get("quality"),
        background=data.get("background"),
    )


class ImageStreamReader(EventReader):
    """Reads ``image_generation.*`` and ``image_edit.*`` events; done when every image is complete."""

    __slots__ = ("_images", "_last", "_number")

    def __init__(self, max_event_bytes: int, number: int) -> None:
        super().__init__(max_event_bytes)
        self._number = number
        self._images: list[Image] = []
        self._last: dict[str, Any] = {}

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one event; unknown ones are passed over."""
        kind = payload.get("type")
        if not isinstance(kind, str):
            return ()
        if kind == "error":
            raise stream_error(payload)
        if kind.endswith(".partial_image"):
            return (Chunk(index=len(self._images), raw=payload, data=_decoded(payload["b64_json"])),)
        if not kind.endswith(".completed"):
            return ()
        data = _decoded(payload["b64_json"])
        self._images.append(Image(data))
        self._last = payload
        self.done = len(self._images) == self._number
        usage = read_usage(payload.get("usage"))
        return (Chunk(finish_reason="stop", usage=usage, index=len(self._images) - 1, raw=payload, data=data),)

    def finish(self) -> Iterable[Chunk]:
        """The end of the bytes is an end once an image is complete: fewer may come than were asked for."""
        self.done = self.done or bool(self._images)
        return ()

    def partial(self) -> tuple[bytes, ...] | None:
        """Return the complete images so far, None when there are none."""
        return tuple(image.data for image in self._images) or None

    def reply(self, answer: Answer) -> Images:
        """Return the reply of the whole stream; ``raw`` is the last event."""
        if not self._images:
            raise FormatError("the stream ended without an image")
        facts = answer.facts()
        facts["raw"] = self._last
        return _images(tuple(self._images), self._last, answer, facts, read_usage(self._last.get("usage")))
