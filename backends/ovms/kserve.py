"""The KServe v2 REST protocol with its binary tensor extension: requests made, answers read. Pure; no I/O.

Wire facts: ``specification/protocol/inference_rest.md`` of kserve/open-inference-protocol and
``docs/model_server_rest_api_kfs.md`` of the server (after v2026.3). Binary content follows the JSON in the order of the
tensors; ``Inference-Header-Content-Length`` says where the JSON ends. The server reads ``binary_data_output`` only for
outputs that are listed, so JSON may come back although binary was asked for; either is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from backends.dialects.openai_common import json_object
from backends.operation import Answer
from backends.ovms.datatypes import BYTES, DATATYPES, JSON_LESS, pack
from backends.ovms.failures import raise_inside
from backends.ovms.tensors import MOST_DIMENSIONS, Tensor, TensorSpec, tensor
from backends.ovms.values import InferReply, ModelMetadata, ServerMetadata
from backends.parameters import bad_argument
from backends.wire import jsontext
from backends.wire.values import FormatError

__all__ = [
    "LENGTH_HEADER",
    "Inputs",
    "checked_inputs",
    "read_inference",
    "read_model_metadata",
    "read_server_metadata",
    "request_body",
    "specs",
]

LENGTH_HEADER: Final = "Inference-Header-Content-Length"
Inputs = Mapping[str, Any] | Sequence[Tensor]
"""Inputs by name (anything that :func:`~backends.ovms.tensors.tensor` takes), or tensors."""
_MOST_TENSORS: Final = 10_000
_LONGEST_LENGTH: Final = 20


def checked_inputs(inputs: Inputs, where: str = "inputs") -> tuple[Tensor, ...]:
    """Return inputs as tensors.

    Raises:
        InvalidRequestError: there are none, two share a name, or one cannot be made a tensor.
    """
    if isinstance(inputs, Mapping):
        found = tuple(
            data if isinstance(data, Tensor) and data.name == name else tensor(name, data)
            for name, data in inputs.items()
        )
    elif isinstance(inputs, list | tuple) and all(isinstance(one, Tensor) for one in inputs):
        found = tuple(inputs)
    else:
        bad_argument(f"{where} must be a mapping of names to data, or a list of tensors", "ovms")
    if not found:
        bad_argument(f"{where} must not be empty", "ovms")
    if len({one.name for one in found}) != len(found):
        bad_argument(f"{where} must not name a tensor twice", "ovms")
    return found


def request_body(
    inputs: Sequence[Tensor],
    *,
    outputs: Sequence[str] | None,
    request_id: str | None,
    parameters: Mapping[str, Any] | None,
    binary: bool,
    binary_output: bool,
    extra: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any] | bytes, tuple[tuple[str, str], ...]]:
    """Return body and headers of an inference request: an object for JSON, bytes where tensors are binary.

    Raises:
        InvalidRequestError: a tensor has no form in JSON, or a value cannot be written.
    """
    body: dict[str, Any] = {"id": request_id} if request_id is not None else {}
    given = dict(parameters or {})
    if binary_output and outputs is None:
        given["binary_data_output"] = True
    if given:
        body["parameters"] = given
    body["inputs"] = [_described(one, binary=binary) for one in inputs]
    if outputs is not None:
        marks = {"parameters": {"binary_data": True}} if binary_output else {}
        body["outputs"] = [{"name": name, **marks} for name in outputs]
    body.update(extra or {})
    if not binary:
        return body, ()
    try:
        head = jsontext.dumps(body)
    except ValueError as error:
        bad_argument(f"infer: {error}", "ovms")
    return b"".join((head, *(one.content for one in inputs))), ((LENGTH_HEADER, str(len(head))),)


def _described(one: Tensor, *, binary: bool) -> dict[str, Any]:
    described: dict[str, Any] = {"name": one.name, "shape": list(one.shape), "datatype": one.datatype}
    if binary:
        described["parameters"] = {"binary_data_size": len(one.content)}
        return described
    if one.datatype in JSON_LESS:
        bad_argument(f"{one.name} is {one.datatype}, which has no form in JSON; leave binary=True", "ovms")
    if one.datatype == BYTES:
        try:
            return {**described, "data": list(one.texts)}
        except UnicodeDecodeError:
            bad_argument(f"{one.name} holds bytes that are no text; leave binary=True", "ovms")
    return {**described, "data": list(one.values)}


def read_inference(answer: Answer, wanted: Sequence[str] = ()) -> InferReply:
    """Read the answer to an inference, JSON or binary, from its bytes.

    Raises:
        FormatError: a part is missing, sizes do not add up, or a tensor does not hold what its shape says.
        BackendError: it is an error body in spite of its status.
    """
    payload, content = _split(answer)
    raise_inside(payload)
    entries = payload["outputs"]
    if type(entries) is not list or not entries or len(entries) > _MOST_TENSORS:
        raise FormatError("the outputs are not a list of tensors")
    outputs: list[Tensor] = []
    at = 0
    for entry in entries:
        size = _binary_size(json_object(entry))
        if size is not None and at + size > len(content):
            raise FormatError(f"output {entry['name']!r} has {size} bytes where {len(content) - at} are left"[:200])
        outputs.append(_output(entry, None if size is None else content[at : at + size]))
        at += size or 0
    if at != len(content):
        raise FormatError(f"{len(content) - at} bytes follow the last tensor")
    names = {one.name for one in outputs}
    missing = [name for name in wanted if name not in names]
    if missing:
        raise FormatError(f"the output {missing[0]!r} was asked for and did not come"[:200])
    model = payload.get("model_name")
    return InferReply(
        **{**answer.facts(), "raw": payload},
        model=model if isinstance(model, str) else answer.model,
        outputs=tuple(outputs),
        id=_optional_text(payload.get("id")),
        model_version=_optional_text(payload.get("model_version")),
        parameters=json_object(payload.get("parameters") or {}),
    )


def _split(answer: Answer) -> tuple[dict[str, Any], bytes]:
    """Return the JSON part of an answer and what follows it."""
    body: bytes = answer.data
    length = answer.headers.get(LENGTH_HEADER.lower())
    if length is None:
        return json_object(jsontext.loads(body)), b""
    digits = length.isascii() and length.isdigit() and len(length) <= _LONGEST_LENGTH
    end = int(length) if digits else -1
    if not 0 <= end <= len(body):
        raise FormatError("the length of the JSON part is no length within the answer")
    return json_object(jsontext.loads(body[:end])), body[end:]


def _binary_size(entry: dict[str, Any]) -> int | None:
    parameters = entry.get("parameters")
    size = parameters.get("binary_data_size") if type(parameters) is dict else None
    if size is not None and (type(size) is not int or size < 0):
        raise FormatError("a tensor's binary_data_size is no size")
    return size


def _output(entry: dict[str, Any], content: bytes | None) -> Tensor:
    name, datatype, shape = entry["name"], entry["datatype"], entry["shape"]
    if type(name) is not str or type(datatype) is not str or type(shape) is not list:
        raise FormatError("an output has no name, datatype or shape")
    if datatype not in DATATYPES:
        raise FormatError(f"output {name[:80]!r} has the datatype {datatype[:40]!r}, which the protocol does not know")
    try:
        if content is None:
            content = pack(datatype, _fitting(datatype, list(_flat(entry["data"]))))
        return Tensor(name, datatype, tuple(shape), content)
    except ValueError as error:
        raise FormatError(f"output {name[:80]!r} {error}") from None


def _flat(data: Any, depth: int = 0) -> Iterable[Any]:
    """Yield the elements of data, which is flat by the specification and nested at some servers."""
    if type(data) is not list or depth > MOST_DIMENSIONS:
        raise ValueError("has data that is no list of elements")
    for item in data:
        if type(item) is list:
            yield from _flat(item, depth + 1)
        else:
            yield item


def _fitting(datatype: str, data: list[Any]) -> list[Any]:
    """Return elements as :func:`pack` takes them: some servers write 0 and 1 for false and true."""
    if datatype == "BOOL" and {*map(type, data)} <= {int, bool} and {*data} <= {0, 1}:
        return [bool(item) for item in data]
    return data


def read_model_metadata(answer: Answer) -> ModelMetadata:
    """Read name, versions, platform, inputs and outputs of a model."""
    data = json_object(answer.data)
    raise_inside(data)
    name = data["name"]
    if type(name) is not str:
        raise FormatError("the model has no name")
    return ModelMetadata(
        **answer.facts(),
        model=name,
        name=name,
        versions=tuple(str(version) for version in data.get("versions") or ()),
        platform=_optional_text(data.get("platform")) or "",
        inputs=specs(data.get("inputs")),
        outputs=specs(data.get("outputs")),
    )


def specs(entries: Any) -> tuple[TensorSpec, ...]:
    """Read declared inputs or outputs.

    Raises:
        FormatError: one has no name, datatype or shape.
    """
    found = []
    for entry in entries or ():
        name, datatype, shape = entry["name"], entry["datatype"], entry["shape"]
        if type(name) is not str or type(datatype) is not str or any(type(size) is not int for size in shape):
            raise FormatError("a declared tensor has no name, datatype or shape")
        found.append(TensorSpec(name, datatype, tuple(shape)))
    return tuple(found)


def read_server_metadata(answer: Answer) -> ServerMetadata:
    """Read name, version and extensions of the server."""
    data = json_object(answer.data)
    raise_inside(data)
    return ServerMetadata(
        **answer.facts(),
        name=_optional_text(data["name"]) or "",
        version=_optional_text(data.get("version")) or "",
        extensions=tuple(str(extension) for extension in data.get("extensions") or ()),
    )


def _optional_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None if value is None else str(value)[:200]
