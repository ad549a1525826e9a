"""The TensorFlow Serving API of older servers: predict, status, metadata. Allowed only where the caller says so.

Wire facts: tag v2026.2.1, the last one that has it. v2026.3 removed it and gives ``/v1`` to the OpenAI dialect, so these
calls would reach something else there: without ``tensorflow_serving=True`` they are refused before the wire.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final, Unpack

from backends import errors
from backends.dialects.openai_common import json_object
from backends.operation import Answer, CallOptions, Operation
from backends.ovms.failures import raise_inside
from backends.ovms.inference import VersionParameters
from backends.ovms.management import read_versions
from backends.ovms.server import OVMSServer
from backends.ovms.tensors import TensorSpec
from backends.ovms.values import ModelMetadata, Prediction, VersionStatus
from backends.parameters import bad_argument, split
from backends.twins import blocking
from backends.wire.values import FormatError

__all__ = ["PredictParameters", "ServingCalls"]

_DEEPEST: Final = 64
_DATATYPES: Final = {
    "DT_BOOL": "BOOL", "DT_UINT8": "UINT8", "DT_UINT16": "UINT16", "DT_UINT32": "UINT32", "DT_UINT64": "UINT64",
    "DT_INT8": "INT8", "DT_INT16": "INT16", "DT_INT32": "INT32", "DT_INT64": "INT64", "DT_HALF": "FP16",
    "DT_BFLOAT16": "BF16", "DT_FLOAT": "FP32", "DT_DOUBLE": "FP64", "DT_STRING": "BYTES",
}  # fmt: skip


class PredictParameters(VersionParameters, total=False):
    """Arguments of ``predict``; ``signature_name`` is ``serving_default`` unless given."""

    signature_name: str | None


class ServingCalls(OVMSServer):
    """Calls under ``/v1/models`` of servers up to v2026.2.1."""

    async def apredict(
        self,
        instances: Any = None,
        *,
        inputs: Any = None,
        model: str | None = None,
        **parameters: Unpack[PredictParameters],
    ) -> Prediction:
        """Return a model's predictions (``POST /v1/models/M:predict``).

        Args:
            instances: row by row: a list of inputs, or of objects with an input by name each.
            inputs: column by column instead: one input, or an object with all of them by name.
            model: which model; the backend's when not given.
            **parameters: see :class:`PredictParameters`. ``bytes`` anywhere in the data are images and travel as
                ``{"b64": ...}``.

        Raises:
            UnsupportedError: the backend was made without ``tensorflow_serving=True``; nothing was sent.
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        self._allow("predict", "infer")
        options, fields = split(parameters, PredictParameters, self.provider.name)
        if (instances is None) == (inputs is None):
            bad_argument("predict takes either instances or inputs", self.provider.name)
        name, data = ("instances", instances) if inputs is None else ("inputs", inputs)
        chosen = self._chosen_model(model, "inference")
        path = self._model_path("/v1", chosen, fields.pop("version", None)) + ":predict"
        body = {name: _with_images(data), **fields}
        return await self._perform(Operation("predict", _read_prediction, path, body=body, model=chosen), options)

    async def aserving_status(
        self, model: str | None = None, **parameters: Unpack[VersionParameters]
    ) -> tuple[VersionStatus, ...]:
        """Return the status of a model's versions (``GET /v1/models/M``).

        Raises:
            UnsupportedError: the backend was made without ``tensorflow_serving=True``; nothing was sent.
            UnknownModelError: the server does not have it.
        """
        self._allow("serving_status", "model_status")
        options, path, chosen = self._asked(model, parameters)
        operation = Operation(
            "serving_status", lambda answer: read_versions(json_object(answer.data)), path, "GET", model=chosen
        )
        return await self._perform(operation, options)

    async def aserving_metadata(
        self, model: str | None = None, **parameters: Unpack[VersionParameters]
    ) -> ModelMetadata:
        """Return what a model takes and gives (``GET /v1/models/M/metadata``).

        Raises:
            UnsupportedError: the backend was made without ``tensorflow_serving=True``; nothing was sent.
            UnknownModelError: the server does not have it.
        """
        self._allow("serving_metadata", "metadata")
        options, path, chosen = self._asked(model, parameters)
        operation = Operation("serving_metadata", _read_signature, path + "/metadata", "GET", model=chosen)
        return await self._perform(operation, options)

    def _asked(self, model: str | None, parameters: Mapping[str, Any]) -> tuple[CallOptions, str, str]:
        options, fields = split(parameters, VersionParameters, self.provider.name, body=False)
        chosen = self._chosen_model(model, "inference")
        return options, self._model_path("/v1", chosen, fields.get("version")), chosen

    def _allow(self, name: str, instead: str) -> None:
        """Refuse a call of the removed API unless the caller said that the server still has it."""
        if not self._tensorflow_serving:
            raise errors.UnsupportedError(
                f"{name} belongs to the TensorFlow Serving API, which OpenVINO Model Server removed in v2026.3: use "
                f"{instead}, or make the backend with tensorflow_serving=True for a server up to v2026.2.1.",
                provider=self.provider.name,
                code="unsupported",
            )

    predict = blocking(apredict)
    serving_status = blocking(aserving_status)
    serving_metadata = blocking(aserving_metadata)


def _with_images(data: Any, depth: int = 0) -> Any:
    """Return data fit for JSON: bytes become ``{"b64": ...}``, arrays lists; nothing is changed in place."""
    if isinstance(data, bytes | bytearray | memoryview):
        return {"b64": base64.b64encode(data).decode()}
    if hasattr(data, "dtype") and hasattr(data, "tolist"):
        return data.tolist()
    if isinstance(data, list | tuple | Mapping) and depth > _DEEPEST:
        bad_argument(f"predict: the data is nested more than {_DEEPEST} deep", "ovms")
    if isinstance(data, list | tuple):
        return [_with_images(item, depth + 1) for item in data]
    if isinstance(data, Mapping):
        return {name: _with_images(item, depth + 1) for name, item in data.items()}
    return data


def _read_prediction(answer: Answer) -> Prediction:
    data = json_object(answer.data)
    raise_inside(data)
    if "predictions" not in data and "outputs" not in data:
        raise FormatError("there are neither predictions nor outputs")
    return Prediction(
        **answer.facts(), model=answer.model, predictions=data.get("predictions"), outputs=data.get("outputs")
    )


def _read_signature(answer: Answer) -> ModelMetadata:
    data = json_object(answer.data)
    raise_inside(data)
    spec = json_object(data["modelSpec"])
    name = spec["name"]
    if type(name) is not str:
        raise FormatError("the model has no name")
    signature = data["metadata"]["signature_def"]["signatureDef"]["serving_default"]
    return ModelMetadata(
        **answer.facts(),
        model=name,
        name=name,
        versions=(str(spec["version"]),),
        platform="OpenVINO",
        inputs=_declared(signature["inputs"]),
        outputs=_declared(signature["outputs"]),
    )


def _declared(entries: Any) -> tuple[TensorSpec, ...]:
    """Read ``{name: {dtype, tensorShape: {dim: [{size: "1"}]}}}``; sizes are texts."""
    return tuple(
        TensorSpec(
            name,
            str(_DATATYPES.get(entry["dtype"], entry["dtype"])),
            tuple(int(axis["size"]) for axis in (entry.get("tensorShape") or {}).get("dim") or ()),
        )
        for name, entry in json_object(entries).items()
    )
