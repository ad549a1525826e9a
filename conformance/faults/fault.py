"""The values of the catalogue of faults: stages, mishaps and the ends that are right. Data only; it judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from backends import errors
from backends.wire.values import Failure
from conformance.simulators.actions import Action

__all__ = [
    "MODES",
    "PATIENCE",
    "Door",
    "End",
    "Mishap",
    "Mode",
    "Stage",
    "answered",
    "interrupted",
    "lost",
    "once",
    "repeated",
]

PATIENCE: Final = 2.0
"""Seconds that a backend under a mishap waits for a connection, for an answer and between two pieces of one."""


class Stage(StrEnum):
    """Where in an exchange a mishap strikes; each is judged by one requirement of chapter FLT."""

    CONNECTION = "connection"
    STATUS = "status"
    HINTS = "hints"
    HEAD = "head"
    FRAMING = "framing"
    CONTENT = "content"
    EVENTS = "events"
    REUSE = "reuse"

    @property
    def requirement(self) -> str:
        """The id of the requirement that judges it."""
        return f"FLT-{list(Stage).index(self) + 1:02}"


class Mode(StrEnum):
    """How the representative call is made."""

    PLAIN = "plain"
    STREAM = "stream"


MODES: Final = tuple(Mode)


class Door(StrEnum):
    """What the server does to a connection that is being made."""

    OPEN = "open"
    REFUSED = "refused"
    DEAF = "deaf"
    """Nobody takes the connection, and nobody refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The one right end of a call that meets a mishap.

    Attributes:
        error: the exact class raised; None for a right answer.
        code: what the error's ``code`` must be; None does not look.
        attempts: how often the call was put on the wire, told by error or reply.
        requests: how many requests the server saw; None for one an attempt.
        seconds: virtual seconds from call to end, within a tenth: timeouts, and waits that the server asked for; None
            where only the deadline bounds it.
        partial: the error carries what had come.
    """

    error: type[errors.BackendError] | None = None
    code: str | None = None
    attempts: int = 1
    requests: int | None = None
    seconds: float | None = 0.0
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """One thing that can go wrong, and its right ends.

    Attributes:
        name: unique, a few words; the case of its cells is the name and the mode.
        stage: where it strikes.
        family: what subjects can say of several mishaps at once.
        does: what the server does, one sentence.
        actions: the simulator's actions, all on the same request; ``{content}``, ``{holder}`` and ``{count}`` in their paths
            stand for the subject's own fields.
        plain, stream: the right end in that mode; None where the mishap does not exist in it.
        status: the end follows from this status and the provider's tables, not from ``plain`` and ``stream``.
        door: what happens before a request can be sent.
        nth: the only request that is struck, counted from 1; None strikes every one.
        twice: two calls are made a second apart, and the right end is that of the second.
        settings: of the backend, beside those of every cell.
        deadline: seconds given to the call; None gives none.
        needs: tags of a subject without which it cannot happen.
    """

    name: str
    stage: Stage
    family: str
    does: str
    actions: tuple[Action, ...] = ()
    plain: End | None = None
    stream: End | None = None
    status: int | None = None
    door: Door = Door.OPEN
    nth: int | None = None
    twice: bool = False
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    deadline: float | None = 30.0
    needs: frozenset[str] = frozenset()

    def exists(self, mode: Mode) -> bool:
        """Say whether it can happen in a mode."""
        return self.status is not None or self.end(mode) is not None

    def end(self, mode: Mode) -> End | None:
        """Return the right end in a mode."""
        return self.plain if mode is Mode.PLAIN else self.stream


def answered(attempts: int = 1, **facts: Any) -> End:
    """The right answer, after so many attempts."""
    return End(attempts=attempts, **facts)


def once(error: type[errors.BackendError], **facts: Any) -> End:
    """An error that is raised at once and never repeated."""
    return End(error=error, **facts)


def repeated(error: type[errors.BackendError], **facts: Any) -> End:
    """An error that is repeated: two attempts, where one repeat is allowed."""
    return End(error=error, attempts=2, **facts)


def lost(failure: Failure, **facts: Any) -> End:
    """A failure of the network before anything could be used: repeated, and told apart from every other."""
    return repeated(errors.TransportError, code=failure.value, **facts)


def interrupted(**facts: Any) -> End:
    """A stream that died behind its first content: never repeated, and the error carries what came."""
    return once(errors.StreamInterruptedError, partial=True, **facts)
