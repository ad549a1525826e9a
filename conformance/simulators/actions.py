"""What a fault can do to the meaning of an answer: statuses, pages, other types, changed, missing or absurd fields.

Every action is a frozen value. It acts at one of three places: :meth:`Action.instead` of the provider's handler,
:meth:`Action.alter` on the finished answer, :meth:`Action.deliver` on its delivery (see ``wire_actions``). It must call
``hit()`` when, and only when, it really changed something: an unfired fault is how a vacuous check is found out.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from conformance.simulators.delivery import Close, Raw, Steps
from conformance.simulators.provider import Answer, Event, Provider, Stream

__all__ = [
    "Action",
    "DeepJson",
    "Drop",
    "EmptyBody",
    "Garbage",
    "Headers",
    "Hit",
    "Html",
    "Redirect",
    "Replace",
    "Status",
    "Truncate",
    "WrongContentType",
    "set_field",
]

Hit: TypeAlias = Callable[[], None]
Pairs: TypeAlias = tuple[tuple[str, str], ...]


class Action:
    """One kind of misbehaviour; does nothing unless a subclass says so."""

    __slots__ = ()

    def instead(self, provider: Provider, hit: Hit) -> Answer | None:
        """An answer given without asking the provider's handler, or None."""
        return None

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """The answer, changed."""
        return answer

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The delivery, changed."""
        return steps


@dataclass(frozen=True, slots=True)
class Status(Action):
    """Answer with this status; the body has the provider's shape unless given (text, or an object sent as JSON)."""

    status: int
    body: Any = None
    headers: Pairs = ()
    code: str | None = None
    message: str | None = None

    def instead(self, provider: Provider, hit: Hit) -> Answer:
        """The provider's handler never sees the request."""
        hit()
        if self.body is None:
            answer = provider.error(self.status, self.code, self.message)
        elif isinstance(self.body, str | bytes):
            body = self.body.encode() if isinstance(self.body, str) else self.body
            answer = Answer(self.status, body=body, content_type="text/plain; charset=utf-8")
        else:
            answer = Answer(self.status, payload=self.body)
        return replace(answer, headers=(*answer.headers, *self.headers))


@dataclass(frozen=True, slots=True)
class Html(Action):
    """A gateway's HTML page."""

    status: int = 502

    def instead(self, provider: Provider, hit: Hit) -> Answer:
        """A page such as a load balancer writes."""
        hit()
        title = f"<head><title>{self.status} Bad Gateway</title></head>"
        page = f"<html>\r\n{title}\r\n<body><h1>{self.status}</h1></body>\r\n</html>\r\n"
        return Answer(self.status, body=page.encode(), content_type="text/html")


@dataclass(frozen=True, slots=True)
class EmptyBody(Action):
    """A status with no body at all."""

    status: int = 200

    def instead(self, provider: Provider, hit: Hit) -> Answer:
        """Content length 0."""
        hit()
        return Answer(self.status)


@dataclass(frozen=True, slots=True)
class Redirect(Action):
    """Point the client elsewhere."""

    location: str
    status: int = 307

    def instead(self, provider: Provider, hit: Hit) -> Answer:
        """No body, only the location."""
        hit()
        return Answer(self.status, content_type=None, headers=(("location", self.location),))


@dataclass(frozen=True, slots=True)
class WrongContentType(Action):
    """The right body under the wrong name."""

    content_type: str = "text/html; charset=utf-8"

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Only the header changes."""
        hit()
        return replace(answer, content_type=self.content_type)


@dataclass(frozen=True, slots=True)
class Headers(Action):
    """The right answer with these headers, in place of its own of the same names."""

    headers: Pairs

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Names are compared as they are written, in lower case."""
        hit()
        names = {name for name, _ in self.headers}
        kept = tuple(pair for pair in answer.headers if pair[0] not in names)
        return replace(answer, headers=(*kept, *self.headers))


@dataclass(frozen=True, slots=True)
class Garbage(Action):
    """``body``: status 200 and a body that is not what the header says. ``http``: bytes that are not even HTTP."""

    where: str = "body"
    data: bytes = b'\x00\xff{"half": [1, 2,\xc3'

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """A stream becomes one garbage event; the length is honest."""
        if self.where != "body":
            return answer
        hit()
        if answer.stream is None:
            return replace(answer, payload=None, body=self.data)
        return replace(answer, stream=replace(answer.stream, events=[Event(raw=b"data: " + self.data + b"\n\n")]))

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """In place of the status line."""
        if self.where != "http":
            yield from steps
            return
        hit()
        yield Raw(self.data + b"\r\n\r\n")
        yield Close()


