"""Whose fault an error answer is: the class that the provider module read goes before the bare status."""

from __future__ import annotations

import pytest

from backends import errors
from backends.operation import Repeat
from backends.resilience.failures import (
    AttemptFailed,
    Blame,
    error_class,
    failed_answer,
    failed_format,
    failed_stream,
    failed_wire,
)
from backends.secret import Key
from backends.wire.values import Failure, WireError


@pytest.mark.parametrize(
    ("error", "status", "blame"),
    [
        (errors.NotFoundError, 404, Blame.REQUEST),
        (errors.OverloadedError, 404, Blame.CONTENTION),
        (errors.ServerError, 400, Blame.CONTENTION),
        (errors.ServerError, 499, Blame.CONTENTION),
        (errors.OverloadedError, 503, Blame.OUTAGE),
        (errors.ServerError, 500, Blame.OUTAGE),
        (errors.UnknownModelError, 500, Blame.REQUEST),
        (errors.AuthenticationError, 500, Blame.KEY_REFUSED),
        (errors.ServerError, 409, Blame.CONTENTION),
        (errors.RateLimitError, 429, Blame.KEY_BUSY),
        (errors.InvalidRequestError, 429, Blame.KEY_BUSY),
        (errors.RateLimitError, 400, Blame.KEY_BUSY),
        (errors.InvalidRequestError, 408, Blame.CONTENTION),
        (errors.InvalidRequestError, 409, Blame.CONTENTION),
        (errors.InvalidRequestError, 403, Blame.KEY_REFUSED),
        (errors.QuotaExceededError, 429, Blame.KEY_REFUSED),
        (errors.InvalidRequestError, 422, Blame.REQUEST),
    ],
)
def test_blame(error: type[errors.BackendError], status: int, blame: Blame) -> None:
    failure = failed_answer(error("It broke.", status=status), {}, None, Repeat.ALWAYS, 0.0)
    assert failure.blame is blame
    assert failure.most_repeats is None


def test_the_servers_own_word_about_a_repeat_still_counts() -> None:
    error = errors.UnknownModelError("It broke.", status=500)
    failure = failed_answer(error, {"x-should-retry": "true"}, None, Repeat.ALWAYS, 0.0)
    assert failure.blame is Blame.CONTENTION


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (418, errors.InvalidRequestError),
        (499, errors.InvalidRequestError),
        (500, errors.ServerError),
        (503, errors.OverloadedError),
        (599, errors.ServerError),
    ],
)
def test_a_status_without_a_code(status: int, kind: type[errors.BackendError]) -> None:
    assert error_class(status) is kind


@pytest.mark.parametrize(
    ("repeat", "status", "repeatable"),
    [
        (Repeat.ALWAYS, 500, True),
        (Repeat.UNPROCESSED, 500, False),
        (Repeat.UNPROCESSED, 503, True),
        (Repeat.UNPROCESSED, 429, True),
        (Repeat.NEVER, 503, False),
        (Repeat.NEVER, 429, False),
    ],
)
def test_what_may_be_repeated(repeat: Repeat, status: int, repeatable: bool) -> None:
    failure = failed_answer(error_class(status)("It broke.", status=status), {}, None, repeat, 0.0)
    assert (failure.repeatable, failure.kind) == (repeatable, status)


@pytest.mark.parametrize("status", [429, 503, 409])
def test_the_servers_hint_goes_onto_the_error(status: int) -> None:
    """From headers or body; where neither has one, what the reader of a stream has seen stays."""
    for headers, body in (({"retry-after": "7"}, None), ({}, {"error": {"message": "try again in 7s"}})):
        failure = failed_answer(error_class(status)("It broke.", status=status), headers, body, Repeat.ALWAYS, 0.0)
        assert (failure.hint, failure.error.retry_after) == (7.0, 7.0)
    seen = error_class(status)("It broke.", status=status, retry_after=3.0)
    assert failed_answer(seen, {}, None, Repeat.ALWAYS, 0.0).hint == 3.0


