"""Whose fault an error answer is: the class that the provider module read goes before the bare status."""

from __future__ import annotations

import pytest

from backends import errors
from backends.operation import Repeat
from backends.resilience.failures import Blame, failed_answer


@pytest.mark.parametrize(
    ("error", "status", "blame"),
    [
        (errors.NotFoundError, 404, Blame.REQUEST),
        (errors.OverloadedError, 404, Blame.CONTENTION),
        (errors.OverloadedError, 503, Blame.OUTAGE),
        (errors.ServerError, 500, Blame.OUTAGE),
        (errors.UnknownModelError, 500, Blame.REQUEST),
        (errors.AuthenticationError, 500, Blame.KEY_REFUSED),
        (errors.ServerError, 409, Blame.CONTENTION),
        (errors.RateLimitError, 429, Blame.KEY_BUSY),
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
