"""Inference over the KServe v2 protocol: infer, batches, metadata, health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Unpack

from backends.dialects.openai_common import json_object
from backends.operation import Answer, CallOptions, Operation
from backends.ovms.batching import split_reply, stack
from backends.ovms.failures import typed_error
from backends.ovms.kserve import (
    Inputs,
    checked_inputs,
    read_inference,
    read_model_metadata,
    read_server_metadata,
    request_body,
)
from backends.ovms.server import OVMSServer
from backends.ovms.shared_inference import infer_plan
from backends.ovms.tensors import Tensor
from backends.ovms.values import InferReply, ModelMetadata, ServerMetadata
from backends.parameters import Size, bad_argument, split
from backends.twins import blocking
from backends.wire import jsontext
from backends.wire.values import FormatError

__all__ = ["InferCalls", "InferParameters", "VersionParameters"]

_OF_ONE: Final = frozenset({"id", "extra_body"})
"""Arguments that belong to one request, which therefore travels alone."""
_ONCE: Final = frozenset({500})
"""An inference that failed is computed a second time, no more: it would most likely fail as before."""


class VersionParameters(CallOptions, total=False):
    """Arguments of calls about a model: ``version`` is a whole number; the newest available when not given."""

    version: int | str | None


class InferParameters(VersionParameters, total=False):
    """Arguments of ``infer`` and ``infer_batch``.

    Attributes:
        outputs: names of the outputs wanted; all of them when not given.
        id: an id of the caller's own, which the reply carries.
        parameters: of the request, by name: booleans, numbers or texts.
        binary: how inputs travel: as bytes unless False, then as JSON (not for FP16, BF16 and bytes that are no text).
        binary_output: the same for outputs; as ``binary`` unless given. Where no outputs are named the server answers
            in JSON all the same.
    """

    outputs: Annotated[Sequence[str] | None, Size(1)]
    id: Annotated[str | None, Size(1, 1_000)]
    parameters: Mapping[str, bool | int | float | str] | None
    binary: bool | None
    binary_output: bool | None


class InferCalls(OVMSServer):
    """Calls under ``/v2``."""

    async def ainfer(
        self, inputs: Inputs, *, model: str | None = None, **parameters: Unpack[InferParameters]
    ) -> InferReply:
        """Return what a model makes of tensors (``POST /v2/models/M/infer``).

        Args:
            inputs: a mapping of names to data (numpy arrays, lists, bytes, ``array.array``; see
                :func:`~backends.ovms.tensors.tensor`), or a list of :class:`~backends.ovms.tensors.Tensor`.
            model: which model; the backend's when not given.
            **parameters: see :class:`InferParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            ResponseFormatError: the answer's tensors do not hold what their shapes say.

        With ``max_batch_size`` above 1, calls that differ in nothing but their rows are stacked along axis 0 (unless
        they have an ``id`` or ``extra_body``), so the models of such an endpoint must have the batch there.
        """
        checked = checked_inputs(inputs)
        operation, options = self._inference("infer", checked, model, parameters)
        if self._prepared_endpoint(options).settings.max_batch_size > 1 and not parameters.keys() & _OF_ONE:
            own = {name: value for name, value in parameters.items() if name not in CallOptions.__annotations__}

            def make(stacked: Sequence[Tensor]) -> Operation[InferReply]:
                return self._inference("infer", stacked, model, own)[0]

            operation = replace(operation, batch=infer_plan(checked, own, make))
        return await self._perform(operation, options)

    async def ainfer_batch(
        self, requests: Sequence[Inputs], *, model: str | None = None, **parameters: Unpack[InferParameters]
    ) -> tuple[InferReply, ...]:
        """Return what a model makes of several requests, sent as one: stacked along axis 0, cut apart afterwards.

        Args:
            requests: inputs each, as for :meth:`ainfer`; all of the same names, datatypes and sizes, axis 0 excepted.
            model: which model; its batch axis must be the first and of any size.
            **parameters: see :class:`InferParameters`; they hold for all.

        Raises:
            InvalidRequestError: a request does not fit the first, before anything is sent; the message names it.
            ResponseFormatError: an output has not as many rows as were sent.
        """
        inputs, rows = stack(requests)
        whole, options = self._inference("infer_batch", inputs, model, parameters)

        def read(answer: Answer) -> tuple[InferReply, ...]:
            return split_reply(whole.read(answer), rows)

        operation: Operation[Any] = whole
        return await self._perform(replace(operation, read=read), options)

    def _inference(
        self, name: str, inputs: Sequence[Tensor], model: str | None, parameters: Mapping[str, Any]
    ) -> tuple[Operation[InferReply], CallOptions]:
        options, fields = split(parameters, InferParameters, self.provider.name)
        chosen = self._chosen_model(model, "inference")
        outputs: Sequence[str] | None = fields.get("outputs")
        if outputs is not None and len({*outputs}) != len(outputs):
            bad_argument("outputs must not name an output twice", self.provider.name)
        binary = fields.get("binary", True)
        body, headers = request_body(
            inputs,
            outputs=outputs,
            request_id=fields.get("id"),
            parameters=fields.get("parameters"),
            binary=binary,
            binary_output=fields.get("binary_output", binary),
            extra=options.pop("extra_body", None),
        )
        operation = Operation(
            name,
            lambda answer: read_inference(answer, outputs or ()),
            self._model_path("/v2", chosen, fields.get("version")) + "/infer",
            body=body,
            headers=headers,
            model=chosen,
            expect="bytes",
            repeat_once=_ONCE,
        )
        return operation, options

    async def ametadata(self, model: str | None = None, **parameters: Unpack[VersionParameters]) -> ModelMetadata:
        """Return what a model takes and gives (``GET /v2/models/M``).

        Raises:
            UnknownModelError: the server does not have it.
            NotFoundError: it does not have this version.
        """
        options, fields = split(parameters, VersionParameters, self.provider.name, body=False)
        chosen = self._chosen_model(model, "inference")
        path = self._model_path("/v2", chosen, fields.get("version"))
        return await self._perform(Operation("metadata", read_model_metadata, path, "GET", model=chosen), options)

    async def amodel_ready(self, model: str | None = None, **parameters: Unpack[VersionParameters]) -> bool:
        """Return whether a model answers requests now (``GET /v2/models/M/ready``); False while it loads and after it
        was retired.

        Raises:
            UnknownModelError: the server does not have it.
            NotFoundError: it does not have this version.
        """
        options, fields = split(parameters, VersionParameters, self.provider.name, body=False)
        chosen = self._chosen_model(model, "inference")
        path = self._model_path("/v2", chosen, fields.get("version")) + "/ready"

        def read(answer: Answer) -> bool:
            return _model_is_ready(answer, chosen, self)

        return await self._perform(
            Operation("model_ready", read, path, "GET", model=chosen, expect="bytes", accepted=frozenset({404})),
            options,
        )

    async def aserver_live(self, **parameters: Unpack[CallOptions]) -> bool:
        """Return whether the server runs (``GET /v2/health/live``).

        Raises:
            TransportError: it cannot be reached at all.
        """
        return await self._healthy("server_live", "live", 500, parameters)

    async def aserver_ready(self, **parameters: Unpack[CallOptions]) -> bool:
        """Return whether the server has loaded its models (``GET /v2/health/ready``); it is asked once.

        Raises:
            TransportError: it cannot be reached at all.
        """
        return await self._healthy("server_ready", "ready", 503, parameters)

    async def _healthy(self, name: str, route: str, otherwise: int, parameters: Mapping[str, Any]) -> bool:
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(
            Operation(
                name,
                lambda answer: answer.status == 200 and _says_yes(answer.data, route),
                f"/v2/health/{route}",
                "GET",
                expect="bytes",
                accepted=frozenset({otherwise}),
            ),
            options,
        )

    async def aserver_metadata(self, **parameters: Unpack[CallOptions]) -> ServerMetadata:
        """Return name and version of the server (``GET /v2``)."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("server_metadata", read_server_metadata, "/v2", "GET"), options)

    infer = blocking(ainfer)
    infer_batch = blocking(ainfer_batch)
    metadata = blocking(ametadata)
    model_ready = blocking(amodel_ready)
    server_live = blocking(aserver_live)
    server_ready = blocking(aserver_ready)
    server_metadata = blocking(aserver_metadata)


def _says_yes(body: bytes, field: str) -> bool:
    """Read the body of a good health answer: empty here, ``{"ready": true}`` by the specification."""
    return not body.strip() or json_object(jsontext.loads(body)).get(field) is not False


def _model_is_ready(answer: Answer, model: str, server: OVMSServer) -> bool:
    if answer.status == 200:
        return _says_yes(answer.data, "ready")
    try:
        data: Any = jsontext.loads(answer.data)
    except FormatError:
        data = answer.data[:1_000].decode("utf-8", "replace")
    error = typed_error(answer.status, data, model=model, explain=server.explain)
    if error.code in ("not_loaded_yet", "version_retired", "model_retired"):
        return False
    raise error