@dataclass(frozen=True, slots=True)
class Truncate(Action):
    """A body that ends early although its length is honest: half a JSON document, the last event cut in two."""

    keep: float = 0.5

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Keep this share of the body, or of the last event."""
        hit()
        if answer.stream is None:
            whole = answer.bytes_of_body()
            return replace(answer, payload=None, body=whole[: int(len(whole) * self.keep)])
        frame = answer.stream.frame
        pieces = [frame(event) if event.raw is None else event.raw for event in answer.stream.events]
        pieces[-1] = pieces[-1][: int(len(pieces[-1]) * self.keep)]
        return replace(answer, stream=replace(answer.stream, events=[Event(raw=piece) for piece in pieces]))


@dataclass(frozen=True, slots=True)
class DeepJson(Action):
    """An unknown field holding arrays nested this deep, in the answer or in its first event."""

    depth: int = 100_000

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Written as bytes: no encoder would do it."""
        if answer.stream is None:
            hit()
            return replace(answer, payload=None, body=self._deepen(answer.bytes_of_body()))
        stream = answer.stream
        return replace(answer, stream=replace(stream, events=self._events(stream, hit)))

    def _events(self, stream: Stream, hit: Hit) -> Iterator[Event]:
        done = False
        for event in stream.events:
            if done or event.payload is None:
                yield event
                continue
            done = True
            hit()
            line = stream.frame(event)
            end = line.rindex(b"}")
            yield replace(event, raw=self._deepen(line[: end + 1]) + line[end + 1 :])

    def _deepen(self, body: bytes) -> bytes:
        deep = b"[" * self.depth + b"]" * self.depth
        return body[:-1] + b',"deep":' + deep + b"}" if body.endswith(b"}") else deep


@dataclass(frozen=True, slots=True)
class Replace(Action):
    """Set a field of the answer, in every event of a stream that has its parent: ``choices[0].message.content``."""

    path: str
    value: Any

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """The parent must exist; the field itself need not."""
        return _mutate(answer, self.path, hit, lambda parent, key: _set(parent, key, self.value))


@dataclass(frozen=True, slots=True)
class Drop(Action):
    """Leave a field out, wherever it is."""

    path: str

    def alter(self, answer: Answer, provider: Provider, hit: Hit) -> Answer:
        """Nothing happens where the field is absent."""
        return _mutate(answer, self.path, hit, _remove)


def set_field(payload: Any, path: str, value: Any) -> tuple[Any, Any, bool]:
    """Return a copy of a payload with a field set that was there, the value it had, and True; else the payload, None, False."""
    keys = _keys(path)
    changed = copy.deepcopy(payload)
    parent = changed
    try:
        for key in keys[:-1]:
            parent = parent[key]
        true = parent[keys[-1]]
        parent[keys[-1]] = value
    except (KeyError, IndexError, TypeError):
        return payload, None, False
    return changed, true, true is not None


def _keys(path: str) -> list[str | int]:
    keys: list[str | int] = [int(key[1:-1]) if key[0] == "[" else key for key in re.findall(r"\[\d+\]|[^.\[\]]+", path)]
    if not keys:
        raise ValueError(f"{path!r} names no field")
    return keys


def _mutate(answer: Answer, path: str, hit: Hit, change: Callable[[Any, str | int], bool]) -> Answer:
    keys = _keys(path)

    def changed(payload: Any) -> Any:
        payload = copy.deepcopy(payload)
        parent = payload
        for key in keys[:-1]:
            try:
                parent = parent[key]
            except (KeyError, IndexError, TypeError):
                return payload
        if change(parent, keys[-1]):
            hit()
        return payload

    if answer.stream is None:
        return answer if answer.payload is None else replace(answer, payload=changed(answer.payload))
    events: Iterable[Event] = (
        event if event.payload is None else replace(event, payload=changed(event.payload))
        for event in answer.stream.events
    )
    return replace(answer, stream=replace(answer.stream, events=events))


def _set(parent: Any, key: str | int, value: Any) -> bool:
    fits = isinstance(parent, dict) if isinstance(key, str) else isinstance(parent, list) and key < len(parent)
    if fits:
        parent[key] = json.loads(json.dumps(value))
    return fits


def _remove(parent: Any, key: str | int) -> bool:
    fits = (
        key in parent
        if isinstance(parent, dict)
        else isinstance(parent, list) and isinstance(key, int) and key < len(parent)
    )
    if fits:
        del parent[key]
    return fits
