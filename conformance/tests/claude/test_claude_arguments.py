"""What is sent: bodies, headers, versions; and what is refused before the wire."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from claude_bench import ASK, KEY, MESSAGE, TOOL, mocked

from backends import errors
from backends.claude import Claude
from backends.secret import Key


async def sent(*arguments: Any, backend: dict[str, Any] | None = None, **options: Any) -> httpx.Request:
    seen: list[httpx.Request] = []
    async with mocked(MESSAGE, seen=seen, **(backend or {})) as claude:
        await claude.achat(*arguments, **options)
    return seen[0]


async def body_of(*arguments: Any, **options: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((await sent(*arguments, **options)).content)
    return made


async def test_the_smallest_message_has_model_limit_and_messages() -> None:
    assert await body_of(ASK) == {"model": "claude-haiku-5-5", "max_tokens": 4096, "messages": ASK}
    named = await body_of(ASK, backend={"model": "claude-opus-5-5"}, max_tokens=0)
    assert (named["model"], named["max_tokens"]) == ("claude-opus-5-5", 0)
    assert (await body_of(ASK, model="claude-sonnet-5-5"))["model"] == "claude-sonnet-5-5"


async def test_every_argument_goes_where_it_belongs() -> None:
    given: dict[str, Any] = {
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "container": {"id": "container_1", "skills": []},
        "diagnostics": {"previous_message_id": "msg_0"},
        "inference_geo": "us",
        "max_tokens": 64,
        "metadata": {"user_id": "u"},
        "output_config": {"effort": "max", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        "service_tier": "auto",
        "speed": "fast",
        "stop_sequences": ["END"],
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "between_tools"},
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "tools": [TOOL, {"type": "web_search_20260318", "name": "web_search", "max_uses": 2}],
    }
    body = await body_of(ASK, **given)
    assert body == {"model": "claude-haiku-5-5", "messages": ASK, **given}


async def test_leading_system_messages_become_the_system_prompt() -> None:
    later = {"role": "system", "content": "Now be long."}
    one = await body_of([{"role": "system", "content": "Be brief."}, *ASK, later])
    assert one["system"] == "Be brief."
    assert one["messages"] == [*ASK, later]
    blocks = [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]
    two = await body_of([{"role": "system", "content": "Be brief."}, {"role": "system", "content": blocks}, *ASK])
    assert two["system"] == [{"type": "text", "text": "Be brief."}, *blocks]
    assert two["messages"] == ASK


async def test_bytes_of_images_and_documents_become_base64_and_the_callers_messages_stay() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": b"\x89PNG"}
    image = {"type": "image", "source": source}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [image]}
    messages = [{"role": "user", "content": [image, result]}]
    body = await body_of(messages)
    encoded = {"type": "image", "source": {**source, "data": base64.b64encode(b"\x89PNG").decode()}}
    assert body["messages"] == [{"role": "user", "content": [encoded, {**result, "content": [encoded]}]}]
    assert source["data"] == b"\x89PNG"


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("stop", ["x"], "stop_sequences"),
        ("max_completion_tokens", 5, "max_tokens"),
        ("response_format", {}, "output_config"),
        ("reasoning_effort", "low", "output_config"),
        ("seed", 1, "no seed"),
        ("n", 2, "one answer"),
        ("user", "u", "metadata"),
        ("logit_bias", {}, "no logit bias"),
        ("presence_penalty", 1, "no penalties"),
    ],
)
async def test_arguments_of_other_providers_are_refused_with_what_to_do(name: str, value: Any, instead: str) -> None:
    async with mocked(MESSAGE) as claude:
        with pytest.raises(errors.UnsupportedError, match=instead):
            await claude.achat(ASK, **{name: value})
        assert (await claude.achat(ASK, **{name: None})).text == "Seven"


async def test_a_misspelt_argument_brings_the_nearest_name() -> None:
    async with mocked(MESSAGE) as claude:
        with pytest.raises(errors.InvalidRequestError, match="Did you mean: stop_sequences") as caught:
            await claude.achat(ASK, stop_sequence=["x"])  # type: ignore[call-arg]
    assert caught.value.code == "unknown_argument"


async def test_sampling_parameters_are_of_the_old_version_only() -> None:
    async with mocked(MESSAGE) as claude:
        for name, value in (("temperature", 1.0), ("top_p", 0.9), ("top_k", 5)):
            with pytest.raises(errors.UnsupportedError, match=f"{name} is not part of version 2026-10-21"):
                await claude.achat(ASK, **{name: value})
            with pytest.raises(errors.UnsupportedError, match="2023-06-01"):
                claude.astream_chat(ASK, **{name: value})
    old = {"anthropic_version": "2023-06-01"}
    body = await body_of(ASK, backend=old, temperature=0.5, top_p=0.9, top_k=5)
    assert (body["temperature"], body["top_p"], body["top_k"]) == (0.5, 0.9, 5)
    async with mocked(MESSAGE, **old) as claude:
        with pytest.raises(errors.InvalidRequestError, match="temperature must be between 0 and 1"):
            await claude.achat(ASK, temperature=1.5)
    forced = await body_of(ASK, extra_body={"temperature": 1})
    assert forced["temperature"] == 1


async def test_version_and_beta_headers() -> None:
    plain = await sent(ASK)
    assert plain.headers["anthropic-version"] == "2026-10-21"
    assert "anthropic-beta" not in plain.headers
    backend = {"anthropic_version": "2023-06-01", "betas": ["context-1m-2025-08-07"]}
    both = await sent(ASK, backend=backend, betas=["fast-mode-2026-02-01", "context-1m-2025-08-07"])
    assert both.headers["anthropic-version"] == "2023-06-01"
    assert both.headers.get_list("anthropic-beta") == ["context-1m-2025-08-07,fast-mode-2026-02-01"]
    assert "betas" not in json.loads(both.content)


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"api_key": KEY}, "authorization", f"Bearer {KEY}"),
        ({"api_key": KEY, "key_header": "x-api-key"}, "x-api-key", KEY),
        ({"api_key": KEY, "anthropic_version": "2023-06-01"}, "x-api-key", KEY),
        (
            {"api_key": KEY, "anthropic_version": "2023-06-01", "key_header": "authorization"},
            "authorization",
            f"Bearer {KEY}",
        ),
        ({"auth_token": "token-1", "key_header": "x-api-key"}, "authorization", "Bearer token-1"),
        ({"auth_token": Key("token-1"), "key_header": "x-api-key"}, "authorization", "Bearer token-1"),
        ({"environ": {"ANTHROPIC_API_KEY": KEY}, "key_header": "x-api-key"}, "x-api-key", KEY),
        (
            {"environ": {"ANTHROPIC_AUTH_TOKEN": "token-2"}, "key_header": "x-api-key"},
            "authorization",
            "Bearer token-2",
        ),
        ({"environ": {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_AUTH_TOKEN": "t"}}, "authorization", f"Bearer {KEY}"),
        ({"api_key": "sk-ant-oat01-x", "key_header": "x-api-key"}, "authorization", "Bearer sk-ant-oat01-x"),
        ({"metadata": {"claude_api_key": KEY}}, "authorization", f"Bearer {KEY}"),
    ],
)
async def test_credentials_go_into_one_of_two_headers(settings: dict[str, Any], header: str, value: str) -> None:
    request = await sent(ASK, backend=settings)
    assert request.headers[header] == value
    assert ({"authorization", "x-api-key"} - {header}).isdisjoint(request.headers)


async def test_custom_headers_of_the_environment_go_where_the_keys_go() -> None:
    environ = {"ANTHROPIC_CUSTOM_HEADERS": "X-Team: blue\n\nX-Note: a: b", "ANTHROPIC_API_KEY": KEY}
    request = await sent(ASK, backend={"environ": environ})
    assert (request.headers["x-team"], request.headers["x-note"]) == ("blue", "a: b")
    seen: list[httpx.Request] = []
    async with mocked(MESSAGE, seen=seen, environ=environ) as claude:
        claude.create_endpoint("elsewhere", base_url="https://gateway.example", api_key="other")
        await claude.achat(ASK, endpoint="elsewhere")
    assert "x-team" not in seen[0].headers
    assert seen[0].headers["anthropic-version"] == "2026-10-21"


@pytest.mark.parametrize("line", ["no colon", "Authorization: Bearer x", "anthropic-version: 1", "bad name: x"])
async def test_custom_headers_that_cannot_be_added(line: str) -> None:
    environ = {"ANTHROPIC_CUSTOM_HEADERS": line, "ANTHROPIC_API_KEY": KEY}
    async with mocked(MESSAGE, environ=environ) as claude:
        with pytest.raises(errors.ConfigurationError, match="ANTHROPIC_CUSTOM_HEADERS, line 1"):
            await claude.achat(ASK)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"anthropic_version": "latest"}, "anthropic_version"),
        ({"anthropic_version": None}, "anthropic_version"),
        ({"key_header": "cookie"}, "key_header"),
        ({"betas": "context-1m-2025-08-07"}, "betas"),
        ({"betas": ["a,b"]}, "betas"),
        ({"auth_token": "t", "api_key": "k"}, "auth_token"),
    ],
)
def test_constructor_arguments_are_checked(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=words):
        Claude(**settings)


async def test_base_url_of_the_environment_and_the_path() -> None:
    environ = {"ANTHROPIC_BASE_URL": "https://gateway.example/claude/", "ANTHROPIC_API_KEY": KEY}
    assert str((await sent(ASK, backend={"environ": environ})).url) == "https://gateway.example/claude/v1/messages"
    assert str((await sent(ASK)).url) == "https://api.anthropic.com/v1/messages"


async def test_counting_sends_what_decides_the_count_and_nothing_else() -> None:
    seen: list[httpx.Request] = []
    async with mocked({"input_tokens": 9}, seen=seen) as claude:
        count = await claude.acount_tokens([{"role": "system", "content": "Be brief."}, *ASK], tools=[TOOL])
    assert (count.tokens, count.estimated, count.method) == (9, False, "provider")
    assert seen[0].url.path == "/v1/messages/count_tokens"
    assert json.loads(seen[0].content) == {
        "model": "claude-haiku-5-5",
        "system": "Be brief.",
        "messages": ASK,
        "tools": [TOOL],
    }


async def test_requests_of_a_batch_are_checked_and_filled_in_like_chats() -> None:
    seen: list[httpx.Request] = []
    batch = {"id": "msgbatch_1", "processing_status": "in_progress", "request_counts": {"processing": 1}}
    requests = [
        {
            "custom_id": "one",
            "params": {"messages": [{"role": "system", "content": "Be brief."}, *ASK], "temperature": 0.5},
        },
    ]
    async with mocked(batch, seen=seen, anthropic_version="2023-06-01", model="claude-haiku-4-5") as claude:
        made = await claude.acreate_batch(requests, betas=["output-300k-2026-03-24"])
    assert json.loads(seen[0].content)["requests"] == [
        {
            "custom_id": "one",
            "params": {
                "model": "claude-haiku-4-5",
                "max_tokens": 4096,
                "system": "Be brief.",
                "messages": ASK,
                "temperature": 0.5,
            },
        }
    ]
    assert seen[0].headers["anthropic-beta"] == "output-300k-2026-03-24"
    assert (made.total, made.processing, made.succeeded) == (1, 1, None)


async def test_a_bad_request_of_a_batch_is_named() -> None:
    async with mocked(MESSAGE) as claude:
        requests = [{"custom_id": f"r{index}", "params": {"messages": ASK}} for index in range(3)]
        requests[2]["params"] = {"messages": ASK, "max_token": 5}
        with pytest.raises(errors.InvalidRequestError, match=r"requests\[2\]\['params'\]") as caught:
            await claude.acreate_batch(requests)
    assert "max_tokens" in caught.value.suggestions


@pytest.mark.parametrize(("limit", "silence"), [(21_333, None), (64_000, 1800.0)])
def test_a_long_whole_answer_is_waited_for_in_proportion(limit: int, silence: float | None) -> None:
    claude = Claude(api_key=KEY)
    operation, _ = claude._message(ASK, None, {"max_tokens": limit}, stream=False)
    assert operation.silence == silence
    streamed, _ = claude._message(ASK, None, {"max_tokens": limit}, stream=True)
    assert streamed.silence is None
