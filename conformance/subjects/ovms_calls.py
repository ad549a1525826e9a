"""The calls that the OVMS backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.ovms_server_calls import SERVER_CALLS
from conformance.subjects.stories import once
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

Judge = Callable[[Trial, Any, Seen], None]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_PICTURE: Final = picture("c0ffee00")
_SOUND: Final = wave("c0ffee00")
_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_SCHEMA: Final = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def _ranked(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([one.index for one in reply.results], [1, 0], "documents, the most relevant first")
    trial.equal(reply.results[0].text, "the cat sat", "text of the best document")


def _tokens(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(row) for row in reply.tokens], [3, 4], "tokens of two texts")
    trial.equal(tuple(map(tuple, reply.raw["tokens"])), reply.tokens, "raw")


def _vectors_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.vectors), 2, "vectors for two texts")
    trial.expect(reply.vectors[0] != reply.vectors[1], "two texts got the same vector")


def _bytes_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.images[0].data[:8], b"\x89PNG\r\n\x1a\n", "first bytes of the image that came back")


def _timed(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.segments and reply.words, "the times are missing")


DECLARED: Final[Mapping[str, CallCase]] = {
    **SERVER_CALLS,
    "chat": once("POST */chat/completions", "chat", _HELLO, sends={"messages": _HELLO}, whole_json=True),
    "stream_chat": once(
        "POST */chat/completions",
        "stream_chat",
        _HELLO,
        sends={"stream": True, "stream_options": {"include_usage": True}},
        stream=True,
    ),
    "complete": once("POST */completions", "complete", "hello", sends={"prompt": "hello"}, whole_json=True),
    "stream_complete": once(
        "POST */completions", "stream_complete", "hello", sends={"prompt": "hello", "stream": True}, stream=True
    ),
    "responses": once("POST */responses", "responses", "hello", sends={"input": "hello"}, whole_json=True),
    "stream_responses": once(
        "POST */responses", "stream_responses", "hello", sends={"input": "hello", "stream": True}, stream=True
    ),
    "embed": once(
        "POST */embeddings",
        "embed",
        ["one", "two"],
        options={"model": "gte-large"},
        sends={"input": ["one", "two"], "encoding_format": "base64"},
        judge=_vectors_came,
        whole_json=True,
    ),
    "rerank": once(
        "POST */rerank",
        "rerank",
        "a cat",
        ["a dog ran", "the cat sat"],
        options={"model": "bge-reranker", "return_documents": True},
        sends={"query": "a cat", "documents": ["a dog ran", "the cat sat"], "return_documents": True},
        judge=_ranked,
        whole_json=True,
    ),
    "tokenize": once(
        "POST */tokenize",
        "tokenize",
        ["one two", "one two three"],
        options={"model": "llama3"},
        sends={"text": ["one two", "one two three"]},
        judge=_tokens,
        whole_json=True,
    ),
    "count_tokens": once("POST */tokenize", "count_tokens", "one two", sends={"text": "one two"}, nonce=False),
    "models": once("GET */models", "models", nonce=False),
    "get_model": once("GET /v3/models/*", "get_model", "llama3", nonce=False),
    "generate_image": once(
        "POST */images/generations",
        "generate_image",
        "a prime",
        options={"model": "flux", "size": "512x512", "num_inference_steps": 4},
        sends={"prompt": "a prime", "size": "512x512", "num_inference_steps": 4},
        judge=_bytes_came,
        whole_json=True,
    ),
    "edit_image": once(
        "POST */images/edits",
        "edit_image",
        _PICTURE,
        "a prime",
        options={"model": "flux", "strength": 0.5, "mask": _PICTURE},
        judge=_bytes_came,
        whole_json=True,
    ),
    "speech": once(
        "POST */audio/speech",
        "speech",
        "hello",
        options={"model": "kokoro", "voice": "af_alloy"},
        sends={"input": "hello", "voice": "af_alloy"},
    ),
    "transcribe": once(
        "POST */audio/transcriptions",
        "transcribe",
        ("a.wav", _SOUND),
        options={"model": "whisper", "timestamp_granularities": ["word", "segment"]},
        judge=_timed,
        whole_json=True,
    ),
    "stream_transcribe": once(
        "POST */audio/transcriptions",
        "stream_transcribe",
        ("a.wav", _SOUND),
        options={"model": "whisper"},
        stream=True,
    ),
    "translate": once(
        "POST */audio/translations", "translate", ("a.wav", _SOUND), options={"model": "whisper"}, whole_json=True
    ),
}


def _called(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([call.name for call in reply.tool_calls], ["weather"], "names of the tools called")
    trial.equal(json.loads(reply.tool_calls[0].arguments), {"city": seen.nonce}, "arguments of the tool called")
    trial.equal(reply.finish_reason, "tool_calls", "finish reason of a tool turn")


def _reasoned(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.reasoning and seen.nonce in reply.reasoning, "the reasoning is not in the reply")


def _twice(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.texts), 2, "choices of the reply")


def _feature(
    messages: Any = _HELLO, judge: Judge | None = None, sends: Mapping[str, Any] | None = None, **options: Any
) -> CallCase:
    return once(
        "POST */chat/completions",
        "chat",
        messages,
        options=options,
        sends={"messages": messages, **(sends or options)},
        judge=judge,
    )


_IMAGE_PART: Final = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64," + base64.b64encode(_PICTURE).decode()},
}

FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature([{"role": "system", "content": "Be brief."}, *_HELLO]),
    "image": _feature([{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _IMAGE_PART]}]),
    "tools": _feature(tools=[_TOOL], tool_choice="required", judge=_called),
    "JSON schema": _feature(response_format=_SCHEMA),
    "seed": _feature(seed=7),
    "stop": _feature(stop=["END"]),
    "penalties": _feature(presence_penalty=0.5, frequency_penalty=-0.5, repetition_penalty=1.1),
    "logprobs": _feature(logprobs=True),
    "sampling": _feature(temperature=0.2, top_p=0.9, top_k=40, min_p=0.1, max_completion_tokens=16),
    "beam search": _feature(n=2, best_of=4, length_penalty=0.8, judge=_twice),
    "speculative decoding": _feature(num_assistant_tokens=5, max_ngram_size=3),
    "chat template": _feature(chat_template_kwargs={"enable_thinking": True}, skip_special_tokens=True),
    "reasoning": _feature(model="qwen3", judge=_reasoned),
    "end of sequence": _feature(ignore_eos=True, max_tokens=8),
}
