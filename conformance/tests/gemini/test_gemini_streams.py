"""The reader of streams: any split gives the same chunks; ends, errors and hostile bytes."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
from typing import Any

import pytest
from gemini_bench import ASK, PIXEL, events, mocked, said
from hypothesis import given
from hypothesis import strategies as st

from backends import errors
from backends.gemini.stream import GenerationReader
from backends.operation import Answer
from backends.types import Chunk
from backends.wire.values import FormatError

ANSWER = Answer(200, {}, None, "id", None, 1, 0.5, "m")
USAGE = {"promptTokenCount": 7, "candidatesTokenCount": 1, "totalTokenCount": 30, "thoughtsTokenCount": 22}
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def reader(limit: int = 1 << 20) -> GenerationReader:
    return GenerationReader(limit, "m")


def read(into: GenerationReader, pieces: list[bytes]) -> list[Chunk]:
    chunks = [chunk for piece in pieces for chunk in into.feed(piece)]
    return [*chunks, *into.finish()]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(
    st.lists(_TEXT, min_size=1, max_size=8),
    st.lists(st.integers(0, 10_000), max_size=12),
    st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"]),
)
def test_any_split_gives_the_same_chunks(texts: list[str], cuts: list[int], end: bytes) -> None:
    payloads = [*(said(text, finish=None) for text in texts[:-1]), said(texts[-1], usageMetadata=USAGE, responseId="r")]
    data = events(*payloads, end=end)
    whole, pieces = reader(), reader()
    assert read(pieces, split(data, cuts)) == read(whole, [data])
    assert pieces.done
    reply = pieces.reply(ANSWER)
    assert reply == whole.reply(ANSWER)
    assert reply.text == "".join(texts)
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.total_tokens) == (7, 23, 30)
    assert (reply.usage.reasoning_tokens, reply.provider_request_id) == (22, "r")
    assert reply.raw == said("".join(texts), usageMetadata=USAGE, responseId="r")


def test_every_byte_by_itself() -> None:
    data = events(said("Sié", finish=None), said("ben ☃🙂", usageMetadata=USAGE))
    one = reader()
    chunks = read(one, [data[place : place + 1] for place in range(len(data))])
    assert [chunk.text for chunk in chunks] == ["Sié", "ben ☃🙂"]
    assert one.done


@given(st.lists(_TEXT, min_size=2, max_size=6), st.data())
def test_any_prefix_is_unfinished_and_keeps_what_came(texts: list[str], data: st.DataObject) -> None:
    body = events(*(said(text, finish=None) for text in texts[:-1]), said(texts[-1]))
    cut = data.draw(st.integers(0, len(body) - 3))
    one = reader()
    chunks = read(one, [body[:cut]])
    assert not one.done
    assert "".join(chunk.text for chunk in chunks) == (one.partial() or "")


@given(st.binary(max_size=200), st.lists(st.integers(0, 500), max_size=4))
def test_hostile_bytes_end_typed(data: bytes, cuts: list[int]) -> None:
    one = reader(100)
    # Nothing else may come out: these are what the call path turns into a ResponseFormatError.
    with contextlib.suppress(FormatError, errors.BackendError, KeyError, TypeError, AttributeError):
        read(one, split(data, cuts))
    assert not one.done


def test_usage_comes_with_the_end_and_the_last_one_counts() -> None:
    early = {"promptTokenCount": 7, "totalTokenCount": 29, "thoughtsTokenCount": 22}
    chunks = read(reader(), [events(said("Sev", finish=None, usageMetadata=early), said("en", usageMetadata=USAGE))])
    assert [chunk.usage is None for chunk in chunks] == [True, False]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 30
    late = reader()
    chunks = read(late, [events(said("Seven"), {"usageMetadata": USAGE, "modelVersion": "m-1"})])
    assert chunks[-1].usage == late.reply(ANSWER).usage
    assert late.reply(ANSWER).model == "m-1"


def test_stop_in_every_event_ends_nothing() -> None:
    one = reader()
    chunks = read(one, [events(said("a"), said("b"), said("c"))])
    assert "".join(chunk.text for chunk in chunks) == one.reply(ANSWER).text == "abc"
    assert one.done


def test_every_candidate_must_end() -> None:
    def of(index: int, text: str, finish: str | None = None) -> dict[str, Any]:
        made = said(text, finish=finish)
        made["candidates"][0]["index"] = index
        return made

    one = reader()
    read(one, [events(of(0, "a"), of(1, "x"), of(0, "b", "STOP"))])
    assert not one.done
    read(one, [events(of(1, "y", "MAX_TOKENS"))])
    assert one.done
    reply = one.reply(ANSWER)
    assert (reply.texts, reply.finish_reason) == (("ab", "xy"), "STOP")
    assert [candidate["finishReason"] for candidate in reply.raw["candidates"]] == ["STOP", "MAX_TOKENS"]


def test_calls_thoughts_media_and_signatures_are_kept_apart() -> None:
    call = {"functionCall": {"id": "1", "name": "weather", "args": {"city": "ü"}}, "thoughtSignature": "U2ln"}
    other = {"functionCall": {"name": "tide"}}
    blob = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PIXEL).decode()}}
    one = reader()
    chunks = read(
        one,
        [
            events(
                said({"text": "Hm", "thought": True}, finish=None),
                said({"text": ", so", "thought": True}, "A", finish=None),
                said("B", {"text": "", "thoughtSignature": "TWlu"}, "C", finish=None),
                said(call, finish=None),
                said(other, blob),
            )
        ],
    )
    reply = one.reply(ANSWER)
    assert (reply.reasoning, reply.text) == ("Hm, so", "ABC")
    assert [(made.id, made.name, made.arguments, made.signature) for made in reply.tool_calls] == [
        ("1", "weather", '{"city":"ü"}', "U2ln"),
        ("", "tide", "{}", None),
    ]
    assert [delta.index for chunk in chunks for delta in chunk.tool_calls] == [0, 1]
    assert chunks[-1].data == reply.media[0].data == PIXEL
    assert reply.raw["candidates"][0]["content"]["parts"] == [
        {"text": "Hm, so", "thought": True},
        {"text": "AB"},
        {"text": "", "thoughtSignature": "TWlu"},
        {"text": "C"},
        call,
        other,
        blob,
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("cuts", [[], [3], [40, 41, 42, 60]])
async def test_bare_errors_between_events(indent: int | None, wrapped: bool, cuts: list[int]) -> None:
    error: Any = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    text = json.dumps([error] if wrapped else error, indent=indent).encode()
    body = events(said("Sev", finish=None)) + text
    one = reader()
    with pytest.raises(errors.OverloadedError, match="overloaded"):
        read(one, split(body, cuts))
    assert one.partial() == "Sev"
    first = reader()
    with pytest.raises(errors.OverloadedError):
        read(first, split(text, cuts))


def test_bare_text_that_is_no_error_is_cut_short() -> None:
    for text in (b"{", b"[]", b'{"a": 1}', b"{" + b" " * 200_000 + b'"error": {"code": 500}}'):
        one = reader()
        assert read(one, [text]) == []
        assert not one.done


async def test_errors_in_events() -> None:
    error = {"error": {"code": 404, "message": "models/m is not found for API version v1.", "status": "NOT_FOUND"}}
    async with mocked((200, events(error)), (200, events(said("Sev", finish=None), error))) as gemini:
        with pytest.raises(errors.UnknownModelError):
            await gemini.astream_chat(ASK).collect()
        with pytest.raises(errors.StreamInterruptedError, match="is not found") as caught:
            await gemini.astream_chat(ASK).collect()
    assert (caught.value.partial, caught.value.status, caught.value.code) == ("Sev", 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "payload",
    [
        "5",
        "[]",
        '{"candidates": 5}',
        '{"candidates": [{"index": "a"}]}',
        '{"candidates": [{"index": -1}]}',
        '{"candidates": [{"content": {"parts": [{"text": {}}]}}]}',
        "[" * 200 + "]" * 200,
        "{",
    ],
)
async def test_events_that_cannot_be_read(payload: str) -> None:
    async with mocked((200, f"data: {payload}\n\n")) as gemini:
        with pytest.raises(errors.ResponseFormatError):
            await gemini.astream_chat(ASK).collect()


async def test_named_events_and_comments_are_passed_over() -> None:
    body = b": hello\n\nevent: ping\ndata: {}\n\n" + events(said("Seven"), {"later": 1})
    async with mocked((200, body)) as gemini:
        assert (await gemini.astream_chat(ASK).collect()).text == "Seven"


def test_an_event_beyond_the_bound() -> None:
    one = reader(500)
    seen = [chunk.text for chunk in one.feed(events(said("a", finish=None), said("b" * 1000)))]
    with pytest.raises(FormatError, match="larger than 500 bytes"):
        list(one.feed(b"\n"))
    assert seen == ["a"]
