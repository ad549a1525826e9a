"""Chapter SEC, seventh part: what those are told who watch: logs, warnings, the event loop, observers, traces, reports."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from backends.telemetry import render
from backends.telemetry.audit import AuditLog
from backends.telemetry.logs import CallLog
from backends.telemetry.prometheus import render as metrics_text
from conformance.check import check
from conformance.checks.collected import Collector, collecting
from conformance.checks.mishaps import KEYS, SETTINGS, befallen, options_of, said
from conformance.planted import Exhibits
from conformance.simulators.faults import Action, ErrorEvent, Garbage, Redirect, Reset, Status
from conformance.trial import Trial

__all__ = ["overheard"]

_NAMED: Final = tuple(
    (name, KEYS[0]) for name in ("x-request-id", "request-id", "x-amz-request-id", "x-goog-request-id")
)
_ACTIONS: Final[tuple[Action, ...]] = (
    *(Status(status, message=said(KEYS[0]), headers=_NAMED) for status in (400, 401, 429, 500)),
    *(Reset(), Garbage("http"), Garbage(), Redirect("https://elsewhere.example/stolen")),
)
_EVERYWHERE: Final = (
    "log",
    "event",
    "span",
    "measurement",
    "metrics",
    "report",
    "page",
    "audit log",
    "wire log",
    "loop",
    "appearance",
)


class _Ear(logging.Handler):
    """Hears every record of every logger, with all that hangs on it."""

    def __init__(self, exhibits: Exhibits) -> None:
        super().__init__(0)
        self._exhibits = exhibits

    def emit(self, record: logging.LogRecord) -> None:
        where = f"{record.name}, {record.levelname}"
        self._exhibits.show("log", record.getMessage(), where)
        for name, value in vars(record).items():
            self._exhibits.show("log", f"{name} = {value!r}", where)
        if record.exc_info and record.exc_info[1] is not None:
            self._exhibits.error(record.exc_info[1], where)


@contextmanager
def overheard(exhibits: Exhibits) -> Iterator[None]:
    """Listen to every log at every level, to warnings, and to what the event loop reports."""
    loop, root, ear = asyncio.get_running_loop(), logging.getLogger(), _Ear(exhibits)
    level, handler = root.level, loop.get_exception_handler()

    def report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        exhibits.show("loop", repr(context), str(context.get("message")))
        if isinstance(context.get("exception"), BaseException):
            exhibits.error(context["exception"], "the event loop")

    root.addHandler(ear)
    root.setLevel(1)
    loop.set_exception_handler(report)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for warning in caught:
            exhibits.show("warning", f"{warning.message} {warning.source!r}", str(warning.filename))
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
        loop.set_exception_handler(handler)


@contextmanager
def _talkative() -> Iterator[None]:
    """Put the loop into debug mode and let it think every step slow: it shows each with its arguments."""
    loop = asyncio.get_running_loop()
    debug, slow = loop.get_debug(), loop.slow_callback_duration
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    try:
        yield
    finally:
        loop.set_debug(debug)
        loop.slow_callback_duration = slow


@check("SEC-10")
async def sec_10(trial: Trial) -> None:
    """Nobody who watches is told a credential: no log at any level, no warning, no report of the event loop, no observer,
    span, measurement, metric, audit log, report or page, nor the record of a simulator."""
    exhibits = Exhibits()
    with tempfile.TemporaryDirectory() as folder, collecting() as collector:
        path = Path(folder, "audit.jsonl")
        log = AuditLog(path, actor="the conformance contract")
        try:
            observers = [
                log,
                CallLog(),
                collector.observer,
                lambda event: exhibits.show("event", repr(event), "an observer"),
            ]
            with overheard(exhibits):
                backend = await trial.backend(
                    **{**SETTINGS, "api_keys": KEYS, "max_retries": 1, "observers": observers}
                )
                await _busy(trial, backend)
                with _talkative():
                    await _forgotten(trial, observers)
        finally:
            log.close()
        _audited(path, exhibits)
        _exported(collector, exhibits)
    _reported(backend, exhibits)
    for seen in trial.requests:
        exhibits.show("wire log", json.dumps(seen.as_json()), "the log of a simulator")
    trial.equal(exhibits.hits(), [], "credentials shown")
    for kind in _EVERYWHERE:
        trial.expect(exhibits.seen[kind], f"no {kind} was looked at")
    trial.expect(exhibits.masked["wire log"], "no mask was seen in a wire log: the search may look at nothing")
    if type(backend).provider.request_id_headers:
        for kind in ("event", "audit log"):
            trial.expect(exhibits.masked[kind], f"no mask was seen in an {kind}: the search may look at nothing")


async def _busy(trial: Trial, backend: Any) -> None:
    """Let calls end in every way."""
    options = options_of(trial)
    await trial.call(backend, **options)
    for action in _ACTIONS:
        await befallen(trial, backend, action)
    if trial.subject.stream is not None:
        await trial.stream(backend, **options).collect()
        await befallen(trial, backend, ErrorEvent(1, message=said(KEYS[0])), stream=True)
    trial.sim.hold()
    doomed = trial.spawn(trial.call(backend, **options))
    await trial.sim.until(held=1)
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    trial.sim.let_go()


async def _forgotten(trial: Trial, observers: list[Any]) -> None:
    """Forget a task that failed, and a backend that was never closed, so that Python itself complains."""
    forgotten = trial.make(**{**SETTINGS, "api_keys": KEYS, "observers": observers})
    trial.fault(Status(500, message=said(KEYS[0]), headers=_NAMED), nth=1)
    task = asyncio.get_running_loop().create_task(trial.call(forgotten))
    await asyncio.wait([task])
    closing = forgotten.aclose() if "http" not in trial.subject.tags else None  # threads would outlive the check
    del task, forgotten
    gc.collect()
    if closing is not None:
        await closing
    await trial.settle()


def _audited(path: Path, exhibits: Exhibits) -> None:
    exhibits.show("audit log", path.read_bytes(), "the audit log")


def _exported(collector: Collector, exhibits: Exhibits) -> None:
    for span in collector.spans():
        exhibits.show("span", span.to_json(), span.name)
    for name, point in collector.points():
        exhibits.show("measurement", repr(point), name)


def _reported(backend: Any, exhibits: Exhibits) -> None:
    report = backend.report()
    exhibits.show("metrics", metrics_text([backend]), "the text for Prometheus")
    exhibits.show("report", json.dumps(report), "the report")
    exhibits.show("page", render.page(report), "the page")
    exhibits.show("page", render.text(report), "the page in the terminal")
    for shown in (
        backend,
        vars(backend),
        backend.queue_status(),
        backend.endpoint().key_status(),
        vars(backend.endpoint()),
    ):
        exhibits.show("appearance", repr(shown), "the backend")
