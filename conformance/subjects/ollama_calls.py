"""The calls that the Ollama backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.simulators.openai.answers.media import picture
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_PICTURE: Final = picture("c0ffee00")
_ENCODED: Final = base64.b64encode(_PICTURE).decode()
_WEIGHTS: Final = b"GGUF" + bytes(range(256))
_DIGEST: Final = "sha256:" + hashlib.sha256(_WEIGHTS).hexdigest()
_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def _created(name: str) -> Callable[[], Story]:
    def plan() -> Story:
        blob = yield do("upload_blob", _WEIGHTS)
        return (yield do(name, "own", files={"weights.gguf": blob.digest}, system="Be brief."))

    return plan


def _pushed(name: str) -> Callable[[], Story]:
    def plan() -> Story:
        yield do("copy", "llama3.2", "me/llama3.2")
        return (yield do(name, "me/llama3.2"))

    return plan


def _blob_exists() -> Story:
    yield do("upload_blob", _WEIGHTS)
    return (yield do("blob_exists", _DIGEST))


def _loaded() -> Story:
    yield do("load", keep_alive="2m")
    return (yield do("ps"))


def _vectors_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.vectors), 2, "vectors for two texts")
    trial.expect(all(isinstance(number, float) for number in reply.vectors[0]), "a vector is not of floats")
    trial.expect(reply.vectors[0] != reply.vectors[1], "two texts got the same vector")


def _succeeded(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.status, "success", "last status of the transfer")


def _layers_came(trial: Trial, reply: Any, seen: Seen) -> None:
    _succeeded(trial, reply, seen)
    trial.expect(sum(reply.layers.values()) > 0, "the sizes of the layers are missing")


def _blob_made(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.digest, _DIGEST, "digest of the blob")
    trial.equal(seen.body_sha256, _DIGEST.removeprefix("sha256:"), "digest of what the server got")
    trial.equal(reply.existed, False, "whether the blob was there before")


def _card_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.capabilities, ("completion", "tools"), "capabilities of the model")
    trial.equal(reply.context_length, 131_072, "context of the model")


def _one_is_loaded(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([model.id for model in reply], ["llama3.2:latest"], "models in memory")


def _is_there(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply, True, "whether the blob is there")


def _finished(word: str) -> Callable[[Trial, Any, Seen], None]:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal(reply.finish_reason, word, "why the server finished")

    return judge


DECLARED: Final[Mapping[str, CallCase]] = {
    "chat": once("POST /api/chat", "chat", _HELLO, sends={"messages": _HELLO, "stream": False}, whole_json=True),
    "stream_chat": once(
        "POST /api/chat", "stream_chat", _HELLO, sends={"messages": _HELLO, "stream": True}, stream=True
    ),
    "complete": once(
        "POST /api/generate", "complete", "hello", sends={"prompt": "hello", "stream": False}, whole_json=True
    ),
    "stream_complete": once(
        "POST /api/generate", "stream_complete", "hello", sends={"prompt": "hello", "stream": True}, stream=True
    ),
    "embed": once(
        "POST /api/embed",
        "embed",
        ["one", "two"],
        options={"model": "nomic-embed-text"},
        sends={"input": ["one", "two"]},
        judge=_vectors_came,
        whole_json=True,
    ),
    "load": once(
        "POST /api/generate",
        "load",
        options={"keep_alive": -1},
        sends={"keep_alive": -1, "stream": False},
        judge=_finished("load"),
        nonce=False,
        whole_json=True,
    ),
    "unload": once(
        "POST /api/generate",
        "unload",
        sends={"keep_alive": 0, "stream": False},
        judge=_finished("unload"),
        nonce=False,
        whole_json=True,
    ),
    "pull": once("POST /api/pull", "pull", "mistral", sends={"model": "mistral"}, judge=_layers_came),
    "stream_pull": once(
        "POST /api/pull", "stream_pull", "mistral", sends={"model": "mistral"}, judge=_layers_came, stream=True
    ),
    "push": story("POST /api/push", _pushed("push"), sends={"model": "me/llama3.2"}, judge=_layers_came),
    "stream_push": story(
        "POST /api/push", _pushed("stream_push"), sends={"model": "me/llama3.2"}, judge=_layers_came, stream=True
    ),
    "create": story(
        "POST /api/create",
        _created("create"),
        sends={"model": "own", "files": {"weights.gguf": _DIGEST}, "system": "Be brief."},
        judge=_succeeded,
    ),
    "stream_create": story(
        "POST /api/create",
        _created("stream_create"),
        sends={"model": "own", "files": {"weights.gguf": _DIGEST}, "system": "Be brief."},
        judge=_succeeded,
        stream=True,
    ),
    "show": once("POST /api/show", "show", "llama3.2", sends={"model": "llama3.2"}, judge=_card_came, whole_json=True),
    "models": once("GET /api/tags", "models", nonce=False),
    "ps": story("GET /api/ps", _loaded, judge=_one_is_loaded, nonce=False),
    "copy": once(
        "POST /api/copy",
        "copy",
        "llama3.2",
        "me/llama3.2",
        sends={"source": "llama3.2", "destination": "me/llama3.2"},
        nonce=False,
    ),
    "delete": once("DELETE /api/delete", "delete", "llama3.2", sends={"model": "llama3.2"}, nonce=False),
    "upload_blob": once("POST /api/blobs/*", "upload_blob", _WEIGHTS, judge=_blob_made, nonce=False),
    "blob_exists": story("HEAD /api/blobs/*", _blob_exists, judge=_is_there, nonce=False),
    "version": once("GET /api/version", "version", nonce=False),
}


def _called(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([call.name for call in reply.tool_calls], ["weather"], "names of the tools called")
    trial.equal(reply.tool_calls[0].arguments, f'{{"city":"{seen.nonce}"}}', "arguments of the tool called")


def _reasoned(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.reasoning and seen.nonce in reply.reasoning, "the thinking is not in the reply")
    trial.expect(str(reply.reasoning) not in reply.text, "the thinking is in the text")


def _logprobs_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.logprobs or ()), reply.usage.output_tokens, "log probabilities of the reply")


def _feature(
    messages: Any = _HELLO,
    judge: Callable[[Trial, Any, Seen], None] | None = None,
    sends: Mapping[str, Any] | None = None,
    **options: Any,
) -> CallCase:
    return once(
        "POST /api/chat",
        "chat",
        messages,
        options=options,
        sends=sends if sends is not None else {"messages": messages, **options},
        judge=judge,
    )


_ANSWERED: Final[list[dict[str, Any]]] = [
    *_HELLO,
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "weather", "arguments": '{"city":"x"}'}}],
    },
    {"role": "tool", "tool_name": "weather", "content": "sunny"},
]

FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature([{"role": "system", "content": "Be brief."}, *_HELLO]),
    "image": _feature(
        [{"role": "user", "content": "What is it?", "images": [_PICTURE]}],
        model="gemma3:4b",
        sends={"messages": [{"role": "user", "content": "What is it?", "images": [_ENCODED]}]},
    ),
    "tools": _feature(tools=[_TOOL], judge=_called),
    "tool results": _feature(
        _ANSWERED,
        tools=[_TOOL],
        sends={
            "messages": [
                _HELLO[0],
                {**_ANSWERED[1], "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "x"}}}]},
                _ANSWERED[2],
            ]
        },
    ),
    "JSON schema": _feature(format=_SCHEMA),
    "seed": _feature(seed=7, sends={"options": {"seed": 7}}),
    "stop": _feature(stop=["END"], sends={"options": {"stop": ["END"]}}),
    "penalties": _feature(
        presence_penalty=0.5, repeat_penalty=1.1, sends={"options": {"presence_penalty": 0.5, "repeat_penalty": 1.1}}
    ),
    "sampling": _feature(
        temperature=0.2,
        options={"top_k": 40, "min_p": 0.1},
        max_tokens=16,
        sends={"options": {"top_k": 40, "min_p": 0.1, "temperature": 0.2, "num_predict": 16}},
    ),
    "thinking": _feature(think="high", model="qwen3:8b", judge=_reasoned),
    "logprobs": _feature(logprobs=True, top_logprobs=2, judge=_logprobs_came),
    "keep alive": _feature(keep_alive="10m"),
}
