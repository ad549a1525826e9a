"""What OpenAI's documents say about errors, arguments and names; see :mod:`conformance.expectations`.

Codes: the error guide and the error shapes of the official SDK 3.52.0. Ranges: its parameter types.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall
from conformance.subjects.openai_costs import COSTS

__all__ = ["BAD_CHATS", "ERRORS", "EXPECTED", "UNSAYABLE"]

_HELLO: Final = [{"role": "user", "content": "hello"}]


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, messages: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(messages))


ERRORS: Final = (
    ErrorCase(429, errors.QuotaExceededError, "insufficient_quota"),
    ErrorCase(429, errors.QuotaExceededError, "credit_balance_exhausted"),
    ErrorCase(429, errors.RateLimitError, "rate_limit_exceeded"),
    ErrorCase(400, errors.ContextLengthError, "context_length_exceeded"),
    ErrorCase(400, errors.ContentFilterError, "content_policy_violation"),
    ErrorCase(404, errors.UnknownModelError, "model_not_found", "The model `x` does not exist."),
    ErrorCase(401, errors.AuthenticationError, "invalid_api_key"),
    ErrorCase(503, errors.OverloadedError, "server_is_overloaded"),
)
"""Error answers of the dialect."""

BAD_CHATS: Final = (
    _chat("temperature", temperature="hot"),
    _chat("temperature", temperature=2.5),
    _chat("top_p", top_p=-0.1),
    _chat("n", n=0),
    _chat("max_completion_tokens", max_completion_tokens=1.5),
    _chat("stop", stop=["a", "b", "c", "d", "e"]),
    _chat("top_logprobs", logprobs=True, top_logprobs=21),
    _chat("logit_bias", logit_bias={"50256": 101}),
    _chat("tools", tools=[]),
    _chat("response_format", response_format="json"),
    _chat("model", model=""),
    _chat("model", model=5),
    _chat("extra_headers", extra_headers={"Authorization": "Bearer other"}),
    _chat("extra_body", extra_body=["no", "mapping"]),
    _said("messages", "hello"),
    _said("messages", {"role": "user", "content": "hello"}),
    _said("messages[0]", ["hello"]),
    _said("messages[0]", [{"content": "hello"}]),
    _said("messages[0].content", [{"role": "user", "content": 5}]),
    BadCall("temperature", lambda backend: backend.astream_chat(_HELLO, temperature=[])),
)
"""Arguments of chat that every server of the dialect refuses."""

UNSAYABLE: Final = (
    _chat("temperature", temperature=float("nan")),
    _chat("presence_penalty", presence_penalty=float("inf")),
    _chat("logit_bias", logit_bias={"1": float("nan")}),
    _said("content", [{"role": "user", "content": [{"type": "text", "text": "\ud83d"}]}]),
    _chat("user", user="\udfff"),
)
"""What JSON cannot carry."""

EXPECTED: Final = Expectations(
    costs=COSTS,
    errors=ERRORS,
    bad_calls=(
        *BAD_CHATS,
        _chat("reasoning_effort", reasoning_effort="enormous"),
        BadCall("texts", lambda backend: backend.aembed([])),
        BadCall("dimensions", lambda backend: backend.aembed("hello", dimensions=0)),
        BadCall("file_id", lambda backend: backend.aget_file("")),
    ),
    unsayable=UNSAYABLE,
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.aget_model(text),
        lambda backend, text: backend.aget_file(text),
        lambda backend, text: backend.aget_batch(text),
        lambda backend, text: backend.aget_response(text),
    ),
    named_calls=(
        NamedCall("/v1/models/", lambda backend, name: backend.aget_model(name)),
        NamedCall("/v1/models/", lambda backend, name: backend.adelete_model(name)),
        NamedCall("/v1/files/", lambda backend, name: backend.aget_file(name)),
        NamedCall("/v1/files/", lambda backend, name: backend.adelete_file(name)),
        NamedCall("/v1/batches/", lambda backend, name: backend.aget_batch(name)),
        NamedCall("/v1/responses/", lambda backend, name: backend.aget_response(name)),
    ),
    models=(("gpt-6-lunna", "gpt-6-luna"), ("gpt-4-turbo", None), ("gpt-4.1-nano", "gpt-5.4-mini"), ("o1", None)),
)
