"""The service's error table, what is repeated, hints, headers and addresses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from clocks import Hurried
from groq_bench import ASK, KEY, backend_at, completion, mocked

from backends import errors
from backends.groq import Groq
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Status


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"type": "invalid_request_error"}, errors.InvalidRequestError),
        (400, {"type": "invalid_request_error", "code": "model_decommissioned"}, errors.UnknownModelError),
        (400, {"type": "invalid_request_error", "code": "json_validate_failed"}, errors.InvalidRequestError),
        (400, {"type": "invalid_request_error", "code": "tool_use_failed"}, errors.InvalidRequestError),
        (401, {"type": "invalid_request_error", "code": "invalid_api_key"}, errors.AuthenticationError),
        (403, {"type": "permissions_error"}, errors.PermissionDeniedError),
        (404, {"type": "invalid_request_error", "code": "model_not_found"}, errors.UnknownModelError),
        (404, {"type": "invalid_request_error", "code": "unknown_url"}, errors.NotFoundError),
        (413, {"type": "tokens", "code": "rate_limit_exceeded"}, errors.InvalidRequestError),
        (422, {"type": "invalid_request_error"}, errors.InvalidRequestError),
        (424, {"type": "invalid_request_error"}, errors.InvalidRequestError),
        (429, {"type": "tokens", "code": "rate_limit_exceeded"}, errors.RateLimitError),
        (498, {"type": "internal_server_error", "code": "capacity_exceeded"}, errors.OverloadedError),
        (499, {"type": "invalid_request_error"}, errors.InvalidRequestError),
        (500, {"type": "internal_server_error"}, errors.ServerError),
        (502, {"type": "internal_server_error"}, errors.ServerError),
        (503, {"type": "internal_server_error"}, errors.OverloadedError),
    ],
)
async def test_the_table(status: int, body: dict[str, str], expected: type[errors.BackendError]) -> None:
    answer = {"error": {"message": "it broke", **body}}
    async with mocked(lambda _: httpx.Response(status, json=answer), max_retries=0) as backend:
        with pytest.raises(errors.BackendError) as caught:
            await backend.achat(ASK, model="somebody/new")
    error = caught.value
    assert type(error) is expected
    assert (error.status, error.code, error.provider) == (status, body.get("code") or body["type"], "groq")
    assert "it broke" in error.message


async def test_a_full_flex_tier_is_tried_again_and_no_outage(sim: Simulator) -> None:
    clock = Hurried()
    async with backend_at(sim, clock=clock, failure_threshold=1, max_retries=2, initial_retry_delay=1.0) as backend:
        sim.script(Fault(Status(498), nth=1))
        sim.script(Fault(Status(498, headers=(("retry-after", "7"),)), nth=2))
        reply = await backend.achat(ASK, service_tier="flex")
        assert reply.attempts == 3
        assert len(clock.slept) == 2
        assert 0.8 <= clock.slept[0] <= 1.2
        assert clock.slept[1] >= 7.0
        sim.script(Fault(Status(498)))
        with pytest.raises(errors.OverloadedError) as caught:
            await backend.achat(ASK, service_tier="flex")
        assert (caught.value.attempts, caught.value.code) == (3, "capacity_exceeded")
        sim.forget_faults()
        assert (await backend.achat(ASK)).attempts == 1  # the breaker, which one outage would open, is closed


async def test_a_server_error_does_not_wait_for_the_window_of_requests(sim: Simulator) -> None:
    clock = Hurried()
    limits = (("x-ratelimit-reset-requests", "2m59.56s"), ("x-ratelimit-remaining-requests", "14370"))
    async with backend_at(sim, clock=clock, max_retries=1, initial_retry_delay=1.0) as backend:
        for status in (500, 498):
            sim.script(Fault(Status(status, headers=limits), nth=1))
            assert (await backend.achat(ASK)).attempts == 2
    assert max(clock.slept) <= 1.2


async def test_rate_limits_are_waited_for(sim: Simulator) -> None:
    clock = Hurried()
    async with backend_at(sim, clock=clock, max_retries=1, initial_retry_delay=0.1) as backend:
        sim.script(Fault(Status(429, headers=(("retry-after", "3"),)), nth=1))
        assert (await backend.achat(ASK)).attempts == 2
        assert clock.slept[-1] >= 3.0
        message = "Rate limit reached on tokens per minute (TPM): Limit 8000. Please try again in 7.66s."
        sim.script(Fault(Status(429, message=message), nth=1))
        assert (await backend.achat(ASK)).attempts == 2
        assert clock.slept[-1] >= 7.66
        used = (("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "12.5s"))
        sim.script(Fault(Status(429, headers=used), nth=1))
        assert (await backend.achat(ASK)).attempts == 2
        assert clock.slept[-1] >= 12.5
        slept = len(clock.slept)
        day = "Rate limit reached on tokens per day (TPD): Limit 200000. Please try again in 12m3.4s."
        sim.script(Fault(Status(429, message=day), nth=1))
        with pytest.raises(errors.RateLimitError) as caught:
            await backend.achat(ASK)
        assert caught.value.retry_after == pytest.approx(723.4)
        assert len(clock.slept) == slept


async def test_what_the_model_wrote_before_it_was_refused_is_kept() -> None:
    inner = {
        "message": "Failed to generate JSON.",
        "type": "invalid_request_error",
        "code": "json_validate_failed",
        "failed_generation": '{"city": ',
        "schema_code": "required",
        "schema_kind": "response_format",
        "schema_path": "$.city",
    }
    async with mocked(lambda _: httpx.Response(400, json={"error": inner})) as backend:
        with pytest.raises(errors.InvalidRequestError, match=r"schema path \$.city") as caught:
            await backend.achat(ASK, response_format={"type": "json_object"})
    assert caught.value.partial == '{"city": '
    assert (caught.value.code, caught.value.attempts) == ("json_validate_failed", 1)


@pytest.mark.parametrize("body", [None, [], "text", {"error": "text"}, {"error": {"failed_generation": 7}}, b"\xff"])
async def test_strange_error_bodies_are_still_typed(body: Any) -> None:
    made = httpx.Response(400, content=body) if isinstance(body, bytes) else httpx.Response(400, json=body)
    async with mocked(lambda _: made) as backend:
        with pytest.raises(errors.InvalidRequestError) as caught:
            await backend.achat(ASK)
    assert caught.value.partial is None


async def test_a_chat_refuses_an_error_inside_a_200() -> None:
    async with mocked({"error": {"message": "busy", "code": "capacity_exceeded"}}, max_retries=0) as backend:
        with pytest.raises(errors.OverloadedError, match="busy"):
            await backend.achat(ASK)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("https://api.groq.com/", "https://api.groq.com/openai/v1"),
        ("https://api.groq.com/openai/v1/", "https://api.groq.com/openai/v1"),
        ("https://gateway.example/groq", "https://gateway.example/groq/openai/v1"),
        ("https://gateway.example/groq/v1", "https://gateway.example/groq/v1"),
    ],
)
def test_addresses_with_and_without_the_dialects_path(given: str, used: str) -> None:
    for backend in (
        Groq(base_url=given, environ={}, api_key=KEY),
        Groq(environ={"GROQ_BASE_URL": given, "GROQ_API_KEY": KEY}),
        Groq(metadata={"groq_base_url": given}, environ={}, api_key=KEY),
    ):
        assert backend.base_url == used
        backend.create_endpoint("other", base_url=given, api_key=KEY)
        assert backend.endpoint("other").base_url == used
        backend.close()


async def test_custom_headers_go_with_the_accounts_keys_and_nowhere_else() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=completion())

    environ = {"GROQ_API_KEY": KEY, "GROQ_CUSTOM_HEADERS": "X-Version: 2026-11\n\n Groq-Team : a: b \n"}
    async with mocked(answer, api_key=None, environ=environ, user_agent="ours/1.0") as backend:
        backend.create_endpoint("other", base_url="https://elsewhere.example", api_key=KEY)
        await backend.achat(ASK)
        await backend.achat(ASK, endpoint="other", extra_headers={"X-Mine": "1"})
    assert (seen[0].headers["x-version"], seen[0].headers["groq-team"]) == ("2026-11", "a: b")
    assert seen[0].headers["user-agent"] == "ours/1.0"
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert "x-version" not in seen[1].headers
    assert seen[1].headers["x-mine"] == "1"
    assert str(seen[1].url) == "https://elsewhere.example/openai/v1/chat/completions"


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("X-One: 1\nnonsense", "line 2"),
        ("Authorization: Bearer secret", "must not set Authorization"),
        ("user-agent: x", "user_agent"),
        ("X Y: 1", "line 1"),
        ("X-One: ☃", "latin-1"),
        ("\n".join(f"X-{number}: 1" for number in range(65)), "line 65"),
    ],
)
async def test_custom_headers_that_cannot_be_sent(lines: str, named: str) -> None:
    async with mocked(completion(), metadata={"groq_custom_headers": lines}) as backend:
        with pytest.raises(errors.ConfigurationError, match="GROQ_CUSTOM_HEADERS") as caught:
            await backend.achat(ASK)
    assert named in caught.value.message
    assert "secret" not in str(caught.value)


async def test_no_key_names_the_variable() -> None:
    async with mocked(completion(), api_key=None) as backend:
        with pytest.raises(errors.ConfigurationError, match="GROQ_API_KEY"):
            await backend.achat(ASK)
