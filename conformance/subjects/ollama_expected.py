"""What Ollama's documents say about errors, arguments and names; see :mod:`conformance.expectations`.

There are no codes on the wire: the text decides (``server/routes.go`` and ``api/types.go`` of the server, v0.33).
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall, NoAnswer
from conformance.faults.fault import once
from conformance.simulators.faults import Status

__all__ = ["EXPECTED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_DIGEST: Final = "sha256:" + "0123456789abcdef" * 4


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, messages: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(messages))


EXPECTED: Final = Expectations(
    ends={"status 404": once(errors.UnknownModelError)},  # its own words for a 404 name a model
    spared={"content missing stream": "an object without a message is what it sends when it only loads a model"},
    content=("message.content", "message.content"),
    errors=(
        ErrorCase(404, errors.UnknownModelError, message="model 'nobody' not found"),
        ErrorCase(
            503, errors.OverloadedError, message="server busy, please try again.  maximum pending requests exceeded"
        ),
        ErrorCase(400, errors.ContextLengthError, message="the input length exceeds the context length"),
        ErrorCase(400, errors.InvalidRequestError, message='"tiny" does not support thinking'),
        ErrorCase(
            500, errors.ServerError, message="model requires more system memory (9 GiB) than is available (3 GiB)"
        ),
        ErrorCase(401, errors.AuthenticationError, message="unauthorized"),
    ),
    no_answers=(
        NoAnswer(Status(200, body={"error": "an unknown error was encountered"}), errors.ServerError, "unknown error"),
    ),
    bad_calls=(
        _chat("temperature", temperature="hot"),
        _chat("num_ctx", num_ctx=1.5),
        _chat("options", options=["no", "mapping"]),
        _chat("format", format="xml"),
        _chat("think", think="enormously"),
        _chat("top_logprobs", logprobs=True, top_logprobs=21),
        _chat("tools", tools=[]),
        _chat("tools[0]", tools=[{"type": "function"}]),
        _chat("model", model=""),
        _chat("model", model="a/b/c/d"),
        _chat("extra_headers", extra_headers={"Authorization": "Bearer other"}),
        _said("messages", "hello"),
        _said("messages[0]", ["hello"]),
        _said("messages[0].role", [{"role": "nobody", "content": "hello"}]),
        _said("messages[0].content", [{"role": "user", "content": 5}]),
        _said("messages[0].images[0]", [{"role": "user", "content": "what", "images": ["no base64"]}]),
        BadCall("prompt", lambda backend: backend.acomplete("")),
        BadCall("texts", lambda backend: backend.aembed([])),
        BadCall("digest", lambda backend: backend.ablob_exists("sha256:short")),
    ),
    unsayable=(
        _chat("temperature", temperature=float("nan")),
        _chat("min_p", options={"min_p": float("inf")}),
        BadCall("prompt", lambda backend: backend.acomplete("half of a \ud83d character")),
    ),
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.ashow(text),
        lambda backend, text: backend.ablob_exists(text),
    ),
    named_calls=(NamedCall("/api/blobs/", lambda backend, name: backend.ablob_exists(name), good=_DIGEST),),
    models=(("llama3.3", "llama3.2:latest"), ("qwen3:9b", "qwen3:8b")),
    warm=lambda backend: backend.amodels(),
)
