"""What TGI's documents say about errors, arguments and names; see :mod:`conformance.expectations`.

Kinds and rules: ``router/src/infer/mod.rs`` and ``validation.rs`` of text-generation-inference 3.3.7.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NoAnswer
from conformance.simulators.faults import Status

__all__ = ["EXPECTED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}}
_TOOL: Final = {"type": "function", "function": {"name": "weather", "parameters": _SCHEMA}}
_TOO_LONG: Final = "Input validation error: `inputs` must have less than 1024 tokens. Given: 4000"


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, messages: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(messages))


def _generate(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.agenerate("hello", **options))


def _streamed(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.astream_generate("hello", **options))


EXPECTED: Final = Expectations(
    errors=(
        ErrorCase(422, errors.InvalidRequestError, "validation"),
        ErrorCase(422, errors.ContextLengthError, "validation", _TOO_LONG),
        ErrorCase(422, errors.InvalidRequestError, "template_error"),
        ErrorCase(422, errors.InvalidRequestError, "tool_error"),
        ErrorCase(424, errors.ServerError, "generation"),
        ErrorCase(429, errors.OverloadedError, "overloaded"),
        ErrorCase(500, errors.ServerError, "incomplete_generation"),
        ErrorCase(500, errors.ServerError, "incomplete_generation_stream"),
        ErrorCase(500, errors.ServerError, "stream_serialization_error"),
        ErrorCase(503, errors.OverloadedError, "healthcheck"),
    ),
    no_answers=(
        NoAnswer(
            Status(200, body={"error": "Request failed during generation", "error_type": "generation"}),
            errors.ServerError,
            "Request failed",
        ),
    ),
    bad_calls=(
        _chat("temperature", temperature=-1),
        _chat("top_p", top_p=1.0),
        _chat("presence_penalty", presence_penalty=-2),
        _chat("max_tokens", max_tokens=0),
        _chat("max_tokens", max_tokens=5, max_completion_tokens=5),
        _chat("top_logprobs", top_logprobs=2),
        _chat("stop", stop=[]),
        _chat("seed", seed=-1),
        _chat("n", n=2),
        _chat("logit_bias", logit_bias={"1": 1}),
        _chat("parallel_tool_calls", parallel_tool_calls=True),
        _chat("tools", tools=[]),
        _chat("response_format", response_format={"type": "json_object"}),
        _chat("response_format", response_format={"type": "json_schema", "json_schema": {"name": "x"}}),
        _chat("response_format", response_format={"type": "json", "value": _SCHEMA}, tools=[_TOOL]),
        _chat("model", model=""),
        _chat("extra_headers", extra_headers={"Authorization": "Bearer other"}),
        _said("messages", "hello"),
        _said("messages[0]", ["hello"]),
        _said("messages[0].content", [{"role": "user", "content": 5}]),
        _generate("temperature", temperature=0),
        _generate("top_p", top_p=0),
        _generate("typical_p", typical_p=1),
        _generate("top_k", top_k=0),
        _generate("repetition_penalty", repetition_penalty=0),
        _generate("frequency_penalty", frequency_penalty=2.5),
        _generate("max_new_tokens", max_new_tokens=0),
        _generate("best_of", best_of=2),
        _generate("seed", best_of=2, do_sample=True, seed=1),
        _generate("decoder_input_details", decoder_input_details=True, details=False),
        _generate("grammar.type", grammar={"type": "xml", "value": "x"}),
        _generate("grammar.value", grammar={"type": "regex", "value": ""}),
        _generate("grammar.value", grammar={"type": "json", "value": "{}"}),
        _generate("adapter_id", adapter_id="one", model="another"),
        _generate("max_new_token", max_new_token=5),
        _streamed("best_of", best_of=2, do_sample=True),
        _streamed("decoder_input_details", decoder_input_details=True),
        BadCall("prompt", lambda backend: backend.agenerate("")),
        BadCall("prompt", lambda backend: backend.agenerate(["hello"])),
        BadCall("prompt", lambda backend: backend.acomplete([1, 2, 3])),
        BadCall("prompt", lambda backend: backend.astream_complete(["hello", "there"])),
        BadCall("text", lambda backend: backend.atokenize("")),
    ),
    unsayable=(
        _chat("temperature", temperature=float("nan")),
        _generate("temperature", temperature=float("inf")),
        BadCall("inputs", lambda backend: backend.agenerate("half of a \ud83d character")),
    ),
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.agenerate("hello", model=text),
    ),
    tool_calls=1,
)
