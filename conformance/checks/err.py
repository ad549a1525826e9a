"""Chapter ERR: errors, judged by what a caller is told when the server fails, lies or drowns it. Arguments are in ``err_input``."""

from __future__ import annotations

import tracemalloc
from functools import partial
from typing import Any, Final

from backends import errors
from conformance.check import check
from conformance.checks.common import made, shows
from conformance.expectations import BY_STATUS, NoAnswer, expectations_of
from conformance.simulators.faults import (
    Bomb,
    DeepJson,
    EmptyBody,
    Fault,
    Garbage,
    Html,
    Oversized,
    Status,
    Truncate,
    WrongContentType,
    WrongLength,
)
from conformance.simulators.registry import load
from conformance.trial import Trial

_WORDS: Final = "sprocket 7f3a is jammed"
_CODE: Final = "sprocket_jammed_7f3a"
_MIB: Final = 1 << 20


async def _alone(trial: Trial, **settings: Any) -> Any:
    """Return a backend whose every call is one attempt, whatever became of the calls before."""
    return await trial.backend(**{"max_retries": 0, "failure_threshold": 1_000_000, **settings})


@check("ERR-01")
async def err_01(trial: Trial) -> None:
    """Every error status of the provider becomes its class, with the provider's message and code."""
    assert trial.subject.provider is not None
    provider = load([trial.subject.provider])[0]
    known = expectations_of(trial.subject)
    own = {case.status: case for case in known.statuses}
    backend = await _alone(trial)
    id_of = (await trial.call(backend)).provider_request_id
    if not type(backend).provider.request_id_headers:
        id_of = None  # the id stands in the bodies of answers, and errors have none
    for case in (own.get(case.status, case) for case in BY_STATUS):
        error = await _refused(trial, Status(case.status, message=_WORDS, code=_CODE), f"a {case.status}")
        said = provider.error(case.status, _CODE, _WORDS).bytes_of_body()
        trial.equal(type(error), case.expected, f"class of a {case.status}")
        trial.equal(error.status, case.status, f"status of a {case.status}")
        trial.equal(error.provider, trial.subject.name, f"provider of a {case.status}")
        if _WORDS.encode() in said:
            trial.expect(_WORDS in error.message, f"a {case.status} does not carry the provider's message: {error}")
        if _CODE.encode() in said:
            trial.equal(error.code, _CODE, f"code of a {case.status}")
        if id_of is not None:
            trial.expect(error.provider_request_id, f"a {case.status} does not carry the provider's request id")
    for case in known.errors:
        about = f"a {case.status} with {case.code or case.message}"
        error = await _refused(trial, Status(case.status, code=case.code, message=case.message), about)
        trial.equal(type(error), case.expected, f"class of {about}")
        trial.equal(error.status, case.status, f"status of {about}")
        said = provider.error(case.status, case.code, case.message).bytes_of_body()
        if case.code is not None and case.code.encode() in said:
            trial.equal(error.code, case.code, f"code of {about}")
        if case.message is not None and case.message.encode() in said:
            words = case.message.rstrip(".")
            trial.expect(words in error.message, f"{about} does not carry the provider's message: {error}")


async def _refused(trial: Trial, action: Status, about: str) -> Any:
    backend = await _alone(trial)
    trial.fault(action, nth=1)
    async with trial.raises(errors.BackendError, about) as caught:
        await trial.call(backend)
    return caught.error


_UNREADABLE: Final = (
    # (what the server does, the class, words of which one must be in the message)
    (Html(200), errors.ResponseFormatError, "text/html"),
    (EmptyBody(200), errors.ResponseFormatError, "empty"),
    (Garbage(), errors.ResponseFormatError, "cannot be read"),
    (Truncate(0.5), errors.ResponseFormatError, "cannot be read: not"),
    (Truncate(0.99), errors.ResponseFormatError, "cannot be read: not"),
    (DeepJson(100_000), errors.ResponseFormatError, "nested too deeply"),
    (DeepJson(500), errors.ResponseFormatError, "nested too deeply"),
    (Status(200, body="plain words"), errors.ResponseFormatError, "not JSON"),
    (Status(200, body="null"), errors.ResponseFormatError, "cannot be read"),
    (Status(200, body=[]), errors.ResponseFormatError, "cannot be read"),
    (Status(200, body="17"), errors.ResponseFormatError, "cannot be read"),
    (Status(200, body='{"a": NaN}'), errors.ResponseFormatError, "NaN"),
    (Status(200, body=b'{"a": "\xff\xfe"}'), errors.ResponseFormatError, "UTF-8"),
    (Status(200, body={}), errors.ResponseFormatError, "cannot be read"),
)
_BROKEN: Final = (
    (Html(502), errors.ServerError, "HTML|gateway"),
    (Html(503), errors.OverloadedError, "HTML|unavailable"),
    (EmptyBody(503), errors.OverloadedError, "503|unavailable"),
    (EmptyBody(400), errors.InvalidRequestError, "400|bad request"),
    (Status(500, body=[]), errors.ServerError, ""),
    (Status(500, body=b"\x00\xff\xc3"), errors.ServerError, ""),
    (Status(500, body="[" * 100_000), errors.ServerError, ""),
    (Garbage("http"), errors.TransportError, "not HTTP"),
    (WrongLength(1000), errors.TransportError, "cut short"),
)


