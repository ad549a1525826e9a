"""Chapter SEC, fifth part: what is planted as a credential and searched for in every error that a caller may be given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from conformance.check import check
from conformance.checks.mishaps import (
    KEYS,
    SETTINGS,
    befallen,
    call_mishaps,
    local_mishaps,
    said,
    thread_mishaps,
)
from conformance.planted import Exhibits
from conformance.simulators.faults import (
    Action,
    ErrorEvent,
    Redirect,
    Replace,
    Reset,
    SplitEvery,
    Status,
    WrongContentType,
)
from conformance.simulators.record import fingerprint
from conformance.trial import Trial

_KINDS: Final = ("message", "rendering", "field", "pickle")


@check("SEC-08")
async def sec_08(trial: Trial) -> None:
    """No error shows a credential, whatever failed: not in what it says, holds, or was caused by, not in its pickle, and not
    in a local variable of any frame that its traceback leads to."""
    exhibits = Exhibits()
    mishaps = 0
    for source in (call_mishaps(trial), local_mishaps(trial), thread_mishaps(trial, (Status(500), Reset()))):
        async for about, error in source:
            exhibits.error(error, about)
            mishaps += 1
    trial.equal(exhibits.hits(), [], "credentials shown")
    trial.expect(mishaps >= 40, f"only {mishaps} calls failed")
    for kind in (*_KINDS, "local variable"):
        trial.expect(exhibits.seen[kind], f"no {kind} was looked at")
    trial.expect(
        exhibits.masked["local variable"], "no mask was seen in a local variable: the search may look at nothing"
    )
    trial.expect(
        {fingerprint(key) for key in KEYS} <= {seen.key_fingerprint for seen in trial.requests},
        "not every key was sent",
    )


def _echoes(trial: Trial, key: str) -> Sequence[Action]:
    """Return answers in which a server quotes a key wherever it can."""
    named = tuple(
        (name, key) for name in ("x-request-id", "request-id", "x-amz-request-id", "x-goog-request-id", "server")
    )
    broken = f"no answer, {key}"
    return (
        *(Status(status, message=said(key), headers=named) for status in (400, 401, 404, 429, 500, 503)),
        *(Status(status, message=broken, code=key) for status in (400, 403, 422, 502)),
        *(Status(400, body={"error": {"message": broken, "code": key, "type": key}}), Status(500, body=said(key))),
        *(Status(400, body={"detail": [{"loc": [key], "msg": key}]}), Status(400, body=f'{{"error": "{key}')),
        *(Status(200, body=broken, headers=(("content-type", f"text/{key}"), *named)), WrongContentType(f"text/{key}")),
        *(Status(200, body=broken, headers=(("content-encoding", key),)), Status(200, body={key: key})),
        *(Redirect(f"https://{key.replace('+', '-').replace('/', '-')}.example/{key}"), Redirect(f"http://[{key}")),
        *(Replace(field, key) for field in trial.subject.usage_fields),
    )


@check("SEC-09")
async def sec_09(trial: Trial) -> None:
    """What a server says of a credential comes to light masked, wherever it says it (message, code, id, header, page, field,
    event of a stream) and however: as it is, percent-encoded, in base64, in other letters, split or cut short."""
    exhibits = Exhibits()
    backend = await trial.backend(**{**SETTINGS, "api_keys": KEYS})
    for action in _echoes(trial, KEYS[0]):
        error = await befallen(trial, backend, action)
        if error is not None:
            exhibits.error(error, f"{type(action).__name__} that quotes a key")
    if trial.subject.stream is not None:
        await _echoed_in_streams(trial, backend, exhibits)
    exhibits.show("report", repr(backend.report()), "the report")
    trial.equal(exhibits.hits(), [], "credentials shown")
    for kind in _KINDS:
        trial.expect(exhibits.masked[kind], f"no mask was seen in a {kind}: the search may look at nothing")


async def _echoed_in_streams(trial: Trial, backend: Any, exhibits: Exhibits) -> None:
    early = ErrorEvent(0, message=said(KEYS[1]), code=KEYS[1])
    late = ErrorEvent(1, status=429, message=said(KEYS[1]))
    for event, split in ((early, 7), (early, 1 << 16), (late, 300), (late, 1 << 16)):
        error = await befallen(trial, backend, event, SplitEvery(split), stream=True)
        assert error is not None, "an error event did not end its stream"
        exhibits.error(error, "a stream that ends in an error")
