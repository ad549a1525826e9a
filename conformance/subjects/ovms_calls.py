"""The calls that the OVMS backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.ovms import tensor
from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

Judge = Callable[[Trial, Any, Seen], None]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_PICTURE: Final = picture("c0ffee00")
_SOUND: Final = wave("c0ffee00")
_ROWS: Final = [[1.0, 2.0], [3.0, 4.0]]
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


def _doubled(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.output("y").nested(), [[2.0, 4.0], [6.0, 8.0]], "the numbers, doubled")
    trial.equal((reply.id, reply.model, reply.model_version), ("r7", "double", "1"), "id, model and version")


def _doubled_in_binary(trial: Trial, reply: Any, seen: Seen) -> None:
    _doubled(trial, reply, seen)
    length = seen.header("inference-header-content-length")
    trial.expect(length is not None and length.isdigit(), "the length of the JSON part was not sent")
    head, content = seen.body[: int(length or 0)], seen.body[int(length or 0) :]
    entry = json.loads(head)["inputs"][0]
    trial.equal(content, struct.pack("<4f", 1, 2, 3, 4), "bytes of the tensor on the wire")
    trial.equal((entry["parameters"], "data" in entry), ({"binary_data_size": 16}, False), "the tensor's description")
    trial.equal(reply.raw["outputs"][0]["parameters"], {"binary_data_size": 16}, "the answer's JSON part, untouched")


def _one_request_for_two(trial: Trial, reply: Any, seen: Seen) -> None:
    found = [one.output().nested() for one in reply]
    trial.equal(found, [[[2.0, 4.0]], [[6.0, 8.0], [10.0, 12.0]]], "each caller's own rows")
    trial.equal(len(trial.requests), 1, "requests on the wire for two of the caller's")
    trial.expect(all(seen.nonce in repr(one.parameters) for one in reply), "a reply is not the server's")


def _described(trial: Trial, reply: Any, seen: Seen) -> None:
    ports = [(port.name, port.datatype, port.shape) for port in (*reply.inputs, *reply.outputs)]
    trial.equal(ports, [("x", "FP32", (-1, -1)), ("y", "FP32", (-1, -1))], "inputs and outputs")


def _is(value: Any, about: str) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal(reply, value, about)

    return judge


def _listed(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([one.state for one in reply.models["gone"]], ["END"], "state of a retired model")
    trial.expect(all(one.available for one in reply.models["scale"]), "a version is not available")
    trial.equal(reply.raw["scale"]["model_version_status"][1]["version"], "2", "raw")


def _reloaded(trial: Trial, reply: Any, seen: Seen) -> None:
    _listed(trial, reply, seen)
    trial.equal(reply.reloaded, True, "whether the server said 201")


def _versions(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([(one.version, one.state) for one in reply], [("1", "AVAILABLE"), ("2", "AVAILABLE")], "versions")


def _inferred_first(name: str) -> Callable[[], Story]:
    def plan() -> Story:
        yield do("infer", {"x": _ROWS}, model="double")
        return (yield do(name))

    return plan


def _sampled(trial: Trial, reply: Any, seen: Seen) -> None:
    found = [
        one.value for one in reply.samples if one.name == "ovms_requests_success" and one.labels.get("name") == "double"
    ]
    trial.equal(found, [1.0], "requests that the server counted")


def _counted(trial: Trial, reply: Any, seen: Seen) -> None:
    found = {one.name: one for one in reply.models}["double"]
    trial.equal((found.succeeded, found.failed, found.request.count), (1, 0, 1), "what the server counted")
    trial.close_to(found.request.mean, 0.0015, "seconds of a request", 1e-9)


def _ranked(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([one.index for one in reply.results], [1, 0], "documents, the most relevant first")
    trial.equal(reply.results[0].document, "the cat sat", "text of the best document")


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


def _predicted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.predictions, [[2.0, 4.0], [6.0, 8.0]], "predictions")


DECLARED: Final[Mapping[str, CallCase]] = {
    "infer": once(
        "POST /v2/models/*/infer",
        "infer",
        {"x": _ROWS},
        options={"model": "double", "outputs": ["y"], "id": "r7"},
        judge=_doubled_in_binary,
    ),
    "infer in JSON": once(
        "POST /v2/models/*/infer",
        "infer",
        [tensor("x", _ROWS)],
        options={"model": "double", "version": 1, "id": "r7", "binary": False, "parameters": {"mood": "good"}},
        sends={
            "id": "r7",
            "parameters": {"mood": "good"},
            "inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 4.0]}],
        },
        judge=_doubled,
        whole_json=True,
    ),
    "infer_batch": once(
        "POST /v2/models/*/infer",
        "infer_batch",
        [{"x": [[1.0, 2.0]]}, {"x": [[3.0, 4.0], [5.0, 6.0]]}],
        options={"model": "double"},
        judge=_one_request_for_two,
    ),
    "metadata": once(
        "GET /v2/models/*", "metadata", "double", options={"version": "1"}, judge=_described, whole_json=True
    ),
    "model_ready": once(
        "GET /v2/models/*/ready", "model_ready", "double", judge=_is(True, "whether it is ready"), nonce=False
    ),
    "server_live": once("GET /v2/health/live", "server_live", judge=_is(True, "whether it lives"), nonce=False),
    "server_ready": once("GET /v2/health/ready", "server_ready", judge=_is(True, "whether it is ready"), nonce=False),
    "server_metadata": once("GET /v2", "server_metadata", whole_json=True),
    "config": once("GET /v1/config", "config", judge=_listed, nonce=False),
    "reload": once("POST /v1/config/reload", "reload", judge=_reloaded, nonce=False),
    "model_status": once("GET /v1/config", "model_status", "scale", judge=_versions, nonce=False),
    "metrics": story("GET /metrics", _inferred_first("metrics"), judge=_sampled, nonce=False),
    "statistics": story("GET /metrics", _inferred_first("statistics"), judge=_counted, nonce=False),
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
    "predict": once(
        "POST /v1/models/*:predict",
        "predict",
        _ROWS,
        options={"model": "double"},
        sends={"instances": _ROWS},
        judge=_predicted,
        whole_json=True,
    ),
    "serving_status": once("GET /v1/models/*", "serving_status", "scale", judge=_versions, nonce=False),
    "serving_metadata": once(
        "GET /v1/models/*/metadata", "serving_metadata", "double", judge=_described, whole_json=True
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
