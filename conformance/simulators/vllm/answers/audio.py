"""``/v1/audio/transcriptions`` and ``/v1/audio/translations``: OpenAI's pieces do the hearing, the streams are vLLM's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.openai.answers import audio
from conformance.simulators.openai.models import EPOCH, Account, ModelKind, SimulatedModel
from conformance.simulators.provider import Answer, Call, Event, Part, Stream
from conformance.simulators.vllm.answers.common import model_for
from conformance.simulators.vllm.errors import problem_answer
from conformance.simulators.vllm.framing import DONE, frame, sse
from conformance.simulators.vllm.models import ServedModel, Task

__all__ = ["transcribe", "translate"]

_TIMED = "whisper-1"
"""OpenAI's model that knows every format, as those served here do."""


def transcribe(call: Call) -> Answer:
    """What was said."""
    return _answered(call, audio.transcribe, "trsc-", "transcription.chunk")


def translate(call: Call) -> Answer:
    """What was said, translated."""
    return _answered(call, audio.translate, "trsl-", "translation.chunk")


def _answered(call: Call, hear: Callable[[Call], Answer], prefix: str, kind: str) -> Answer:
    model = model_for(call, Task.HEAR)
    if isinstance(model, Answer):
        return model
    body = call.body
    if (body.get("stream_include_usage") or body.get("stream_continuous_usage_stats")) and not body.get("stream"):
        message = "Stream options can only be defined when `stream=True`."
        return problem_answer(400, message, param="stream_include_usage")
    given = {name: value for name, value in body.items() if name != "stream"}
    account = Account(models={_TIMED: SimulatedModel(_TIMED, ModelKind.TRANSCRIPTION)})
    answer = hear(replace(call, state=account, body={**given, "model": _TIMED}))
    if answer.status != 200:
        return problem_answer(answer.status, answer.payload["error"]["message"], param=answer.payload["error"]["param"])
    if body.get("stream"):
        return sse(Stream(list(_events(call, model, answer.payload["text"], prefix, kind)), frame))
    if answer.payload is None:
        return answer
    payload = dict(answer.payload)
    if "duration" in payload:
        payload["duration"] = str(payload["duration"])
        payload.pop("usage", None)
    elif "usage" in payload:
        payload["usage"] = {"type": "duration", "seconds": round(payload["usage"]["seconds"])}
    return Answer(payload=payload)


def _events(call: Call, model: ServedModel, text: str, prefix: str, kind: str) -> Iterator[Event]:
    base: dict[str, Any] = {"id": prefix + call.nonce, "object": kind, "created": EPOCH, "model": model.id}
    tokens = tokenise(text)
    for token in tokens:
        yield Event({**base, "choices": [{"delta": {"content": token}}]})
    end = {"delta": {"content": ""}, "finish_reason": "stop", "stop_reason": None}
    yield Event({**base, "choices": [end]}, part=Part.CLOSING)
    if call.body.get("stream_include_usage"):
        asked, said = 8 * len(tokens), len(tokens)
        counts = {"prompt_tokens": asked, "total_tokens": asked + said, "completion_tokens": said}
        yield Event({**base, "choices": [], "usage": counts}, part=Part.CLOSING)
    yield DONE
