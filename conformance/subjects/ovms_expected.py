"""What OVMS's documents say about errors, arguments and names; see :mod:`conformance.expectations`.

There are no codes on the wire: the text decides (``src/status.cpp`` and ``src/http_server.cpp`` of the server).
"""

from __future__ import annotations

import json
from typing import Any, Final

from backends import errors
from backends.ovms import tensor
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall, NoAnswer
from conformance.simulators.faults import Status

__all__ = ["EXPECTED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_KEY: Final = "Unauthorized request due to invalid or missing api-key"


def _chat(names: str, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(_HELLO, **options))


def _said(names: str, messages: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.achat(messages))


def _infer(names: str, inputs: Any, **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.ainfer(inputs, **options))


def _batch(names: str, *requests: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.ainfer_batch(list(requests)))


def _wrong_size(size: int) -> NoAnswer:
    """An inference whose output of two numbers announces ``size`` bytes and has four."""
    output = {"name": "y", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": size}}
    head = json.dumps({"model_name": "double", "outputs": [output]}).encode()
    return NoAnswer(
        Status(200, body=head + bytes(4), headers=(("Inference-Header-Content-Length", str(len(head))),)),
        errors.ResponseFormatError,
        "cannot be read",
        lambda backend: backend.ainfer({"x": [[1.0, 2.0]]}, model="double", outputs=["y"]),
        "/v2/models/*/infer",
    )


EXPECTED: Final = Expectations(
    statuses=(ErrorCase(405, errors.UnsupportedError),),
    errors=(
        ErrorCase(400, errors.InvalidRequestError, message="Invalid input shape - Expected: (1,2); Actual: (1,3)"),
        ErrorCase(
            400,
            errors.ContextLengthError,
            message="Mediapipe execution failed. MP status - INVALID_ARGUMENT: Number of prompt tokens: 9000 exceeds "
            "model max length: 8192",
        ),
        ErrorCase(404, errors.UnknownModelError, message="Model with requested name is not found"),
        ErrorCase(404, errors.UnknownModelError, message="Mediapipe graph definition with requested name is not found"),
        ErrorCase(404, errors.NotFoundError, message="Model with requested version is not found"),
        ErrorCase(404, errors.NotFoundError, message="Model with requested version is retired"),
        ErrorCase(404, errors.OverloadedError, message="Model with requested version is not loaded yet"),
        ErrorCase(500, errors.OverloadedError, message="Mediapipe is not loaded yet"),
        ErrorCase(406, errors.UnsupportedError, message="Unsupported method"),
        ErrorCase(412, errors.InvalidRequestError, message="The file is not valid json - Cannot parse JSON body"),
        ErrorCase(412, errors.InvalidRequestError, message="Mediapipe graph precondition failed"),
        ErrorCase(500, errors.ServerError, message="Internal inference error"),
        ErrorCase(500, errors.AuthenticationError, message=_KEY),
        ErrorCase(401, errors.AuthenticationError, message=_KEY),
        ErrorCase(500, errors.UnknownModelError, message="Model not found"),
        ErrorCase(503, errors.OverloadedError, message="Server is not ready"),
    ),
    passing=(
        ErrorCase(404, errors.OverloadedError, message="Model with requested version is not loaded yet"),
        ErrorCase(500, errors.OverloadedError, message="Mediapipe is not loaded yet"),
    ),
    lasting=(
        ErrorCase(500, errors.AuthenticationError, message=_KEY),
        ErrorCase(500, errors.UnknownModelError, message="Model not found"),
    ),
    no_answers=(
        NoAnswer(Status(200, body={"error": "Internal inference error"}), errors.ServerError, "inference error"),
        *map(_wrong_size, (4, 12, 1 << 40)),
    ),
    bad_calls=(
        _chat("temperature", temperature="hot"),
        _chat("top_p", top_p=1.5),
        _chat("min_p", min_p=-0.1),
        _chat("top_k", top_k=-2),
        _chat("seed", seed=2**32),
        _chat("stop", stop=["a", "b", "c", "d", "e"]),
        _chat("tools", tools=[]),
        _chat("logit_bias", logit_bias={"1": 2}),  # the server would ignore it
        _chat("num_assistant_tokens", num_assistant_tokens=5, assistant_confidence_threshold=0.4),
        _chat("model", model=""),
        _chat("extra_headers", extra_headers={"Authorization": "Bearer other"}),
        _said("messages", "hello"),
        _said("messages[0].content", [{"role": "user", "content": 5}]),
        BadCall("prompt", lambda backend: backend.acomplete(["one", "two"])),
        BadCall("texts", lambda backend: backend.aembed([])),
        BadCall("texts[1]", lambda backend: backend.arerank("query", ["one", ""])),
        BadCall("query", lambda backend: backend.arerank("", ["one"])),
        BadCall("text", lambda backend: backend.atokenize("")),
        BadCall("strength", lambda backend: backend.aedit_image(b"\x89PNG", "a prime", strength=2)),
        BadCall("speed", lambda backend: backend.aspeech("hello", speed=-1)),
        BadCall("file", lambda backend: backend.atranscribe(b"")),
        BadCall("version", lambda backend: backend.ametadata("double", version="newest")),
        BadCall("version", lambda backend: backend.ametadata("double", version=0)),
        BadCall("instances", lambda backend: backend.apredict([[1.0]], inputs=[[1.0]])),
        _infer("inputs", {}),
        _infer("inputs", [1.0, 2.0]),
        _infer("x", {"x": [[1.0, 2.0], [3.0]]}),
        _infer("x", {"x": [1.0, "two"]}),
        _infer("twice", [tensor("x", [1.0]), tensor("x", [2.0])]),
        _infer("outputs", {"x": [1.0]}, outputs=["y", "y"]),
        _infer("FP16", [tensor("x", [1.0], "FP16")], binary=False),
        _infer("picture", {"picture": b"\x89PNG\xff"}, binary=False),
        _infer("extra_headers", {"x": [1.0]}, extra_headers={"Content-Length": "3"}),
        _batch("requests[1]", {"x": [[1.0, 2.0]]}, {"x": [[1.0, 2.0, 3.0]]}),
        _batch("requests[1]", {"x": [[1.0, 2.0]]}, {"x": [[1, 2]]}),
        _batch("requests[2]", {"x": [[1.0]]}, {"x": [[1.0]]}, {"z": [[1.0]]}),
    ),
    unsayable=(
        _chat("temperature", temperature=float("nan")),
        _chat("length_penalty", length_penalty=float("inf")),
        _infer("data[1]", {"x": [1.0, float("nan")]}, binary=False),
        BadCall("lone surrogate", lambda backend: backend.ainfer({"x": ["\ud83d"]})),
        BadCall("documents[0]", lambda backend: backend.arerank("query", ["\udfff"])),
    ),
    injections=(
        lambda backend, text: backend.achat(_HELLO, model=text),
        lambda backend, text: backend.ainfer({"x": [1.0]}, model=text),
        lambda backend, text: backend.ametadata(text),
        lambda backend, text: backend.ametadata("double", version=text),
        lambda backend, text: backend.amodel_ready(text),
        lambda backend, text: backend.aget_model(text),
        lambda backend, text: backend.aserving_status(text),
    ),
    named_calls=(
        NamedCall("/v2/models/", lambda backend, name: backend.ametadata(name)),
        NamedCall("/v3/models/", lambda backend, name: backend.aget_model(name)),
        NamedCall("/v1/models/", lambda backend, name: backend.aserving_status(name)),
    ),
    models=(("llama4", "llama3"), ("qwen", "qwen3")),
    warm=lambda backend: backend.amodels(),
)