@check("ERR-02")
async def err_02(trial: Trial) -> None:
    """A gateway's page, an empty body, a wrong content type, garbage, truncated or deep JSON, and whatever else is no answer
    at this provider, each give a typed error that says so."""
    known = expectations_of(trial.subject)
    for action, expected, words in (*_BROKEN, *(_UNREADABLE if known.json_answers else known.unreadable)):
        backend = await _alone(trial)
        trial.fault(action, nth=1)
        shown = f"{action}"[:100]
        async with trial.raises(errors.BackendError, shown) as caught:
            await trial.call(backend)
        trial.equal(type(caught.error), expected, f"class of {shown}")
        said = caught.error.message.lower()
        trial.expect(
            any(word in said for word in words.lower().split("|")), f"{shown}: the error does not say {words!r}: {said}"
        )
        trial.equal(backend.queue_status()["active"], 0, f"slots in use after {shown}")
    for case in known.no_answers:
        await _no_answer(trial, case)
    if known.json_answers:
        await _under_the_wrong_name(trial)
    if trial.subject.stream is not None:
        for action in (
            Html(200),
            Garbage(),
            Truncate(0.5),
            DeepJson(100_000),
            DeepJson(500),
            Status(200, body="plain words"),
        ):
            backend = await _alone(trial)
            trial.fault(action, nth=1)
            async with trial.raises(errors.BackendError, f"a stream that meets {action}") as caught:
                await trial.stream(backend).collect()
            trial.expect(
                isinstance(
                    caught.error, errors.ResponseFormatError | errors.StreamInterruptedError | errors.TransportError
                ),
                f"a stream that meets {action} raised {type(caught.error).__name__}",
            )


async def _no_answer(trial: Trial, case: NoAnswer) -> None:
    shown = f"{case.action}"[:200]
    backend = await _alone(trial)
    trial.script(Fault(case.action, path=case.path or trial.subject.call_path, nth=1))
    async with trial.raises(errors.BackendError, shown) as caught:
        await (trial.call(backend) if case.make is None else made(partial(case.make, backend)))
    trial.equal(type(caught.error), case.expected, f"class of {shown}")
    said = caught.error.message
    trial.expect(any(word in said for word in case.words.split("|")), f"{shown}: the error does not say it: {said}")


async def _under_the_wrong_name(trial: Trial) -> None:
    """A good body under a wrong content type is read, or refused by that name; it is never misread."""
    backend = await _alone(trial)
    trial.fault(WrongContentType(), nth=1)
    try:
        reply = await trial.call(backend)
    except errors.ResponseFormatError as error:
        trial.expect("text/html" in error.message, f"the error does not name the content type: {error.message}")
    else:
        trial.expect(shows(trial.requests[-1].nonce, str(reply)), "a good body under a wrong content type was misread")


@check("ERR-03")
async def err_03(trial: Trial) -> None:
    """An answer beyond the size bound and a decompression bomb give a clear error at a bounded cost of memory."""
    await trial.call(await _alone(trial))
    for actions, expected in (
        ((Oversized(32 * _MIB),), errors.ResponseFormatError),
        ((Bomb(64 * _MIB),), errors.ResponseFormatError),
        ((Status(500, message=_WORDS), Oversized(32 * _MIB)), errors.ServerError),
        ((Status(500, message=_WORDS), Bomb(64 * _MIB)), errors.ServerError),
    ):
        await _bounded(trial, actions, expected)
    # Just inside the bound all is well: it is a bound, not a fear of large answers.
    backend = await _alone(trial, max_response_bytes=_MIB)
    trial.fault(Oversized(_MIB - 65_536), nth=1)
    await trial.call(backend)
    trial.equal(trial.requests[-1].status, 200, "an answer just inside the bound")


async def _bounded(trial: Trial, actions: Any, expected: type[errors.BackendError]) -> None:
    about = " and ".join(map(str, actions))[:120]
    modes = (False, True) if trial.subject.stream is not None else (False,)
    for stream in modes:
        backend = await _alone(trial, max_response_bytes=_MIB, max_event_bytes=_MIB)
        for action in actions:
            trial.fault(action, nth=1)
        tracemalloc.start()
        try:
            async with trial.raises(errors.BackendError, about) as caught:
                await (trial.stream(backend).collect() if stream else trial.call(backend))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        error = caught.error
        right = isinstance(error, expected) or (stream and isinstance(error, errors.StreamInterruptedError))
        trial.expect(right, f"{about} raised {type(error).__name__}: {error}")
        if expected is errors.ResponseFormatError:
            said = any(word in error.message for word in ("larger", "decompressed", "length"))
            trial.expect(said, f"{about}: the error does not say what is wrong: {error.message}")
        trial.expect(peak < 12 * _MIB, f"{about} cost {peak / _MIB:.1f} MiB with a bound of 1 MiB")
        await trial.sim.until(in_flight=0)
        trial.expect(
            trial.requests[-1].sent < 16 * _MIB, f"{about}: {trial.requests[-1].sent} bytes were taken from the wire"
        )
