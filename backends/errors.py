"""The one error tree of the library: what went wrong, whose fault it was, whether and when to come back.

    BackendError
    ├── ConfigurationError            a setting, credential or file of the caller is wrong; nothing was sent
    ├── InvalidRequestError           the request itself is at fault; repeating it cannot help
    │   ├── ContextLengthError        the input is longer than the model takes
    │   ├── ContentFilterError        the provider's policy refused the content
    │   ├── UnsupportedError          the provider does not offer this; raised before the wire
    │   └── UnknownModelError         no such model, or a retired one; carries suggestions
    ├── AuthenticationError           the key is missing or was refused (401, 402)
    ├── PermissionDeniedError         the key may not do this (403)
    ├── NotFoundError                 the thing asked for is not there (404)
    ├── RateLimitError                too many requests (429)
    │   └── QuotaExceededError        money or daily quota is used up; never retried
    │       └── BudgetExceededError   this client's own max_cost has no room for the call; nothing was sent
    ├── ServerError                   the provider failed (5xx)
    │   └── OverloadedError           the provider says it is overloaded (503 with its code, 529)
    ├── TransportError                the network failed: refused, reset, timed out, cut short
    ├── DeadlineExceededError         the caller's deadline passed
    ├── ServiceUnavailableError       the circuit breaker is open; nothing was sent
    ├── QueueFullError                the queue is full; nothing was sent
    ├── ClosedError                   the backend was closed
    ├── ResponseFormatError           the answer cannot be read, or is larger than allowed
    └── StreamInterruptedError        a stream ended in an error after content had come; carries what came

Cancellation stays what the language has: ``asyncio.CancelledError`` passes through untouched.

This module must never import another part of the package, and no message here may contain a credential.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AuthenticationError",
    "BackendError",
    "BudgetExceededError",
    "ClosedError",
    "ConfigurationError",
    "ContentFilterError",
    "ContextLengthError",
    "DeadlineExceededError",
    "InvalidRequestError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "QueueFullError",
    "QuotaExceededError",
    "RateLimitError",
    "ResponseFormatError",
    "ServerError",
    "ServiceUnavailableError",
    "StreamInterruptedError",
    "TransportError",
    "UnknownModelError",
    "UnsupportedError",
]

_FIELDS = (
    "status",
    "code",
    "provider",
    "request_id",
    "provider_request_id",
    "attempts",
    "retry_after",
    "partial",
    "suggestions",
    "usage",
    "cost",
    "hops",
)


class BackendError(Exception):
    """Anything this library raises.

    Attributes:
        message: one sentence for people, without secrets.
        status: HTTP status of the last answer, or None when there was none.
        code: the provider's own error code or type, or None.
        provider: the row name of the provider (``"openai"``), or None before one is known.
        request_id: our UUID of the request.
        provider_request_id: the provider's id of the last answer, when it gave one.
        attempts: how many times the request was put on the wire.
        retry_after: seconds until it makes sense to come back, or None when unknown.
        partial: what had arrived before the failure (text of a stream, bytes of a download), or None.
        suggestions: names the caller may have meant (models, arguments, backends).
        usage: tokens of a stream up to where it broke off (a :class:`backends.types.Usage`, whose ``estimated`` says whose
            count it is), or None.
        cost: what that is charged in US dollars, or None when unknown.
        hops: what a chain tried in vain, this error's own hop last; see :mod:`backends.failover`.
    """

    fault = "provider"
    """Whose fault: ``caller``, ``key``, ``provider``, ``network`` or ``limits`` (this client's own limits)."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        provider: str | None = None,
        request_id: str | None = None,
        provider_request_id: str | None = None,
        attempts: int = 0,
        retry_after: float | None = None,
        partial: Any = None,
        suggestions: tuple[str, ...] = (),
        usage: Any = None,
        cost: float | None = None,
        hops: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.provider = provider
        self.request_id = request_id
        self.provider_request_id = provider_request_id
        self.attempts = attempts
        self.retry_after = retry_after
        self.partial = partial
        self.suggestions = suggestions
        self.usage = usage
        self.cost = cost
        self.hops = hops

    def __str__(self) -> str:
        about = [
            f"{label} {value}"
            for label, value in (
                ("provider", self.provider),
                ("status", self.status),
                ("code", self.code),
                ("attempts", self.attempts or None),
                ("request", self.request_id),
            )
            if value is not None
        ]
        text = self.message
        if self.suggestions:
            text += f" Did you mean: {', '.join(self.suggestions)}?"
        return f"{text} ({', '.join(about)})" if about else text

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: getattr(self, name) for name in _FIELDS}
        return _rebuild, (type(self), self.message, state, self.__cause__)


def _rebuild(cls: type[BackendError], message: str, state: dict[str, Any], cause: BaseException | None) -> BackendError:
    error = cls(message, **state)
    error.__cause__ = cause
    return error


class ConfigurationError(BackendError, ValueError):
    """A setting, credential or file of the caller is wrong; the message names it and what to do."""

    fault = "caller"


class InvalidRequestError(BackendError, ValueError):
    """The request itself is at fault (an argument, or 400, 413, 422 from the provider)."""

    fault = "caller"


class ContextLengthError(InvalidRequestError):
    """The input does not fit the model's context."""


class ContentFilterError(InvalidRequestError):
    """The provider's content policy refused the request."""


class UnsupportedError(InvalidRequestError):
    """The provider does not offer this; raised before anything is sent."""


class UnknownModelError(InvalidRequestError):
    """The model does not exist or was retired; ``suggestions`` holds the nearest names."""


class AuthenticationError(BackendError):
    """The key is missing, malformed or refused (401, 402)."""

    fault = "key"


class PermissionDeniedError(BackendError):
    """The key is known but may not do this (403)."""

    fault = "key"


class NotFoundError(BackendError, LookupError):
    """The thing asked for does not exist (404)."""

    fault = "caller"


class RateLimitError(BackendError):
    """Too many requests (429); ``retry_after`` says when to come back if the provider said so."""

    fault = "key"


class QuotaExceededError(RateLimitError):
    """Credit, spend limit or daily quota is used up: waiting seconds does not help, so it is never retried."""


class BudgetExceededError(QuotaExceededError):
    """A budget of this client (``max_cost``) has no room for the call: nothing was sent."""

    fault = "limits"


class ServerError(BackendError):
    """The provider failed (5xx)."""


class OverloadedError(ServerError):
    """The provider says that it is overloaded."""


class TransportError(BackendError, ConnectionError):
    """The network failed: refused, reset, timed out, closed early, or a TLS or redirect rule was broken."""

    fault = "network"


class DeadlineExceededError(BackendError, TimeoutError):
    """The caller's deadline passed, or would pass before the next attempt could start."""

    fault = "limits"


class ServiceUnavailableError(BackendError):
    """The circuit breaker is open: nothing was sent; ``retry_after`` says when a probe will be let through."""


class QueueFullError(BackendError):
    """The queue is full: nothing was sent."""

    fault = "limits"


class ClosedError(BackendError):
    """The backend was closed; make a new one."""

    fault = "caller"


class ResponseFormatError(BackendError):
    """The answer cannot be read, breaks the provider's own format, or is larger than the bound."""


class StreamInterruptedError(BackendError):
    """A stream ended in an error after content had come; ``partial`` holds the content so far, ``usage`` and ``cost`` what
    that is charged where it is known."""
