"""``/images/generations`` and ``/images/edits``: JSON, or a stream of partial images and the finished one."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from conformance.simulators.generation import count_tokens
from conformance.simulators.multipart import Upload
from conformance.simulators.openai.answers.common import model_for
from conformance.simulators.openai.answers.media import picture
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.framing import named, sse
from conformance.simulators.openai.models import EPOCH, ModelKind
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["edit", "generate_images"]

_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"GIF8")
_TOKENS = {"low": 272, "medium": 1056, "high": 4160, "xhigh": 6208, "max": 8256}


def generate_images(call: Call) -> Answer:
    """``POST /images/generations``."""
    return _answer(call, "image_generation", 0)


def edit(call: Call) -> Answer:
    """``POST /images/edits``: one image or several, and a mask at most."""
    images = call.body["image"]
    uploads: list[Upload] = images if isinstance(images, list) else [images]
    for upload in (*uploads, *(call.body[name] for name in ("mask", "markup") if name in call.body)):
        if not upload.content.startswith(_SIGNATURES):
            message = f"Invalid file '{upload.filename[:80]}': unsupported mimetype ('{upload.content_type[:80]}')."
            return problem_answer(400, message, param="image", code="invalid_image_file")
    return _answer(call, "image_edit", len(uploads))


def _answer(call: Call, kind: str, images_in: int) -> Answer:
    body = call.body
    model = model_for(call, ModelKind.IMAGE, default="gpt-image-2")
    if isinstance(model, Answer):
        return model
    size = body.get("size") or "auto"
    refusal = _wrong_size(size)
    if refusal is None and body.get("partial_images") and not body.get("stream"):
        refusal = problem_answer(400, "'partial_images' is only allowed when 'stream' is true.", param="partial_images")
    if refusal is None and body.get("stream") and (body.get("n") or 1) > 1:
        refusal = problem_answer(400, "Streaming is only supported for n=1.", param="n")
    if refusal is not None:
        return refusal
    settled = {
        "background": _settled(body.get("background"), "opaque"),
        "output_format": body.get("output_format") or "png",
        "quality": _settled(body.get("quality"), "medium"),
        "size": _settled(size, "1024x1024"),
    }
    count = body.get("n") or 1
    asked, shown = count_tokens(body["prompt"]), 323 * images_in
    made = _TOKENS[settled["quality"]] * count
    usage = {
        "input_tokens": asked + shown,
        "input_tokens_details": {"text_tokens": asked, "image_tokens": shown},
        "output_tokens": made,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": made},
        "total_tokens": asked + shown + made,
    }
    if body.get("stream"):
        return sse(Stream(list(_events(call, kind, settled, usage)), named))
    data = [{"b64_json": _encoded(call.nonce, 4 + index)} for index in range(count)]
    return Answer(payload={"created": EPOCH, "data": data, **settled, "usage": usage})


def _settled(wanted: str | None, otherwise: str) -> str:
    return otherwise if wanted in (None, "auto") else str(wanted)


def _encoded(nonce: str, side: int) -> str:
    return base64.b64encode(picture(nonce, side)).decode()


def _wrong_size(size: str) -> Answer | None:
    found = re.fullmatch(r"(\d+)x(\d+)", size)
    if found is None:
        return None
    width, height = int(found[1]), int(found[2])
    good = (
        not (width % 16 or height % 16)
        and min(width, height) > 0
        and max(width, height) <= 3 * min(width, height)
        and max(width, height) <= 3840
        and min(width, height) <= 2160
    )
    if good:
        return None
    message = f"Invalid value: '{size}'. Sizes are multiples of 16, from 1:3 to 3:1, at most 3840x2160."
    return problem_answer(400, message, param="size", code="invalid_value")


def _events(call: Call, kind: str, settled: dict[str, Any], usage: dict[str, Any]) -> Iterator[Event]:
    base = {"created_at": EPOCH, **settled}
    for index in range(call.body.get("partial_images") or 0):
        payload = {
            "type": f"{kind}.partial_image",
            "b64_json": _encoded(call.nonce, 2 + index),
            "partial_image_index": index,
        }
        yield Event({**payload, **base})
    payload = {"type": f"{kind}.completed", "b64_json": _encoded(call.nonce, 8), **base, "usage": usage}
    yield Event(payload, part=Part.TERMINATOR)
