"""How events reach observers: one :class:`Watch` a call, one :class:`Observers` a backend.

It keeps nothing of a call beyond its end, and whatever an observer does, the call goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from backends import errors
from backends.resilience.clock import Clock
from backends.resilience.endpoint import Endpoint
from backends.secret import Key
from backends.telemetry.events import (
    AttemptEnded,
    CallEnded,
    CallFacts,
    CallStarted,
    Event,
    FirstToken,
    Interest,
    Observer,
)
from backends.telemetry.metrics import Outcome
from backends.telemetry.swift import swift
from backends.types import Priority, Reply, Usage

if TYPE_CHECKING:
    from backends.resilience.call import Call

__all__ = ["Observers", "Watch"]

_LOG: Final = logging.getLogger(__name__)
_LONGEST_NAME: Final = 200
_MOST_TEXTS: Final = 256
_PRIORITIES: Final = {int(priority): priority.name.lower() for priority in Priority}


class _Guarded:
    """One observer and how often it failed."""

    __slots__ = ("failures", "logged", "name", "observer")

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.name = getattr(observer, "__qualname__", None) or type(observer).__qualname__
        self.failures = 0
        self.logged = False


class Observers:
    """The observers of one backend.

    Args:
        observers: told in this order.
        provider: the backend's row name.
        clock: the backend's.

    Raises:
        ConfigurationError: one of them cannot be called.
    """

    def __init__(self, observers: Iterable[Observer], provider: str, clock: Clock) -> None:
        self.provider = provider
        self.clock = clock
        self._guarded = tuple(_Guarded(observer) for observer in _checked(observers, provider))
        self.starts = self._interested(Interest.STARTS)
        """Who is told when a call starts; the next four alike."""
        self.failed_attempts = self._interested(Interest.FAILED_ATTEMPTS)
        self.other_attempts = self._interested(Interest.OTHER_ATTEMPTS)
        self.first_tokens = self._interested(Interest.FIRST_TOKENS)
        self.ends = self._interested(Interest.ENDS)
        self._innocent: dict[str, set[str]] = {}
        # Here and not above: an import should not pay for what only those use who watch.
        self.call_facts, self.call_started = swift(CallFacts), swift(CallStarted)
        self.attempt_ended, self.call_ended = swift(AttemptEnded), swift(CallEnded)

    def _interested(self, interest: Interest) -> tuple[_Guarded, ...]:
        return tuple(one for one in self._guarded if interest in getattr(one.observer, "interest", Interest.ALL))

    def tell(self, interested: tuple[_Guarded, ...], event: Event) -> None:
        """Tell some observers; one that fails is counted, and the log hears of it once."""
        for guarded in interested:
            try:
                guarded.observer(event)
            except Exception as problem:  # anything at all: somebody else's code must not break a call
                guarded.failures += 1
                if not guarded.logged:
                    guarded.logged = True
                    # Neither message nor traceback: an observer's error may quote what it was given.
                    _LOG.warning(
                        "The observer %s failed with %s; further failures are only counted, in report().",
                        guarded.name,
                        type(problem).__name__,
                    )

    def innocent(self, key: Key) -> set[str]:
        """Return texts that were found without a key: such as come again and again, a model's name. Bounded in number."""
        found = self._innocent.get(key.fingerprint)
        if found is None:
            if len(self._innocent) >= _MOST_TEXTS:
                self._innocent.clear()
            found = self._innocent.setdefault(key.fingerprint, set())
        elif len(found) >= _MOST_TEXTS:
            found.clear()
        return found

    def status(self) -> list[dict[str, Any]]:
        """Return each observer's name and how often it failed, for the report."""
        return [{"observer": guarded.name, "failures": guarded.failures} for guarded in self._guarded]

    def reset(self) -> None:
        """Count failures anew."""
        for guarded in self._guarded:
            guarded.failures = 0


