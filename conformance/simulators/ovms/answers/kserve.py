"""``/v2``: health, metadata, inference with JSON and binary tensors."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from conformance.simulators.ovms.errors import problem_answer
from conformance.simulators.ovms.fields import INFER
from conformance.simulators.ovms.models import Model, Port, Result
from conformance.simulators.ovms.tensors import SIZES, decode, encode
from conformance.simulators.provider import Answer, Call
from conformance.simulators.provider import encode as as_json

__all__ = ["Refused", "computed", "described", "infer", "live", "metadata", "model_of", "model_ready", "ready"]

_HEADER = "inference-header-content-length"


class Refused(Exception):  # noqa: N818 - a signal between functions of this module
    """The request is refused with this status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.answer = problem_answer(status, text)


def live(call: Call) -> Answer:
    """An empty body; only the status counts."""
    return Answer(200)


def ready(call: Call) -> Answer:
    """The same, or 503."""
    return Answer(200) if call.state.ready else problem_answer(503, "Server is not ready")


def server_metadata(call: Call) -> Answer:
    """Name and version; no extensions."""
    return Answer(payload={"name": "OpenVINO Model Server", "version": "2026.3.0", "nonce": call.nonce})


def model_of(call: Call) -> tuple[Model, str]:
    """The model and version that the path names; the newest for none. Raises Refused."""
    name, wanted = call.params["model"], call.params.get("version")
    model: Model | None = call.state.models.get(name)
    if model is None:
        raise Refused(404, "Model with requested name is not found")
    if wanted is not None and wanted not in model.versions:
        raise Refused(404, "Model with requested version is not found")
    state = call.state.state_of(name)
    if state == "LOADING":
        del call.state.states[name]  # asked for once, it has time to load
        raise Refused(404, "Model with requested version is not loaded yet")
    if state == "END":
        raise Refused(404, "Model with requested version is retired")
    return model, wanted or model.versions[-1]


def model_ready(call: Call) -> Answer:
    """Empty, or the reason why not."""
    try:
        model_of(call)
    except Refused as refused:
        return refused.answer
    return Answer(200)


def described(ports: tuple[Port, ...]) -> list[dict[str, Any]]:
    """Inputs or outputs as metadata shows them."""
    return [{"name": port.name, "datatype": port.datatype, "shape": list(port.shape)} for port in ports]


def metadata(call: Call) -> Answer:
    """What the model takes and gives; ``rt_info`` carries the nonce."""
    try:
        model, _ = model_of(call)
    except Refused as refused:
        return refused.answer
    payload = {
        "name": call.params["model"],
        "versions": list(model.versions),
        "platform": "OpenVINO",
        "inputs": described(model.inputs),
        "outputs": described(model.outputs),
        "rt_info": {"nonce": call.nonce},
    }
    return Answer(payload=payload)


def infer(call: Call) -> Answer:
    """``POST .../infer``."""
    try:
        model, version = model_of(call)
        body, content = _split(call)
        inputs = {name: (shape, values) for name, shape, _, values in _read(body, content, model)}
        outputs = computed(call, model, version, inputs)
        return _written(call, body, model, version, outputs)
    except Refused as refused:
        return refused.answer


def computed(call: Call, model: Model, version: str, inputs: Mapping[str, Result]) -> dict[str, Result]:
    """The outputs; counted either way."""
    key = (call.params["model"], version)
    if model.sums is None:
        call.state.failed[key] += 1
        raise Refused(500, "Internal inference error")
    call.state.succeeded[key] += 1
    return model.sums(inputs, int(version))


