"""Calls made of several requests: one deadline over all of them, bounded parallelism, and failover between stores."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, TypeVar

from backends import errors
from backends.operation import CallOptions
from backends.parameters import bad_argument
from backends.s3_kit.core import Options, S3Core

__all__ = ["Composite", "Span", "heard", "options_of", "together"]

T = TypeVar("T")

_HOPS: Final = (
    errors.TransportError,
    errors.ServerError,
    errors.RateLimitError,
    errors.ServiceUnavailableError,
    errors.QueueFullError,
    errors.AuthenticationError,
    errors.ResponseFormatError,
)
"""What speaks of a store and not of the request: another store may do better."""


class Span:
    """The time that one composite call has; every request in it gets what is left.

    Args:
        now: returns monotonic seconds.
        options: of the composite call.
        default: seconds when the options name none; None is no limit.
    """

    def __init__(self, now: Callable[[], float], options: CallOptions, default: float | None) -> None:
        seconds = options.get("deadline")
        seconds = default if seconds is None else seconds
        wrong = isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0
        if seconds is not None and wrong:
            bad_argument(f"deadline must be a positive number of seconds, not {seconds!r}", "s3_kit")
        self._now = now
        self._ends = None if seconds is None else now() + seconds
        self._options = options

    def options(self, **changes: Any) -> CallOptions:
        """Return the options of the next request.

        Raises:
            DeadlineExceededError: no time is left.
        """
        options = self.unlimited()
        if self._ends is not None:
            left = self._ends - self._now()
            if left <= 0:
                raise errors.DeadlineExceededError("The deadline passed.", provider="s3_kit")
            options["deadline"] = left
        options.update(changes)  # type: ignore[typeddict-item]  # names of CallOptions, written in this package
        return options

    def unlimited(self, **changes: Any) -> CallOptions:
        """Return the same without the deadline, for cleaning up after it has passed."""
        options: CallOptions = {**self._options}
        options.pop("request_id", None)
        options.pop("deadline", None)
        options.update(changes)  # type: ignore[typeddict-item]  # names of CallOptions, written in this package
        return options


def options_of(options: CallOptions) -> Options:
    """Return options of a span as keyword arguments of an S3 call."""
    return options


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all at once; when one fails, end the others, wait for them and raise its error."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def heard(task: asyncio.Future[Any]) -> None:
    """Take the result of a task that nobody awaits, so that the loop does not complain."""
    with contextlib.suppress(asyncio.CancelledError):
        task.exception()


class Composite(S3Core):
    """Adds spans and failover."""

    def _span(self, options: CallOptions) -> Span:
        endpoint = self.endpoint(options.get("endpoint"))
        return Span(self._clock.monotonic, options, endpoint.settings.deadline)

    async def _hop(
        self, options: CallOptions, failover: Sequence[str] | None, work: Callable[[CallOptions], Awaitable[T]]
    ) -> T:
        """Try the call's endpoint, then the others in order, as long as the failure speaks of the store.

        Raises:
            BackendError: the last one's error; its message tells the reason of every hop.
        """
        names = self._failover if failover is None else tuple(failover)
        if isinstance(failover, str):
            bad_argument("failover must be a list of endpoint names", "s3_kit")
        if not names:
            return await work(options)
        first = options.get("endpoint") or "default"
        order = list(dict.fromkeys((first, *names)))
        for name in order:
            self.endpoint(name)  # an unknown name is the caller's mistake, not a reason to hop
        span = self._span(options)
        reasons: list[str] = []
        cause: errors.BackendError | None = None
        for name in order:
            try:
                return await work(span.options(endpoint=name))
            except _HOPS as error:
                reasons.append(f"{name}: {type(error).__name__}: {error.message}")
                if name == order[-1]:
                    error.message = f"No endpoint could serve this. {'; '.join(reasons)}"
                    error.args = (error.message,)
                    raise error from cause
                cause = error
        raise AssertionError("there is always a first endpoint")