def test_a_date_is_a_hint_from_now() -> None:
    headers = {"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}
    failure = failed_answer(errors.OverloadedError("It broke.", status=503), headers, None, Repeat.ALWAYS, 40.0)
    assert failure.hint == 60.0


def test_general_quota_headers_say_nothing_of_a_server_error() -> None:
    headers = {"x-ratelimit-reset-requests": "12s"}
    assert failed_answer(errors.ServerError("", status=500), headers, None, Repeat.ALWAYS, 0.0).hint is None
    assert failed_answer(errors.RateLimitError("", status=429), headers, None, Repeat.ALWAYS, 0.0).hint == 12.0


@pytest.mark.parametrize(
    ("error", "status", "most"),
    [(errors.ServerError, 500, 1), (errors.OverloadedError, 500, None), (errors.ServerError, 502, None)],
)
def test_what_an_operation_repeats_once(error: type[errors.BackendError], status: int, most: int | None) -> None:
    """After the statuses that it names, unless the server is only overloaded."""
    failure = failed_answer(error("It broke.", status=status), {}, None, Repeat.ALWAYS, 0.0, frozenset({500}))
    assert failure.most_repeats == most


def test_a_failing_engine_is_asked_twice() -> None:
    failure = failed_answer(errors.ServerError("It broke.", status=424), {}, None, Repeat.ALWAYS, 0.0)
    assert (failure.blame, failure.most_repeats) == (Blame.CONTENTION, 1)


@pytest.mark.parametrize(
    ("error", "blame", "repeatable", "kind"),
    [
        (errors.ServerError("It broke.", code="gone"), Blame.OUTAGE, True, "gone"),
        (errors.ServerError("It broke."), Blame.OUTAGE, True, "stream"),
        (errors.InvalidRequestError("No."), Blame.REQUEST, False, "stream"),
        (errors.ResponseFormatError("What?"), Blame.REQUEST, False, "stream"),
        (errors.RateLimitError("Slowly.", status=429), Blame.KEY_BUSY, True, 429),
    ],
)
def test_an_error_inside_a_stream(error: errors.BackendError, blame: Blame, repeatable: bool, kind: object) -> None:
    """By the status that the provider module gave it; without one it is an outage, unless the request is known to be at fault."""
    failure = failed_stream(error, Repeat.ALWAYS, 0.0)
    assert (failure.error, failure.blame, failure.repeatable, failure.kind) == (error, blame, repeatable, kind)
    assert not failed_stream(error, Repeat.NEVER, 0.0).repeatable


def test_content_that_cannot_be_read_is_nobodys_outage() -> None:
    failure = failed_format("no text in it", request_id="r-1")
    assert isinstance(failure.error, errors.ResponseFormatError)
    assert (failure.error.message, failure.error.request_id) == ("no text in it", "r-1")
    assert (failure.blame, failure.repeatable, failure.kind) == (Blame.REQUEST, False, "format")


@pytest.mark.parametrize(
    ("failure", "sent", "kind", "blame", "repeatable"),
    [
        (Failure.CONNECT, False, errors.TransportError, Blame.OUTAGE, (True, True, False)),
        (Failure.READ_TIMEOUT, True, errors.TransportError, Blame.OUTAGE, (True, False, False)),
        (Failure.TLS, False, errors.TransportError, Blame.REQUEST, (False, False, False)),
        (Failure.PROXY, False, errors.TransportError, Blame.REQUEST, (False, False, False)),
        (Failure.TOO_LARGE, True, errors.ResponseFormatError, Blame.REQUEST, (False, False, False)),
    ],
)
def test_a_failure_of_the_network(
    failure: Failure, sent: bool, kind: type[errors.BackendError], blame: Blame, repeatable: tuple[bool, ...]
) -> None:
    """Repeated always, only when the server cannot have begun, or never: as the operation allows."""
    problem = WireError(failure, "details", sent=sent)
    found = [failed_wire(problem, one, request_id="r-1") for one in (Repeat.ALWAYS, Repeat.UNPROCESSED, Repeat.NEVER)]
    assert tuple(one.repeatable for one in found) == repeatable
    assert {(type(one.error), one.blame, one.kind, one.error.request_id) for one in found} == {
        (kind, blame, failure, "r-1")
    }
    assert found[0].error.message.endswith(": details")
    assert failed_wire(WireError(failure, sent=sent), Repeat.ALWAYS).error.message.endswith(".")
    if kind is errors.TransportError:
        assert found[0].error.code == failure.value


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_of_the_network_has_words(failure: Failure) -> None:
    assert len(failed_wire(WireError(failure, sent=True), Repeat.NEVER).error.message) > 10


def test_a_code_that_quotes_a_key_is_known_without_it() -> None:
    """It still tells one failure from another; a status stays what it is."""
    key = Key("sk-planted-7Hq2")
    error = errors.ServerError("It broke with sk-planted-7Hq2.", code="bad sk-planted-7Hq2")
    failure = AttemptFailed(error, Blame.OUTAGE, repeatable=True, kind="bad sk-planted-7Hq2").made_known(iter([key]))
    assert isinstance(failure.kind, str)
    assert failure.kind.startswith("bad ")
    assert "planted" not in f"{failure.kind} {failure.error} {failure.error.code}"
    assert AttemptFailed(error, Blame.OUTAGE, repeatable=True, kind=500).made_known([key]).kind == 500
