"""What a fault can do to the JSON of an answer that no encoder would write: literals that are no JSON, fields that are there
twice, a mark before the text, an error under a good status."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from conformance.simulators.actions import Action, Hit, set_field
from conformance.simulators.provider import Answer, Event, Provider, encode

__all__ = ["ErrorInside", "Literal", "Prefixed", "Twice"]

_MARK: Final = "literal-8d1f0c5e"


@dataclass(frozen=True, slots=True)
class Literal(Action):
    """Write this text where a field's value stands: ``1e400``, ``NaN``, ``"\\ud83d{true}"``, a thousand digits.

    ``{true}`` stands for the true value, without quotes where it is text. In a stream the text stands in the first event
    whose field is there.
    """

    path: str
    text: str

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """The field must be there."""

        def change(body: bytes, true: Any) -> bytes:
            text = encode(true).strip(b'"') if isinstance(true, str) else encode(true)
            return body.replace(f'"{_MARK}"'.encode(), self.text.encode().replace(b"{true}", text))

        return _rewritten(answer, self.path, hit, change)


@dataclass(frozen=True, slots=True)
class Twice(Action):
    """Write a field twice in one object: first with another value, then with the true one."""

    path: str
    first: Any = "another value"

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """The field must be there, in an object."""
        name = re.split(r"[.\]]", self.path)[-1]

        def change(body: bytes, true: Any) -> bytes:
            field = encode(name) + b":"
            return body.replace(f'"{_MARK}"'.encode(), encode(self.first) + b"," + field + encode(true))

        return _rewritten(answer, self.path, hit, change)


@dataclass(frozen=True, slots=True)
class Prefixed(Action):
    """These bytes before the body; the default is a byte order mark."""

    data: bytes = b"\xef\xbb\xbf"

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """In a stream they come as a piece of their own."""
        hit()
        if answer.stream is None:
            return replace(answer, payload=None, body=self.data + answer.bytes_of_body())
        return replace(answer, stream=replace(answer.stream, events=_after(Event(raw=self.data), answer.stream.events)))


@dataclass(frozen=True, slots=True)
class ErrorInside(Action):
    """The provider's body for an error of this status, under the status 200."""

    status: int = 500
    message: str | None = None

    def instead(self, provider: Provider, hit: Hit) -> Answer:
        """No stream, whatever was asked for."""
        hit()
        return replace(provider.error(self.status, None, self.message), status=200)


def _after(first: Event, events: Any) -> Iterator[Event]:
    yield first
    yield from events


def _rewritten(answer: Answer, path: str, hit: Hit, change: Callable[[bytes, Any], bytes]) -> Answer:
    """Mark the field, encode, and let ``change`` write what stands where the mark is; it is told the true value."""
    if answer.stream is None:
        payload, true, fits = set_field(answer.payload, path, _MARK)
        if not fits:
            return answer
        hit()
        return replace(answer, payload=None, body=change(encode(payload), true))
    stream = answer.stream

    def events() -> Iterator[Event]:
        done = False
        for event in stream.events:
            if done:
                yield event
                continue
            payload, true, fits = set_field(event.payload, path, _MARK)
            if not fits:
                yield event
                continue
            done = True
            hit()
            yield replace(event, raw=change(stream.frame(replace(event, payload=payload)), true))

    return replace(answer, stream=replace(stream, events=events()))
