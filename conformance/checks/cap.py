"""Chapter CAP: every call that a backend declares, made in both modes, judged by what the server saw and what the caller got."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from backends import errors
from backends.types import Reply
from conformance.check import check
from conformance.checks.common import shows
from conformance.simulators.faults import Fault, Replace
from conformance.simulators.record import Seen
from conformance.subject import CallCase, Subject
from conformance.trial import Trial

_UNKNOWN = {"since": 2027, "list": [1, None]}


def _calls(subject: Subject) -> Iterable[str]:
    return [f"{name} {mode}" for name in subject.declared for mode in ("async", "sync")]


def _refused(subject: Subject) -> Iterable[str]:
    return [f"{name} {mode}" for name in subject.refusals for mode in ("async", "sync")]


def _features(subject: Subject) -> Iterable[str]:
    return list(subject.features)


def _json_calls(subject: Subject) -> Iterable[str]:
    return [name for name, case in subject.declared.items() if case.whole_json]


async def _made(trial: Trial, case: CallCase, mode: str) -> tuple[Any, list[Seen]]:
    """Make a declared call and return its reply and the requests of its route."""
    backend = await trial.backend()
    if mode == "async":
        reply = await case.run(backend)
    else:
        assert case.twin is not None, "a declared call has a synchronous twin"
        reply = await asyncio.get_running_loop().run_in_executor(None, case.twin, backend)
    return reply, [seen for seen in trial.requests if seen.method == case.method and fnmatchcase(seen.path, case.path)]


@check("CAP-01", cases=_calls)
async def cap_01(trial: Trial) -> None:
    """The request on the wire is what the provider's own schema and client send: the simulator found no fault with it."""
    name, _, mode = trial.case.rpartition(" ")
    case = trial.subject.declared[name]
    _, sent = await _made(trial, case, mode)
    trial.expect(
        sent, f"no request reached {case.route}; there were {[f'{seen.method} {seen.path}' for seen in trial.requests]}"
    )
    for seen in trial.requests:
        trial.equal(seen.problem, None, f"what the server found wrong with {seen.method} {seen.path}")
        trial.expect(200 <= seen.status < 300, f"{seen.method} {seen.path} was answered with {seen.status}")
    for field, value in (case.sends or {}).items():
        trial.expect(isinstance(sent[-1].json, dict), "the body is not a JSON object")
        trial.equal(sent[-1].json.get(field), value, f"field {field} on the wire")


@check("CAP-02", cases=_calls)
async def cap_02(trial: Trial) -> None:
    """The reply is read in full: nothing is dropped, raw is the provider's payload, unknown fields are tolerated and kept."""
    name, _, mode = trial.case.rpartition(" ")
    case = trial.subject.declared[name]
    if case.whole_json:
        trial.script(Fault(Replace("from_the_future", _UNKNOWN), path=case.path, method=case.method))
    reply, sent = await _made(trial, case, mode)
    trial.expect(sent, f"no request reached {case.route}")
    trial.expect(reply is not None or case.empty, "the call returned nothing")
    if case.whole_json:
        trial.equal(reply.raw.get("from_the_future"), _UNKNOWN, "an unknown field of the payload in raw")
    if isinstance(reply, Reply):
        trial.expect(reply.request_id, "the reply has no request id")
        trial.equal(reply.attempts, case.requests, "attempts of the reply")
        trial.expect(reply.headers or not case.headers, "the answer's headers were dropped")
    if case.nonce and isinstance(reply, Reply):
        nonces = [seen.nonce for seen in sent]
        everything = f"{reply!r} {reply.headers!r} {reply.raw!r} {_bytes_of(reply)!r}"
        trial.expect(
            any(shows(nonce, everything) for nonce in nonces),
            "what the server wrote into its answer is not in the reply",
        )
    if case.judge is not None:
        case.judge(trial, reply, sent[-1])


def _bytes_of(reply: Any) -> bytes:
    data = getattr(reply, "data", b"")
    images = b"".join(image.data for image in getattr(reply, "images", ()))
    return (data if isinstance(data, bytes) else b"") + images


@check("CAP-03", cases=_refused)
async def cap_03(trial: Trial) -> None:
    """A call that the provider does not have, or no longer has, raises UnsupportedError before the wire and says what to use."""
    name, _, mode = trial.case.rpartition(" ")
    backend = await trial.backend()
    trial.expect(name in type(backend).refusals, f"{name} is not among the backend's declared refusals")
    method = getattr(backend, name if mode == "sync" else "a" + name)
    async with trial.raises(errors.UnsupportedError, name) as caught:
        if mode == "sync":
            await asyncio.get_running_loop().run_in_executor(None, method)
        else:
            result = method()
            if inspect.isawaitable(result):
                await result
    trial.expect(type(backend).refusals[name] in str(caught.error), "the refusal does not give its reason")
    trial.equal(caught.error.fault, "caller", "whose fault the refusal is")
    trial.equal(len(trial.requests), 0, "requests at the server")


@check("CAP-04", cases=_features)
async def cap_04(trial: Trial) -> None:
    """System prompts, multimodal input, tools, JSON schema, seed, stop, penalties and logit bias reach the wire."""
    case = trial.subject.features[trial.case]
    reply, sent = await _made(trial, case, "async")
    trial.equal(len(sent), 1, f"requests at {case.route}")
    trial.equal(sent[0].problem, None, "what the server found wrong with the request")
    body = sent[0].json
    for field, value in (case.sends or {}).items():
        trial.equal(_at(body, field), value, f"field {field} on the wire")
    if case.judge is not None:
        case.judge(trial, reply, sent[0])


def _at(body: Any, path: str) -> Any:
    for part in path.split("."):
        body = body.get(part) if isinstance(body, dict) else None
    return body
