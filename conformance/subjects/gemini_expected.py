"""What Gemini's documents say about errors, arguments and names; see :mod:`conformance.expectations`.

Errors: the vendor's table of error codes (ai.google.dev/gemini-api/docs), state of 2026-11. Ranges: google-genai 3.6.1.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from backends.wire.values import Failure
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall, NoAnswer
from conformance.faults.fault import lost
from conformance.simulators.faults import Status
from conformance.subjects.gemini_costs import COSTS

__all__ = ["EXPECTED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, *messages: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(list(messages)))


def _asked(names: str, part: Any) -> BadCall:
    return _said(names, {"role": "user", "content": [part]})


EXPECTED: Final = Expectations(
    costs=COSTS,
    # The end of a stream stands in a candidate: without any there is none.
    ends={"content missing stream": lost(Failure.CUT_SHORT)},
    content=("candidates[0].content.parts[0].text", "candidates[0].content.parts[0].text"),
    statuses=(ErrorCase(402, errors.QuotaExceededError),),
    errors=(
        ErrorCase(400, errors.InvalidRequestError, "INVALID_ARGUMENT"),
        ErrorCase(400, errors.AuthenticationError, "API_KEY_INVALID"),
        ErrorCase(400, errors.AuthenticationError, message="API key not valid. Please pass a valid API key."),
        ErrorCase(
            400,
            errors.PermissionDeniedError,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
        ),
        ErrorCase(
            400,
            errors.ContextLengthError,
            message="The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        ),
        ErrorCase(401, errors.AuthenticationError, "UNAUTHENTICATED"),
        ErrorCase(402, errors.QuotaExceededError, "RESOURCE_EXHAUSTED"),
        ErrorCase(403, errors.PermissionDeniedError, "PERMISSION_DENIED"),
        ErrorCase(
            404,
            errors.UnknownModelError,
            message="models/x is not found for API version v1, or is not supported for generateContent.",
        ),
        ErrorCase(404, errors.NotFoundError, "NOT_FOUND"),
        ErrorCase(429, errors.RateLimitError, "RESOURCE_EXHAUSTED"),
        ErrorCase(429, errors.RateLimitError, "per_minute"),
        ErrorCase(429, errors.QuotaExceededError, "insufficient_quota"),
        ErrorCase(429, errors.QuotaExceededError, message="The spend limit of this project is reached."),
        ErrorCase(499, errors.TransportError, "CANCELLED"),
        ErrorCase(500, errors.ServerError, "INTERNAL"),
        ErrorCase(503, errors.OverloadedError, "UNAVAILABLE"),
        ErrorCase(504, errors.ServerError, "DEADLINE_EXCEEDED"),
    ),
    lasting=(ErrorCase(429, errors.QuotaExceededError, message="The spend limit of this project is reached."),),
    no_answers=(
        NoAnswer(Status(200, body={"promptFeedback": {"blockReason": "SAFETY"}}), errors.ContentFilterError, "SAFETY"),
        NoAnswer(
            Status(200, body={"candidates": [{"finishReason": "RECITATION", "index": 0}]}),
            errors.ContentFilterError,
            "RECITATION",
        ),
        NoAnswer(
            Status(
                200, body=[{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}]
            ),
            errors.OverloadedError,
            "overloaded",
        ),
    ),
    bad_calls=(
        _chat("temperature", temperature="hot"),
        _chat("temperature", temperature=2.5),
        _chat("top_p", top_p=-0.1),
        _chat("top_k", top_k=0),
        _chat("candidate_count", candidate_count=9),
        _chat("max_output_tokens", max_output_tokens=1.5),
        _chat("max_tokens", max_tokens=8, max_output_tokens=8),
        _chat("stop", stop=["a", "b", "c", "d", "e", "f"]),
        _chat("logprobs", logprobs=2),
        _chat("logprobs", response_logprobs=True, logprobs=21),
        _chat("tools", tools=[]),
        _chat("tools[0]", tools=[{"type": "function"}]),
        _chat("tool_choice", tool_choice="perhaps"),
        _chat("response_format", response_format={"type": "json_object"}),
        _chat("response_schema", response_schema={}, response_json_schema={}),
        _chat("response_modalities", response_modalities=["SMELL"]),
        _chat("thinking_level", thinking_level="enormous"),
        _chat("thinking_budget", thinking_budget=1024, thinking_level="LOW"),
        _chat("safety_settings[0]", safety_settings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "NEVER"}]),
        _chat("system_instruction", system_instruction=5),
        _chat("model", model=""),
        _chat("model", model=5),
        _chat("extra_headers", extra_headers={"X-Goog-Api-Key": "other"}),
        _chat("extra_body", extra_body=["no", "mapping"]),
        BadCall("messages", lambda backend: backend.achat("hello")),
        _said("messages[0]", "hello"),
        _said("messages[0].role", {"content": "hello"}),
        _said("messages[0].role", {"role": "nobody", "content": "hello"}),
        _said("messages[0].content", {"role": "user", "content": 5}),
        _said("messages[0].content", {"role": "user", "content": ""}),
        _said("messages", {"role": "system", "content": "Be brief."}),
        _said("messages[1]", *_HELLO, {"role": "tool", "content": "sunny"}),
        _said("messages[1].tool_calls[0]", *_HELLO, {"role": "assistant", "tool_calls": [{"function": {}}]}),
        _asked("messages[0].content[0]", {"type": "image_url", "image_url": {"url": "data:image/png,plain"}}),
        _asked("messages[0].content[0]", {"type": "image_url", "image_url": {"url": "data:image/png;base64,???"}}),
        _asked("messages[0].content[0].type", {"type": "smell"}),
        BadCall("contents", lambda backend: backend.agenerate([])),
        BadCall("contents[0]", lambda backend: backend.agenerate([{"role": "user"}])),
        BadCall("temperature", lambda backend: backend.astream_chat(_HELLO, temperature=[])),
        BadCall("texts", lambda backend: backend.aembed([])),
        BadCall("texts[1]", lambda backend: backend.aembed(["one", 2])),
        BadCall("dimensions", lambda backend: backend.aembed("hello", dimensions=0)),
        BadCall("file_id", lambda backend: backend.aget_file("")),
        BadCall("file", lambda backend: backend.aupload_file(b"")),
        BadCall("requests[0]", lambda backend: backend.acreate_batch([{"custom_id": "one"}])),
        BadCall("requests[0].deadline", lambda backend: backend.acreate_batch([{"messages": _HELLO, "deadline": 3}])),
        BadCall("ttl", lambda backend: backend.aupdate_cache("one")),
        BadCall("ttl", lambda backend: backend.acreate_cache("hello", ttl=60, expire_time="2026-12-01T00:00:00Z")),
    ),
    unsayable=(
        _chat("temperature", temperature=float("nan")),
        _chat("presence_penalty", presence_penalty=float("inf")),
        _asked("parts[0].text", {"type": "text", "text": "\ud83d"}),
        _chat("labels", labels={"team": "\udfff"}),
    ),
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.aget_model(text),
        lambda backend, text: backend.aget_file(text),
        lambda backend, text: backend.aget_batch(text),
        lambda backend, text: backend.aget_cache(text),
        lambda backend, text: backend.aupload_file(b"content", mime_type=f"text/{text}"),
    ),
    named_calls=(
        NamedCall("/v1/models/", lambda backend, name: backend.aget_model(name)),
        NamedCall("/v1/files/", lambda backend, name: backend.aget_file(name)),
        NamedCall("/v1/files/", lambda backend, name: backend.adelete_file(name)),
        NamedCall("/v1/batches/", lambda backend, name: backend.aget_batch(name)),
        NamedCall("/v1/batches/", lambda backend, name: backend.adelete_batch(name)),
        NamedCall("/v1/cachedContents/", lambda backend, name: backend.aget_cache(name)),
        NamedCall("/v1/cachedContents/", lambda backend, name: backend.adelete_cache(name)),
    ),
    models=(
        ("gemini-3.8-flsh", "gemini-3.8-flash"),
        ("gemini-2.0-flash", "gemini-3.5-flash"),
        ("gemini-1.5-flash", None),
    ),
)