class Watch:
    """Tells the observers what happens to one call.

    Args:
        observers: who is told.
        call: the call.
        endpoint: where it goes.

    Attributes:
        stream: the call is a stream; to be set before it starts.
        reply: what the call gave; to be set before it ends.
        problem: the error it ended in; to be set before it ends.
    """

    __slots__ = (
        "_attempt_from",
        "_call",
        "_endpoint",
        "_facts",
        "_key",
        "_observers",
        "_secret",
        "_wall",
        "problem",
        "reply",
        "stream",
    )

    def __init__(self, observers: Observers, call: Call[Any], endpoint: Endpoint) -> None:
        self._observers = observers
        self._call = call
        self._endpoint = endpoint
        self._wall = observers.clock.time() - call.started
        self._facts: CallFacts | None = None
        self._key: str | None = None
        self._secret: Key | None = None
        self._attempt_from = call.started
        self.stream = False
        self.reply: Any = None
        self.problem: errors.BackendError | None = None

    def started(self) -> CallFacts:
        """The call was accepted; told once. An end that comes without it, as out of a cache, tells it first."""
        if self._facts is None:
            call = self._call
            self._facts = self._observers.call_facts(
                self._observers.provider,
                call.name,
                call.model,
                call.id,
                self._endpoint.name,
                self._endpoint.base_url,
                _PRIORITIES[call.priority],
                self.stream,
                self._wall + call.started,
                call.tenant,
            )
            if self._observers.starts:
                self._observers.tell(self._observers.starts, self._observers.call_started(self._facts))
        return self._facts

    def attempt_began(self, key: Key | None) -> None:
        """The request goes on the wire."""
        self._key = key.fingerprint if key is not None else None
        self._secret = key
        self._attempt_from = self._observers.clock.monotonic()

    def attempt_ended(self, reason: str, error: errors.BackendError | None = None, delay: float | None = None) -> None:
        """What came of it; ``delay`` as in :class:`~backends.telemetry.events.AttemptEnded`.

        Nothing is told of a journey that is no caller's call: it never started and would never end.
        """
        observers = self._observers
        interested = observers.other_attempts if error is None else observers.failed_attempts
        if self._facts is None or not interested:
            return
        now = observers.clock.monotonic()
        observers.tell(
            interested,
            observers.attempt_ended(
                self._facts,
                self._call.attempts,
                reason,
                type(error).__name__ if error is not None else None,
                error.status if error is not None else None,
                self._key,
                now - self._attempt_from,
                delay,
                self._wall + now,
            ),
        )

    def first_token(self, seconds: float) -> None:
        """The first content of a stream came that long after the submission."""
        self._observers.tell(self._observers.first_tokens, FirstToken(self.started(), seconds))

    def ended(
        self, outcome: Outcome, error: str | None, usage: Usage | None, first: float | None, total: float
    ) -> None:
        """The call is over."""
        facts, call, reply, problem = self.started(), self._call, self.reply, self.problem
        if not self._observers.ends:
            return
        innocent = self._observers.innocent(self._secret) if self._secret is not None else None
        cached = reply.cached if isinstance(reply, Reply) else outcome == "success" and not call.attempts
        self._observers.tell(
            self._observers.ends,
            self._observers.call_ended(
                facts,
                outcome,
                error,
                problem.fault if problem is not None else None,
                problem.status if problem is not None else None,
                self._key,
                call.attempts,
                cached,
                usage,
                0.0 if cached else getattr(reply, "cost", None),
                self._told(reply, "model", innocent),
                self._told(reply if reply is not None else problem, "provider_request_id"),
                self._told(reply, "finish_reason", innocent),
                call.queued,
                first,
                total,
            ),
        )

    def _told(self, source: Any, name: str, innocent: set[str] | None = None) -> str | None:
        """Return what a server says of itself, within bounds and without the key, which some quote; None if no text.

        Args:
            source: of the text.
            name: of its attribute.
            innocent: texts known to be without the key, to which such a one is added.
        """
        text = getattr(source, name, None)
        if not isinstance(text, str):
            return None
        if innocent is not None and text in innocent:
            return text
        if self._secret is not None:
            hidden = self._secret.hide(text)
            if innocent is not None and hidden == text and len(text) <= _LONGEST_NAME:
                innocent.add(text)
            text = hidden
        return text[:_LONGEST_NAME]


def _checked(observers: Any, provider: str) -> tuple[Observer, ...]:
    if isinstance(observers, str) or not isinstance(observers, Iterable):
        raise errors.ConfigurationError("observers must be a list of observers.", provider=provider)
    found = tuple(observers)
    for observer in found:
        if not callable(observer):
            raise errors.ConfigurationError(
                f"An observer is called with each event; {type(observer).__name__} cannot be called.", provider=provider
            )
    return found
