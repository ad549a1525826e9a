"""What a fault can do to the events of a stream: errors among them, missing ones, noise between, far too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from conformance.simulators.actions import Action, Hit
from conformance.simulators.provider import Answer, Event, Part, Provider

__all__ = ["CutBeforeTerminator", "EmptyStream", "ErrorEvent", "LongStream", "Pings"]


@dataclass(frozen=True, slots=True)
class ErrorEvent(Action):
    """The provider's error inside a stream that began with 200, after so many content events; nothing follows it."""

    after_events: int = 0
    status: int = 500
    code: str | None = None
    message: str | None = None

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Only streams have events."""
        if answer.stream is None:
            return answer
        stream = answer.stream

        def events() -> Iterator[Event]:
            contents = 0
            for sent, event in enumerate(stream.events):
                if contents >= self.after_events and event.part in (Part.CONTENT, Part.CLOSING, Part.TERMINATOR):
                    hit()
                    if stream.error is None:
                        yield from provider.error_event(self.status, self.code, self.message)
                    else:
                        yield from stream.error(self.status, self.code, self.message, sent)
                    return
                contents += event.part is Part.CONTENT
                yield event

        return replace(answer, stream=replace(stream, events=events()))


@dataclass(frozen=True, slots=True)
class CutBeforeTerminator(Action):
    """The stream ends properly for HTTP but without its terminator; with ``closing`` also without its last words."""

    closing: bool = False

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Only streams have a terminator."""
        gone = (Part.TERMINATOR, Part.CLOSING) if self.closing else (Part.TERMINATOR,)
        return _filter(answer, gone, hit)


@dataclass(frozen=True, slots=True)
class EmptyStream(Action):
    """A stream with no event in it; ``terminator`` keeps the terminator."""

    terminator: bool = False

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Only streams can be empty ones."""
        return _filter(answer, tuple(part for part in Part if not (self.terminator and part is Part.TERMINATOR)), hit)


@dataclass(frozen=True, slots=True)
class Pings(Action):
    """Harmless noise before every event: comments, unknown events, blank choices, in the provider's own dialect."""

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Providers without such noise have none, so the fault does not fire."""
        stream = answer.stream
        if stream is None:
            return answer
        pings = provider.pings if stream.pings is None else stream.pings
        if not pings:
            return answer
        hit()
        noisy = (noise for event in stream.events for noise in (*pings, event))
        return replace(answer, stream=replace(stream, events=noisy))


@dataclass(frozen=True, slots=True)
class LongStream(Action):
    """Repeat the first content event this many times, made as it is sent: for clients slower than the server.

    Each repetition is followed by ``padding`` bytes that mean nothing in its framing, so that few events are many bytes.
    """

    events: int
    padding: int = 0

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Only streams can be long ones."""
        if answer.stream is None:
            return answer
        stream = answer.stream

        def events() -> Iterator[Event]:
            done = False
            for event in stream.events:
                yield event
                if event.part is Part.CONTENT and not done:
                    done = True
                    hit()
                    repeated = self._padded(event, stream.frame)
                    for _ in range(self.events - 1):
                        yield repeated

        return replace(answer, stream=replace(stream, events=events()))

    def _padded(self, event: Event, frame: Callable[[Event], bytes]) -> Event:
        if not self.padding:
            return event
        framed = frame(event) if event.raw is None else event.raw
        is_event_stream = framed.startswith((b"data:", b"event:", b"id:", b":"))
        noise = b":" + b" " * self.padding + b"\n\n" if is_event_stream else b" " * self.padding + b"\n"
        return replace(event, raw=framed + noise)


def _filter(answer: Answer, gone: tuple[Part, ...], hit: Hit) -> Answer:
    if answer.stream is None:
        return answer
    kept: list[Event] = []
    for event in answer.stream.events:
        if event.part in gone:
            hit()
        else:
            kept.append(event)
    return replace(answer, stream=replace(answer.stream, events=kept))
