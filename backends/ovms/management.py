"""The server itself: its configuration, the status of its models, metrics and what they say of each model.

Wire facts: ``src/config_status_utils.cpp``, ``docs/online_config_changes.md`` and ``docs/metrics.md`` of the server.
There is no call that lists, loads or unloads single models: they are changed in the configuration file, and ``reload``
reads it again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Unpack

from backends import errors
from backends.dialects.openai_common import json_object
from backends.dialects.prometheus import Metric, read_metrics
from backends.operation import Answer, CallOptions, Operation
from backends.ovms.failures import raise_inside
from backends.ovms.server import OVMSServer
from backends.ovms.values import Metrics, ModelStatistics, ServerConfig, Statistics, Timing, VersionStatus
from backends.parameters import split
from backends.settings import nearest
from backends.twins import blocking
from backends.wire.values import FormatError

__all__ = ["ServerCalls", "read_statistics", "read_versions"]

_MICROSECONDS: Final = 1e-6
_MOST_NAMES: Final = 10_000


class ServerCalls(OVMSServer):
    """Calls under ``/v1/config`` and ``/metrics``."""

    async def aconfig(self, **parameters: Unpack[CallOptions]) -> ServerConfig:
        """Return every model of the configuration with the status of its versions (``GET /v1/config``)."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._configured("config", "/v1/config", "GET", options)

    async def areload(self, **parameters: Unpack[CallOptions]) -> ServerConfig:
        """Read the configuration file again and return the models as they are then (``POST /v1/config/reload``).

        Raises:
            InvalidRequestError: the file cannot be used as it is.
            ServerError: the reload failed; the server's log says why.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._configured("reload", "/v1/config/reload", "POST", options)

    async def amodel_status(
        self, model: str | None = None, **parameters: Unpack[CallOptions]
    ) -> tuple[VersionStatus, ...]:
        """Return the status of each version of one model, from the configuration (``GET /v1/config``).

        Raises:
            UnknownModelError: the configuration does not have it; the nearest names are suggested.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        chosen = self._chosen_model(model, "inference")

        def read(answer: Answer) -> tuple[VersionStatus, ...]:
            models = _read_config(answer).models
            if chosen not in models:
                raise errors.UnknownModelError(
                    f"The configuration has no model {chosen!r}.",
                    status=404,
                    code="model_not_found",
                    suggestions=nearest(chosen, models),
                )
            return models[chosen]

        return await self._perform(Operation("model_status", read, "/v1/config", "GET", model=chosen), options)

    async def _configured(self, name: str, path: str, method: str, options: CallOptions) -> ServerConfig:
        found = await self._perform(Operation(name, _read_config, path, method), options)
        self._seen_models = tuple(found.models)[:_MOST_NAMES]
        return found

    async def ametrics(self, **parameters: Unpack[CallOptions]) -> Metrics:
        """Return the server's metrics (``GET /metrics``).

        Raises:
            UnsupportedError: the server was started without them.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("metrics", _read_metrics, "/metrics", "GET", expect="text"), options)

    async def astatistics(self, **parameters: Unpack[CallOptions]) -> Statistics:
        """Return what the server counted for each model and version, from its metrics (``GET /metrics``).

        Families that the server leaves out (``--metrics_list``) count as zero.

        Raises:
            UnsupportedError: the server was started without metrics.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("statistics", _read_statistics, "/metrics", "GET", expect="text"), options)

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer; metrics that are switched off say how to have them."""
        error = super().read_error(status, headers, data, operation)
        if operation.path == "/metrics" and error.code == "invalid_url":
            return errors.UnsupportedError(
                f"{error.message.rstrip('.')}: the server was started without --metrics_enable.",
                status=status,
                code="metrics_disabled",
            )
        return error

    config = blocking(aconfig)
    reload = blocking(areload)
    model_status = blocking(amodel_status)
    metrics = blocking(ametrics)
    statistics = blocking(astatistics)


def _read_config(answer: Answer) -> ServerConfig:
    data = json_object(answer.data)
    raise_inside(data)
    models = {name: read_versions(json_object(entry)) for name, entry in data.items()}
    return ServerConfig(**answer.facts(), models=models, reloaded=answer.status == 201)


def read_versions(entry: dict[str, Any]) -> tuple[VersionStatus, ...]:
    """Read ``{"model_version_status": [...]}``.

    Raises:
        FormatError: a version has no number or state.
    """
    found = []
    for version in entry["model_version_status"]:
        number, state, status = version["version"], version["state"], version.get("status") or {}
        if type(number) is not str or type(state) is not str:
            raise FormatError("a version has no number or state")
        found.append(
            VersionStatus(number, state, str(status.get("error_code") or "OK"), str(status.get("error_message") or ""))
        )
    return tuple(found)


def _read_metrics(answer: Answer) -> Metrics:
    return Metrics(**answer.facts(), samples=read_metrics(answer.data))


def _read_statistics(answer: Answer) -> Statistics:
    return Statistics(**answer.facts(), models=read_statistics(read_metrics(answer.data)))


_TIMES: Final = {
    "ovms_request_time_us": "request",
    "ovms_inference_time_us": "inference",
    "ovms_wait_for_infer_req_time_us": "waiting",
    "ovms_graph_processing_time_us": "request",
}
_COUNTS: Final = {
    "ovms_requests_success": "succeeded",
    "ovms_requests_fail": "failed",
    "ovms_requests_accepted": "succeeded",
    "ovms_requests_rejected": "failed",
    "ovms_current_requests": "active",
    "ovms_current_graphs": "active",
}


def read_statistics(samples: Iterable[Metric]) -> tuple[ModelStatistics, ...]:
    """Return the samples gathered by model and version, sorted."""
    found: dict[tuple[str, str], ModelStatistics] = {}
    for sample in samples:
        name = sample.labels.get("name")
        if name is None:
            continue
        key = (name, sample.labels.get("version", ""))
        known = found.get(key) or ModelStatistics(*key)
        found[key] = _counted(known, sample)
    return tuple(found[key] for key in sorted(found))


def _counted(known: ModelStatistics, sample: Metric) -> ModelStatistics:
    changes: dict[str, Any] = {}
    field = _COUNTS.get(sample.name)
    if field is not None:
        changes[field] = getattr(known, field) + _whole(sample)
    family, _, part = sample.name.rpartition("_")
    timed = _TIMES.get(family)
    if timed is not None and part in ("sum", "count"):
        timing: Timing = getattr(known, timed)
        if part == "count":
            changes[timed] = replace(timing, count=timing.count + _whole(sample))
        else:
            changes[timed] = replace(timing, seconds=timing.seconds + sample.value * _MICROSECONDS)
    return replace(known, **changes) if changes else known


def _whole(sample: Metric) -> int:
    if not math.isfinite(sample.value):
        raise FormatError(f"the metric {sample.name} counts {sample.value}")
    return int(sample.value)
