"""Saboteurs of SEC-06 and SEC-07: audit logs that forget, tell too much, or can be changed without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from backends.telemetry.audit import AuditLog
from backends.telemetry.events import CallEnded, fields_of
from conformance.saboteurs import saboteur
from conformance.subject import PLANTED_KEY


def _auditing(backend: Any, change: Callable[[AuditLog], Callable[[Any], Any]]) -> None:
    """Put another observer in the place of each audit log."""
    for guarded in backend._observers._guarded if backend._observers is not None else ():
        if isinstance(guarded.observer, AuditLog):
            guarded.observer = change(guarded.observer)


@saboteur("SEC-06", "rewrites the file with every line")
def rewrites_the_log(backend: Any) -> None:
    """It has all lines in memory anyway."""

    def change(log: AuditLog) -> Callable[[Any], Any]:
        lines: list[bytes] = []

        def rewriting(event: Any) -> None:
            before = log._path.read_bytes()
            log(event)
            lines.append(log._path.read_bytes()[len(before) :])
            log._path.write_bytes(b"".join(lines))

        return rewriting

    _auditing(backend, change)


@saboteur("SEC-06", "writes the key into the log")
def writes_the_key(backend: Any) -> None:
    """A fingerprint is so hard to read."""

    def change(log: AuditLog) -> Callable[[Any], Any]:
        return lambda event: log(replace(event, key=PLANTED_KEY) if isinstance(event, CallEnded) else event)

    _auditing(backend, change)


@saboteur("SEC-07", "leaves failures out")
def drops_failures(backend: Any) -> None:
    """They cost nothing, so why keep them."""

    def change(log: AuditLog) -> Callable[[Any], Any]:
        return lambda event: log(event) if getattr(event, "outcome", "") != "failure" else None

    _auditing(backend, change)


@saboteur("SEC-07", "leaves cancelled calls out")
def drops_the_cancelled(backend: Any) -> None:
    """Nobody waited for them."""

    def change(log: AuditLog) -> Callable[[Any], Any]:
        return lambda event: log(event) if getattr(event, "outcome", "") != "cancelled" else None

    _auditing(backend, change)


@saboteur("SEC-07", "lets everybody read the log")
def opens_it_to_all(backend: Any) -> None:
    """Support asked for it."""

    def change(log: AuditLog) -> Callable[[Any], Any]:
        def opened(event: Any) -> None:
            log(event)
            log._path.chmod(0o644)

        return opened

    _auditing(backend, change)


@saboteur("SEC-07", "writes lines without a chain")
def without_a_chain(backend: Any) -> None:
    """JSON lines are JSON lines."""

    def change(log: AuditLog) -> Callable[[Any], Any]:
        def plain(event: Any) -> None:
            if isinstance(event, CallEnded):
                with log._path.open("a") as file:
                    file.write(json.dumps({"actor": log._actor, **fields_of(event)}) + "\n")

        return plain

    _auditing(backend, change)


@saboteur("SEC-07", "appends what was asked to each line")
def keeps_the_texts(backend: Any) -> None:
    """It will be useful for debugging."""
    make = backend._call
    asked: list[str] = []

    def spoilt(name: str, model: Any, attempt: Any, *rest: Any) -> Any:
        cells = [cell.cell_contents for cell in attempt.__closure__ or ()]
        asked.extend(
            cell.body.decode("utf-8", "replace") for cell in cells if isinstance(getattr(cell, "body", None), bytes)
        )
        return make(name, model, attempt, *rest)

    def change(log: AuditLog) -> Callable[[Any], Any]:
        return lambda event: log(
            replace(event, provider_request_id=asked[-1]) if isinstance(event, CallEnded) and asked else event
        )

    backend._call = spoilt
    _auditing(backend, change)
