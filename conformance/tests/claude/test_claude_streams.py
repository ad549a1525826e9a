"""How streams read: every block, every split of the bytes, errors and ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from claude_bench import ANSWER, ASK, closing, error, events, mocked, opening, piece, read_in_pieces, start, stop, told

from backends import errors
from backends.claude.stream import MessageReader
from backends.types import Usage
from backends.wire.values import FormatError

CITATION = {"type": "page_location", "cited_text": "sept", "document_index": 0, "start_page_number": 1}
EVERYTHING: list[dict[str, Any]] = [
    opening(cache_read_input_tokens=100, cache_creation_input_tokens=20),
    start(0, type="thinking", thinking="", signature=""),
    piece(0, "thinking_delta", thinking="Two is "),
    piece(0, "thinking_delta", thinking="evén."),
    piece(0, "signature_delta", signature="c2ln"),
    stop(0),
    start(1, type="redacted_thinking", data="xyz"),
    stop(1),
    {"type": "ping"},
    start(2, type="text", text=""),
    piece(2, "text_delta", text="Sevén "),
    piece(2, "text_delta", text="🙂"),
    piece(2, "citations_delta", citation=CITATION),
    piece(2, "glow_delta", glow=1),
    stop(2),
    start(3, type="server_tool_use", id="srvtoolu_1", name="web_search", input={}),
    piece(3, "input_json_delta", partial_json='{"query": "primes"}'),
    stop(3),
    start(4, type="tool_use", id="toolu_1", name="weather", input={}),
    piece(4, "input_json_delta", partial_json=""),
    piece(4, "input_json_delta", partial_json='{"city": "Łó'),
    piece(4, "input_json_delta", partial_json='dź"}'),
    stop(4),
    start(5, type="tool_use", id="toolu_2", name="now", input={}),
    stop(5),
    {"type": "season", "name": "autumn"},
    *closing(
        "tool_use",
        {"output_tokens": 60, "output_tokens_details": {"thinking_tokens": 9}, "cache_read_input_tokens": None},
        container={"id": "container_1"},
    ),
]


def test_every_block_is_assembled() -> None:
    chunks, reply = told(*EVERYTHING)
    assert reply.text == "".join(chunk.text for chunk in chunks) == "Sevén 🙂"
    assert reply.reasoning == "".join(chunk.reasoning for chunk in chunks) == "Two is evén."
    assert reply.citations == (CITATION,)
    assert [(call.id, call.name, call.arguments) for call in reply.tool_calls] == [
        ("toolu_1", "weather", '{"city": "Łódź"}'),
        ("toolu_2", "now", "{}"),
    ]
    assert reply.content == (
        {"type": "thinking", "thinking": "Two is evén.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "Sevén 🙂", "citations": [CITATION]},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "primes"}},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Łódź"}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    )
    assert reply.raw["content"] == list(reply.content)
    assert reply.raw["container"] == {"id": "container_1"}
    assert (reply.id, reply.finish_reason, reply.provider_request_id) == ("msg_1", "tool_use", "req_1")


def test_counts_are_cumulative_and_replace_earlier_ones() -> None:
    chunks, reply = told(*EVERYTHING)
    expected = Usage(134, 60, 194, cached_tokens=100, cache_write_tokens=20, reasoning_tokens=9)
    assert reply.usage == chunks[-1].usage == expected
    assert chunks[-1].finish_reason == "tool_use"
    early = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 1}}
    chunks, reply = told(opening(), start(0, type="text", text="Hi"), stop(0), early, *closing())
    assert [chunk.finish_reason for chunk in chunks if chunk.usage] == [None, "end_turn"]
    assert (reply.text, reply.usage.output_tokens) == ("Hi", 2)


def test_pieces_of_tool_calls_join_by_their_index() -> None:
    chunks, reply = told(*EVERYTHING)
    pieces = [one for chunk in chunks for one in chunk.tool_calls]
    assert [one.index for one in pieces] == [0, 0, 0, 1, 1]
    for index, call in enumerate(reply.tool_calls):
        mine = [one for one in pieces if one.index == index]
        assert (mine[0].id, mine[0].name) == (call.id, call.name)
        assert "".join(one.arguments for one in mine) == call.arguments


def test_every_chunk_carries_its_event_and_noise_makes_none() -> None:
    chunks, _ = told(*EVERYTHING)
    shown = [one for one in EVERYTHING if one["type"] not in ("ping", "season", "message_stop")]
    assert [chunk.raw for chunk in chunks] == shown


def test_the_reply_is_the_same_wherever_the_bytes_are_cut() -> None:
    body = events(*EVERYTHING)
    expected = read_in_pieces(body)
    for cut in range(1, len(body)):
        assert read_in_pieces(body, [cut]) == expected
    assert read_in_pieces(body, range(1, len(body))) == expected


def test_arguments_that_are_no_json_stay_text() -> None:
    broken = piece(0, "input_json_delta", partial_json='{"city": ')
    begun = start(0, type="tool_use", id="t", name="weather", input={})
    _, reply = told(opening(), begun, broken, stop(0), *closing("max_tokens"))
    assert reply.tool_calls[0].arguments == '{"city": '
    assert reply.content[0]["input"] == '{"city": '


def test_arguments_may_come_with_the_start() -> None:
    chunks, reply = told(
        opening(), start(0, type="tool_use", id="t", name="weather", input={"city": "x"}), stop(0), *closing("tool_use")
    )
    assert reply.tool_calls[0].arguments == '{"city":"x"}'
    assert "".join(one.arguments for chunk in chunks for one in chunk.tool_calls) == '{"city":"x"}'


def test_a_message_without_a_word_is_one() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    chunks, reply = told(opening(), *closing("refusal", stop_details=details))
    assert (reply.text, reply.content, reply.refusal, reply.stop_details) == ("", (), "No.", details)
    assert "".join(chunk.refusal for chunk in chunks) == "No."


def _fed(body: bytes) -> list[Any]:
    reader = MessageReader("m", 1 << 16)
    return [*reader.feed(body), *reader.finish()]


@pytest.mark.parametrize(
    "payloads",
    [
        [start(0, type="text", text=""), piece(1, "text_delta", text="x")],
        [opening(), piece(0, "text_delta", text="x")],
        [opening(), start(0, type="text", text=""), start(0, type="text", text="")],
        [opening(), start("0", type="text", text="")],  # type: ignore[arg-type]
        [opening(), start(0, type="text", text=""), piece(0, "text_delta", text=None)],
        [opening(), start(0, type="tool_use", id="t", name=None, input={})],
        [opening(), start(0, type="tool_use", name="weather", input={})],
        [{"type": "message_start", "message": []}],
        [{"type": "message_stop"}],
        closing(),
    ],
)
def test_events_out_of_order_or_shape(payloads: list[dict[str, Any]]) -> None:
    with pytest.raises((FormatError, KeyError)):
        _fed(events(*payloads))


@pytest.mark.parametrize(
    "body",
    [b"data: [1]\n\n", b"data: nothing\n\n", b"event: message_start\ndata: {\n\n", b'data: {"a": NaN}\n\n'],
)
def test_events_that_are_none(body: bytes) -> None:
    with pytest.raises(FormatError):
        _fed(body)


@pytest.mark.parametrize(
    "noise",
    [b": comment\n\n", b"event: mood\ndata: sunny\n\n", b"data:\n\n", b"event: ping\ndata: {}\n\n", b"id: 7\n\n"],
)
def test_noise_is_harmless(noise: bytes) -> None:
    assert _fed(noise) == []


def test_an_event_is_bounded() -> None:
    reader = MessageReader("m", 100)
    with pytest.raises(FormatError, match="larger than 100 bytes"):
        list(reader.feed(b"data: " + b"x" * 200))


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("invalid_request_error", 400, errors.InvalidRequestError),
        ("authentication_error", 401, errors.AuthenticationError),
        ("billing_error", 402, errors.AuthenticationError),
        ("permission_error", 403, errors.PermissionDeniedError),
        ("not_found_error", 404, errors.NotFoundError),
        ("conflict_error", 409, errors.ServerError),
        ("request_too_large", 413, errors.InvalidRequestError),
        ("rate_limit_error", 429, errors.RateLimitError),
        ("api_error", 500, errors.ServerError),
        ("timeout_error", 504, errors.ServerError),
        ("overloaded_error", 529, errors.OverloadedError),
        ("next_years_error", None, errors.ServerError),
    ],
)
def test_error_events_by_their_type(kind: str, status: int | None, expected: type[errors.BackendError]) -> None:
    with pytest.raises(errors.BackendError, match="It broke") as caught:
        _fed(events(opening(), error(kind)))
    assert type(caught.value) is expected
    assert (caught.value.status, caught.value.code) == (status, kind)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"event: error\ndata: overloaded\n\n", "overloaded"),
        (b'event: error\ndata: {"error": {"message": "gone"}}\n\n', "gone"),
        (b"event: error\ndata: [1]\n\n", r"\[1\]"),
    ],
)
def test_error_events_of_other_shapes(body: bytes, words: str) -> None:
    with pytest.raises(errors.ServerError, match=words):
        _fed(body)


async def test_an_error_before_content_is_tried_again_and_one_behind_it_is_not() -> None:
    good = events(opening(), start(0, type="text", text=""), piece(0, "text_delta", text="Seven"), stop(0), *closing())
    overloaded = events(opening(), error("overloaded_error", "Overloaded"))
    async with mocked(overloaded, good, max_retries=2) as claude:
        reply = await claude.astream_chat(ASK).collect()
    assert (reply.text, reply.attempts) == ("Seven", 2)
    late = events(
        opening(),
        start(0, type="text", text=""),
        piece(0, "text_delta", text="Sev"),
        error("overloaded_error", "Overl"),
    )
    async with mocked(late, good, max_retries=2) as claude:
        with pytest.raises(errors.StreamInterruptedError, match="Overl") as caught:
            await claude.astream_chat(ASK).collect()
    assert (caught.value.partial, caught.value.status, caught.value.code) == ("Sev", 529, "overloaded_error")
    assert isinstance(caught.value.__cause__, errors.OverloadedError)


async def test_a_stream_without_its_end_was_cut_short() -> None:
    body = events(opening(), start(0, type="text", text=""), piece(0, "text_delta", text="Sev"), stop(0), closing()[0])
    async with mocked(body) as claude:
        with pytest.raises(errors.StreamInterruptedError) as caught:
            await claude.astream_chat(ASK).collect()
    assert (caught.value.partial, caught.value.code) == ("Sev", "cut_short")


def test_bytes_behind_the_end_are_passed_over() -> None:
    reader = MessageReader("m", 1 << 16)
    body = events(opening(), *closing(), error("api_error"))
    assert len(list(reader.feed(body))) == 2
    assert reader.done
    assert list(reader.feed(b"data: rubbish\n\n")) == []
    assert json.dumps(reader.reply(ANSWER).raw["content"]) == "[]"
