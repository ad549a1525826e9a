"""Scripted misbehaviour: which requests a fault falls on, whether it fired, and how it is written as JSON.

A fault that never fired proves nothing, so :meth:`Script.unfired` is as important as :meth:`Script.falling_on`.
Everything here is deterministic: faults are counted in the order requests arrive, never drawn.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from conformance.simulators import (
    actions,
    framing_actions,
    head_actions,
    stream_actions,
    value_actions,
    wire_actions,
)
from conformance.simulators.actions import (
    Action,
    DeepJson,
    Drop,
    EmptyBody,
    Garbage,
    Headers,
    Html,
    Redirect,
    Replace,
    Status,
    Truncate,
    WrongContentType,
)
from conformance.simulators.framing_actions import BadChunk, Coded, CutInCharacter, CutInChunk, DropIdle
from conformance.simulators.head_actions import (
    CutHead,
    Fields,
    HangInHead,
    Informational,
    SlowHead,
    StatusLine,
    Unsolicited,
)
from conformance.simulators.stream_actions import CutBeforeTerminator, EmptyStream, ErrorEvent, LongStream, Pings
from conformance.simulators.value_actions import ErrorInside, Literal, Prefixed, Twice
from conformance.simulators.wire_actions import (
    Bomb,
    CutAfter,
    Hang,
    Oversized,
    Reset,
    SlowChunks,
    SlowFirstByte,
    SplitAt,
    SplitEvery,
    WrongLength,
)

__all__ = [
    "ACTIONS",
    "Action",
    "BadChunk",
    "Bomb",
    "Coded",
    "CutAfter",
    "CutBeforeTerminator",
    "CutHead",
    "CutInCharacter",
    "CutInChunk",
    "DeepJson",
    "Drop",
    "DropIdle",
    "EmptyBody",
    "EmptyStream",
    "ErrorEvent",
    "ErrorInside",
    "Fault",
    "Fields",
    "Garbage",
    "Hang",
    "HangInHead",
    "Headers",
    "Html",
    "Informational",
    "Literal",
    "LongStream",
    "Oversized",
    "Pings",
    "Prefixed",
    "Redirect",
    "Replace",
    "Reset",
    "Script",
    "Shot",
    "SlowChunks",
    "SlowFirstByte",
    "SlowHead",
    "SplitAt",
    "SplitEvery",
    "Status",
    "StatusLine",
    "Truncate",
    "Twice",
    "Unsolicited",
    "WrongContentType",
    "WrongLength",
    "from_json",
    "to_json",
]

ACTIONS: dict[str, type[Action]] = {
    name: getattr(module, name)
    for module in (actions, framing_actions, head_actions, stream_actions, value_actions, wire_actions)
    for name in module.__all__
    if name not in ("Action", "Hit", "set_field")
}
"""Every action by its name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An action and the requests it falls on.

    Attributes:
        action: what happens.
        provider: the provider's name, or ``*``.
        path: glob over the path below the provider's mount (``*/chat/completions``); case counts.
        nth: which of the matching requests, counted from 1: one, several, or None for every one.
        method: upper case, or ``*``.
        key: fingerprint of the credential used (first eight hex digits of its SHA-256), or ``*``.
    """

    action: Action
    provider: str = "*"
    path: str = "*"
    nth: int | tuple[int, ...] | None = None
    method: str = "*"
    key: str = "*"

    def __post_init__(self) -> None:
        if any(number < 1 for number in self.numbers):
            raise ValueError("requests are counted from 1")

    @property
    def numbers(self) -> tuple[int, ...]:
        """``nth`` as a tuple; empty means every match."""
        if self.nth is None:
            return ()
        return (self.nth,) if isinstance(self.nth, int) else tuple(self.nth)


@dataclass(slots=True)
class _Entry:
    fault: Fault
    matches: int = 0
    fired: set[int] = field(default_factory=set)

    def shot(self) -> Shot | None:
        self.matches += 1
        numbers = self.fault.numbers
        return Shot(self, self.matches) if not numbers or self.matches in numbers else None

    def is_unfired(self) -> bool:
        return not self.fired.issuperset(self.fault.numbers) if self.fault.numbers else not self.fired


@dataclass(frozen=True, slots=True)
class Shot:
    """One fault about to fall on one request; ``hit`` records that it really changed something."""

    entry: _Entry
    number: int

    @property
    def action(self) -> Action:
        """What happens."""
        return self.entry.fault.action

    def hit(self) -> None:
        """The fault fired."""
        if self.entry.fault.numbers or not self.entry.fired:
            self.entry.fired.add(self.number)


class Script:
    """The faults of one server, in the order they were scripted; several may fall on one request."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def add(self, faults: Iterable[Fault]) -> None:
        """Append; counting starts now."""
        self._entries.extend(_Entry(fault) for fault in faults)

    def clear(self) -> None:
        """Forget every fault and count."""
        self._entries.clear()

    def falling_on(self, provider: str, method: str, path: str, key: str) -> list[Shot]:
        """Count this request for every fault it matches; give those that are due."""
        shots = []
        for entry in self._entries:
            fault = entry.fault
            if (
                fault.provider in ("*", provider)
                and fault.method in ("*", method)
                and fault.key in ("*", key)
                and fnmatchcase(path, fault.path)
                and not _at_accept(fault)
            ):
                shot = entry.shot()
                if shot:
                    shots.append(shot)
        return shots

    def on_accept(self) -> list[Shot]:
        """The same for a connection just accepted."""
        shots = [entry.shot() for entry in self._entries if _at_accept(entry.fault)]
        return [shot for shot in shots if shot]

    def unfired(self) -> list[Fault]:
        """Faults that have not changed anything yet, or not at every one of their numbers."""
        return [entry.fault for entry in self._entries if entry.is_unfired()]


