"""TGI's own stream and the readers of its OpenAI side: any split, either form of the line, every end."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import Any

import pytest
from hf_tgi_bench import event, mocked, sse, token
from hypothesis import given
from hypothesis import strategies as st

from backends import errors
from backends.hf_tgi.stream import ChatReader, CompletionReader, GenerationReader
from backends.hf_tgi.values import GenerationToken
from backends.operation import Answer
from backends.types import Chunk, Usage
from backends.wire.values import FormatError

ANSWER = Answer(200, {}, None, "id", None, 1, 0.5, "tgi")
DETAILS = {"finish_reason": "eos_token", "generated_tokens": 3, "seed": None, "input_length": 4}
TEXT = "Zwölf ☃ 🙂"
EVENTS = [
    event(1, "Zwölf"),
    event(2, " ☃ 🙂"),
    event(3, "</s>", special=True, generated_text=TEXT, details=DETAILS),
]


def read(reader: Any, pieces: list[bytes]) -> list[Chunk]:
    chunks = [chunk for piece in pieces for chunk in reader.feed(piece)]
    return [*chunks, *reader.finish()]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize("space", [True, False])
def test_every_split_of_the_bytes(space: bool) -> None:
    data = b":\n\n" + sse(*EVENTS, space=space)
    whole = GenerationReader()
    expected = read(whole, [data])
    assert [chunk.text for chunk in expected] == ["Zwölf", " ☃ 🙂", ""]
    assert expected[-1].finish_reason == "eos_token"
    assert expected[-1].usage == Usage(4, 3, 7)
    reply = whole.reply(ANSWER)
    assert (reply.text, reply.finish_reason, reply.usage) == (TEXT, "eos_token", Usage(4, 3, 7))
    for cut in range(len(data) + 1):
        reader = GenerationReader()
        assert read(reader, [data[:cut], data[cut:]]) == expected
        assert reader.done
    single = GenerationReader()
    assert read(single, [data[at : at + 1] for at in range(len(data))]) == expected
    assert single.reply(ANSWER) == reply


def test_the_reply_is_the_answer_as_it_would_have_come_whole() -> None:
    top = [[token("a"), token("b")], [token("c"), token("d")]]
    reader = GenerationReader()
    last = {"generated_text": "ac", "details": {**DETAILS, "seed": 9, "finish_reason": "length"}}
    read(reader, [sse({**event(1, "a"), "top_tokens": top[0]}, {**event(2, "c", **last), "top_tokens": top[1]})])
    reply = reader.reply(ANSWER)
    assert reply.tokens == (GenerationToken(7, "a", -0.5), GenerationToken(7, "c", -0.5))
    assert [[one.text for one in place] for place in reply.top_tokens] == [["a", "b"], ["c", "d"]]
    assert (reply.seed, reply.finish_reason, reply.model) == (9, "length", "tgi")
    assert reply.raw["generated_text"] == "ac"
    assert reply.raw["details"]["tokens"] == [token("a"), token("c")]
    assert reply.raw["details"]["top_tokens"] == top


def test_without_details_there_are_no_counts() -> None:
    reader = GenerationReader()
    chunks = read(reader, [sse(event(1, "a"), event(2, "b", generated_text="ab"))])
    assert [chunk.usage for chunk in chunks] == [None, None]
    reply = reader.reply(ANSWER)
    assert (reply.text, reply.finish_reason, reply.usage) == ("ab", None, Usage())
    assert reply.raw == {"generated_text": "ab"}


def test_the_server_says_what_the_whole_text_is() -> None:
    reader = GenerationReader()
    read(reader, [sse(event(1, " world", generated_text="hello world", details=DETAILS))])
    assert reader.reply(ANSWER).text == "hello world"
    assert reader.partial() == " world"


@given(st.lists(st.text(max_size=10), min_size=1, max_size=6), st.data())
def test_any_prefix_is_unfinished_and_keeps_what_came(texts: list[str], data: st.DataObject) -> None:
    events = [event(index, text) for index, text in enumerate(texts, 1)]
    body = sse(*events, event(9, "", special=True, generated_text="".join(texts)))
    cut = data.draw(st.integers(0, len(body) - 2))
    reader = GenerationReader()
    chunks = read(reader, [body[:cut]])
    assert not reader.done
    assert "".join(chunk.text for chunk in chunks) == (reader.partial() or "")
    with pytest.raises(FormatError):
        reader.reply(ANSWER)


@given(st.binary(max_size=200), st.lists(st.integers(0, 500), max_size=4))
def test_hostile_bytes_end_typed(data: bytes, cuts: list[int]) -> None:
    for reader in (GenerationReader(100), ChatReader(100), CompletionReader(100)):
        with contextlib.suppress(FormatError, errors.BackendError, KeyError, TypeError, AttributeError):
            read(reader, split(data, cuts))
        assert not reader.done


@pytest.mark.parametrize(
    "hostile",
    [
        {"token": 7},
        {"token": {"id": "x", "text": "a"}},
        {"token": {"id": 1, "text": 5}},
        {"token": {"id": True, "text": "a"}},
        {"token": {"text": "a"}},
        event(1, "a", generated_text=5),
        [event(1, "a")],
    ],
)
async def test_events_of_another_shape(hostile: Any) -> None:
    async with mocked((200, sse(event(1, "first"), hostile))) as tgi:
        with pytest.raises(errors.StreamInterruptedError) as caught:
            await tgi.astream_generate("hello").collect()
    assert (caught.value.code, caught.value.partial) == ("format", "first")


def test_a_terminator_of_the_other_dialect_is_a_cut_here() -> None:
    reader = GenerationReader()
    with pytest.raises(FormatError, match="without generated_text"):
        read(reader, [sse(event(1, "a")) + b"data: [DONE]\n\n"])


def test_what_follows_the_last_token_is_not_read() -> None:
    reader = GenerationReader()
    chunks = read(reader, [sse(*EVENTS, event(4, "late"), {"error": "late", "error_type": "generation"})])
    assert len(chunks) == 3
    assert reader.reply(ANSWER).text == TEXT


def test_events_without_a_token_are_passed_over() -> None:
    reader = GenerationReader()
    assert read(reader, [sse({"later": 1}, *EVENTS) + b"event: ping\ndata: {}\n\n"])[0].text == "Zwölf"


@pytest.mark.parametrize(
    ("error_type", "kind", "status"),
    [
        ("validation", errors.InvalidRequestError, 422),
        ("generation", errors.ServerError, 424),
        ("overloaded", errors.OverloadedError, 429),
        ("incomplete_generation", errors.ServerError, 500),
        ("incomplete_generation_stream", errors.ServerError, 500),
        ("stream_serialization_error", errors.ServerError, 500),
        ("template_error", errors.InvalidRequestError, 422),
        ("something_new", errors.ServerError, None),
    ],
)
async def test_error_events_with_status_200(error_type: str, kind: type, status: int | None) -> None:
    bad = {"error": "It went wrong.", "error_type": error_type}
    async with mocked((200, sse(bad))) as tgi:
        with pytest.raises(errors.BackendError, match="It went wrong") as caught:
            await tgi.astream_generate("hello").collect()
    assert (type(caught.value), caught.value.status, caught.value.code) == (kind, status, error_type)
    async with mocked((200, sse(event(1, "Hi"), bad))) as tgi:
        with pytest.raises(errors.StreamInterruptedError, match="It went wrong") as interrupted:
            await tgi.astream_generate("hello").collect()
    assert interrupted.value.partial == "Hi"
    assert type(interrupted.value.__cause__) is kind


@pytest.mark.parametrize(
    ("message", "kind", "status"),
    [
        ("Input validation error: `inputs` must have less than 9 tokens. Given: 12", errors.ContextLengthError, 422),
        ("Input validation error: `top_p` must be > 0.0 and < 1.0", errors.InvalidRequestError, 422),
        ("Request failed during generation: out of memory", errors.ServerError, 424),
        ("Model is overloaded", errors.OverloadedError, 429),
        ("Incomplete generation stream", errors.ServerError, 500),
        ("something else", errors.ServerError, None),
    ],
)
@pytest.mark.parametrize("call", ["astream_chat", "astream_complete"])
async def test_error_events_of_the_openai_side(call: str, message: str, kind: type, status: int | None) -> None:
    bad = sse({"error": {"message": message, "http_status_code": 422}}) + b"data: [DONE]\n\n"
    async with mocked((200, bad)) as tgi:
        asked: Any = "hello" if call == "astream_complete" else [{"role": "user", "content": "hello"}]
        with pytest.raises(errors.BackendError) as caught:
            await getattr(tgi, call)(asked).collect()
    assert (type(caught.value), caught.value.status) == (kind, status)
    assert message in caught.value.message


def test_a_completion_stream_of_empty_finish_reasons() -> None:
    def piece(text: str, finish: str, **more: Any) -> dict[str, Any]:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
        return {"id": "", "object": "text_completion", "model": "m", "choices": [choice], **more}

    usage = {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    reader = CompletionReader()
    chunks = read(reader, [sse(piece("a", ""), piece("b", "eos_token", usage=usage)) + b"data: [DONE]\n\n"])
    assert [chunk.finish_reason for chunk in chunks] == [None, "eos_token"]
    reply = reader.reply(ANSWER)
    assert (reply.text, reply.finish_reason, reply.usage.total_tokens) == ("ab", "eos_token", 4)


def test_tool_deltas_whose_later_names_are_null() -> None:
    def piece(name: str | None, arguments: str) -> dict[str, Any]:
        function = {"name": name, "arguments": arguments}
        call = {"index": 0, "id": "0", "type": "function", "function": function}
        delta = {"role": "assistant", "tool_calls": [call]}
        return {"id": "", "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None}

    reader = ChatReader()
    body = sse(piece("weather", "{"), piece(None, '"city":'), piece(None, ' "Ulm"}')) + b"data: [DONE]\n\n"
    read(reader, [body])
    (call,) = reader.reply(ANSWER).tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == ("0", "weather", {"city": "Ulm"})
