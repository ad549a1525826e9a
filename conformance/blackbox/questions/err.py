"""Chapter ERR: what a caller is told when the server fails, lies or drowns it."""

from __future__ import annotations

from typing import Any, Final

from conformance.blackbox.findings import Told
from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import (
    Bomb,
    DeepJson,
    EmptyBody,
    Garbage,
    Html,
    Oversized,
    Status,
    Truncate,
    WrongLength,
)

_WORDS: Final = "sprocket 7f3a is jammed"
_KINDS: Final = {
    400: ("invalid_request",),
    401: ("authentication",),
    403: ("permission", "authentication"),
    404: ("not_found", "unknown_model"),
    413: ("invalid_request", "context_length"),
    422: ("invalid_request",),
    429: ("rate_limit",),
    500: ("server",),
    502: ("server",),
    503: ("server",),
    529: ("server",),
}
_MIB: Final = 1 << 20


async def _told(trial: Trial, action: Any, about: str, **settings: Any) -> Told:
    """Return what a client without retries tells when every answer is broken."""
    await trial.client(**{"wish": {"max_retries": 0}, **settings})
    trial.sim.forget_faults()
    trial.fault(action)
    return await trial.refused(about)


@question("ERR-01")
async def err_01(trial: Trial) -> None:
    """Every error status of the provider becomes its class, with the provider's message."""
    for status, kinds in _KINDS.items():
        error = await _told(trial, Status(status, message=_WORDS), f"a {status}")
        trial.expect(error.kind in kinds, f"a {status} became {error.kind} ({error.type}), not {' or '.join(kinds)}")
        trial.expect(error.status in (None, status), f"a {status} is told as {error.status}")
        trial.expect(_WORDS in error.message, f"a {status} does not carry the provider's message: {error}")


@question("ERR-02")
async def err_02(trial: Trial) -> None:
    """A gateway's page, an empty body, garbage, and truncated or deep JSON each give a typed error."""
    for action in (
        Html(502),
        Html(200),
        EmptyBody(503),
        EmptyBody(200),
        Garbage(),
        Garbage("http"),
        Truncate(0.5),
        DeepJson(100_000),
        Status(200, body="plain words"),
        Status(200, body="null"),
        Status(200, body={}),
        WrongLength(1000),
    ):
        error = await _told(trial, action, f"{action}"[:80])
        trial.expect(
            error.kind != "other", f"{action}: the client has no name for it: {error.type}: {error.message[:100]}"
        )


@question("ERR-03")
async def err_03(trial: Trial) -> None:
    """An answer beyond the size bound and a decompression bomb each give an error and are not taken in whole."""
    wish = {"max_retries": 0, "max_response_bytes": _MIB}
    ignored = await trial.client(wish=wish)
    size = (80 if "max_response_bytes" in ignored else 8) * _MIB
    await trial.call()
    error = await _told(trial, Oversized(size), f"an answer of {size // _MIB} MiB", wish=wish)
    trial.expect(error.kind != "other", f"the client has no name for an answer that is too large: {error.type}")
    trial.expect(trial.requests[-1].sent < size, f"all of {size // _MIB} MiB were taken from the wire")
    error = await _told(trial, Bomb(size), f"an answer that unpacks to {size // _MIB} MiB", wish=wish)
    trial.expect(error.kind != "other", f"the client has no name for a decompression bomb: {error.type}")


@question("ERR-06", "suggestions")
async def err_06(trial: Trial) -> None:
    """An unknown model is told as such, with a name that may have been meant."""
    await trial.client(wish={"max_retries": 0})
    await trial.call()
    error = await trial.refused("a model that does not exist", model=trial.place.near_miss)
    trial.equal(error.kind, "unknown_model", "class of the error")
    trial.expect(trial.place.model in error.message, f"the error does not suggest {trial.place.model}: {error}")
