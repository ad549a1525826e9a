"""``/audio/speech``, ``/audio/transcriptions`` and ``/audio/translations``."""

from __future__ import annotations

from conformance.simulators.groq.answers.common import extra_of, model_for
from conformance.simulators.groq.errors import problem_answer
from conformance.simulators.groq.framing import frame
from conformance.simulators.multipart import Upload
from conformance.simulators.openai.answers.audio import plain, verbose
from conformance.simulators.openai.answers.common import clipped
from conformance.simulators.openai.answers.media import sound
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.provider import Answer, Call, Event, Stream

__all__ = ["speak", "transcribe", "translate"]

_EXTENSIONS = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
_MOST_BYTES = 100 << 20
_MEDIA_TYPES = {
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "mulaw": "audio/basic",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
}
_PIECE = 1024


def speak(call: Call) -> Answer:
    """The bytes of a sound file, in pieces."""
    model = model_for(call, ModelKind.SPEECH)
    if isinstance(model, Answer):
        return model
    voice = call.body["voice"]
    if voice not in model.voices:
        message = f"'voice' : value must be one of {', '.join(model.voices)}, not {clipped(voice)}"
        return problem_answer(400, message, param="voice")
    kind = call.body.get("response_format") or "wav"
    data = sound(call.nonce, kind, call.body["input"])
    pieces = [Event(raw=data[at : at + _PIECE]) for at in range(0, len(data), _PIECE)]
    return Answer(stream=Stream(pieces, frame), content_type=_MEDIA_TYPES[kind])


def transcribe(call: Call) -> Answer:
    """``POST /audio/transcriptions``."""
    return _heard(call, "transcribe", f"in {call.body.get('language') or 'english'}")


def translate(call: Call) -> Answer:
    """``POST /audio/translations``, always into English."""
    if call.body["model"] == "whisper-large-v3-turbo":
        return problem_answer(400, "The model `whisper-large-v3-turbo` does not support translation.")
    return _heard(call, "translate", "translated")


def _heard(call: Call, task: str, how: str) -> Answer:
    model = model_for(call, ModelKind.TRANSCRIPTION)
    if isinstance(model, Answer):
        return model
    body = call.body
    if (body.get("file") is None) == (body.get("url") is None):
        return problem_answer(400, "one of `file` or `url` must be provided")
    kind = body.get("response_format") or "json"
    if body.get("timestamp_granularities") and kind != "verbose_json":
        return problem_answer(400, "`timestamp_granularities` needs response_format `verbose_json`")
    upload = body.get("file")
    if isinstance(upload, Upload):
        refusal = _unusable(upload)
        if refusal:
            return refusal
        source = f"{upload.filename[:80]}, {len(upload.content)} bytes"
    else:
        source = body["url"][:80]
    text = f"{call.nonce} is what was heard in {source}, {how}."
    if kind == "text":
        return plain(text)
    if kind == "verbose_json":
        told = verbose(call, text, task)
        del told["usage"]
        return Answer(payload={**told, "x_groq": extra_of(call)})
    return Answer(payload={"text": text, "x_groq": extra_of(call)})


def _unusable(upload: Upload) -> Answer | None:
    if len(upload.content) > _MOST_BYTES:
        return problem_answer(413, "Request Entity Too Large", code="request_too_large")
    if upload.filename.rpartition(".")[2].lower() not in _EXTENSIONS or not upload.content:
        message = f"file must be one of the following types: [{' '.join(_EXTENSIONS)}]"
        return problem_answer(400, message, param="file")
    return None