def _at_accept(fault: Fault) -> bool:
    return isinstance(fault.action, Reset) and fault.action.stage == "accept"


def to_json(fault: Fault) -> dict[str, Any]:
    """The form the control endpoint takes and gives."""
    what: dict[str, Any] = {"action": type(fault.action).__name__}
    for part in fields(fault.action):  # type: ignore[arg-type]
        value = getattr(fault.action, part.name)
        what[part.name] = {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
    return {
        "what": what,
        "provider": fault.provider,
        "path": fault.path,
        "nth": list(fault.nth) if isinstance(fault.nth, tuple) else fault.nth,
        "method": fault.method,
        "key": fault.key,
    }


def from_json(data: object) -> Fault:
    """Read one fault: ``{"what": {"action": "Status", "status": 503}, "provider": ..., "path": ..., "nth": ...}``.

    ``"what": "Hang"`` is short for an action with its defaults. Raises ``ValueError`` naming what is wrong.
    """
    if not isinstance(data, dict):
        raise ValueError("a fault is an object")  # noqa: TRY004 - data from outside, one error for all of it
    unknown = set(data) - {"what", "provider", "path", "nth", "method", "key"}
    if unknown:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    what = data.get("what")
    what = {"action": what} if isinstance(what, str) else what
    if not isinstance(what, dict) or what.get("action") not in ACTIONS:
        raise ValueError(f"'what' names no action; the actions are {', '.join(sorted(ACTIONS))}")
    kind = ACTIONS[what["action"]]
    known = {part.name: part for part in fields(kind)}  # type: ignore[arg-type]
    given = {name: _value(value) for name, value in what.items() if name != "action"}
    if set(given) - set(known):
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(set(given) - set(known)))}")
    missing = [name for name, part in known.items() if part.default is MISSING and name not in given]
    if missing:
        raise ValueError(f"{kind.__name__} needs {', '.join(missing)}")
    nth = data.get("nth")
    if not (
        nth is None or isinstance(nth, int) or (isinstance(nth, list) and all(isinstance(one, int) for one in nth))
    ):
        raise ValueError("'nth' is a number, a list of numbers or null")
    names = {name: str(data[name]) for name in ("provider", "path", "method", "key") if name in data}
    return Fault(kind(**given), nth=tuple(nth) if isinstance(nth, list) else nth, **names)


def _value(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"base64"}:
        return base64.b64decode(value["base64"])
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return tuple((str(name), str(text)) for name, text in value)
    return value
