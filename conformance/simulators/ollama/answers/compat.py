"""The OpenAI-compatible side: chat, completions, embeddings, responses, models, audio, of OpenAI's pieces.

The models are the server's own; what differs is the ids, the missing service tier and the words for a missing model.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.simulators.generation import count_tokens
from conformance.simulators.ollama.errors import compat_error, compat_error_event
from conformance.simulators.ollama.models import StoredModel, is_name
from conformance.simulators.openai.answers import audio, chat, completions, embeddings, responses
from conformance.simulators.openai.answers.chat_parts import Style
from conformance.simulators.openai.answers.chat_stream import events
from conformance.simulators.openai.answers.common import tokens_of_prompt
from conformance.simulators.openai.framing import data_only, sse
from conformance.simulators.openai.models import EPOCH, Account, ModelKind, SimulatedModel
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = [
    "compat_chat",
    "compat_complete",
    "compat_embed",
    "compat_model",
    "compat_models",
    "compat_respond",
    "compat_transcribe",
]

STYLE = Style(fingerprint="fp_ollama", message={}, first_delta={"role": "assistant", "content": ""}, obfuscate=False)
_NOISE = (Event(raw=b": keep-alive\n\n", part=Part.EXTRA),)


def _found(call: Call, capability: str, verb: str) -> StoredModel | Answer:
    name = str(call.body.get("model") or "")
    if not is_name(name):
        return compat_error(400, "model is required" if not name else "invalid model name")
    model: StoredModel | None = call.state.find(name)
    if model is None:
        return compat_error(404, f"model '{name[:200]}' not found")
    if capability not in model.capabilities:
        return compat_error(400, f'"{name}" does not support {verb}')
    return model


def _served(answer: Answer) -> Answer:
    """An answer of the OpenAI simulator with this server's errors inside its streams."""
    if answer.stream is None:
        return answer
    return replace(answer, stream=replace(answer.stream, error=compat_error_event, pings=_NOISE))


def _as_openai(call: Call, model: StoredModel, kind: ModelKind, size: int) -> Call:
    """The call as the OpenAI simulator sees it: an account with this one model, which remembers nothing."""
    name = call.body["model"]
    return replace(call, state=Account(models={name: SimulatedModel(name, kind, size)}))


def compat_chat(call: Call) -> Answer:
    """``POST /v1/chat/completions``; ``tool_choice`` is understood by nobody and passed over."""
    body = {name: value for name, value in call.body.items() if name != "tool_choice"}
    call = replace(call, body=body)
    model = _found(call, "completion", "chat")
    if isinstance(model, Answer):
        return model
    if body.get("tools") and "tools" not in model.capabilities:
        return compat_error(400, f'"{body["model"]}" does not support tools')
    turns = chat.turns_of({**body, "n": 1}, call.nonce)
    asked = tokens_of_prompt(body["messages"]) + count_tokens(str(body.get("tools") or ""))
    said = sum(turn.count for turn in turns)
    usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    if body.get("stream"):
        return _served(sse(Stream(list(events(call, turns, usage, STYLE)), data_only)))
    return Answer(payload=chat.whole(call, turns, usage, STYLE))


def compat_complete(call: Call) -> Answer:
    """``POST /v1/completions``; one prompt, one answer."""
    model = _found(call, "completion", "generate")
    if isinstance(model, Answer):
        return model
    prompts = completions.prompts_of(call.body["prompt"])[:1]
    call = replace(call, body={**call.body, "n": 1})
    limit = call.body.get("max_tokens")
    return _served(completions.answer_with(call, prompts, limit, {"system_fingerprint": "fp_ollama"}))


def compat_embed(call: Call) -> Answer:
    """``POST /v1/embeddings``."""
    model = _found(call, "embedding", "embed")
    if isinstance(model, Answer):
        return model
    return embeddings.embed(_as_openai(call, model, ModelKind.EMBEDDING, model.dimensions))


def compat_respond(call: Call) -> Answer:
    """``POST /v1/responses``; nothing is stored."""
    model = _found(call, "completion", "chat")
    if isinstance(model, Answer):
        return model
    if call.body.get("previous_response_id"):
        return compat_error(400, "previous_response_id is not supported")
    return _served(responses.create(_as_openai(call, model, ModelKind.CHAT, model.context)))


def compat_transcribe(call: Call) -> Answer:
    """``POST /v1/audio/transcriptions``."""
    model = _found(call, "audio", "transcription")
    if isinstance(model, Answer):
        return model
    return _served(audio.transcribe(_as_openai(call, model, ModelKind.TRANSCRIPTION, model.context)))


def _row(model: StoredModel) -> dict[str, Any]:
    owner = model.name.partition("/")[0] if "/" in model.name else "library"
    return {"id": model.name, "object": "model", "created": EPOCH, "owned_by": owner}


def compat_models(call: Call) -> Answer:
    """``GET /v1/models``."""
    return Answer(payload={"object": "list", "data": [_row(model) for model in call.state.models.values()]})


def compat_model(call: Call) -> Answer:
    """``GET /v1/models/{model}``."""
    name = call.params["model"]
    model = call.state.find(name)
    return compat_error(404, f"model '{name[:200]}' not found") if model is None else Answer(payload=_row(model))
