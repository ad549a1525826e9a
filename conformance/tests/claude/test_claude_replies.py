"""How whole answers read: text, thinking, tools, citations, stop reasons, usage; and answers that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from claude_bench import ASK, MESSAGE, error, mocked

from backends import errors
from backends.claude.replies import read_usage
from backends.types import Usage


async def reply_to(**fields: Any) -> Any:
    async with mocked({**MESSAGE, **fields}) as claude:
        return await claude.achat(ASK)


async def test_a_message_is_read_in_full() -> None:
    thinking = {"type": "thinking", "thinking": "Two is even.", "signature": "c2ln"}
    hidden = {"type": "redacted_thinking", "data": "xyz"}
    cited = {"type": "char_location", "cited_text": "seven", "document_index": 0}
    searched = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "primes"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    content = [
        thinking,
        hidden,
        searched,
        found,
        {"type": "text", "text": "It is ", "citations": None},
        {"type": "text", "text": "seven", "citations": [cited]},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Łódź", "days": 2}},
    ]
    reply = await reply_to(content=content, stop_reason="tool_use", container={"id": "container_1"})
    assert reply.text == "It is seven"
    assert reply.texts == ("It is seven",)
    assert reply.reasoning == "Two is even."
    assert [(call.id, call.name, call.arguments, call.type) for call in reply.tool_calls] == [
        ("toolu_1", "weather", '{"city":"Łódź","days":2}', "function")
    ]
    assert reply.citations == (cited,)
    assert reply.content == tuple(content)
    assert reply.raw["container"] == {"id": "container_1"}
    assert (reply.id, reply.model, reply.finish_reason, reply.refusal) == (
        "msg_1",
        "claude-haiku-5-5",
        "tool_use",
        None,
    )


@pytest.mark.parametrize(
    "reason",
    ["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "model_context_window_exceeded", "next_one"],
)
async def test_stop_reasons_stay_as_they_are(reason: str) -> None:
    reply = await reply_to(stop_reason=reason, stop_sequence="END" if reason == "stop_sequence" else None)
    assert reply.finish_reason == reason
    assert reply.refusal is None
    assert reply.stop_sequence == ("END" if reason == "stop_sequence" else None)


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"type": "refusal", "category": "bio", "explanation": "Not this."}, "Not this."),
        ({"type": "refusal", "category": "bio", "explanation": None}, "bio"),
        ({"type": "refusal", "category": None, "explanation": None}, "refusal"),
        (None, "refusal"),
    ],
)
async def test_refusals(details: Any, said: str) -> None:
    reply = await reply_to(content=[], stop_reason="refusal", stop_details=details)
    assert (reply.text, reply.refusal, reply.stop_details) == ("", said, details)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "input_tokens": 10,
                "cache_creation_input_tokens": 2000,
                "cache_read_input_tokens": 30_000,
                "output_tokens": 50,
                "output_tokens_details": {"thinking_tokens": 40},
            },
            Usage(32_010, 50, 32_060, cached_tokens=30_000, cache_write_tokens=2000, reasoning_tokens=40),
        ),
        ({"input_tokens": 5, "output_tokens": 0}, Usage(5, 0, 5)),
        (
            {"input_tokens": 0, "cache_read_input_tokens": 9, "cache_creation_input_tokens": None, "output_tokens": 1},
            Usage(9, 1, 10, cached_tokens=9),
        ),
        ({"output_tokens": 7, "cache_read_input_tokens": 3}, Usage(None, 7, None, cached_tokens=3)),
        ({"input_tokens": -1, "output_tokens": "7"}, Usage()),
        (None, Usage()),
        ([], Usage()),
    ],
)
def test_usage_contains_cached_and_written_tokens(usage: Any, expected: Usage) -> None:
    assert read_usage(usage) == expected


async def test_reply_tells_of_its_request() -> None:
    headers = {"request-id": "req_9", "anthropic-ratelimit-requests-remaining": "7"}
    async with mocked((200, MESSAGE, headers)) as claude:
        reply = await claude.achat(ASK)
        report = claude.report()
    assert reply.provider_request_id == "req_9"
    assert reply.headers["anthropic-ratelimit-requests-remaining"] == "7"
    assert report["tokens"]["input"] == 14


@pytest.mark.parametrize(
    "fields",
    [
        {"content": None},
        {"content": "Seven"},
        {"content": ["Seven"]},
        {"content": [{"text": "Seven"}]},
        {"content": [{"type": "text", "text": 7}]},
        {"content": [{"type": "text"}]},
        {"content": [{"type": "tool_use", "id": "t", "input": {}}]},
        {"content": [{"type": "tool_use", "id": "t", "name": 7, "input": {}}]},
        {"content": [{"type": "thinking", "thinking": None}]},
    ],
)
async def test_messages_that_are_none(fields: dict[str, Any]) -> None:
    with pytest.raises(errors.ResponseFormatError, match="answer to chat cannot be read"):
        await reply_to(**fields)


async def test_an_error_body_with_a_good_status_is_an_error() -> None:
    async with mocked(error("overloaded_error", "Overloaded")) as claude:
        with pytest.raises(errors.OverloadedError, match="Overloaded") as caught:
            await claude.achat(ASK)
    assert (caught.value.status, caught.value.code) == (529, "overloaded_error")


async def test_counts_that_are_none() -> None:
    for answer in ({}, {"input_tokens": "9"}, {"input_tokens": True}, []):
        async with mocked(answer) as claude:
            with pytest.raises(errors.ResponseFormatError):
                await claude.acount_tokens("hello")
