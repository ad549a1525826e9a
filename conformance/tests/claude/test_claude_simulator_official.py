"""The official Python client 2.14.0, asynchronous and synchronous, against the simulated service."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from claude_bench import ASK, KEY, TOOL

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent, Pings, Status
from conformance.simulators.openai.answers.media import picture

MODEL = "claude-haiku-5-5"
OLD = {"anthropic-version": "2023-06-01"}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def made(sim: Simulator, **options: Any) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(**{"api_key": KEY, "base_url": sim.base_url("claude"), "max_retries": 0, **options})


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with made(sim) as one:
        yield one


async def test_a_whole_message(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    message = await client.messages.create(model=MODEL, max_tokens=64, messages=ASK, system="Be brief.")
    seen = sim.requests[0]
    assert seen.problem is None
    assert (message.id, message._request_id) == (f"msg_{seen.nonce}", f"req_{seen.nonce}")
    assert (message.type, message.role, message.model) == ("message", "assistant", MODEL)
    assert message.content[0].text.startswith(seen.nonce)
    assert (message.stop_reason, message.stop_sequence, message.stop_details) == ("end_turn", None, None)
    assert message.usage.output_tokens > message.usage.cache_read_input_tokens == 0
    assert seen.header("anthropic-version") == "2026-10-21"
    assert seen.header("authorization").startswith("Bearer ****")


async def test_a_raw_stream_has_the_documented_order(client: anthropic.AsyncAnthropic) -> None:
    stream = await client.messages.create(model=MODEL, max_tokens=64, messages=ASK, stream=True)
    events = [event async for event in stream]
    kinds = [event.type for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert events[0].message.content == []
    assert events[0].message.usage.output_tokens == 1
    assert events[-2].delta.stop_reason == "end_turn"
    assert events[-2].usage.output_tokens > 10


async def test_the_stream_helper_assembles_thinking_and_text(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 64, "messages": ASK, "thinking": {"type": "adaptive"}}
    async with client.messages.stream(**asked) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        message = await stream.get_final_message()
    thought, said = message.content
    nonce = sim.requests[0].nonce
    assert (thought.type, thought.thinking) == ("thinking", f"{nonce} weighs the words.")
    assert thought.signature.endswith(nonce)
    assert said.text == text
    assert message.usage.output_tokens_details.thinking_tokens > 0


async def test_tools_whole_streamed_and_answered(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 64, "messages": ASK, "tools": [TOOL]}
    whole = await client.messages.create(**asked)
    assert whole.stop_reason == "tool_use"
    assert whole.content[0].input == {"city": sim.requests[0].nonce}
    async with client.messages.stream(**asked) as stream:
        message = await stream.get_final_message()
    call = message.content[0]
    assert (call.name, call.input) == ("weather", {"city": sim.requests[1].nonce})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "sunny"}]}
    turns = [
        *ASK,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": [result]},
    ]
    answered = await client.messages.create(**{**asked, "messages": turns})
    assert answered.content[0].type == "text"
    forced = await client.messages.create(
        **{**asked, "messages": turns, "tool_choice": {"type": "tool", "name": "weather"}}
    )
    assert forced.content[0].type == "tool_use"
    none = await client.messages.create(**asked, tool_choice={"type": "none"})
    assert none.content[0].type == "text"


async def test_images_documents_and_citations(client: anthropic.AsyncAnthropic) -> None:
    data = base64.b64encode(picture("c0ffee00")).decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    link = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
    text = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "The harbour freezes in January."},
        "title": "Harbour",
        "citations": {"enabled": True},
    }
    content = [image, link, pdf, text, {"type": "text", "text": "When?"}]
    messages = [{"role": "user", "content": content}]
    whole = await client.messages.create(model=MODEL, max_tokens=64, messages=messages)
    cited = whole.content[0].citations[0]
    assert (cited.type, cited.document_index, cited.document_title) == ("char_location", 1, "Harbour")
    async with client.messages.stream(model=MODEL, max_tokens=64, messages=messages) as stream:
        streamed = await stream.get_final_message()
    assert streamed.content[0].citations == whole.content[0].citations
    assert whole.usage.input_tokens > 3 * 85


async def test_structured_output_stops_limits_and_refusals(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    config = {"format": {"type": "json_schema", "schema": SCHEMA}}
    whole = await client.messages.create(model=MODEL, max_tokens=64, messages=ASK, output_config=config)
    assert whole.content[0].text == f'{{"name": "{sim.requests[0].nonce}"}}'
    cut = await client.messages.create(model=MODEL, max_tokens=3, messages=ASK)
    assert (cut.stop_reason, cut.usage.output_tokens) == ("max_tokens", 3)
    stopped = await client.messages.create(model=MODEL, max_tokens=64, messages=ASK, stop_sequences=["simulated"])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "simulated")
    warmed = await client.messages.create(model=MODEL, max_tokens=0, messages=ASK)
    assert (warmed.content, warmed.stop_reason) == ([], "max_tokens")
    asked = [{"role": "user", "content": "sim:filter"}]
    refused = await client.messages.create(model=MODEL, max_tokens=64, messages=asked)
    assert (refused.stop_reason, refused.stop_details.category) == ("refusal", "general_harms")


async def test_the_prompt_cache(client: anthropic.AsyncAnthropic) -> None:
    block = {"type": "text", "text": "The rules. " * 600, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 8, "messages": ASK, "system": [block]}
    first = (await client.messages.create(**asked)).usage
    second = (await client.messages.create(**asked)).usage
    counted = await client.messages.count_tokens(model=MODEL, messages=ASK, system=[block])
    assert first.cache_creation.ephemeral_1h_input_tokens == first.cache_creation_input_tokens > 1024
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert first.input_tokens == second.input_tokens < 20
    assert counted.input_tokens == first.input_tokens + first.cache_creation_input_tokens
    short = (await client.messages.create(**{**asked, "system": "x", "cache_control": {"type": "ephemeral"}})).usage
    assert short.cache_creation_input_tokens == 0


async def test_models_and_their_pages(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    listed = [model.id async for model in await client.models.list(limit=5)]
    assert (listed[0], len(listed)) == ("claude-fable-5-2", 12)
    assert len(sim.requests) == 3
    page = await client.models.list(limit=2, before_id="claude-sonnet-5-5")
    assert [model.id for model in page.data] == ["claude-mythos-5-2", "claude-haiku-5-5"]
    retired = await client.models.list(lifecycle=["retired"])
    assert {model.lifecycle for model in retired.data} == {"retired"}
    assert (await client.models.retrieve("claude-opus-4-5")).retires_at.year == 2027
    with pytest.raises(anthropic.NotFoundError, match="model: nobody"):
        await client.models.retrieve("nobody")


async def test_batches(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    batches = client.messages.batches
    good: Any = {"model": MODEL, "max_tokens": 8, "messages": ASK}
    batch = await batches.create(
        requests=[
            {"custom_id": "good", "params": good},
            {"custom_id": "bad", "params": {**good, "temperature": 1}},
        ]
    )
    assert (batch.processing_status, batch.request_counts.processing, batch.results_url) == ("in_progress", 2, None)
    with pytest.raises(anthropic.AnthropicError, match="Has it finished processing"):
        await batches.results(batch.id)
    ended = await batches.retrieve(batch.id)
    assert (ended.processing_status, ended.request_counts.succeeded) == ("ended", 1)
    results = {line.custom_id: line.result async for line in await batches.results(batch.id)}
    assert results["good"].message.usage.service_tier == "batch"
    assert results["bad"].error.error.type == "invalid_request_error"
    other = await batches.create(requests=[{"custom_id": "a", "params": good}])
    assert [one.id async for one in await batches.list(limit=1)] == [other.id, batch.id]
    with pytest.raises(anthropic.BadRequestError, match="cancel it first"):
        await batches.delete(other.id)
    assert (await batches.cancel(other.id)).processing_status == "canceling"
    await batches.retrieve(other.id)
    assert (await batches.delete(other.id)).type == "message_batch_deleted"
    assert sim.requests[2].query == ""
    with pytest.raises(anthropic.BadRequestError, match="unique"):
        await batches.create(requests=[{"custom_id": "a", "params": good}] * 2)


async def test_files(client: anthropic.AsyncAnthropic) -> None:
    file = await client.files.upload(file=("notes.txt", b"some notes", "text/plain"), expires_in_seconds=3600)
    assert (file.filename, file.mime_type, file.size_bytes, file.downloadable) == ("notes.txt", "text/plain", 10, False)
    await client.files.upload(file=("more.txt", b"more", "text/plain"))
    listed = [one.id async for one in await client.files.list(limit=2)]
    assert len(listed) == 3
    assert listed[1:] == [file.id, "file_made_by_a_tool"]
    wanted = await client.files.list(ids=[file.id])
    assert ([one.id for one in wanted.data], wanted.next_page) == ([file.id], None)
    content = await client.files.download("file_made_by_a_tool")
    assert await content.read() == b"month,rain\n1,80\n2,71\n"
    with pytest.raises(anthropic.BadRequestError) as caught:
        await client.files.download(file.id)
    assert caught.value.error_code == "file_not_downloadable"
    assert (await client.files.retrieve_metadata(file.id)).expires_at.year == 2026
    assert (await client.files.delete(file.id)).type == "file_deleted"
    with pytest.raises(anthropic.NotFoundError):
        await client.files.retrieve_metadata(file.id)


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "invalid_request_error", "BadRequestError"),
        (401, "authentication_error", "AuthenticationError"),
        (402, "billing_error", "PaymentRequiredError"),
        (403, "permission_error", "PermissionDeniedError"),
        (404, "not_found_error", "NotFoundError"),
        (408, "timeout_error", "RequestTimeoutError"),
        (409, "conflict_error", "ConflictError"),
        (413, "request_too_large", "ContentTooLargeError"),
        (422, "invalid_request_error", "UnprocessableEntityError"),
        (429, "rate_limit_error", "RateLimitError"),
        (500, "api_error", "InternalServerError"),
        (503, "api_error", "ServiceUnavailableError"),
        (504, "timeout_error", "GatewayTimeoutError"),
        (529, "overloaded_error", "OverloadedError"),
    ],
)
async def test_statuses(
    sim: Simulator, client: anthropic.AsyncAnthropic, status: int, kind: str, expected: str
) -> None:
    sim.script(Fault(Status(status), path="/v1/messages"))
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.messages.create(model=MODEL, max_tokens=8, messages=ASK)
    error = caught.value
    assert (type(error).__name__, error.status_code, error.type) == (expected, status, kind)
    assert error.request_id == f"req_{sim.requests[0].nonce}"


async def test_error_codes_have_classes_of_their_own(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    sim.script(Fault(Status(429, code="insufficient_quota"), path="/v1/messages"))
    with pytest.raises(anthropic.RateLimitError) as caught:
        await client.messages.create(model=MODEL, max_tokens=8, messages=ASK)
    assert caught.value.error_code == "enforced_spend_limit_reached"


async def test_the_client_retries_what_it_should(sim: Simulator) -> None:
    hurry = (("retry-after-ms", "1"),)
    sim.script(
        Fault(Status(529, headers=hurry), path="/v1/messages", nth=1),
        Fault(Status(429, headers=hurry), path="/v1/messages", nth=2),
    )
    async with made(sim, max_retries=2) as client:
        await client.messages.create(model=MODEL, max_tokens=8, messages=ASK)
    assert [seen.status for seen in sim.requests] == [529, 429, 200]


async def test_errors_noise_and_cuts_inside_a_stream(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    sim.script(
        Fault(ErrorEvent(2, 529), path="/v1/messages", nth=1),
        Fault(Pings(), path="/v1/messages", nth=2),
        Fault(CutBeforeTerminator(), path="/v1/messages", nth=3),
    )
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 64, "messages": ASK}
    pieces: list[str] = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        async with client.messages.stream(**asked) as stream:
            pieces.extend([piece async for piece in stream.text_stream])
    assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")
    async with client.messages.stream(**asked) as stream:
        noisy = await stream.get_final_message()
    assert noisy.content[0].text.startswith(sim.requests[1].nonce)
    raw = await client.messages.create(**asked, stream=True)
    assert [event.type async for event in raw][-1] == "message_delta"
    assert not sim.unfired()


async def test_sampling_parameters_by_version(client: anthropic.AsyncAnthropic) -> None:
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 8, "messages": ASK, "extra_body": {"temperature": 1}}
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        await client.messages.create(**asked)
    assert (await client.messages.create(**asked, extra_headers=OLD)).content
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        await client.messages.count_tokens(model=MODEL, messages=ASK, extra_body={"temperature": 1})
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
    turns = [*ASK, {"role": "assistant", "content": [document]}, *ASK]
    with pytest.raises(anthropic.BadRequestError, match=r"messages\.1\.content\.0"):
        await client.messages.create(model=MODEL, max_tokens=8, messages=turns)
    assert await client.messages.create(model=MODEL, max_tokens=8, messages=turns, extra_headers=OLD)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "nobody", "content": "x"}]}, r"messages\.0\.role"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "first message"),
        ({"messages": [*ASK, {"role": "assistant", "content": "It is"}]}, "prefill"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]}, "tool_use_id"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "ftp"}}]}]}, "source.type"),
        ({"max_tokens": 200_000}, "128000"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "adaptive"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [{"name": "x"}]}, "tools"),
        ({"extra_body": {"num_retries": 3}}, "num_retries: Extra inputs are not permitted"),
        ({"extra_headers": {"anthropic-version": "2030-01-01"}}, "not a valid version"),
    ],
)
async def test_requests_that_do_not_fit(client: anthropic.AsyncAnthropic, given: dict[str, Any], words: str) -> None:
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 8, "messages": ASK, "timeout": 60, **given}
    with pytest.raises(anthropic.BadRequestError, match=words):
        await client.messages.create(**asked)


async def test_older_models_take_a_prefill_and_a_budget(client: anthropic.AsyncAnthropic) -> None:
    turns = [*ASK, {"role": "assistant", "content": "It is"}]
    message = await client.messages.create(
        model="claude-haiku-4-5",
        max_tokens=2000,
        messages=turns,
        thinking={"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
    )
    assert message.content[0].thinking == ""
    assert message.content[0].signature


async def test_both_key_headers_and_none(sim: Simulator) -> None:
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 8, "messages": ASK}
    async with made(sim, api_key=None, auth_token="token-1") as client:
        await client.messages.create(**asked)
        await client.messages.create(**asked, extra_headers={"Authorization": anthropic.Omit(), "x-api-key": "old"})
        with pytest.raises(anthropic.AuthenticationError, match="header is required"):
            await client.messages.create(**asked, extra_headers={"Authorization": anthropic.Omit()})
    first, second, third = (seen.key_fingerprint for seen in sim.requests)
    assert first != second
    assert third == ""
    async with made(sim, api_key="sk-invalid") as client:
        with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
            await client.messages.create(**asked)


async def test_beta_names_are_joined_and_unknown_ones_ignored(sim: Simulator, client: anthropic.AsyncAnthropic) -> None:
    betas = ["context-1m-2025-08-07", "unheard-of-2030-01-01"]
    await client.beta.messages.create(model=MODEL, max_tokens=8, messages=ASK, betas=betas)
    assert sim.requests[0].header("anthropic-beta") == ",".join(betas)
    assert sim.requests[0].problem is None


async def test_paths_that_are_not_there(client: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="/v1/complete"):
        await client.post("/v1/complete", cast_to=object, body={})
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.get("/v1/messages", cast_to=object)
    assert caught.value.status_code == 405


async def test_the_synchronous_client(sim: Simulator) -> None:
    def use() -> dict[str, Any]:
        with anthropic.Anthropic(api_key=KEY, base_url=sim.base_url("claude"), max_retries=0) as client:
            asked: dict[str, Any] = {"model": MODEL, "max_tokens": 64, "messages": ASK}
            with client.messages.stream(**asked) as stream:
                text = "".join(stream.text_stream)
            return {
                "text": text,
                "whole": client.messages.create(**asked).content[0].type,
                "tokens": client.messages.count_tokens(model=MODEL, messages=ASK).input_tokens,
                "models": len(list(client.models.list())),
                "files": len(list(client.files.list())),
            }

    got = await asyncio.to_thread(use)
    assert got.pop("text").startswith(sim.requests[0].nonce)
    assert got.pop("tokens") > 0
    assert got == {"whole": "text", "models": 12, "files": 1}
