"""One request in a thread: its time limit, its size limit, and the means to end it from outside.

A thread cannot be killed. What can be done is done here: the socket it waits on is shut down, so that it wakes at once,
and every pause between two pieces of a transfer asks whether it is still wanted. Only the making of a connection cannot
be interrupted; it is bounded by ``connect_timeout``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backends.resilience.call import Call
from backends.s3_kit.quiet import quiet
from backends.s3_kit.replies import Progress

__all__ = ["Aborted", "Exchange", "TooLargeError", "current"]

_SLACK = 1.0
"""Seconds that a socket outlives the call's deadline: the deadline itself is the caller's error, not the server's
fault."""
_LARGEST_HEADER = 1_000
_active = threading.local()


class Aborted(Exception):  # noqa: N818 - a signal inside a thread that never reaches a caller
    """Nobody waits for this exchange any more."""


class TooLargeError(Exception):
    """An answer is larger than allowed."""


def current() -> Exchange | None:
    """Return the exchange that this thread is busy with."""
    return getattr(_active, "exchange", None)


class Exchange:
    """See the module docstring.

    Args:
        call: whose attempt this is.
        now: returns monotonic seconds by the backend's clock.
        largest: bytes of an answer that is read whole; None for one that is written to a file.
        progress: told on the event loop how far a transfer is.
    """

    def __init__(
        self,
        call: Call[Any],
        now: Callable[[], float],
        *,
        largest: int | None,
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        self.call = call
        self.largest = largest
        self.aborted = False
        self.sent = False
        """True once a request may have reached the server."""
        self.error_body = b""
        """The beginning of an error answer, for what boto3 does not read in it."""
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._progress = progress
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        left = None if call.deadline_at is None else max(0.0, call.deadline_at - now())
        self._expires = None if left is None else time.monotonic() + left + _SLACK

    # -- in the thread -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Mark this thread as busy with this exchange."""
        _active.exchange = self
        try:
            self.check()
            with quiet():
                yield
        finally:
            _active.exchange = None
            with self._lock:
                self._socket = None

    def check(self) -> None:
        """Stop here if nobody waits any more.

        Raises:
            Aborted: nobody does.
        """
        if self.aborted:
            raise Aborted

    def hold(self, connected: socket.socket | None) -> None:
        """Remember the socket that the thread is about to wait on.

        Raises:
            Aborted: nobody waits any more.
        """
        with self._lock:
            self._socket = connected
            self.check()

    def bounded(self, timeout: Any) -> Any:
        """Return a socket's timeout, shortened to what is left of the deadline."""
        if self._expires is None:
            return timeout
        left = max(0.001, self._expires - time.monotonic())
        return min(timeout, left) if isinstance(timeout, int | float) else left

    def tell(self, progress: Progress) -> None:
        """Report progress on the event loop; a loop that is closed has nobody who would hear it."""
        if self._progress is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._progress, progress)

    def facts(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a :class:`~backends.types.Reply` for an answer of boto3; ``raw`` is the answer without
        its body."""
        about = answer.get("ResponseMetadata", {})
        headers = about.get("HTTPHeaders", {})
        return {
            "raw": {name: value for name, value in answer.items() if name != "Body"},
            "request_id": self.call.id,
            "provider_request_id": about.get("RequestId") or None,
            "attempts": self.call.attempts,
            "latency": self._now() - self.call.started,
            "headers": {str(name).lower(): str(value)[:_LARGEST_HEADER] for name, value in headers.items()},
        }

    # -- from outside --------------------------------------------------------------------------------------------------

    def abort(self) -> None:
        """Wake the thread and make it end; harmless when it has ended."""
        with self._lock:
            self.aborted = True
            held = self._socket
            if held is not None:
                with contextlib.suppress(OSError):
                    # Of the plain socket, below TLS: the thread may be inside the TLS object.
                    socket.socket.shutdown(held, socket.SHUT_RDWR)
