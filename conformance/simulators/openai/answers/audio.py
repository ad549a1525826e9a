"""``/audio/speech``, ``/audio/transcriptions`` and ``/audio/translations`` in every format they have."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from conformance.simulators.generation import count_tokens, tokenise
from conformance.simulators.multipart import Upload
from conformance.simulators.openai.answers.chat_parts import logprobs_of
from conformance.simulators.openai.answers.common import model_for
from conformance.simulators.openai.answers.media import sound
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.framing import data_only, sse
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["plain", "speak", "transcribe", "translate", "verbose"]

_MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_EXTENSIONS = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
_TIMED_ONLY = ("srt", "vtt", "verbose_json")
_SECONDS_OF_WORD = 0.5


def speak(call: Call) -> Answer:
    """Audio bytes, or the same in base64 pieces over SSE."""
    model = model_for(call, ModelKind.SPEECH)
    if isinstance(model, Answer):
        return model
    body = call.body
    kind = body.get("response_format") or "mp3"
    data = sound(call.nonce, kind, body["input"])
    if body.get("stream_format") != "sse":
        # Pieces, so that a client that wants audio early can have it.
        pieces = [Event(raw=data[at : at + 1024]) for at in range(0, len(data), 1024)]
        return Answer(stream=Stream(pieces, data_only), content_type=_MEDIA_TYPES[kind])
    if model.id.startswith("tts-1"):
        message = "'sse' is not supported for tts-1 and tts-1-hd."
        return problem_answer(400, message, param="stream_format", code="unsupported_value")
    asked = count_tokens(body["input"])
    usage = {"input_tokens": asked, "output_tokens": len(data) // 8, "total_tokens": asked + len(data) // 8}
    events = [
        Event({"type": "speech.audio.delta", "audio": base64.b64encode(data[at : at + 768]).decode()})
        for at in range(0, len(data), 768)
    ]
    events.append(Event({"type": "speech.audio.done", "usage": usage}, part=Part.TERMINATOR))
    return sse(Stream(events, data_only))


def _heard(call: Call, task: str) -> str:
    upload = call.body["file"]
    assert isinstance(upload, Upload)
    return f"{call.nonce} is what was heard in {upload.filename[:80]}, {len(upload.content)} bytes, {task}."


def _unusable(call: Call) -> Answer | None:
    upload = call.body["file"]
    assert isinstance(upload, Upload)
    extension = upload.filename.rpartition(".")[2].lower()
    if extension not in _EXTENSIONS or not upload.content:
        message = f"Invalid file format. Supported formats: {list(_EXTENSIONS)}"
        return problem_answer(400, message, param="file", code="unsupported_format")
    return None


def transcribe(call: Call) -> Answer:
    """``POST /audio/transcriptions``."""
    model = model_for(call, ModelKind.TRANSCRIPTION)
    if isinstance(model, Answer):
        return model
    body = call.body
    kind = body.get("response_format") or "json"
    refusal = _unusable(call) or _wrong_format(model.id, kind, body)
    if refusal:
        return refusal
    text = _heard(call, f"in {body.get('language') or 'english'}")
    if body.get("stream") and model.id != "whisper-1":
        return sse(Stream(list(_events(call, text, diarized="diarize" in model.id)), data_only))
    return _written(call, text, kind, "transcribe", timed=model.id == "whisper-1")


def _wrong_format(model: str, kind: str, body: dict[str, Any]) -> Answer | None:
    if kind in _TIMED_ONLY and model != "whisper-1":
        message = f"response_format '{kind}' is not compatible with model '{model}'. Use 'json' or 'text' instead."
        return problem_answer(400, message, param="response_format", code="unsupported_value")
    if kind == "diarized_json" and "diarize" not in model:
        message = f"response_format 'diarized_json' is not compatible with model '{model}'."
        return problem_answer(400, message, param="response_format", code="unsupported_value")
    if body.get("timestamp_granularities") and kind != "verbose_json":
        message = "'timestamp_granularities' needs response_format 'verbose_json'."
        return problem_answer(400, message, param="timestamp_granularities")
    if "diarize" in model and (body.get("prompt") or body.get("include")):
        return problem_answer(400, f"'prompt' and 'include' are not supported with '{model}'.", param="prompt")
    return None


def translate(call: Call) -> Answer:
    """``POST /audio/translations``, always into English."""
    model = model_for(call, ModelKind.TRANSCRIPTION)
    if isinstance(model, Answer):
        return model
    if model.id != "whisper-1":
        return problem_answer(400, f"The model {model.id} does not support translation.", param="model")
    refusal = _unusable(call)
    if refusal:
        return refusal
    return _written(
        call, _heard(call, "translated"), call.body.get("response_format") or "json", "translate", timed=True
    )


def _written(call: Call, text: str, kind: str, task: str, *, timed: bool) -> Answer:
    words = text.split()
    seconds = len(words) * _SECONDS_OF_WORD
    match kind:
        case "text":
            return plain(text + "\n")
        case "srt":
            return plain(f"1\n{_clock(0, ',')} --> {_clock(seconds, ',')}\n{text}\n\n")
        case "vtt":
            return plain(f"WEBVTT\n\n{_clock(0, '.')} --> {_clock(seconds, '.')}\n{text}\n\n")
        case "diarized_json":
            usage = {"type": "duration", "seconds": seconds}
            payload = {"task": task, "duration": seconds, "text": text, "segments": _speakers(text), "usage": usage}
            return Answer(payload=payload)
        case "verbose_json":
            return Answer(payload=verbose(call, text, task))
        case _:
            payload = {"text": text, "usage": _usage(text, timed=timed)}
            if "logprobs" in (call.body.get("include") or ()):
                entries = [logprobs_of(token, 0) for token in tokenise(text)]
                payload["logprobs"] = [
                    {name: entry[name] for name in ("token", "logprob", "bytes")} for entry in entries
                ]
            return Answer(payload=payload if task == "transcribe" else {"text": text})


def plain(text: str) -> Answer:
    """Text as the whole body."""
    return Answer(body=text.encode(), content_type="text/plain; charset=utf-8")


def _clock(seconds: float, mark: str) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{round(seconds % 1 * 1000):03}"


def _usage(text: str, *, timed: bool) -> dict[str, Any]:
    if timed:
        return {"type": "duration", "seconds": len(text.split()) * _SECONDS_OF_WORD}
    heard, said = 5 * len(text.split()), count_tokens(text)
    return {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": {"audio_tokens": heard, "text_tokens": 0},
        "output_tokens": said,
        "total_tokens": heard + said,
    }


def _speakers(text: str) -> list[dict[str, Any]]:
    words = text.split()
    half = len(words) // 2
    parts = ((0, words[:half], "A"), (half, words[half:], "B"))
    return [
        {
            "type": "transcript.text.segment",
            "id": f"seg_{index}",
            "start": start * _SECONDS_OF_WORD,
            "end": (start + len(said)) * _SECONDS_OF_WORD,
            "speaker": speaker,
            "text": " ".join(said),
        }
        for index, (start, said, speaker) in enumerate(parts)
    ]


def verbose(call: Call, text: str, task: str) -> dict[str, Any]:
    """The transcript with its language, length and times, as the ``timestamp_granularities`` ask."""
    words = text.split()
    seconds = len(words) * _SECONDS_OF_WORD
    wanted = call.body.get("timestamp_granularities") or ["segment"]
    payload: dict[str, Any] = {"task": task, "language": "english", "duration": seconds, "text": text}
    if "word" in wanted:
        payload["words"] = [
            {"word": word, "start": index * _SECONDS_OF_WORD, "end": (index + 1) * _SECONDS_OF_WORD}
            for index, word in enumerate(words)
        ]
    if "segment" in wanted:
        segment = {"id": 0, "seek": 0, "start": 0.0, "end": seconds, "text": text, "tokens": list(range(len(words)))}
        scores = {"temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01}
        payload["segments"] = [{**segment, **scores}]
    return {**payload, "usage": {"type": "duration", "seconds": seconds}}


def _events(call: Call, text: str, *, diarized: bool) -> Iterator[Event]:
    entries = "logprobs" in (call.body.get("include") or ())
    for token in tokenise(text):
        payload: dict[str, Any] = {"type": "transcript.text.delta", "delta": token}
        if entries:
            payload["logprobs"] = [{name: logprobs_of(token, 0)[name] for name in ("token", "logprob", "bytes")}]
        yield Event(payload)
    if diarized:
        yield from (Event(segment) for segment in _speakers(text))
    done = {"type": "transcript.text.done", "text": text, "usage": _usage(text, timed=False)}
    yield Event(done, part=Part.TERMINATOR)
