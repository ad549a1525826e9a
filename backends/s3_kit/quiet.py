"""Keeps credentials out of botocore's debug log: it writes whole requests there, with signature and session token.

Only debug records are dropped, and only those that botocore and boto3 write on behalf of this library's calls.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

__all__ = ["install", "quiet"]

_thread = threading.local()


class _NoDebug(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG or not getattr(_thread, "quiet", False)


_filter = _NoDebug()


def install() -> None:
    """Put the filter on every logger of botocore and boto3 that there is by now; idempotent."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in ("botocore", "boto3"):
            logger.addFilter(_filter)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop the debug records that this thread causes."""
    before = getattr(_thread, "quiet", False)
    _thread.quiet = True
    try:
        yield
    finally:
        _thread.quiet = before
