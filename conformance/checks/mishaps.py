"""Everything that can go wrong with a call, made to happen one after the other, for checks that look at what is told of it.

It judges nothing. Every action of the simulators stands in one of the tables here, so none can be forgotten.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final
from urllib.parse import quote

from backends.secret import Key
from conformance.checks.common import made
from conformance.expectations import expectations_of
from conformance.planted import PLANTED
from conformance.simulators.faults import (
    Action,
    Bomb,
    CutAfter,
    CutBeforeTerminator,
    DeepJson,
    Drop,
    EmptyBody,
    EmptyStream,
    ErrorEvent,
    Fault,
    Garbage,
    Hang,
    Html,
    Oversized,
    Redirect,
    Replace,
    Reset,
    SlowChunks,
    SlowFirstByte,
    Status,
    Truncate,
    WrongContentType,
    WrongLength,
)
from conformance.simulators.record import fingerprint
from conformance.trial import Trial

__all__ = [
    "FIELDS",
    "HARMLESS",
    "KEYS",
    "OF_FAULTS",
    "SETTINGS",
    "SLOW",
    "STREAMED",
    "WHOLE",
    "Mishap",
    "attempted",
    "befallen",
    "call_mishaps",
    "local_mishaps",
    "options_of",
    "said",
    "thread_mishaps",
]

KEYS: Final = (PLANTED["key"], PLANTED["second key"])
Mishap = tuple[str, BaseException]
"""What was done, and the error that came of it."""

STATUSES: Final = (400, 401, 429, 500, 503)
"""Those that take ways of their own through keys, breaker and retries; a subject's tables add what is its own."""
WHOLE: Final[tuple[Action, ...]] = (
    *(Html(status) for status in (200, 502)),
    *(EmptyBody(status) for status in (200, 503)),
    *(Redirect("https://elsewhere.example/stolen", status) for status in (302, 307)),
    *(Garbage(), Garbage("http"), Truncate(0.5), DeepJson(500), WrongContentType(), Status(200, body=[]), Status(200, body="17")),
    *(Reset("accept"), Reset("headers"), Reset("headers", after=20), Reset("body", after=2), CutAfter(2), WrongLength(1000)),
    *(Oversized(1 << 17), Bomb(1 << 17)),
)  # fmt: skip
"""What is done to whole answers, besides statuses."""
SLOW: Final[tuple[Action, ...]] = (Hang(), SlowFirstByte(60.0))
"""The same, where time is virtual; threads that wait on sockets wait in real time."""
STREAMED: Final[tuple[Action, ...]] = (
    *(ErrorEvent(), ErrorEvent(1), ErrorEvent(1, status=429), CutBeforeTerminator(), EmptyStream(), Garbage(), Truncate(0.5)),
    *(Reset("body", after=40), CutAfter(40), Hang(after=1), SlowChunks(60.0), Status(401), Status(500)),
)  # fmt: skip
"""What is done to streams."""
FIELDS: Final = (Replace, Drop)
"""Kinds that are aimed at a field of the answer, which is the subject's to name."""
HARMLESS: Final = frozenset({"LongStream", "Pings", "SplitAt", "SplitEvery"})
"""Actions after which an answer is as good as before."""
OF_FAULTS: Final = frozenset(
    {"BadChunk", "Coded", "CutHead", "CutInCharacter", "CutInChunk", "DropIdle", "ErrorInside", "Fields", "HangInHead"}
    | {"Headers", "Informational", "Literal", "Prefixed", "SlowHead", "StatusLine", "Twice", "Unsolicited"}
)
"""Actions of the chapters FLT and LIM: bytes broken in other places than those above, by a server that quotes nobody."""
SETTINGS: Final[dict[str, Any]] = {
    "max_retries": 0,
    "initial_retry_delay": 0.01,
    "failure_threshold": 1_000_000,
    "retry_budget": None,
    "read_timeout": 5.0,
    "idle_timeout": 5.0,
    "max_response_bytes": 1 << 16,
    "max_event_bytes": 1 << 15,
}


