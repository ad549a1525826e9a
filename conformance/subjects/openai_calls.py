"""The calls that the OpenAI backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.offline_calls import offline_calls
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_PICTURE: Final = picture("c0ffee00")
_SOUND: Final = wave("c0ffee00")
_LINE: Final = (
    b'{"custom_id":"one","method":"POST","url":"/v1/chat/completions",'
    b'"body":{"model":"gpt-6-luna","messages":[{"role":"user","content":"hello"}]}}\n'
)
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
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def _stored() -> Story:
    made = yield do("responses", "hello")
    return (yield do("get_response", made.raw["id"]))


def _unstored() -> Story:
    made = yield do("responses", "hello")
    return (yield do("delete_response", made.raw["id"]))


def _cancelled() -> Story:
    made = yield do("responses", "hello", background=True)
    return (yield do("cancel_response", made.raw["id"]))


def _items() -> Story:
    made = yield do("responses", "hello")
    return (yield do("list_input_items", made.raw["id"]))


def _uploaded() -> Story:
    return (yield do("upload_file", ("batch.jsonl", _LINE), "batch"))


def _with_file(name: str, *, whole: bool = False) -> Any:
    def plan() -> Story:
        made = yield do("upload_file", ("notes.txt", b"some notes"), "user_data")
        if whole:
            with tempfile.TemporaryDirectory() as folder:
                return (yield do(name, made.id, Path(folder) / "copy"))
        return (yield do(name, made.id))

    return plan


def _listed_files() -> Story:
    for number in range(3):
        yield do("upload_file", (f"file{number}.txt", b"x"), "user_data")
    return (yield do("list_files", limit=2))


def _batch(name: str) -> Any:
    def plan() -> Story:
        file = yield do("upload_file", ("batch.jsonl", _LINE), "batch")
        made = yield do("create_batch", file.id, "/v1/chat/completions")
        return (yield do(name, made.id)) if name != "create_batch" else made

    return plan


def _listed_batches() -> Story:
    file = yield do("upload_file", ("batch.jsonl", _LINE), "batch")
    yield do("create_batch", file.id, "/v1/chat/completions")
    return (yield do("list_batches"))


def _spoken_to_file() -> Story:
    with tempfile.TemporaryDirectory() as folder:
        return (yield do("speech_to_file", "hello", Path(folder) / "hello.mp3"))


def _bytes_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.images[0].data[:8], b"\x89PNG\r\n\x1a\n", "first bytes of the image that came back")


def _vectors_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.vectors), 2, "vectors for two texts")
    trial.expect(all(isinstance(number, float) for number in reply.vectors[0]), "a vector is not of floats")
    trial.expect(reply.vectors[0] != reply.vectors[1], "two texts got the same vector")


DECLARED: Final[Mapping[str, CallCase]] = {
    "chat": once("POST */chat/completions", "chat", _HELLO, sends={"messages": _HELLO}, whole_json=True),
    "stream_chat": once("POST */chat/completions", "stream_chat", _HELLO, sends={"stream": True, "stream_options":
    {"include_usage": True}}, stream=True),
    "responses": once("POST */responses", "responses", "hello", sends={"input": "hello"}, whole_json=True),
    "stream_responses": once("POST */responses", "stream_responses", "hello", sends={"input": "hello", "stream":
    True}, stream=True),
    "get_response": story("GET */responses/*", _stored, whole_json=True),
    "delete_response": story("DELETE */responses/*", _unstored, nonce=False, whole_json=True),
    "cancel_response": story("POST */responses/*/cancel", _cancelled, nonce=False, whole_json=True),
    "list_input_items": story("GET */responses/*/input_items", _items, nonce=False),
    "count_input_tokens": once("POST */responses/input_tokens", "count_input_tokens", "hello", sends={"input":
    "hello"}, nonce=False),
    "complete": once("POST */completions", "complete", "hello", sends={"prompt": "hello"}, whole_json=True),
    "stream_complete": once("POST */completions", "stream_complete", "hello", sends={"prompt": "hello", "stream":
    True}, stream=True),
    "embed": once("POST */embeddings", "embed", ["one", "two"], sends={"input": ["one", "two"], "encoding_format":
    "base64"}, judge=_vectors_came, whole_json=True),
    "moderate": once("POST */moderations", "moderate", "hello", sends={"input": "hello"}, whole_json=True),
    "generate_image": once("POST */images/generations", "generate_image", "a prime", sends={"prompt": "a prime"},
    judge=_bytes_came, whole_json=True),
    "stream_image": once("POST */images/generations", "stream_image", "a prime", options={"partial_images": 2},
    sends={"stream": True, "partial_images": 2}, judge=_bytes_came, stream=True),
    "edit_image": once("POST */images/edits", "edit_image", _PICTURE, "a prime", judge=_bytes_came, whole_json=True),
    "stream_image_edit": once("POST */images/edits", "stream_image_edit", _PICTURE, "a prime", judge=_bytes_came,
    stream=True),
    "speech": once("POST */audio/speech", "speech", "hello", sends={"input": "hello"}),
    "stream_speech": once("POST */audio/speech", "stream_speech", "hello", sends={"input": "hello"}, stream=True),
    "speech_to_file": story("POST */audio/speech", _spoken_to_file, sends={"input": "hello"}),
    "transcribe": once("POST */audio/transcriptions", "transcribe", ("a.wav", _SOUND)),
    "stream_transcribe": once("POST */audio/transcriptions", "stream_transcribe", ("a.wav", _SOUND), options={"model":
    "gpt-4o-transcribe"}, stream=True),
    "translate": once("POST */audio/translations", "translate", ("a.wav", _SOUND)),
    "upload_file": story("POST */files", _uploaded, whole_json=True),
    "list_files": story("GET */files", _listed_files, nonce=False),
    "get_file": story("GET */files/*", _with_file("get_file"), nonce=False, whole_json=True),
    "file_content": story("GET */files/*/content", _with_file("file_content"), nonce=False),
    "download_file": story("GET */files/*/content", _with_file("download_file", whole=True), nonce=False),
    "delete_file": story("DELETE */files/*", _with_file("delete_file"), nonce=False, whole_json=True),
    **offline_calls("POST */batches", "GET */files/*/content"),
    "create_batch": story("POST */batches", _batch("create_batch"), sends={"endpoint": "/v1/chat/completions"},
    whole_json=True),
    "get_batch": story("GET */batches/*", _batch("get_batch"), nonce=False, whole_json=True),
    "list_batches": story("GET */batches", _listed_batches, nonce=False),
    "cancel_batch": story("POST */batches/*/cancel", _batch("cancel_batch"), nonce=False, whole_json=True),
    "models": once("GET */models", "models", nonce=False),
    "get_model": once("GET */models/*", "get_model", "gpt-6-luna", nonce=False),
}  # fmt: skip


def _called_twice(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(len(reply.tool_calls) >= 1, "no tool call came back")
    trial.equal(reply.tool_calls[0].name, "weather", "name of the tool called")
    trial.equal(reply.finish_reason, "tool_calls", "finish reason of a tool turn")


def _feature(
    messages: Any = _HELLO, judge: Any = None, sends: Mapping[str, Any] | None = None, **options: Any
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
_SOUND_PART: Final = {
    "type": "input_audio",
    "input_audio": {"data": base64.b64encode(_SOUND).decode(), "format": "wav"},
}

FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature([{"role": "system", "content": "Be brief."}, *_HELLO]),
    "image": _feature([{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _IMAGE_PART]}]),
    "audio": _feature([{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _SOUND_PART]}]),
    "tools": _feature(tools=[_TOOL], tool_choice="required", parallel_tool_calls=True, judge=_called_twice),
    "JSON schema": _feature(response_format=_SCHEMA),
    "seed": _feature(seed=7),
    "stop": _feature(stop=["END"]),
    "penalties": _feature(presence_penalty=0.5, frequency_penalty=-0.5),
    "logit bias": _feature(logit_bias={"50256": -100}),
    "logprobs": _feature(logprobs=True, top_logprobs=2),
    "sampling": _feature(temperature=0.2, top_p=0.9, max_completion_tokens=16, n=2),
    "reasoning effort": _feature(reasoning_effort="low"),
}
