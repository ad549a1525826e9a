"""Chapter ERR, second part: what is refused before the wire, unknown models, and what an error carries when it travels."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from backends import errors
from conformance.check import check
from conformance.checks.common import made
from conformance.expectations import BadCall, expectations_of
from conformance.simulators.faults import ErrorEvent, Reset, Status
from conformance.trial import Trial

_REFUSALS: Final = (errors.InvalidRequestError, errors.ConfigurationError)
_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("priority", "urgent"),
    ("priority", 7),
    ("deadline", -1.0),
    ("deadline", 0),
    ("deadline", "soon"),
    ("request_id", "not-a-uuid"),
    ("endpoint", "nowhere"),
    ("temprature", 0.5),
)
_SETTINGS: Final[tuple[tuple[str, Any], ...]] = (
    ("max_retries", -1),
    ("max_retries", 2.5),
    ("max_concurrent_requests", 0),
    ("jitter", 2.0),
    ("idle_timeout", float("nan")),
    ("queue_size", True),
    ("overflow", "explode"),
    ("max_retry", 3),
    ("base_url", "ftp://127.0.0.1/"),
)


async def _refused(trial: Trial, call: Callable[[], Any], names: str, about: str) -> None:
    sent = len(trial.requests)
    async with trial.raises(_REFUSALS, about) as caught:
        await made(call)
    trial.equal(len(trial.requests) - sent, 0, f"{about}: requests at the server")
    trial.expect(names in str(caught.error), f"{about}: the error does not name {names!r}: {caught.error}")
    trial.equal(caught.error.fault, "caller", f"{about}: whose fault")


@check("ERR-04")
async def err_04(trial: Trial) -> None:
    """A bad argument raises before anything is sent, and the message names it."""
    backend = await trial.backend()
    subject = trial.subject
    for name, value in _OPTIONS:
        names = "nowhere" if name == "endpoint" else name
        await _refused(trial, partial(trial.call, backend, **{name: value}), names, f"{name}={value!r}")
        if subject.stream is not None:
            await _refused(
                trial, partial(trial.stream, backend, **{name: value}), names, f"stream with {name}={value!r}"
            )
    for case in expectations_of(subject).bad_calls:
        await _refused(trial, partial(case.make, backend), case.names, f"a bad {case.names}")
    for name, value in _SETTINGS:
        async with trial.raises(errors.ConfigurationError, f"the setting {name}={value!r}") as caught:
            await trial.backend(**{name: value})
        trial.expect(name in str(caught.error), f"the error does not name the setting {name}: {caught.error}")
    async with trial.raises(errors.ConfigurationError, "a misspelt setting") as caught:
        await trial.backend(max_retry=3)
    trial.expect("max_retries" in caught.error.suggestions, f"the nearest setting is not suggested: {caught.error}")


@check("ERR-07")
async def err_07(trial: Trial) -> None:
    """Non-finite numbers, lone surrogates and empty messages are refused before anything is sent."""
    backend = await trial.backend()
    asynchronous = getattr(backend, "a" + trial.subject.call_name)
    cases = [
        BadCall("content", lambda b: trial.call(b, "half of a \ud83d character")),
        BadCall("empty", lambda _: asynchronous([])),
        BadCall("empty", lambda _: asynchronous(())),
        *(BadCall("finite", partial(trial.call, extra_body={"weight": float(n)})) for n in ("nan", "inf", "-inf")),
        BadCall("weights[1].deep", lambda b: trial.call(b, extra_body={"weights": [1, {"deep": "\udfff"}]})),
        *expectations_of(trial.subject).unsayable,
    ]
    for number, case in enumerate(cases):
        await _refused(trial, partial(case.make, backend), case.names, f"case {number}, which must name {case.names!r}")
    if trial.subject.stream is not None:
        await _refused(trial, lambda: trial.stream(backend, "\ud83d"), "content", "a stream about a lone surrogate")


@check("ERR-06")
async def err_06(trial: Trial) -> None:
    """A model that is unknown or retired gives an error with the nearest names."""
    known = expectations_of(trial.subject)
    backend = await trial.backend()
    if known.warm is not None:
        await known.warm(backend)
    trial.expect(known.models, "nobody has said which models are unknown here")
    for model, expected in known.models:
        async with trial.raises(errors.UnknownModelError, f"the model {model}") as caught:
            await trial.call(backend, model=model)
        error = caught.error
        trial.expect(
            error.suggestions and model not in error.suggestions, f"no other model is suggested for {model}: {error}"
        )
        if expected is not None:
            trial.expect(
                expected in error.suggestions,
                f"{expected} is not among the suggestions for {model}: {error.suggestions}",
            )
        trial.expect(model in error.message, f"the error does not name {model}: {error}")


_FAULTS: Final = {
    "caller": "Configuration InvalidRequest ContextLength ContentFilter Unsupported UnknownModel NotFound Closed",
    "key": "Authentication PermissionDenied RateLimit QuotaExceeded",
    "provider": "Server Overloaded ServiceUnavailable ResponseFormat StreamInterrupted",
    "network": "Transport",
    "limits": "BudgetExceeded DeadlineExceeded QueueFull",
}
_CARRIED: Final = (
    *("message", "status", "code", "provider", "request_id", "provider_request_id"),
    *("attempts", "retry_after", "partial", "suggestions"),
)


@check("ERR-05")
async def err_05(trial: Trial) -> None:
    """Errors survive pickling, keep their cause and say whose fault they are."""
    fault_of = {f"{name}Error": fault for fault, names in _FAULTS.items() for name in names.split()}
    for name in errors.__all__:
        if name in fault_of:
            error = getattr(errors, name)(
                "It broke.", status=500, code="c", partial="half", retry_after=1.5, suggestions=("a",)
            )
            error.__cause__ = ValueError("the reason")
            trial.equal(error.fault, fault_of[name], f"whose fault a {name} is")
            _travels(trial, error)
    trial.equal(
        set(errors.__all__) - set(fault_of), {"BackendError"}, "errors that nobody has said whose fault they are"
    )
    quiet: dict[str, Any] = {"max_retries": 0, "failure_threshold": 1_000_000}
    for action, fault in (
        (Status(400), "caller"),
        (Status(401), "key"),
        (Status(429, headers=(("retry-after", "7"),)), "key"),
        (Status(503), "provider"),
        (Reset("headers"), "network"),
    ):
        backend = await trial.backend(**quiet)
        trial.fault(action, nth=1)
        async with trial.raises(errors.BackendError, f"{action}") as caught:
            await trial.call(backend)
        trial.equal(caught.error.fault, fault, f"whose fault {action} is")
        trial.equal(
            (caught.error.attempts, caught.error.provider),
            (1, trial.subject.name),
            f"attempts and provider of {action}",
        )
        trial.expect(caught.error.request_id, f"{action}: the error has no request id")
        _travels(trial, caught.error)
    await _own_limits(trial)
    if trial.subject.stream is not None:
        trial.fault(ErrorEvent(after_events=3), nth=1)
        async with trial.raises(errors.StreamInterruptedError, "an error event behind content") as caught:
            await trial.stream(await trial.backend(**quiet)).collect()
        trial.expect(
            isinstance(caught.error.__cause__, errors.BackendError),
            "a broken stream does not keep the provider's error as cause",
        )
        _travels(trial, caught.error)


async def _own_limits(trial: Trial) -> None:
    backend = await trial.backend(max_concurrent_requests=1, queue_size=0)
    trial.sim.hold()
    first = trial.spawn(trial.call(backend))
    await trial.sim.until(held=1)
    async with trial.raises(errors.QueueFullError, "a call that finds the queue full") as caught:
        await trial.call(backend)
    trial.equal((caught.error.fault, caught.error.attempts), ("limits", 0), "whose fault a full queue is, and attempts")
    _travels(trial, caught.error)
    trial.sim.let_go()
    await first


def _travels(trial: Trial, error: Any) -> None:
    """Assert that nothing is lost between two processes."""
    name = type(error).__name__
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own error, pickled one line before
    except Exception as problem:  # whatever it is, it is the finding
        trial.expect(False, f"{name} cannot be pickled: {type(problem).__name__}: {problem}")
        return
    trial.equal(type(copy), type(error), f"class of a pickled {name}")
    for field in _CARRIED:
        trial.equal(getattr(copy, field), getattr(error, field), f"{field} of a pickled {name}")
    trial.equal(str(copy), str(error), f"text of a pickled {name}")
    trial.equal(repr(copy.__cause__), repr(error.__cause__), f"cause of a pickled {name}")
