"""``/v3/images/...`` and ``/v3/audio/...``, of OpenAI's pieces with what this server leaves out taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.simulators.openai.answers import audio, images
from conformance.simulators.openai.answers.media import wave
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.ovms.answers.common import as_openai, graph_of, served
from conformance.simulators.ovms.errors import problem_answer
from conformance.simulators.provider import Answer, Call

__all__ = ["draw", "edit", "speak", "transcribe", "translate"]

_WHOLE, _STREAMED = "whisper-1", "gpt-4o-transcribe"
"""Names by which the OpenAI simulator knows what a model of speech recognition can do."""


def _kept(answer: Answer, *names: str) -> Answer:
    """The answer with these fields only."""
    answer = served(answer)
    if answer.status >= 400 or answer.payload is None:
        return answer
    return replace(answer, payload={name: answer.payload[name] for name in names if name in answer.payload})


def draw(call: Call) -> Answer:
    """``POST /v3/images/generations``."""
    graph = graph_of(call, ModelKind.IMAGE)
    if isinstance(graph, Answer):
        return graph
    return _kept(images.generate_images(as_openai(call, ModelKind.IMAGE, graph.size)), "data")


def edit(call: Call) -> Answer:
    """``POST /v3/images/edits``."""
    graph = graph_of(call, ModelKind.IMAGE)
    if isinstance(graph, Answer):
        return graph
    return _kept(images.edit(as_openai(call, ModelKind.IMAGE, graph.size)), "data")


def speak(call: Call) -> Answer:
    """``POST /v3/audio/speech``: a WAV file, whole."""
    graph = graph_of(call, ModelKind.SPEECH)
    if isinstance(graph, Answer):
        return graph
    return Answer(body=wave(call.nonce, 40 * len(call.body["input"])), content_type="audio/wav")


def _usable(call: Call) -> Answer | None:
    if call.body["file"].content.startswith((b"RIFF", b"ID3", b"\xff\xfb")):
        return None
    text = "Received input file is not valid wav nor mp3 audio file"
    return problem_answer(400, f"Mediapipe execution failed. MP status - INVALID_ARGUMENT: {text}")


def transcribe(call: Call) -> Answer:
    """``POST /v3/audio/transcriptions``; times only where they were asked for."""
    graph = graph_of(call, ModelKind.TRANSCRIPTION)
    if isinstance(graph, Answer):
        return graph
    refusal = _usable(call)
    if refusal is not None:
        return refusal
    wanted: list[str] = call.body.get("timestamp_granularities") or []
    if call.body.get("stream"):
        return served(audio.transcribe(as_openai(call, graph.kind, graph.size, _STREAMED)))
    timed: dict[str, Any] = {"response_format": "verbose_json"} if wanted else {}
    answer = audio.transcribe(as_openai(call, graph.kind, graph.size, _WHOLE, **timed))
    return _kept(answer, "text", *(f"{name}s" for name in wanted))


def translate(call: Call) -> Answer:
    """``POST /v3/audio/translations``."""
    graph = graph_of(call, ModelKind.TRANSCRIPTION)
    if isinstance(graph, Answer):
        return graph
    refusal = _usable(call)
    if refusal is not None:
        return refusal
    return _kept(audio.translate(as_openai(call, graph.kind, graph.size, _WHOLE)), "text")
