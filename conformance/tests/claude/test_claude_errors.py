"""The error table, hints and retries, keys that are spent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from claude_bench import ASK, MESSAGE, error, mocked
from clocks import Hurried

from backends import errors
from backends.claude.failures import typed_error

RESETS = {
    f"anthropic-ratelimit-{kind}-{what}": value
    for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    for what, value in (("limit", "100"), ("remaining", "99"), ("reset", "2026-11-18T11:33:20Z"))
}


@pytest.mark.parametrize(
    ("status", "kind", "code", "expected"),
    [
        (400, "invalid_request_error", None, errors.InvalidRequestError),
        (401, "authentication_error", None, errors.AuthenticationError),
        (402, "billing_error", None, errors.AuthenticationError),
        (402, "billing_error", "linked_organization_billing_unavailable", errors.QuotaExceededError),
        (403, "permission_error", None, errors.PermissionDeniedError),
        (404, "not_found_error", None, errors.NotFoundError),
        (408, "timeout_error", None, errors.ServerError),
        (409, "conflict_error", None, errors.ServerError),
        (413, "request_too_large", None, errors.InvalidRequestError),
        (422, "invalid_request_error", None, errors.InvalidRequestError),
        (429, "rate_limit_error", None, errors.RateLimitError),
        (429, "rate_limit_error", "enforced_spend_limit_reached", errors.QuotaExceededError),
        (500, "api_error", None, errors.ServerError),
        (503, "api_error", "cmek_key_unreachable", errors.OverloadedError),
        (504, "timeout_error", None, errors.ServerError),
        (529, "overloaded_error", None, errors.OverloadedError),
    ],
)
async def test_the_table(status: int, kind: str, code: str | None, expected: type[errors.BackendError]) -> None:
    async with mocked((status, error(kind, code=code), {"request-id": "req_7"})) as claude:
        with pytest.raises(errors.BackendError, match="It broke") as caught:
            await claude.achat(ASK)
    found = caught.value
    assert type(found) is expected
    assert (found.status, found.code, found.provider_request_id) == (status, code or kind, "req_7")


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"type": "Bad Request", "message": "vLLM says no", "code": 400}}, "vLLM says no", "Bad Request"),
        ({"error": "plain"}, "plain", None),
        ("words", "words", None),
        ("<html>", "HTML page", None),
        ({"error": {"message": 7, "type": 7, "details": {"error_code": 7}}}, "HTTP 400", None),
        ({"error": {"details": []}}, "HTTP 400", None),
        ([], "HTTP 400", None),
        (None, "HTTP 400", None),
    ],
)
def test_bodies_of_other_shapes(body: Any, message: str, code: str | None) -> None:
    found = typed_error(400, body)
    assert message in found.message
    assert found.code == code


def test_texts_of_errors_are_bounded() -> None:
    found = typed_error(400, {"error": {"message": "x" * 10_000, "type": "t" * 1000}})
    assert len(found.message) == 2000
    assert len(found.code or "") == 200


def test_a_retired_model_is_told_with_its_successor() -> None:
    found = typed_error(404, error("not_found_error", "model: claude-2.1"), model="claude-2.1")
    assert type(found) is errors.UnknownModelError
    assert found.suggestions == ("claude-sonnet-5-5",)
    assert "2025-07-21" in found.message
    near = typed_error(404, error("not_found_error", "model: claude-opus-5-6"))
    assert "claude-opus-5-5" in near.suggestions


async def test_overload_is_retried_and_the_hint_of_milliseconds_obeyed() -> None:
    clock = Hurried()
    busy = (529, error("overloaded_error", "Overloaded"), {"retry-after-ms": "2500", "retry-after": "9"})
    async with mocked(busy, busy, MESSAGE, max_retries=3, clock=clock, jitter=0.0) as claude:
        reply = await claude.achat(ASK)
    assert (reply.text, reply.attempts) == ("Seven", 3)
    assert clock.slept == [2.5, 2.5]


async def test_resets_of_the_limits_count_for_a_429_and_not_for_a_failure() -> None:
    for status, kind, waits in ((500, "api_error", 1.0), (429, "rate_limit_error", 600.0)):
        clock = Hurried()
        broken = (status, error(kind), RESETS)
        settings = {"max_retries": 1, "clock": clock, "jitter": 0.0, "max_retry_after": 1000.0}
        async with mocked(broken, MESSAGE, **settings) as claude:
            await claude.achat(ASK)
        assert sum(clock.slept) == pytest.approx(waits, abs=1.0)


async def test_a_spend_limit_is_not_retried_and_the_next_key_is_tried() -> None:
    spent = (429, error("rate_limit_error", "Limit reached", "enforced_spend_limit_reached"))
    seen: list[httpx.Request] = []
    async with mocked(spent, seen=seen, max_retries=5) as claude:
        with pytest.raises(errors.QuotaExceededError):
            await claude.achat(ASK)
    assert len(seen) == 1
    seen.clear()
    async with mocked(spent, MESSAGE, seen=seen, api_keys=["sk-a", "sk-b"], max_retries=0) as claude:
        assert (await claude.achat(ASK)).text == "Seven"
    assert [request.headers["authorization"] for request in seen] == ["Bearer sk-a", "Bearer sk-b"]


async def test_should_retry_is_obeyed() -> None:
    final = (500, error("api_error"), {"x-should-retry": "false"})
    async with mocked(final, MESSAGE, max_retries=3) as claude:
        with pytest.raises(errors.ServerError) as caught:
            await claude.achat(ASK)
    assert caught.value.attempts == 1


async def test_a_batch_or_upload_is_not_started_twice() -> None:
    failed = (500, error("api_error"))
    refused = (529, error("overloaded_error"))
    batch = {"id": "msgbatch_1", "processing_status": "in_progress", "request_counts": {}}
    requests = [{"custom_id": "a", "params": {"messages": ASK}}]
    async with mocked(failed, batch, max_retries=3) as claude:
        with pytest.raises(errors.ServerError) as caught:
            await claude.acreate_batch(requests)
        assert caught.value.attempts == 1
    async with mocked(refused, batch, max_retries=3) as claude:
        made = await claude.acreate_batch(requests)
    assert (made.id, made.attempts, made.total) == ("msgbatch_1", 2, None)
