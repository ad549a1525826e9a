"""What OPEA's sources say about errors, arguments and names; see :mod:`conformance.expectations`.

There are no codes on the wire. Ranges: ``api_protocol.py`` and ``docarray.py`` of GenAIComps 1.5.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NoAnswer
from conformance.faults.fault import once
from conformance.simulators.faults import Status

__all__ = ["EXPECTED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, messages: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(messages))


def _chatqna(names: str, messages: Any = "hello", **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.astream_chatqna(messages, **options))


_REFUSED: Final = "Violated policies: Violent Crimes, please check your input."


def _hollow(body: Any, expected: type[errors.BackendError], words: str) -> NoAnswer:
    """A whole answer of a megaservice that is none."""
    return NoAnswer(Status(200, body=body), expected, words, lambda backend: backend.achatqna("hello"), "/v1/chatqna")


def _silent(body: bytes, expected: type[errors.BackendError], words: str) -> NoAnswer:
    """A stream of a megaservice that is no answer."""
    return NoAnswer(
        Status(200, body=body), expected, words, lambda backend: backend.astream_chatqna("hello"), "/v1/chatqna"
    )


EXPECTED: Final = Expectations(
    ends={
        "error inside 200": once(errors.ResponseFormatError)
    },  # its errors are bare words, which mean nothing under a 200
    errors=(
        ErrorCase(400, errors.InvalidRequestError, message="Uploaded file rain.txt already exists."),
        ErrorCase(404, errors.NotFoundError, message="File not found in db file-keys. Please check file_path."),
        ErrorCase(422, errors.InvalidRequestError, message="Input should be a valid string"),
        ErrorCase(429, errors.QuotaExceededError, "insufficient_quota"),
        ErrorCase(400, errors.ContextLengthError, "context_length_exceeded"),
        ErrorCase(500, errors.ServerError),
        ErrorCase(502, errors.ServerError),
        ErrorCase(504, errors.ServerError),
    ),
    no_answers=(
        _hollow({"error": {"message": "The model is down.", "code": 500}}, errors.ServerError, "model is down"),
        _hollow({"text": _REFUSED, "prompt": "hello"}, errors.ContentFilterError, "Violent Crimes"),
        _hollow({"choices": [{"message": {"content": "Response Error"}}]}, errors.ServerError, "behind this one"),
        _silent(b"data: [DONE]\n\n", errors.ResponseFormatError, "without a word"),
        _silent(
            b"data: b'" + _REFUSED.encode() + b"'\n\ndata: [DONE]\n\n", errors.ContentFilterError, "Violent Crimes"
        ),
    ),
    bad_calls=(
        _chat("temperature", temperature="hot"),
        _chat("temperature", temperature=2.5),
        _chat("top_p", top_p=-0.1),
        _chat("seed", seed=0),
        _chat("n", n=0),
        _chat("stop", stop=["a", "b", "c", "d", "e"]),
        _chat("response_format", response_format={"type": "json_schema"}),
        _chat("tools", tools=[{"type": "function", "function": {"name": "weather"}}]),
        _chat("logprobs", logprobs=True),
        _chat("max_completion_tokens", max_completion_tokens=5),
        _chat("documents", documents=[]),
        _chat("model", model=""),
        _chat("extra_headers", extra_headers={"Authorization": "Bearer other"}),
        _chat("extra_body", extra_body=["no", "mapping"]),
        _said("messages", "hello"),
        _said("messages[0]", ["hello"]),
        _said("messages[0].content", [{"role": "user", "content": 5}]),
        _chatqna("messages", ""),
        _chatqna("messages[0].role", [{"role": "tool", "content": "hello"}]),
        _chatqna("messages[0]", [{"role": "assistant"}]),
        _chatqna("temperature", temperature=0),
        _chatqna("score_threshold", score_threshold=0.0),
        _chatqna("k", k=0),
        _chatqna("search_type", search_type="fuzzy"),
        BadCall("text", lambda backend: backend.adocsum("")),
        BadCall("files", lambda backend: backend.adocsum(files="notes.txt")),
        BadCall("summary_type", lambda backend: backend.adocsum("hello", summary_type="short")),
        BadCall("image_url", lambda backend: backend.avisualqna("hello")),
        BadCall("embedding", lambda backend: backend.aretrieve("hello", [])),
        BadCall("index_name", lambda backend: backend.aretrieve("hello", [0.1], index_name="mine")),
        BadCall("texts", lambda backend: backend.arerank("hello", [])),
        BadCall("texts", lambda backend: backend.aembed([])),
        BadCall("links", lambda backend: backend.aingest_links("https://example.com")),
        BadCall("delete_all_files", lambda backend: backend.adelete_file("all")),
        BadCall("rating", lambda backend: backend.asave_feedback(_HELLO, "ann", thumbs_up=True, rating=6)),
        BadCall("user", lambda backend: backend.alist_chats("")),
        BadCall("service", lambda backend: backend.ahealth(service="chatqa")),
    ),
    unsayable=(
        _chat("temperature", temperature=float("nan")),
        _chat("presence_penalty", presence_penalty=float("inf")),
        _said("content", [{"role": "user", "content": [{"type": "text", "text": "\ud83d"}]}]),
        _chatqna("messages", "half of a \ud83d character"),
        BadCall("embedding[1]", lambda backend: backend.aretrieve("hello", [0.1, float("nan")])),
        BadCall("text", lambda backend: backend.aguardrails("\udfff")),
        BadCall("messages", lambda backend: backend.adocsum("\udfff", files=[("a.txt", b"one")])),
    ),
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.aembed("hello", model=text),
        lambda backend, text: backend.aingest((text, b"one")),
        lambda backend, text: backend.ahealth(service=text),
    ),
)
