"""The calls that the TGI backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.simulators.openai.answers.media import picture
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import once
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_PICTURE: Final = base64.b64encode(picture("c0ffee00")).decode()
_SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_TOOL: Final = {"type": "function", "function": {"name": "weather", "parameters": _SCHEMA}}


def _counted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.finish_reason, "eos_token", "why the engine finished")
    trial.equal(len(reply.tokens), reply.usage.output_tokens, "tokens of the reply and their count")
    trial.expect(reply.tokens[-1].special and reply.tokens[-1].text not in reply.text, "a special token is in the text")


def _candidates(trial: Trial, reply: Any, seen: Seen) -> None:
    _counted(trial, reply, seen)
    trial.equal(len(reply.best_of_sequences), 1, "candidates that were not chosen")
    trial.equal(len(reply.top_tokens), len(reply.tokens), "places with their likeliest tokens")
    trial.equal([len(place) for place in reply.top_tokens[:1]], [3], "likeliest tokens of the first place")
    trial.expect(reply.prefill and reply.prefill[0].logprob is None, "the prompt's tokens are missing")


def _pieces(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal("".join(token.text for token in reply), "Deep water.", "tokens joined")
    trial.equal([(token.start, token.stop) for token in reply][:2], [(0, 4), (4, 10)], "places of the tokens")


def _template(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("<|user|>hello" in reply.text, "the templated text is missing")
    trial.equal("".join(token.text for token in reply.tokens), reply.text, "tokens joined")


def _limits(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.max_input_tokens, reply.max_total_tokens), (1024, 2048), "limits of the server")
    trial.equal(reply.raw["model_id"], reply.model_id, "the model's name")


def _is_true(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply, True, "health of the server")


def _samples(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("tgi_request_count" in [metric.name for metric in reply], "the counter of requests is missing")


def _both(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.texts), 2, "texts for two prompts")


def _counted_exactly(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.tokens, reply.estimated), (3, False), "tokens of a text")


_RICH: Final[dict[str, Any]] = {
    "best_of": 2,
    "temperature": 0.7,
    "top_k": 5,
    "top_p": 0.9,
    "typical_p": 0.8,
    "repetition_penalty": 1.1,
    "frequency_penalty": 0.1,
    "max_new_tokens": 60,
    "truncate": 100,
    "watermark": True,
    "decoder_input_details": True,
    "top_n_tokens": 3,
    "stop": ["END"],
    "adapter_id": "simulated/lora",
}

DECLARED: Final[Mapping[str, CallCase]] = {
    "generate": once(
        "POST */generate",
        "generate",
        "hello",
        sends={"inputs": "hello", "parameters": {"details": True}},
        judge=_counted,
        whole_json=True,
    ),
    "generate_with_everything": once(
        "POST */generate",
        "generate",
        "hello",
        options=_RICH,
        sends={"inputs": "hello", "parameters": {**_RICH, "details": True}},
        judge=_candidates,
        whole_json=True,
    ),
    "generate_at_the_root": once(
        "POST /",
        "generate",
        "hello",
        options={"compat": True},
        sends={"inputs": "hello", "stream": False, "parameters": {"details": True}},
        judge=_counted,
    ),
    "stream_generate": once(
        "POST */generate_stream",
        "stream_generate",
        "hello",
        sends={"inputs": "hello", "parameters": {"details": True}},
        judge=_counted,
        stream=True,
    ),
    "stream_generate_at_the_root": once(
        "POST /",
        "stream_generate",
        "hello",
        options={"compat": True, "top_n_tokens": 2},
        sends={"inputs": "hello", "stream": True, "parameters": {"details": True, "top_n_tokens": 2}},
        judge=_counted,
        stream=True,
    ),
    "chat": once(
        "POST */v1/chat/completions", "chat", _HELLO, sends={"messages": _HELLO, "model": "tgi"}, whole_json=True
    ),
    "stream_chat": once(
        "POST */v1/chat/completions",
        "stream_chat",
        _HELLO,
        sends={"stream": True, "stream_options": {"include_usage": True}},
        stream=True,
    ),
    "complete": once(
        "POST */v1/completions",
        "complete",
        ["hello", "there"],
        options={"max_tokens": 30, "temperature": 0},
        sends={"prompt": ["hello", "there"], "max_tokens": 30, "temperature": 0},
        judge=_both,
        whole_json=True,
    ),
    "stream_complete": once(
        "POST */v1/completions", "stream_complete", "hello", sends={"prompt": "hello", "stream": True}, stream=True
    ),
    "tokenize": once(
        "POST */tokenize", "tokenize", "Deep water.", sends={"inputs": "Deep water."}, judge=_pieces, nonce=False
    ),
    "chat_tokenize": once(
        "POST */chat_tokenize",
        "chat_tokenize",
        _HELLO,
        options={"tools": [_TOOL]},
        sends={"messages": _HELLO, "tools": [_TOOL]},
        judge=_template,
        nonce=False,
        whole_json=True,
    ),
    "count_tokens": once(
        "POST */tokenize",
        "count_tokens",
        "Deep water.",
        sends={"inputs": "Deep water."},
        judge=_counted_exactly,
        nonce=False,
    ),
    "models": once("GET */v1/models", "models", nonce=False),
    "info": once("GET */info", "info", judge=_limits, nonce=False, whole_json=True),
    "health": once("GET */health", "health", judge=_is_true, nonce=False),
    "metrics": once("GET */metrics", "metrics", judge=_samples, nonce=False),
}


def _called(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([call.name for call in reply.tool_calls], ["weather"], "names of the tools called")
    trial.equal(reply.tool_calls[0].arguments, f'{{"city": "{seen.nonce}"}}', "arguments of the tool called")
    trial.equal(reply.finish_reason, "stop", "finish reason of a tool turn at this server")


def _shaped(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.text, f'{{"city": "{seen.nonce}"}}', "the answer that follows the schema")


def _logprobs_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.logprobs["content"]), reply.usage.output_tokens, "log probabilities of the reply")


def _feature(
    messages: Any = _HELLO,
    judge: Callable[[Trial, Any, Seen], None] | None = None,
    sends: Mapping[str, Any] | None = None,
    **options: Any,
) -> CallCase:
    return once(
        "POST */v1/chat/completions",
        "chat",
        messages,
        options=options,
        sends={"messages": messages, **(options if sends is None else sends)},
        judge=judge,
    )


_IMAGE_PART: Final = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PICTURE}"}}
_ANSWERED: Final[list[dict[str, Any]]] = [
    *_HELLO,
    {
        "role": "assistant",
        "tool_calls": [{"id": "0", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "0", "content": "sunny"},
]

FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature([{"role": "system", "content": "Be brief."}, *_HELLO]),
    "image": _feature([{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _IMAGE_PART]}]),
    "tools": _feature(tools=[_TOOL], tool_choice="required", tool_prompt="Use a tool.", judge=_called),
    "tool results": _feature(_ANSWERED, tools=[_TOOL]),
    "JSON schema": _feature(
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": _SCHEMA}},
        sends={"response_format": {"type": "json_schema", "value": {"name": "answer", "schema": _SCHEMA}}},
        judge=_shaped,
    ),
    "grammar": _feature(response_format={"type": "json_object", "value": _SCHEMA}, judge=_shaped),
    "seed": _feature(seed=7),
    "stop": _feature(stop="END", sends={"stop": ["END"]}),
    "penalties": _feature(presence_penalty=-0.5, frequency_penalty=0.5),
    "sampling": _feature(
        temperature=0.2,
        top_p=0.9,
        max_completion_tokens=16,
        sends={"temperature": 0.2, "top_p": 0.9, "max_tokens": 16},
    ),
    "logprobs": _feature(logprobs=True, top_logprobs=2, judge=_logprobs_came),
    "adapter": _feature(model="simulated/lora", sends={"model": "simulated/lora"}),
}
