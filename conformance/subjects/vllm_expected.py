"""What vLLM's documents and recordings say about errors, arguments and names; see :mod:`conformance.expectations`.

``code`` on the wire is the status, so the error's type stands in for a code here.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall, NoAnswer
from conformance.simulators.faults import Status

__all__ = ["EXPECTED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, messages: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(messages))


EXPECTED: Final = Expectations(
    errors=(
        ErrorCase(401, errors.AuthenticationError, message="Unauthorized"),
        ErrorCase(400, errors.InvalidRequestError, "Bad Request", "1 validation error: Field required"),
        ErrorCase(
            400, errors.ContextLengthError, "BadRequestError", "This model's maximum context length is 256 tokens."
        ),
        ErrorCase(400, errors.InvalidRequestError, "InvalidUserInput", "The lora adapter 'a' has already been loaded."),
        ErrorCase(404, errors.NotFoundError, "NotFoundError", "The lora adapter 'a' cannot be found."),
        ErrorCase(422, errors.InvalidRequestError, "UnprocessableEntityError"),
        ErrorCase(500, errors.ServerError, "InternalServerError", "EngineCore encountered an issue."),
        ErrorCase(501, errors.UnsupportedError, "NotImplementedError", "The model does not support this API"),
        ErrorCase(503, errors.OverloadedError, message="The model is currently scaling. Please try again later."),
    ),
    no_answers=(
        NoAnswer(
            Status(200, body={"error": {"message": "EngineCore is dead.", "type": "InternalServerError", "code": 500}}),
            errors.ServerError,
            "EngineCore",
        ),
    ),
    bad_calls=(
        _chat("temperature", temperature="hot"),
        _chat("temperature", temperature=-1),
        _chat("top_p", top_p=1.1),
        _chat("top_k", top_k=-2),
        _chat("min_p", min_p=2),
        _chat("n", n=0),
        _chat("seed", seed=2**63),
        _chat("max_tokens", max_tokens=0),
        _chat("top_logprobs", top_logprobs=2),
        _chat("logit_bias", logit_bias={"50256": 101}),
        _chat("tools", tools=[]),
        _chat("tool_choice", tool_choice="auto"),
        _chat("reasoning_effort", reasoning_effort="enormous"),
        _chat("structured_outputs", structured_outputs={"json": {}, "regex": "a"}),
        _chat("structured_outputs", structured_outputs={"pattern": "a"}),
        _chat("response_format", structured_outputs={"json": {}}, response_format={"type": "json_object"}),
        _chat("guided_json", guided_json={}),
        _chat("continue_final_message", continue_final_message=True, add_generation_prompt=True),
        _chat("allowed_token_ids[1]", allowed_token_ids=[1, -1]),
        _chat("cache_salt", cache_salt=""),
        _chat("server_priority", server_priority=0.5),
        _chat("model", model=""),
        _chat("model", model=5),
        _chat("extra_headers", extra_headers={"Authorization": "Bearer other"}),
        _chat("extra_body", extra_body=["no", "mapping"]),
        _said("messages", "hello"),
        _said("messages[0]", ["hello"]),
        _said("messages[0].content", [{"role": "user", "content": 5}]),
        BadCall("prompt_logprobs", lambda backend: backend.astream_chat(_HELLO, prompt_logprobs=1)),
        BadCall("suffix", lambda backend: backend.acomplete("hello", suffix="end")),
        BadCall("best_of", lambda backend: backend.acomplete("hello", best_of=2)),
        BadCall("conversations", lambda backend: backend.achat_batch([])),
        BadCall("background", lambda backend: backend.aresponses("hello", background=True, store=False)),
        BadCall("texts", lambda backend: backend.aembed([])),
        BadCall("dimensions", lambda backend: backend.aembed("hello", dimensions=0)),
        BadCall("encoding_format", lambda backend: backend.aembed("hello", encoding_format="bytes")),
        BadCall("text_1", lambda backend: backend.ascore(["a", "b"], ["c", "d", "e"])),
        BadCall("text_2[1]", lambda backend: backend.ascore("a", ["c", 5])),
        BadCall("texts", lambda backend: backend.arerank("a", [])),
        BadCall("top_n", lambda backend: backend.arerank("a", ["b"], top_n=-1)),
        BadCall("file", lambda backend: backend.atranscribe(b"")),
        BadCall("response_format", lambda backend: backend.astream_transcribe(b"RIFF", response_format="srt")),
        BadCall(
            "timestamp_granularities", lambda backend: backend.atranscribe(b"RIFF", timestamp_granularities=["word"])
        ),
        BadCall("ids[0]", lambda backend: backend.adetokenize([-1])),
        BadCall("tools", lambda backend: backend.atokenize("hello", tools=[{}])),
        BadCall("name", lambda backend: backend.aload_lora("", "/adapters/sql")),
        BadCall("level", lambda backend: backend.asleep(level=3)),
        BadCall("tags[0]", lambda backend: backend.awake_up(tags=["everything"])),
        BadCall("extra_body", lambda backend: backend.asleep(extra_body={"level": 2})),
        BadCall("response_id", lambda backend: backend.aget_response("")),
    ),
    unsayable=(
        _chat("temperature", temperature=float("nan")),
        _chat("repetition_penalty", repetition_penalty=float("inf")),
        _chat("user", user="\udfff"),
        BadCall("prompt", lambda backend: backend.acomplete("half of a \ud83d character")),
        BadCall("documents", lambda backend: backend.arerank("a", ["\ud83d"])),
    ),
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.aget_response(text),
        lambda backend, text: backend.acancel_response(text),
    ),
    named_calls=(NamedCall("/v1/responses/", lambda backend, name: backend.aget_response(name)),),
    models=(
        ("meta-llama/Llama-3.2-3B", "meta-llama/Llama-3.2-3B-Instruct"),
        ("gone", "Qwen/Qwen3-8B"),
    ),
)
