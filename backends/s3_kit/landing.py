"""Where a download lands: in memory, or in a partial file (:mod:`backends.s3_kit.file_landing`).

A landing outlives attempts: what has arrived stays, and the next attempt continues from there as long as the object is
the same (its ETag). Nothing here talks to a server.

A thread cannot be stopped when its call is cancelled, so a landing may be closed while an attempt's thread is still at
work on it. Then whoever leaves last closes it, and no thread that comes later opens it again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from backends import errors
from backends.s3_kit.digests import Digests

__all__ = ["Landing", "MemoryLanding"]

_A_MOMENT: Final = 0.2
"""Seconds in which a thread whose socket was shut down has left; only one that makes a connection takes longer."""
_WORTH_KEEPING: Final = 64 * 1024
"""Bytes below which a download that broke off begins anew: a second request would save nothing."""


class Landing:
    """What has arrived of one object. One attempt at a time writes to it; only ``close`` may come from elsewhere."""

    path: Path | None = None

    def __init__(self) -> None:
        self.position = 0
        """Bytes that are here; the next piece goes after them."""
        self.etag: str | None = None
        """Of the object they belong to; without one, nothing is continued."""
        self.resumed_from = 0
        """Bytes that were here before this download began."""
        self.resumed = False
        """True once a request asked for the rest only; what went before may then be to blame for a bad whole."""
        self.digests = Digests()
        self._guard = threading.Condition()
        self._at_work = False
        self._over = False

    @property
    def continues(self) -> bool:
        """True when what is here is worth asking for the rest only."""
        return self.etag is not None and self.position >= _WORTH_KEEPING

    @contextlib.contextmanager
    def attempt(self, check: Callable[[], object]) -> Iterator[None]:
        """Hold it for the thread of one attempt.

        Args:
            check: called while what is here is read once more; may raise, and then it stays as it is.

        Raises:
            ClosedError: it was closed before this thread came.
        """
        with self._guard:
            if self._over:
                raise errors.ClosedError("This download is over.")
            self._at_work = True
        try:
            self._open(check)
            yield
        finally:
            self._left()

    def _left(self) -> None:
        with self._guard:
            self._at_work = False
            self._guard.notify_all()
            if self._over:
                self._close()

    def begin(self, etag: str | None, total: int | None) -> None:
        """An answer with bytes of this object is about to be read."""
        del total
        self.etag = etag

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.digests.update(data)
        self.position += len(data)

    def restart(self) -> None:
        """Forget what has arrived."""
        self.position = 0
        self.resumed_from = 0
        self.etag = None
        self.digests = Digests()

    def finish(self) -> None:
        """Everything is here and was verified."""

    def discard(self) -> None:
        """What is here is wrong: leave nothing behind."""
        self.restart()

    def close(self) -> None:
        """Give everything back; what has arrived may stay for a later download. Idempotent.

        A thread that is still at work is waited for a moment, since it has been woken; one that is slower closes it.
        """
        with self._guard:
            self._over = True
            if self._guard.wait_for(lambda: not self._at_work, _A_MOMENT):
                self._close()

    def _open(self, check: Callable[[], object]) -> None:
        """Get ready, again before every attempt; idempotent."""

    def _close(self) -> None:
        """Give everything back; idempotent."""


class MemoryLanding(Landing):
    """Bytes in memory, no more than ``largest``."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self._largest = largest
        self._pieces: list[bytes] = []

    def begin(self, etag: str | None, total: int | None) -> None:
        """Refuse an object that is too large before it is read."""
        super().begin(etag, total)
        if total is not None and total > self._largest:
            self._refuse()

    def write(self, data: bytes) -> None:
        """Take the next bytes, within the bound."""
        if self.position + len(data) > self._largest:
            self._refuse()
        super().write(data)
        self._pieces.append(data)

    def restart(self) -> None:
        """Forget what has arrived."""
        super().restart()
        self._pieces.clear()

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)

    def _refuse(self) -> None:
        raise errors.ResponseFormatError(
            f"The object is larger than max_response_bytes ({self._largest}); download it to a file.", code="too_large"
        )
