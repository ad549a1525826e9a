"""The limits of backends as observable gauges of OpenTelemetry: asked for whenever the SDK collects.

The semantic conventions have no names for queues, breakers and budgets of a client, so all of these stand under ``backends.``; where a
backend is and who provides it is told by the conventions' attributes. Nothing is measured between two collections.
"""

from __future__ import annotations

import threading
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
    collected = _Collected(weakref.WeakValueDictionary(_named(backends)))
    meter = metrics.get_meter(otel_names.SCOPE, meter_provider=meter_provider, schema_url=otel_names.SCHEMA)
    for name, kind in READINGS.items():
        meter.create_observable_gauge(
            f"{otel_names.SCOPE}.{name}",
            callbacks=[_callback(collected, name, metrics.Observation)],
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


class _Collected:
    """What the gauges of one collection show: all reports are made once, and again when a gauge asks for the second time."""

    def __init__(self, shown: Mapping[str, Reporting]) -> None:
        self._shown = shown
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._points: dict[str, list[tuple[float, dict[str, Any]]]] = {}

    def of(self, name: str) -> list[tuple[float, dict[str, Any]]]:
        """Return the numbers of one gauge, each with its attributes."""
        with self._lock:
            if not self._asked or name in self._asked:
                self._asked.clear()
                self._points = self._taken()
            self._asked.add(name)
            return self._points.get(name, [])

    def _taken(self) -> dict[str, list[tuple[float, dict[str, Any]]]]:
        points: dict[str, list[tuple[float, dict[str, Any]]]] = {}
        for named, backend in list(self._shown.items()):
            report = backend.report()
            for reading, labels, value in readings(report):
                points.setdefault(reading, []).append((value, _attributes(named, report, labels)))
        return points


def _callback(
    collected: _Collected, name: str, observation: type[Observation]
) -> Callable[[CallbackOptions], Iterator[Observation]]:
    def observe(options: CallbackOptions) -> Iterator[Observation]:
        del options
        for value, attributes in collected.of(name):
            yield observation(value, attributes)

    return observe


def _attributes(named: str, report: Mapping[str, Any], labels: Labels) -> dict[str, Any]:
    return {
        "backends.name": named,
        "gen_ai.provider.name": otel_names.provider_name(report["api_name"]),
        **otel_names.place(report["endpoints"][labels["endpoint"]]["base_url"]),
        **{_ATTRIBUTES[label]: value for label, value in labels.items() if value},
    }
