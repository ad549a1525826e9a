"""The audit log: one line of JSON for each finished call, appended and never changed, chained so that a change is found.

A line holds who, what, when, the outcome, tokens and cost; never a key (its fingerprint stands for it) and never a text of
a request or answer.
"""

from __future__ import annotations

import logging
import math
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

from backends.errors import ConfigurationError
from backends.telemetry import process
from backends.telemetry.audit_buffer import Buffer
from backends.telemetry.audit_chain import Chain, verify
from backends.telemetry.audit_file import AuditFile
from backends.telemetry.audit_line import Lines
from backends.telemetry.events import CallEnded, Event, Interest

__all__ = ["AuditLog", "Chain", "verify"]

_LOG: Final = logging.getLogger(__name__)
_LEAST_BYTES: Final = 4096
_LONGEST_INTERVAL: Final = 60.0


class AuditLog:
    """An observer that writes an audit log. Safe from many threads, processes and after a fork: writers take turns.

    A line stands in the file when the call returns: it is written at once, unbuffered. So nothing is lost when the process
    dies, however it dies; when the machine dies, what the system had not yet brought to the disk is, unless ``fsync``.
    With ``flush_interval`` lines are written together by a thread: that costs a call about half, and a process that is
    killed, or ends by ``os._exit``, loses the lines of the last interval, a thousand at most; one that ends otherwise writes
    them first. Their order is kept in either case.

    When the disk fails the call goes on: the failure is logged once and counted in ``report()["observers"]``.

    Args:
        path: the file, made with mode 0600. It is opened at once, so that a mistake shows here and not in a report.
        actor: who calls, as text or as a function that tells when a call ends (from a context variable, say); the user
            id of the process when not given.
        fsync: wait for the disk after every line. That blocks the event loop for as long as the disk takes, unless
            there is a ``flush_interval``: then the thread waits, once for all lines that it writes together.
        max_bytes: before a line would make the file longer, the file becomes ``PATH.1`` (``.2`` and so on: the highest
            number is the youngest) and a new one continues the chain; None never does that. No file is ever deleted.
        flush_interval: seconds that a line may wait in memory, above 0 and at most 60; None writes each line at once.

    Raises:
        ConfigurationError: an argument is wrong, the file cannot be opened, is a link or may be read or written by others,
            or the system has no file locks.
    """

    interest = Interest.ENDS

    def __init__(
        self,
        path: str | Path,
        *,
        actor: str | Callable[[], str] | None = None,
        fsync: bool = False,
        max_bytes: int | None = None,
        flush_interval: float | None = None,
    ) -> None:
        if max_bytes is not None and (isinstance(max_bytes, bool) or max_bytes < _LEAST_BYTES):
            raise ConfigurationError(f"max_bytes must be {_LEAST_BYTES} or more, or None, not {max_bytes!r}.")
        if flush_interval is not None and not _is_interval(flush_interval):
            raise ConfigurationError(
                f"flush_interval must be a number of seconds above 0 and at most {_LONGEST_INTERVAL:g}, or None, "
                f"not {flush_interval!r}."
            )
        self._path = Path(path)
        self._actor = actor if actor is not None else f"uid:{os.getuid()}"
        self._lines = Lines()
        self._file = AuditFile(self._path, fsync=fsync, max_bytes=max_bytes)
        self._buffer = Buffer(self._file.append, flush_interval) if flush_interval is not None else None
        if self._buffer is not None:
            weakref.finalize(self, _finish, self._buffer)  # at the end of the process, too

    def __call__(self, event: Event, /) -> None:
        """Append a line for the end of a call.

        Raises:
            OSError: the disk failed; what was written of the line is closed off by the next one. With a ``flush_interval``
                it is an earlier line that was lost.
        """
        if not isinstance(event, CallEnded):
            return
        actor = self._actor if isinstance(self._actor, str) else self._actor()
        members = self._lines.members(event, actor, process.number)
        if self._buffer is None:
            self._file.append((members,))
        else:
            self._buffer.add(members)

    def flush(self) -> None:
        """Write the lines that wait, where there is a ``flush_interval``.

        Raises:
            OSError: the disk failed; lines are lost.
        """
        if self._buffer is not None:
            self._buffer.flush()

    def close(self) -> None:
        """Write what waits and close the file; idempotent. A later call opens it again.

        Raises:
            OSError: the disk failed; lines that waited are lost.
        """
        try:
            if self._buffer is not None:
                self._buffer.close()
        finally:
            self._file.close()


def _finish(buffer: Buffer) -> None:
    try:
        buffer.close()
    except OSError as problem:
        _LOG.warning("The audit log lost its last lines: %s.", problem.strerror)


def _is_interval(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 < value <= _LONGEST_INTERVAL
    )
