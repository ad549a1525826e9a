"""What every OPEA service says of itself: health, statistics, metrics.

Wire facts: ``/health`` is empty, ``/v1/health_check`` has keys with blanks in them and answers as soon as the service is
up, ``/v1/statistics`` has nulls before there was traffic, ``/metrics`` is Prometheus' text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, Unpack

from backends.dialects.openai_common import json_object
from backends.dialects.prometheus import Metric, read_metrics
from backends.opea.core import OPEACore
from backends.opea.services import SERVICES
from backends.opea.values import Latencies, ServiceInfo
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import Size, bad_argument, split
from backends.settings import nearest
from backends.twins import blocking
from backends.types import Reply

__all__ = ["StatusCalls", "StatusParameters"]

T = TypeVar("T")


class StatusParameters(CallOptions, total=False):
    """Arguments of the calls about a service: which ``service`` to ask, by its name; the address of the backend itself
    unless given."""

    service: Annotated[str | None, Size(1)]


class StatusCalls(OPEACore):
    """Calls that every service answers."""

    async def ahealth(self, **parameters: Unpack[StatusParameters]) -> Reply:
        """Return when a service is up (``GET /health``); ``latency`` of the reply is how long that took.

        Raises:
            TransportError: there is nobody.
        """
        return await self._about("health", "/health", parameters, lambda answer: Reply(**answer.facts()), "none")

    async def ahealth_check(self, **parameters: Unpack[StatusParameters]) -> ServiceInfo:
        """Return what a service says of itself (``GET /v1/health_check``)."""
        return await self._about("health_check", "/v1/health_check", parameters, _read_info)

    async def astatistics(self, **parameters: Unpack[StatusParameters]) -> Mapping[str, Latencies]:
        """Return latencies by the services' own names (``GET /v1/statistics``)."""
        return await self._about("statistics", "/v1/statistics", parameters, _read_statistics)

    async def ametrics(self, **parameters: Unpack[StatusParameters]) -> tuple[Metric, ...]:
        """Return a service's counters and histograms (``GET /metrics``), ``megaservice_request_pending`` among them."""
        return await self._about("metrics", "/metrics", parameters, lambda answer: read_metrics(answer.data), "text")

    health = blocking(ahealth)
    health_check = blocking(ahealth_check)
    statistics = blocking(astatistics)
    metrics = blocking(ametrics)

    async def _about(
        self, name: str, path: str, parameters: Any, read: Callable[[Answer], T], expect: Any = "json"
    ) -> T:
        options, fields = split(parameters, StatusParameters, self.provider.name, body=False)
        service = fields.get("service")
        if service is not None:
            if service not in SERVICES:
                near = nearest(service, SERVICES)
                bad_argument(
                    f"service: there is none called {service[:60]!r}; did you mean {near[:1]}", self.provider.name
                )
            options = self._at(options, service)
        return await self._perform(Operation(name, read, path, "GET", expect=expect), options)


def _read_info(answer: Answer) -> ServiceInfo:
    data = json_object(answer.data)
    return ServiceInfo(
        **answer.facts(),
        title=str(data["Service Title"]),
        version=str(data.get("Version") or ""),
        description=str(data.get("Service Description") or ""),
    )


def _read_statistics(answer: Answer) -> Mapping[str, Latencies]:
    return {name: _latencies(json_object(entry)) for name, entry in json_object(answer.data).items()}


def _latencies(entry: Mapping[str, Any]) -> Latencies:
    names = [f"{kind}_latency{suffix}" for suffix in ("", "_first_token") for kind in ("p50", "p99", "average")]
    return Latencies(*(None if entry.get(name) is None else float(entry[name]) for name in names))
