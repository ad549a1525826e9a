"""Services for pictures and sound."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from conformance.simulators.multipart import Upload
from conformance.simulators.opea.answers.common import document_id, prompt_of, refusal_for, said, streams, whole
from conformance.simulators.opea.errors import failed
from conformance.simulators.opea.framing import refused, spoken
from conformance.simulators.openai.answers.media import wave
from conformance.simulators.openai.framing import data_only
from conformance.simulators.provider import Answer, Call, Event, Stream

__all__ = ["audioqna", "avatarchatbot", "lvm", "multimodalqna", "speak", "transcribe", "visual"]


def _pictures(messages: Any) -> list[str]:
    """Addresses and base64 of the images in a conversation."""
    if isinstance(messages, str):
        return []
    contents = [message["content"] for message in messages if isinstance(message["content"], list)]
    return [part["image_url"]["url"] for content in contents for part in content if part["type"] == "image_url"]


def _usable(picture: str) -> bool:
    """An address, or base64 without the prefix that a browser needs."""
    return picture.startswith(("http://", "https://")) or _bytes(picture) is not None


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def visual(service: str, *, needs_picture: bool) -> Callable[[Call], Answer]:
    """VisualQnA and VideoQnA: the vision model's tokens as they are; whole unless a stream is asked for."""

    def handle(call: Call) -> Answer:
        body = call.body
        pictures = _pictures(body["messages"])
        if (needs_picture and not pictures) or not all(map(_usable, pictures)):
            return failed("there is no picture that can be used")
        prompt = prompt_of(body["messages"])
        refusal, streamed = refusal_for(prompt), streams(body, default=False)
        if refusal:
            return refused(refusal) if streamed else whole(call, service, refusal)
        turn = said(call, f"{prompt} ({len(pictures)} pictures)")
        return spoken(turn.tokens) if streamed else whole(call, service, turn.text)

    return handle


def multimodalqna(call: Call) -> Answer:
    """``POST /v1/multimodalqna``: never a stream."""
    turn = said(call, prompt_of(call.body["messages"]))
    metadata = {"video_id": call.nonce, "source_video": "a.mp4", "time_of_frame_ms": 7.0}
    return whole(call, "multimodalqna", turn.text, metadata=metadata)


def lvm(call: Call) -> Answer:
    """``POST /v1/lvm``."""
    body = call.body
    pictures = [body["image"]] if isinstance(body["image"], str) else body["image"]
    if any(_bytes(picture) is None for picture in pictures):
        return failed("a picture is not base64")
    turn = said(call, f"{body['prompt']} ({sum(map(bool, pictures))} pictures)", body.get("max_new_tokens") or 512)
    if streams(body, default=False):
        return spoken(turn.tokens)
    return Answer(payload={"id": document_id(call), "text": turn.text, "downstream_black_list": []})


def audioqna(call: Call) -> Answer:
    """``POST /v1/audioqna``: base64 of a WAV as one JSON string."""
    if not _bytes(call.body["audio"]):
        return failed("the audio is not base64")
    return Answer(payload=base64.b64encode(wave(call.nonce)).decode())


def avatarchatbot(call: Call) -> Answer:
    """``POST /v1/avatarchatbot``: the place of a video at the server."""
    if not _bytes(call.body["audio"]):
        return failed("the audio is not base64")
    return Answer(payload=f"/outputs/{call.nonce}.mp4")


def transcribe(call: Call) -> Answer:
    """``POST /v1/audio/transcriptions``."""
    file = call.body["file"]
    size = len(file.content) if isinstance(file, Upload) else len(_bytes(file) or b"")
    text = f"{call.nonce} is what was heard in {size} bytes, in {call.body.get('language') or 'english'}"
    return Answer(payload={"text": text})


def speak(call: Call) -> Answer:
    """``POST /v1/audio/speech``: sound in pieces, without a content type."""
    data = wave(call.nonce, 40 * max(1, len(call.body["input"])))
    pieces = [Event(raw=data[at : at + 1024]) for at in range(0, len(data), 1024)]
    return Answer(stream=Stream(pieces, data_only, pings=()), content_type=None)
