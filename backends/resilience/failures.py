"""What a failed attempt means: whose fault, and may it be repeated. Judged by replay safety before status.

Two questions come first: can the server have started work, and who is to blame. Only then does the status speak. Nothing
here waits, counts or decides how often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, Self

from backends import errors
from backends.discretion import bare, hidden, redact
from backends.operation import Repeat
from backends.resilience import hints
from backends.secret import Key
from backends.wire.values import Failure, WireError

__all__ = [
    "AttemptFailed",
    "Blame",
    "error_class",
    "failed_answer",
    "failed_format",
    "failed_stream",
    "failed_wire",
]


class Blame(Enum):
    """Who is to blame, which decides who learns of it."""

    REQUEST = "request"
    """The caller's request: raised at once, nobody learns."""
    KEY_BUSY = "key busy"
    """A 429: this key cools down, the others go on."""
    KEY_REFUSED = "key refused"
    """401, 402, 403 or spent quota: this key is retired, the next is tried without sleep."""
    CONTENTION = "contention"
    """408, 409, a server that is full whoever asks or "not ready yet" told with another 4xx, an engine behind the server
    that failed (424): try again, nobody learns."""
    OUTAGE = "outage"
    """Connect, reset, timeout, 5xx, 529, a stream that died: the breaker learns, try again."""


class AttemptFailed(Exception):  # noqa: N818 - a signal between layers that never reaches a caller
    """One attempt ended in ``error``.

    Attributes:
        error: what the caller will see if nothing further is tried.
        blame: who is to blame.
        repeatable: whether the same request may be put on the wire again.
        hint: seconds that the server asked to wait, None when it did not say.
        kind: status or transport failure, for "the same failure on two keys counts once".
        most_repeats: how often the call may have been repeated before and still be repeated after this failure; None
            leaves that to the settings.
    """

    def __init__(
        self,
        error: errors.BackendError,
        blame: Blame,
        *,
        repeatable: bool,
        kind: object,
        hint: float | None = None,
        most_repeats: int | None = None,
    ) -> None:
        super().__init__()
        self.error = error
        self.blame = blame
        self.repeatable = repeatable
        self.kind = kind
        self.hint = hint
        self.most_repeats = most_repeats

    def made_known(self, keys: Iterable[Key]) -> Self:
        """Return the failure as others may learn of it: without these keys, and without the frames that it came through."""
        known = tuple(keys)
        redact(bare(self.error), known)
        if type(self.kind) is str:  # a provider's code
            self.kind = hidden(self.kind, known)
        return bare(self)


_BY_STATUS: Final[dict[int, type[errors.BackendError]]] = {
    400: errors.InvalidRequestError,
    401: errors.AuthenticationError,
    402: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    405: errors.UnsupportedError,
    408: errors.ServerError,
    409: errors.ServerError,
    413: errors.InvalidRequestError,
    422: errors.InvalidRequestError,
    429: errors.RateLimitError,
    503: errors.OverloadedError,
    529: errors.OverloadedError,
}

_ENGINE_FAILED: Final = 424
_REFUSED_UNPROCESSED: Final = frozenset({401, 402, 403, 409, 429, 503, 529})


def error_class(status: int) -> type[errors.BackendError]:
    """Return the error class for a status that no provider code makes more precise."""
    found = _BY_STATUS.get(status)
    if found is not None:
        return found
    return errors.ServerError if status >= 500 else errors.InvalidRequestError


