"""Calls in the log, through the standard logging module: one record a call, one a repeat, all under ``backends``.

Nothing is written unless the application has configured logging. Keys appear as fingerprints; texts of requests and answers
and messages of errors, which may quote them, never appear.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from backends.telemetry.events import AttemptEnded, CallEnded, Event, Interest, fields_of

__all__ = ["CallLog"]

_NAME: Final = "backends"
_ENDED: Final = "%s %s: %s%s after %.3f s, attempts: %d, request %s"
_REPEATED: Final = "%s %s: attempt %d failed (%s), the next one in %.3g s, request %s"
logging.getLogger(_NAME).addHandler(logging.NullHandler())  # else failures would go to stderr by Python's last resort


class CallLog:
    """An observer that logs.

    A record is built only where its level is on. Where in the code it was written is this module, always, so no stack is
    walked to find that out.

    Levels: a success or a cancellation is INFO; a repeat is WARNING, as is a failure that the caller or our own limits
    caused; any other failure is ERROR. Every field of :func:`~backends.telemetry.events.fields_of` is an attribute of the
    record, so a formatter can show it and a JSON formatter picks it up.

    Args:
        logger: where to; ``backends`` or a name below it keeps it beside the library's other messages.
    """

    interest = Interest.ENDS | Interest.FAILED_ATTEMPTS

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger(f"{_NAME}.calls")

    def __call__(self, event: Event, /) -> None:
        """Log the end of a call, or an attempt that is followed by another."""
        if isinstance(event, CallEnded):
            self._call_ended(event)
        elif isinstance(event, AttemptEnded) and event.delay is not None:
            self._repeated(event, event.delay)

    def _call_ended(self, event: CallEnded) -> None:
        level = _level(event)
        if not self._logger.isEnabledFor(level):
            return
        call = event.call
        failed = ""
        if event.error:
            failed = f" ({event.error}{f' {event.status}' if event.status is not None else ''})"
        told = (call.provider, call.operation, event.outcome, failed, event.total, event.attempts, call.request_id)
        self._log(level, _ENDED, told, fields_of(event))

    def _repeated(self, event: AttemptEnded, delay: float) -> None:
        if not self._logger.isEnabledFor(logging.WARNING):
            return
        call = event.call
        self._log(
            logging.WARNING,
            _REPEATED,
            (call.provider, call.operation, event.number, event.reason, delay, call.request_id),
            {
                "request_id": call.request_id,
                "provider": call.provider,
                "operation": call.operation,
                "model": call.model,
                "endpoint": call.endpoint,
                "tenant": call.tenant,
                "key": event.key,
                "attempt": event.number,
                "reason": event.reason,
                "error": event.error,
                "status": event.status,
                "delay_seconds": delay,
                "attempt_seconds": event.seconds,
            },
        )

    def _log(self, level: int, words: str, told: tuple[Any, ...], fields: Mapping[str, Any]) -> None:
        logger = self._logger
        record = logger.makeRecord(logger.name, level, __file__, 0, words, told, None)
        vars(record).update(fields)  # no name of a field is one of a record's own: a test holds that
        logger.handle(record)


def _level(event: CallEnded) -> int:
    if event.outcome != "failure":
        return logging.INFO
    return logging.WARNING if event.fault in ("caller", "limits") else logging.ERROR
