"""Saboteurs of chapter TRK, second part: those who watch are told too little, too much, or something else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from backends.telemetry.observers import Watch
from backends.telemetry.otel import OpenTelemetry
from conformance.saboteurs import saboteur


def _spans(backend: Any, change: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]) -> None:
    """Change name and arguments of each span that OpenTelemetry is given."""
    for observer in _traced(backend):
        start = observer._tracer.start_span

        class Changing:
            @staticmethod
            def start_span(name: str, _start: Any = start, **arguments: Any) -> Any:
                name, arguments = change(name, arguments)
                return _start(name, **arguments)

        observer._tracer = Changing()


def _traced(backend: Any) -> list[Any]:
    guarded = backend._observers._guarded if backend._observers is not None else ()
    return [one.observer for one in guarded if isinstance(one.observer, OpenTelemetry)]


@saboteur("TRK-09", "names attributes as it likes")
def names_of_its_own(backend: Any) -> None:
    """Every vendor had its own once."""

    def change(name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        renamed = {key.replace("gen_ai.", "llm."): value for key, value in arguments["attributes"].items()}
        return name, {**arguments, "attributes": renamed}

    _spans(backend, change)


@saboteur("TRK-09", "begins the span when the last attempt begins")
def hides_the_wait(backend: Any) -> None:
    """The provider was quick, after all."""
    for observer in _traced(backend):
        ended = observer._ended

        def late(event: Any, _observer: Any = observer, _ended: Any = ended) -> None:
            span, _ = _observer._open[event.call]
            if hasattr(span, "_start_time"):
                span._start_time = int((event.call.at + event.total) * 1e9)
            _ended(event)

        observer._ended = late


@saboteur("TRK-09", "tells a failure as a success")
def all_is_well(backend: Any) -> None:
    """A red trace frightens people."""
    for observer in _traced(backend):
        ended = observer._ended

        def cheerful(event: Any, _ended: Any = ended) -> None:
            _ended(replace(event, outcome="success", error=None, status=None))

        observer._ended = cheerful


@saboteur("TRK-09", "makes one span of every attempt and none of the call")
def spans_of_attempts(backend: Any) -> None:
    """As an instrumented HTTP library would."""
    from opentelemetry.trace import SpanKind

    kinds = {"attempt": SpanKind.CLIENT}
    _spans(backend, lambda name, arguments: (name, {**arguments, "kind": kinds.get(name, SpanKind.INTERNAL)}))


@saboteur("TRK-10", "lets an observer's error through to the caller")
def lets_errors_through(backend: Any) -> None:
    """Somebody will want to know."""
    _telling(backend, lambda guarded, event: guarded.observer(event))


@saboteur("TRK-10", "tells nobody else after an observer failed")
def deafens_the_others(backend: Any) -> None:
    """One try around the whole loop."""
    if backend._observers is not None:
        observers = backend._observers

        def tell(interested: Any, event: Any) -> None:
            try:
                for guarded in interested:
                    guarded.observer(event)
            except RuntimeError:
                guarded.failures += 1

        observers.tell = tell


@saboteur("TRK-10", "swallows an observer's errors")
def swallows_errors(backend: Any) -> None:
    """Nobody ever learns why the dashboard is empty."""

    def quiet(guarded: Any, event: Any) -> None:
        try:
            guarded.observer(event)
        except RuntimeError:
            return

    _telling(backend, quiet)


@saboteur("TRK-10", "logs an observer's failure every time")
def floods_the_log(backend: Any) -> None:
    """A full disk fills the log."""

    def loud(guarded: Any, event: Any) -> None:
        try:
            guarded.observer(event)
        except RuntimeError:
            guarded.failures += 1
            logging.getLogger("backends").warning("%s failed", guarded.name)

    _telling(backend, loud)


def _telling(backend: Any, one: Callable[[Any, Any], None]) -> None:
    if backend._observers is not None:
        observers = backend._observers

        def tell(interested: Any, event: Any) -> None:
            for guarded in interested:
                one(guarded, event)

        observers.tell = tell


def _watching(backend: Any, kind: type[Watch]) -> None:
    """Let every call be watched by another kind of watch."""
    make = backend._call

    def spoilt(*arguments: Any) -> Any:
        call = make(*arguments)
        if call.watch is not None:
            call.watch = kind(backend._observers, call, arguments[-1])
        return call

    backend._call = spoilt


@saboteur("TRK-10", "tells only of attempts that are followed by another")
def forgets_the_last_attempt(backend: Any) -> None:
    """The end of the call says it all."""

    class Forgetful(Watch):
        def attempt_ended(self, reason: str, error: Any = None, delay: float | None = None) -> None:
            if delay is not None:
                super().attempt_ended(reason, error, delay)

    _watching(backend, Forgetful)


@saboteur("TRK-10", "does not tell the end of calls that were cancelled")
def forgets_the_cancelled(backend: Any) -> None:
    """Their spans stay open for ever."""

    class Forgetful(Watch):
        def ended(self, outcome: Any, *rest: Any) -> None:
            if outcome != "cancelled":
                super().ended(outcome, *rest)

    _watching(backend, Forgetful)


@saboteur("TRK-11", "tells observers the key itself")
def tells_the_key(backend: Any) -> None:
    """They are friends."""

    class Talkative(Watch):
        def attempt_began(self, key: Any) -> None:
            super().attempt_began(key)
            self._key = f"{self._key} {key.reveal()}" if key is not None else None

    _watching(backend, Talkative)


@saboteur("TRK-11", "tells observers the messages of errors")
def tells_messages(backend: Any) -> None:
    """They quote what was asked."""

    class Talkative(Watch):
        def ended(self, outcome: Any, error: Any, *rest: Any) -> None:
            told = f"{error}: {self.problem.message}" if self.problem is not None else None
            super().ended(outcome, told, *rest)

    _watching(backend, Talkative)


@saboteur("TRK-11", "tells observers the answer")
def tells_answers(backend: Any) -> None:
    """It looks so good in a trace."""

    class Talkative(Watch):
        def ended(self, outcome: Any, *rest: Any) -> None:
            if self.reply is not None:
                self._call.model = self.reply.text
                self._facts = None
            super().ended(outcome, *rest)

    _watching(backend, Talkative)


@saboteur("TRK-11", "does not say which key was used")
def hides_the_key(backend: Any) -> None:
    """Safe, and of no use when one of ten keys fails."""

    class Silent(Watch):
        def attempt_began(self, key: Any) -> None:
            super().attempt_began(None)

    _watching(backend, Silent)