def said(key: str) -> str:
    """Return what a hostile server says of a key, so that the end of what is kept of it cuts the key."""
    encoded = base64.b64encode(f"user:{key}".encode()).decode()
    text = f"Incorrect API key: {key}, {key.upper()}, {quote(key, safe='')}, {encoded}. "
    return text.ljust(2_000 - len(key) // 2, ".") + key


def options_of(trial: Trial) -> dict[str, Any]:
    """Return what every call sends besides: a credential in a header of the caller's own, where there are headers."""
    return {"extra_headers": {"x-team-token": Key(PLANTED["header"])}} if "http" in trial.subject.tags else {}


async def attempted(call: Callable[[], Any]) -> BaseException | None:
    """Make a call of any kind and return what it raised, None when all went well."""
    try:
        await made(call)
    except (Exception, asyncio.CancelledError) as error:
        return error
    return None


def _statuses(trial: Trial) -> list[Action]:
    own = expectations_of(trial.subject).errors
    return [*map(Status, STATUSES), *(Status(case.status, code=case.code, message=case.message) for case in own)]


def renew(backend: Any, keys: Sequence[str]) -> None:
    """Put keys into service again: a 401 retires one for good, a 429 for a while."""
    for key in keys:
        backend.remove_key(fingerprint(key))
    for key in keys:
        backend.add_key(key)


async def call_mishaps(trial: Trial, **settings: Any) -> AsyncIterator[Mishap]:
    """Let the server, or the network, do every wrong to the representative call and its stream; yield each error."""
    backend = await trial.backend(**{"api_keys": KEYS, **SETTINGS, **settings})
    field = trial.subject.usage_fields[0]
    slow = () if "s3" in trial.subject.tags else SLOW
    for action in (*_statuses(trial), *WHOLE, *slow, Replace(field, "no number"), Drop(field)):
        error = await befallen(trial, backend, action)
        if error is not None:
            yield f"{action}"[:100], error
    if trial.subject.stream is not None:
        for action in STREAMED:
            error = await befallen(trial, backend, action, stream=True)
            if error is not None:
                yield f"a stream, {action}"[:100], error


async def befallen(
    trial: Trial, backend: Any, *actions: Action, stream: bool = False, keys: Sequence[str] = KEYS
) -> BaseException | None:
    """Do something to every attempt of a call and return its error, None where the answer survives it.

    Afterwards ``keys`` are put into service again.
    """
    trial.script(*(Fault(action, path=trial.subject.call_path) for action in actions))
    options = options_of(trial)
    error = await attempted(lambda: (trial.stream if stream else trial.call)(backend, **options))
    trial.sim.forget_faults()
    renew(backend, keys)
    return error


async def local_mishaps(trial: Trial, **settings: Any) -> AsyncIterator[Mishap]:
    """Let calls fail on this side of the wire: cancelled, late, refused, too many, ill-formed, after the end."""
    backend = await trial.backend(
        **{"api_keys": KEYS, **SETTINGS, **settings, "max_concurrent_requests": 1, "queue_size": 0}
    )
    trial.sim.hold()
    doomed = trial.spawn(trial.call(backend))
    await trial.sim.until(held=1)
    full = await attempted(lambda: trial.call(backend))
    doomed.cancel()
    cancelled = await attempted(lambda: doomed)
    late = await attempted(lambda: trial.call(backend, deadline=0.5))
    trial.sim.let_go()
    yield _certain("the queue is full", full)
    yield _certain("it was cancelled", cancelled)
    yield _certain("its deadline passed", late)
    for number, bad in enumerate(expectations_of(trial.subject).bad_calls[:5]):
        error = await attempted(lambda bad=bad: bad.make(backend))  # type: ignore[misc]
        yield _certain(f"bad argument {number}", error)
    yield _certain("an unknown option", await attempted(lambda: trial.call(backend, nonsense=1)))
    yield _certain("an unknown endpoint", await attempted(lambda: trial.call(backend, endpoint="nowhere")))
    broken = await trial.backend(**{"api_keys": KEYS, **SETTINGS, **settings, "failure_threshold": 1})
    trial.fault(Status(500), nth=1)
    await attempted(lambda: trial.call(broken))
    yield _certain("the breaker is open", await attempted(lambda: trial.call(broken)))
    nobody = await trial.backend(
        **{"api_keys": KEYS, **SETTINGS, **settings, "base_url": "http://127.0.0.1:1", "connect_timeout": 1.0}
    )
    yield _certain("nobody listens", await attempted(lambda: trial.call(nobody)))
    await backend.aclose()
    yield _certain("the backend is closed", await attempted(lambda: trial.call(backend)))


def _certain(about: str, error: BaseException | None) -> Mishap:
    """Return a mishap that cannot but be one."""
    assert error is not None, f"{about}, and yet the call succeeded"
    return about, error


async def thread_mishaps(trial: Trial, actions: Sequence[Action], **settings: Any) -> AsyncIterator[Mishap]:
    """Do the same to synchronous twins, in a thread of their own."""
    subject = trial.subject
    async with trial.threads() as side:
        for number, action in enumerate(actions, 1):
            side.fault(action, nth=number)
        backend = side.backend(**{"api_keys": KEYS, **SETTINGS, **settings})
        for action in actions:
            error = await attempted(
                lambda: side.run(getattr(backend, subject.call_name), *subject.call_arguments("hello"))
            )
            yield _certain(f"a synchronous call, {action}"[:100], error)