def _split(call: Call) -> tuple[dict[str, Any], bytes]:
    """The JSON part and what follows it."""
    whole, length = call.request.body, call.request.header(_HEADER)
    if length is not None and not length.isdigit():
        raise Refused(400, "Inference-Header-Content-Length header is invalid and couldn't be parsed")
    end = len(whole) if length is None else int(length)
    if end > len(whole):
        raise Refused(400, "Inference-Header-Content-Length header exceeds actual payload length")
    try:
        body = json.loads(whole[:end], parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(412, f"The file is not valid json - {str(error)[:100]}") from error
    problem = INFER.check(body, "")
    if problem is not None:
        raise Refused(400, f"Could not parse input content. Not valid ndarray detected - {problem}")
    return body, whole[end:]


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


@dataclass(slots=True)
class _Rest:
    """The binary part, taken from its start."""

    content: bytes

    def take(self, size: int) -> bytes:
        """The next bytes; raises Refused where there are fewer."""
        if size > len(self.content):
            raise Refused(400, "Received buffer size is smaller than binary_data_size parameter indicates")
        taken, self.content = self.content[:size], self.content[size:]
        return taken


def _read(body: dict[str, Any], content: bytes, model: Model) -> Iterator[tuple[str, tuple[int, ...], str, list[Any]]]:
    """Name, shape, datatype and elements of every input, checked against the model."""
    ports = {port.name: port for port in model.inputs}
    given = body["inputs"]
    if len(given) != len(ports):
        raise Refused(400, f"Invalid number of inputs - Expected: {len(ports)}; Actual: {len(given)}")
    rest = _Rest(content)
    for name in ports:
        if name not in [one["name"] for one in given]:
            raise Refused(400, f"Missing input with specific name - Required input: {name}")
    for one in given:
        port, datatype, shape = ports[one["name"]], one["datatype"], tuple(one["shape"])
        values = _elements(one, rest, single=len(given) == 1)
        _check(port, datatype, shape, values)
        yield one["name"], shape, datatype, values
    if rest.content:
        raise Refused(400, f"Invalid content size of tensor - {len(rest.content)} bytes are left over")


def _elements(one: dict[str, Any], rest: _Rest, *, single: bool) -> list[Any]:
    datatype, number = one["datatype"], math.prod(one["shape"])
    if datatype != "BYTES" and datatype not in SIZES:
        raise Refused(400, f"Could not parse input content. Unsupported data precision detected - {datatype}")
    size = (one.get("parameters") or {}).get("binary_data_size")
    if "data" in one:
        if size is not None:
            raise Refused(400, "Request contains values both in binary data and in content value")
        return _from_json(datatype, list(_flat(one["data"])))
    if size is None and datatype == "BYTES" and not single:
        raise Refused(400, "binary_data_size parameter is invalid and cannot be parsed")
    if size is None:
        size = len(rest.content) if datatype == "BYTES" else number * SIZES[datatype]
    if type(size) is not int or size < 0:
        raise Refused(400, "binary_data_size parameter is invalid and cannot be parsed")
    try:
        return decode(datatype, rest.take(size))
    except ValueError as error:
        raise Refused(400, f"Invalid string input - {error}") from error


def _from_json(datatype: str, values: list[Any]) -> list[Any]:
    if datatype in ("FP16", "BF16"):
        raise Refused(400, f"Could not parse input content. Unsupported data precision detected - {datatype}")
    number: set[type] = {int, float}
    kinds: dict[str, set[type]] = {"BOOL": {bool}, "BYTES": {str}, "FP32": number, "FP64": number}
    if not {*map(type, values)} <= kinds.get(datatype, {int}):
        raise Refused(400, "Could not parse input content. Not valid ndarray detected")
    return [value.encode() for value in values] if datatype == "BYTES" else values


def _flat(data: Any) -> Iterator[Any]:
    for item in data:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _check(port: Port, datatype: str, shape: tuple[int, ...], values: list[Any]) -> None:
    if math.prod(shape) != len(values):
        expected = math.prod(shape)
        raise Refused(400, f"Invalid value count of tensor - Expected: {expected}; Actual: {len(values)}")
    if port.images:
        if datatype != "BYTES" or len(shape) != 1 or not all(one.startswith(b"\x89PNG\r\n\x1a\n") for one in values):
            raise Refused(400, "Invalid string input - Binary data must be JPEG or PNG images of one axis")
        return
    if datatype != port.datatype:
        raise Refused(400, f"Invalid input precision - Expected: {port.datatype}; Actual: {datatype}")
    fits = len(shape) == len(port.shape) and all(
        wanted in (-1, size) for wanted, size in zip(port.shape, shape, strict=False)
    )
    if not fits:
        declared = "(" + ",".join(map(str, port.shape)) + ")"
        raise Refused(400, f"Invalid input shape - Expected: {declared}; Actual: ({','.join(map(str, shape))})")


def _written(call: Call, body: dict[str, Any], model: Model, version: str, outputs: dict[str, Result]) -> Answer:
    """The answer: JSON, or JSON and bytes where a listed output is asked for in binary."""
    ports = {port.name: port for port in model.outputs}
    listed = {one["name"]: one.get("parameters") or {} for one in body.get("outputs") or ()}
    for name in listed:
        if name not in ports:
            raise Refused(400, f"Missing output with specific name - {name}")
    all_binary = bool((body.get("parameters") or {}).get("binary_data_output"))
    described_outputs: list[dict[str, Any]] = []
    tail = b""
    for name in listed or ports:
        datatype, (shape, values) = ports[name].datatype, outputs[name]
        entry: dict[str, Any] = {"name": name, "shape": list(shape), "datatype": datatype}
        if name in listed and listed[name].get("binary_data", all_binary):
            content = encode(datatype, values)
            entry["parameters"] = {"binary_data_size": len(content)}
            tail += content
        elif datatype in ("FP16", "BF16"):
            raise Refused(500, f"Unsupported serialization precision - {datatype}")
        else:
            entry["data"] = [value.decode() for value in values] if datatype == "BYTES" else values
        described_outputs.append(entry)
    payload: dict[str, Any] = {"model_name": call.params["model"], "model_version": version}
    if "id" in body:
        payload["id"] = body["id"]
    payload |= {"parameters": {"nonce": call.nonce}, "outputs": described_outputs}
    if not any("parameters" in entry for entry in described_outputs):
        return Answer(payload=payload)
    head = as_json(payload)
    headers = ((_HEADER, str(len(head))),)
    return Answer(body=head + tail, content_type="application/octet-stream", headers=headers)
