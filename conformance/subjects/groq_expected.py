"""What Groq's documents say about errors, arguments and names; see :mod:`conformance.expectations`.

Codes: ``console.groq.com/docs/errors`` and bodies reported by users. Ranges: parameter types of the official SDK 1.7.0.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall, NoAnswer
from conformance.faults.fault import repeated
from conformance.simulators.faults import Status
from conformance.subjects.groq_costs import COSTS

__all__ = ["EXPECTED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_IMAGE: Final = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, messages: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(messages))


def _part(part: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [part]}]


EXPECTED: Final = Expectations(
    costs=COSTS,
    stream_count="x_groq.usage.completion_tokens",
    # Every answer tells when its limits are reset, which is a hint where a 429 brings no other.
    ends={"status 429": repeated(errors.RateLimitError, seconds=0.17)},
    errors=(
        ErrorCase(424, errors.InvalidRequestError, "failed_dependency"),
        ErrorCase(498, errors.OverloadedError, "capacity_exceeded"),
        ErrorCase(499, errors.InvalidRequestError, "request_cancelled"),
        ErrorCase(400, errors.UnknownModelError, "model_decommissioned", "The model `x` has been decommissioned."),
        ErrorCase(404, errors.UnknownModelError, "model_not_found", "The model `x` does not exist."),
        ErrorCase(400, errors.InvalidRequestError, "json_validate_failed"),
        ErrorCase(400, errors.InvalidRequestError, "tool_use_failed"),
        ErrorCase(401, errors.AuthenticationError, "invalid_api_key"),
        ErrorCase(413, errors.InvalidRequestError, "rate_limit_exceeded", "Request too large: tokens per minute."),
        ErrorCase(429, errors.RateLimitError, "rate_limit_exceeded"),
        ErrorCase(400, errors.ContextLengthError, "context_length_exceeded"),
        ErrorCase(503, errors.OverloadedError, "service_unavailable"),
    ),
    passing=(ErrorCase(498, errors.OverloadedError, "capacity_exceeded"),),
    no_answers=(
        NoAnswer(
            Status(200, body={"error": {"message": "Over capacity.", "type": "internal_server_error"}}),
            errors.ServerError,
            "Over capacity.",
        ),
    ),
    bad_calls=(
        _chat("temperature", temperature="hot"),
        _chat("temperature", temperature=2.5),
        _chat("top_p", top_p=-0.1),
        _chat("n", n=0),
        _chat("n must be 1", n=2),
        _chat("max_completion_tokens", max_completion_tokens=1.5),
        _chat("stop", stop=["a", "b", "c", "d", "e"]),
        _chat("logit_bias", logit_bias={"50256": 101}),
        _chat("tools", tools=[]),
        _chat("tools", tools=[{"type": "browser_search"}] * 129),
        _chat("response_format", response_format="json"),
        _chat("reasoning_effort", reasoning_effort="enormous"),
        _chat("reasoning_effort of openai/gpt-oss-20b", reasoning_effort="none"),
        _chat("reasoning_format", reasoning_format="loud"),
        _chat("include_reasoning exclude each other", reasoning_format="raw", include_reasoning=True),
        _chat("service_tier", service_tier="priority"),
        _chat("citation_options", citation_options="yes"),
        _chat("model", model=""),
        _chat("model", model=5),
        _chat("was switched off", model="llama-3.3-70b-versatile"),
        _chat("transcribe()", model="whisper-large-v3"),
        _chat("speech()", model="canopylabs/orpheus-v1-english"),
        _chat("extra_headers", extra_headers={"Authorization": "Bearer other"}),
        _chat("extra_body", extra_body=["no", "mapping"]),
        _said("messages", "hello"),
        _said("messages[0]", ["hello"]),
        _said("messages[0]", [{"content": "hello"}]),
        _said("messages[0].content", [{"role": "user", "content": 5}]),
        _said("qwen/qwen3.6-27b", _part(_IMAGE)),
        _said("transcribe()", _part({"type": "input_audio", "input_audio": {}})),
        _said("documents", _part({"type": "file", "file": {}})),
        BadCall("temperature", lambda backend: backend.astream_chat(_HELLO, temperature=[])),
        BadCall("n must be 1", lambda backend: backend.astream_chat(_HELLO, n=3)),
        BadCall("file or url", lambda backend: backend.atranscribe()),
        BadCall("file or url", lambda backend: backend.atranslate(b"RIFF", url="https://example.com/a.wav")),
        BadCall("chat()", lambda backend: backend.atranscribe(b"RIFF", model="openai/gpt-oss-20b")),
        BadCall("verbose_json", lambda backend: backend.atranscribe(b"RIFF", timestamp_granularities=["word"])),
        BadCall("response_format", lambda backend: backend.atranscribe(b"RIFF", response_format="srt")),
        BadCall("text", lambda backend: backend.aspeech("")),
        BadCall("voice", lambda backend: backend.aspeech("hello", model="somebody/speaks-v1")),
        BadCall("sample_rate", lambda backend: backend.aspeech("hello", sample_rate=11_025)),
        BadCall("purpose", lambda backend: backend.aupload_file(b"{}", "vision")),
        BadCall("completion_window", lambda backend: backend.acreate_batch("file-1", completion_window="8d")),
        BadCall("target", lambda backend: backend.acreate_batch("file-1", "/v1/embeddings")),
        BadCall("previous_response_id", lambda backend: backend.aresponses("hello", previous_response_id="resp_1")),
        BadCall("file_id", lambda backend: backend.aget_file("")),
    ),
    unsayable=(
        _chat("temperature", temperature=float("nan")),
        _chat("presence_penalty", presence_penalty=float("inf")),
        _chat("logit_bias", logit_bias={"1": float("nan")}),
        _said("content", _part({"type": "text", "text": "\ud83d"})),
        _chat("user", user="\udfff"),
    ),
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.aget_model(text),
        lambda backend, text: backend.aget_file(text),
        lambda backend, text: backend.aget_batch(text),
    ),
    named_calls=(
        NamedCall("/openai/v1/models/", lambda backend, name: backend.aget_model(name)),
        NamedCall("/openai/v1/files/", lambda backend, name: backend.aget_file(name)),
        NamedCall("/openai/v1/files/", lambda backend, name: backend.adelete_file(name)),
        NamedCall("/openai/v1/batches/", lambda backend, name: backend.aget_batch(name)),
    ),
    models=(
        ("openai/gpt-oss-21b", "openai/gpt-oss-20b"),
        ("qwen/qwen3.7-27b", "qwen/qwen3.6-27b"),
        ("llama-3.4-70b-versatile", "openai/gpt-oss-120b"),
        ("llama-3.3-70b-versatile", "openai/gpt-oss-120b"),
        ("qwen/qwen3-32b", "qwen/qwen3.6-27b"),
        ("mixtral-8x7b-32768", None),
    ),
)
