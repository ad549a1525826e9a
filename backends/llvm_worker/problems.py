"""What a worker says when it cannot do what it was asked: one exception, with a code that the caller maps to a class."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["STATUSES", "Problem", "UncleanEnd"]

STATUSES: Final = {
    "invalid_frame": 400,
    "parse": 400,
    "verify": 422,
    "link": 422,
    "emit": 422,
    "unknown_target": 422,
    "unknown_cpu": 422,
    "unknown_feature": 422,
    "missing_symbol": 404,
    "signature": 422,
    "crashed": 422,
    "exited": 422,
    "time_limit": 422,
    "memory_limit": 422,
    "no_executable_memory": 422,
    "llvmlite_missing": 422,
    "internal": 500,
}
"""Code -> status in the meaning of HTTP: 4xx is the caller's to mend, 5xx the worker's."""


class Problem(Exception):  # noqa: N818 - an answer, not a failure of the program
    """One of :data:`STATUSES`, with a message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """400 and up."""
        return STATUSES[self.code]

    def told(self) -> dict[str, Any]:
        """Return the fields of an answer that say it."""
        return {"status": self.status, "error": {"code": self.code, "message": self.message}}


class UncleanEnd(Problem):
    """A run did not end by itself and well: processes that it started may be left, so its worker must not go on."""