def failed_answer(
    error: errors.BackendError,
    headers: Mapping[str, str],
    body: Any,
    repeat: Repeat,
    wall: float,
    repeat_once: frozenset[int] = frozenset(),
) -> AttemptFailed:
    """Classify an answer that was an error.

    Args:
        error: the typed error that the provider module made of it; ``status`` is set.
        headers, body: where a hint may stand.
        repeat: what the operation allows.
        wall: unix seconds, for hints that are dates.
        repeat_once: statuses after which this operation is repeated once and no oftener, unless the server is only
            overloaded. After a 424 every operation is.
    """
    status = error.status or 0
    if isinstance(error, errors.QuotaExceededError | errors.AuthenticationError) or status == 403:
        blame = Blame.KEY_REFUSED
    elif status in (408, 409) or (400 <= status < 500 and isinstance(error, errors.ServerError)):
        blame = Blame.CONTENTION
    elif status == 429 or isinstance(error, errors.RateLimitError):
        blame = Blame.KEY_BUSY
    elif status >= 500 and not isinstance(error, errors.InvalidRequestError):
        blame = Blame.OUTAGE
    else:  # a 5xx too, where the provider module read from it that the request is at fault
        blame = Blame.REQUEST
    told = hints.should_retry(headers)
    if told is True and blame is Blame.REQUEST:
        blame = Blame.CONTENTION
    repeatable = told is not False and (
        repeat is Repeat.ALWAYS or (repeat is Repeat.UNPROCESSED and status in _REFUSED_UNPROCESSED)
    )
    hint = None
    if blame in (Blame.KEY_BUSY, Blame.OUTAGE, Blame.CONTENTION):
        hint = hints.retry_after(headers, body, wall=wall, status=status)
        if hint is None:
            hint = error.retry_after  # of an event inside a stream: its reader has seen the body
    if hint is not None:
        error.retry_after = hint
    # What fails in the engine twice is mostly the request's own doing.
    once = status == _ENGINE_FAILED or (status in repeat_once and not isinstance(error, errors.OverloadedError))
    return AttemptFailed(error, blame, repeatable=repeatable, kind=status, hint=hint, most_repeats=1 if once else None)


_WORDS: Final[dict[Failure, str]] = {
    Failure.CONNECT: "The connection could not be made",
    Failure.CONNECT_TIMEOUT: "The connection was not made in time",
    Failure.TLS: "The TLS handshake failed",
    Failure.RESET_BEFORE_SENT: "The connection was lost before the request was sent",
    Failure.RESET_AFTER_SENT: "The connection was lost before an answer came",
    Failure.WRITE_TIMEOUT: "The request could not be sent in time",
    Failure.READ_TIMEOUT: "No answer came in time",
    Failure.IDLE_TIMEOUT: "The stream stalled",
    Failure.CUT_SHORT: "The answer was cut short",
    Failure.PROTOCOL: "The answer was not HTTP",
    Failure.TOO_LARGE: "The answer is larger than allowed",
    Failure.DECOMPRESSION: "The answer could not be decompressed within bounds",
    Failure.REDIRECT: "A redirect was refused",
    Failure.INSECURE: "An insecure connection was refused",
    Failure.PROXY: "The proxy refused the connection",
}
_UNREADABLE: Final = frozenset({Failure.TOO_LARGE, Failure.DECOMPRESSION})
_FINAL: Final = frozenset({Failure.TLS, Failure.REDIRECT, Failure.INSECURE, Failure.PROXY})


def failed_wire(problem: WireError, repeat: Repeat, **facts: Any) -> AttemptFailed:
    """Classify a failure of the network or of the bytes; ``facts`` go onto the error."""
    text = f"{_WORDS[problem.failure]}: {problem.message}" if problem.message else f"{_WORDS[problem.failure]}."
    if problem.failure in _UNREADABLE:
        return AttemptFailed(
            errors.ResponseFormatError(text, **facts), Blame.REQUEST, repeatable=False, kind=problem.failure
        )
    error = errors.TransportError(text, code=problem.failure.value, **facts)
    if problem.failure in _FINAL:
        return AttemptFailed(error, Blame.REQUEST, repeatable=False, kind=problem.failure)
    repeatable = repeat is Repeat.ALWAYS or (repeat is Repeat.UNPROCESSED and not problem.sent)
    return AttemptFailed(error, Blame.OUTAGE, repeatable=repeatable, kind=problem.failure)


def failed_format(message: str, **facts: Any) -> AttemptFailed:
    """Classify a 200 whose content cannot be read: the provider answered, so nothing is repeated and no breaker learns."""
    return AttemptFailed(errors.ResponseFormatError(message, **facts), Blame.REQUEST, repeatable=False, kind="format")


def failed_stream(error: errors.BackendError, repeat: Repeat, wall: float) -> AttemptFailed:
    """Classify an error event inside a 200 stream by the status that the provider module gave it; none is an outage."""
    if error.status is None:
        known_request = isinstance(error, errors.InvalidRequestError | errors.ResponseFormatError)
        return AttemptFailed(
            error,
            Blame.REQUEST if known_request else Blame.OUTAGE,
            repeatable=repeat is Repeat.ALWAYS and not known_request,
            kind=error.code or "stream",
        )
    return failed_answer(error, {}, None, repeat, wall)
