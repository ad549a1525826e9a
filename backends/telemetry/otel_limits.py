"""The limits of backends as observable gauges of OpenTelemetry: asked for whenever the SDK collects.

The semantic conventions have no names for queues, breakers and budgets of a client, so all of these stand under ``backends.``; where a
backend is and who provides it is told by the conventions' attributes. Nothing is measured between two collections.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from backends.errors import ConfigurationError
from backends.telemetry import otel_names
from backends.telemetry.limits import READINGS, Labels, readings
from backends.telemetry.prometheus import Reporting

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

__all__ = ["observe_limits"]

_ATTRIBUTES: Final = {
    "endpoint": "backends.endpoint",
    "priority": "backends.priority",
    "state": "backends.state",
    "key": "backends.key.fingerprint",
    "kind": "backends.rate.kind",
    "source": "backends.rate.source",
}


def observe_limits(
    backends: Iterable[Reporting] | Mapping[str, Reporting], meter_provider: MeterProvider | None = None
) -> None:
    """Show the limits of some backends as observable gauges ``backends.NAME``, for each of
    :data:`~backends.telemetry.limits.READINGS`.

    To be called once for all of them: OpenTelemetry keeps one instrument a name. The backends are not kept alive by it; one that
    is gone is no longer shown.

    Args:
        backends: what is shown. The attribute ``backends.name`` is the row name, with ``#2`` and so on behind it for
            further ones of the same row; a mapping gives names of your own.
        meter_provider: where it goes; the global one when not given.

    Raises:
        ConfigurationError: the package is not installed; the message is the line that installs it.
    """
    try:
        from opentelemetry import metrics
    except ImportError:
        raise ConfigurationError(otel_names.INSTALL) from None
    shown = weakref.WeakValueDictionary(_named(backends))
    meter = metrics.get_meter(otel_names.SCOPE, meter_provider=meter_provider, schema_url=otel_names.SCHEMA)
    for name, kind in READINGS.items():
        meter.create_observable_gauge(
            f"{otel_names.SCOPE}.{name}",
            callbacks=[_callback(shown, name, metrics.Observation)],
            unit=kind.unit,
            description=kind.told,
        )


def _named(backends: Iterable[Reporting] | Mapping[str, Reporting]) -> dict[str, Reporting]:
    if isinstance(backends, Mapping):
        return dict(backends)
    named: dict[str, Reporting] = {}
    seen: dict[str, int] = {}
    for backend in backends:
        row = backend.report()["api_name"]
        seen[row] = seen.get(row, 0) + 1
        named[row if seen[row] == 1 else f"{row}#{seen[row]}"] = backend
    return named


def _callback(
    shown: Mapping[str, Reporting], name: str, observation: type[Observation]
) -> Callable[[CallbackOptions], Iterator[Observation]]:
    def observe(options: CallbackOptions) -> Iterator[Observation]:
        del options
        for named, backend in list(shown.items()):
            report = backend.report()
            for reading, labels, value in readings(report):
                if reading == name:
                    yield observation(value, _attributes(named, report, labels))

    return observe


def _attributes(named: str, report: Mapping[str, Any], labels: Labels) -> dict[str, Any]:
    return {
        "backends.name": named,
        "gen_ai.provider.name": otel_names.provider_name(report["api_name"]),
        **otel_names.place(report["endpoints"][labels["endpoint"]]["base_url"]),
        **{_ATTRIBUTES[label]: value for label, value in labels.items() if value},
    }
