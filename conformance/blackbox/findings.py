"""What can come of talking to a subject besides an answer: an error that it told, misconduct of its own, a claim it does not make."""

from __future__ import annotations

from typing import Any

from conformance.judge import CheckFailed

__all__ = ["Misconduct", "NotClaimed", "Overdue", "Told"]


class Told(Exception):  # noqa: N818 - an answer of the subject, not an error of the program
    """The client's own error, as far as it tells: a call that failed.

    Attributes:
        kind: the class of the protocol (``rate_limit``).
        message, type: the client's words and its name for the error.
        status, code, attempts, retry_after: None where the client does not tell.
        partial: text that came before a stream died, ``""`` where the client does not tell.
    """

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['class']}: {error['message'][:200]}")
        self.kind: str = error["class"]
        self.message: str = error["message"]
        self.type: str | None = error.get("type")
        self.status: int | None = error.get("status")
        self.code: str | None = error.get("code")
        self.attempts: int | None = error.get("attempts")
        self.retry_after: float | None = error.get("retry_after")
        self.partial: str = error.get("partial") or ""


class Misconduct(CheckFailed):
    """The subject broke the protocol: it crashed, fell silent, or wrote what nobody asked for. It is of no further use."""


class Overdue(CheckFailed):
    """One call did not end in time, although the subject still answers."""


class NotClaimed(Exception):  # noqa: N818 - neither red nor green
    """The question asks for what the client does not offer; the message says what."""
