"""``/v1/models/...``: the TensorFlow Serving API of v2026.2.1."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.simulators.ovms.answers.kserve import Refused, computed, model_of
from conformance.simulators.ovms.answers.management import versions_of
from conformance.simulators.ovms.errors import problem_answer
from conformance.simulators.ovms.fields import PREDICT
from conformance.simulators.ovms.models import Model, Port, Result
from conformance.simulators.provider import Answer, Call

__all__ = ["metadata", "predict", "status"]

_TYPES = {"FP32": "DT_FLOAT", "INT32": "DT_INT32", "INT64": "DT_INT64", "BYTES": "DT_STRING", "FP16": "DT_HALF"}


def status(call: Call) -> Answer:
    """The versions of one model."""
    name = call.params["model"]
    model = call.state.models.get(name)
    if model is None:
        return problem_answer(404, "Model with requested name is not found")
    wanted = call.params.get("version")
    if wanted is not None and wanted not in model.versions:
        return problem_answer(404, "Model with requested version is not found")
    return Answer(payload=versions_of(call.state.state_of(name), (wanted,) if wanted else model.versions))


def metadata(call: Call) -> Answer:
    """The signature; sizes are texts."""
    try:
        model, version = model_of(call)
    except Refused as refused:
        return refused.answer
    signature = {
        "inputs": _declared(model.inputs),
        "outputs": _declared(model.outputs),
        "methodName": "tensorflow/serving/predict",
        "defaults": {},
    }
    kind = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    payload = {
        "modelSpec": {"name": call.params["model"], "signatureName": "", "version": version},
        "metadata": {"signature_def": {"@type": kind, "signatureDef": {"serving_default": signature}}},
        "nonce": call.nonce,
    }
    return Answer(payload=payload)


def _declared(ports: Sequence[Port]) -> dict[str, Any]:
    return {
        port.name: {
            "dtype": _TYPES.get(port.datatype, "DT_INVALID"),
            "tensorShape": {"dim": [{"size": str(size), "name": ""} for size in port.shape], "unknownRank": False},
            "name": port.name,
        }
        for port in ports
    }


def predict(call: Call) -> Answer:
    """``POST ...:predict``: rows or columns, the answer in the same order."""
    try:
        model, version = model_of(call)
        body = _body(call)
        rows = "instances" in body
        inputs = _from_rows(body["instances"], model) if rows else _from_columns(body["inputs"], model)
        outputs = computed(call, model, version, inputs)
    except Refused as refused:
        return refused.answer
    columns = {port.name: _nested(*outputs[port.name]) for port in model.outputs}
    single = next(iter(columns.values())) if len(columns) == 1 else None
    if not rows:
        return Answer(payload={"outputs": columns if single is None else single, "nonce": call.nonce})
    number = len(next(iter(columns.values())))
    predictions = single or [{name: column[row] for name, column in columns.items()} for row in range(number)]
    return Answer(payload={"predictions": predictions, "nonce": call.nonce})


def _body(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.request.body)
    except (ValueError, RecursionError) as error:
        raise Refused(412, "The file is not valid json") from error
    problem = PREDICT.check(body, "")
    if problem is not None or ("instances" in body) == ("inputs" in body):
        raise Refused(400, "Invalid JSON structure. Could not detect row or column format")
    assert isinstance(body, dict)
    return body


def _from_rows(instances: list[Any], model: Model) -> dict[str, Result]:
    if all(isinstance(one, dict) and "b64" not in one for one in instances):
        return {port.name: _read([one.get(port.name) for one in instances], port) for port in model.inputs}
    return _from_columns(instances, model)


def _from_columns(inputs: Any, model: Model) -> dict[str, Result]:
    if isinstance(inputs, dict):
        missing = [port.name for port in model.inputs if port.name not in inputs]
        if missing:
            raise Refused(400, f"Missing input with specific name - Required input: {missing[0]}")
        return {port.name: _read(inputs[port.name], port) for port in model.inputs}
    if len(model.inputs) != 1:
        raise Refused(400, f"Invalid number of inputs - Expected: {len(model.inputs)}; Actual: 1")
    return {model.inputs[0].name: _read(inputs, model.inputs[0])}


def _read(data: Any, port: Port) -> Result:
    """Shape and elements of nested lists; ``{"b64": ...}`` is an image, or bytes."""
    shape: list[int] = []
    flat: list[Any] = [data]
    while flat and all(isinstance(one, list) for one in flat):
        sizes = {len(one) for one in flat}
        if len(sizes) != 1:
            raise Refused(400, "Could not parse input content. Not valid ndarray detected")
        shape.append(sizes.pop())
        flat = [item for one in flat for item in one]
    expected = 1 if port.images else len(port.shape)
    if len(shape) != expected or any(isinstance(one, list) for one in flat):
        raise Refused(400, f"Invalid input shape - Expected: {port.shape}; Actual: {tuple(shape)}")
    return tuple(shape), [_element(one, port) for one in flat]


def _element(one: Any, port: Port) -> Any:
    if isinstance(one, Mapping):
        try:
            return base64.b64decode(one["b64"], validate=True)
        except (KeyError, TypeError, binascii.Error) as error:
            raise Refused(400, "Decode Base64 to string error") from error
    if port.datatype == "BYTES" and isinstance(one, str):
        return one.encode()
    if isinstance(one, bool) or not isinstance(one, int | float):
        raise Refused(400, "Could not parse input content. Not valid ndarray detected")
    return one


def _nested(shape: tuple[int, ...], values: list[Any]) -> Any:
    row: Any = [value.decode() if isinstance(value, bytes) else value for value in values]
    for size in reversed(shape[1:]):
        row = [row[start : start + size] for start in range(0, len(row), size)]
    return row
