"""Stream readers on made-up and hostile bytes, and answers of the wrong shape."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends import OpenAI, errors
from backends.dialects.openai_chat_stream import ChatStreamReader
from backends.dialects.openai_completions import CompletionStreamReader
from backends.dialects.openai_embeddings import read_vector
from backends.dialects.openai_errors import error_facts, typed_error
from backends.dialects.openai_responses_stream import ResponseStreamReader
from backends.operation import Answer
from backends.types import Chunk
from backends.wire.values import FormatError

ASK = [{"role": "user", "content": "x"}]
ANSWER = Answer(200, {}, None, "id", None, 1, 0.0, "asked")
DONE = b"data: [DONE]\n\n"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=6,
)


def event(payload: Any) -> bytes:
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"


def delta(index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": index, "delta": fields, "finish_reason": finish}]}


def read(reader: Any, *pieces: bytes) -> list[Chunk]:
    return [chunk for piece in pieces for chunk in reader.feed(piece)]


@given(
    st.lists(st.tuples(st.integers(0, 2), TEXT, TEXT), min_size=1, max_size=12),
    st.lists(st.integers(0, 5_000), max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_texts_join_however_the_bytes_are_split(
    pieces: list[tuple[int, str, str]], cuts: list[int], line_end: bytes
) -> None:
    events = [event(delta(index, content=text, reasoning=thought)) for index, text, thought in pieces]
    body = b": hello\n\n" + b"event: ping\ndata: now\n\n".join(events) + DONE
    body = body.replace(b"\n", line_end)
    places = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    reader = ChatStreamReader()
    chunks = read(reader, *(body[start:end] for start, end in pairwise(places)))
    assert reader.done
    reply = reader.reply(ANSWER)
    shown = sorted({index for index, _, _ in pieces})
    assert reply.texts == tuple("".join(text for at, text, _ in pieces if at == index) for index in shown)
    assert reply.reasoning == ("".join(thought for at, _, thought in pieces if at == shown[0]) or None)
    assert "".join(chunk.text for chunk in chunks if chunk.index == shown[0]) == reply.text


@given(st.lists(st.tuples(st.integers(0, 3), TEXT), min_size=1, max_size=15))
def test_tool_calls_assemble_by_their_number(pieces: list[tuple[int, str]]) -> None:
    body, begun = b"", set()
    for index, text in pieces:
        call: dict[str, Any] = {"index": index, "function": {"arguments": text}}
        if index not in begun:
            begun.add(index)
            call |= {"id": f"call_{index}", "type": "function"}
            call["function"]["name"] = f"f{index}"
        body += event(delta(tool_calls=[call]))
    reader = ChatStreamReader()
    read(reader, body + event(delta(finish="tool_calls")) + DONE)
    reply = reader.reply(ANSWER)
    assert [(call.id, call.name) for call in reply.tool_calls] == [(f"call_{n}", f"f{n}") for n in sorted(begun)]
    for call, index in zip(reply.tool_calls, sorted(begun), strict=True):
        assert call.arguments == "".join(text for at, text in pieces if at == index)
    assert reply.finish_reason == "tool_calls"


@given(st.lists(JSON, max_size=5), st.sampled_from([ChatStreamReader, CompletionStreamReader, ResponseStreamReader]))
def test_hostile_payloads_never_raise_what_the_path_does_not_know(payloads: list[Any], make: Callable[[], Any]) -> None:
    known = (errors.BackendError, FormatError, KeyError, TypeError, ValueError, IndexError, AttributeError)
    shapes = [
        *payloads,
        *({"choices": payload} for payload in payloads),
        *({"choices": [{"delta": p}]} for p in payloads),
    ]
    for payload in shapes:
        reader = make()
        try:
            read(reader, event(payload))
            read(reader, DONE)
            reader.reply(ANSWER)
        except known:
            continue
        assert reader.done


def test_calls_without_numbers_begin_with_an_id() -> None:
    reader = ChatStreamReader()
    parts = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}},
        {"function": {"arguments": "}"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": {"x": 1}}},
    ]
    read(reader, b"".join(event(delta(tool_calls=[part])) for part in parts) + DONE)
    calls = reader.reply(ANSWER).tool_calls
    assert [(call.id, call.name, call.arguments) for call in calls] == [("a", "f", "{}"), ("b", "g", '{"x":1}')]


def test_custom_tools_old_functions_refusals_and_logprobs() -> None:
    reader = ChatStreamReader()
    entry = {"token": "a", "logprob": -1.0}
    body = (
        event(
            {
                **delta(refusal="No"),
                "choices": [
                    {"index": 0, "delta": {"refusal": "No"}, "logprobs": {"refusal": [entry], "content": None}}
                ],
            }
        )
        + event(delta(tool_calls=[{"index": 0, "id": "c", "type": "custom", "custom": {"name": "sh", "input": "l"}}]))
        + event(delta(tool_calls=[{"index": 0, "custom": {"input": "s"}}]))
        + DONE
    )
    read(reader, body)
    reply = reader.reply(ANSWER)
    assert (reply.refusal, reply.text, reply.logprobs) == ("No", "", {"refusal": [entry]})
    assert [(call.type, call.name, call.arguments) for call in reply.tool_calls] == [("custom", "sh", "ls")]
    assert reply.raw["choices"][0]["message"]["tool_calls"][0]["custom"] == {"name": "sh", "input": "ls"}
    old = ChatStreamReader()
    pieces = [{"name": "f", "arguments": ""}, {"arguments": "{}"}]
    read(old, b"".join(event(delta(function_call=piece)) for piece in pieces) + DONE)
    assert [(call.name, call.arguments) for call in old.reply(ANSWER).tool_calls] == [("f", "{}")]


def test_sound_that_ends_within_a_piece_is_refused() -> None:
    with pytest.raises(FormatError, match="base64"):
        read(ChatStreamReader(), event(delta(audio={"data": "AAAAAA"})) + DONE)
    reader = ChatStreamReader()
    chunks = read(reader, event(delta(audio={"data": "AAECAw"})), event(delta(audio={"data": "QF"})) + DONE)
    assert b"".join(chunk.data or b"" for chunk in chunks) == bytes([0, 1, 2, 3, 4, 5])
    assert reader.reply(ANSWER).raw["choices"][0]["message"]["audio"]["data"] == "AAECAwQF"


def test_chunks_before_an_error_in_the_same_bytes_come_out_first() -> None:
    body = event(delta(content="one")) + event({"error": {"message": "It broke.", "code": "server_error"}}) + DONE
    feed = ChatStreamReader().feed(body)
    assert next(iter(feed)).text == "one"
    with pytest.raises(errors.ServerError, match=r"It broke\.") as caught:
        next(iter(feed))
    assert caught.value.status == 500
    named = ChatStreamReader().feed(b'event: error\ndata: {"message": "Slow down.", "type": "slow_down"}\n\n')
    with pytest.raises(errors.OverloadedError, match="Slow down"):
        list(named)


@pytest.mark.parametrize(
    "body",
    [b"", DONE, event({"choices": []}) + DONE, event({"choices": [], "usage": {"total_tokens": 1}}) + DONE, b": x\n\n"],
)
async def test_an_empty_stream_is_an_error(answering: Callable[..., OpenAI], body: bytes) -> None:
    for name in ("astream_chat", "astream_complete"):
        backend = answering(lambda request: httpx.Response(200, content=body, request=request), max_retries=0)
        argument: Any = ASK if name == "astream_chat" else "x"
        with pytest.raises((errors.ResponseFormatError, errors.TransportError, errors.StreamInterruptedError)):
            await getattr(backend, name)(argument).collect()
        await backend.aclose()


@pytest.mark.parametrize(
    "body",
    [
        b"data: [1]\n\n",
        b"data: {\n\n",
        b'data: {"choices": 7}\n\n',
        b'data: {"choices": [7]}\n\n',
        b'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        b'data: {"choices": [{"delta": {"tool_calls": [7]}}]}\n\n',
        b'data: {"choices": [{"delta": {"tool_calls": [{"index": "a"}]}}]}\n\n',
        b'data: {"choices": [{"delta": {"audio": {"data": "****"}}}]}\n\n',
        b"data: " + b"[" * 200 + b"\n\n",
        b"data: " + b'{"a":' * 200 + b"1" + b"}" * 200 + b"\n\n",
        b"data: " + b"x" * 5_000,
    ],
)
async def test_streams_of_the_wrong_shape(answering: Callable[..., OpenAI], body: bytes) -> None:
    good = event(delta(content="one"))
    backend = answering(
        lambda request: httpx.Response(200, content=body, request=request), max_retries=0, max_event_bytes=4_096
    )
    with pytest.raises(errors.ResponseFormatError):
        await backend.astream_chat(ASK).collect()
    await backend.aclose()

    async def pieces() -> AsyncIterator[bytes]:
        yield good
        yield body + DONE

    backend = answering(
        lambda request: httpx.Response(200, content=pieces(), request=request), max_retries=0, max_event_bytes=4_096
    )
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await backend.astream_chat(ASK).collect()
    assert caught.value.partial == "one"
    await backend.aclose()


CHOICE = {"index": 0, "message": {"role": "assistant", "content": "y"}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        None,
        {"choices": []},
        {"choices": None},
        {"choices": [{}]},
        {"choices": [7]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"content": "", "tool_calls": [{"function": {}}]}}]},
    ],
)
async def test_whole_answers_of_the_wrong_shape(answering: Callable[..., OpenAI], body: Any) -> None:
    backend = answering(body, max_retries=0)
    with pytest.raises(errors.ResponseFormatError) as caught:
        await backend.achat(ASK)
    assert caught.value.status == 200
    await backend.aclose()


async def test_an_error_body_under_a_good_status(answering: Callable[..., OpenAI]) -> None:
    backend = answering({"error": {"message": "Too long.", "code": "context_length_exceeded"}}, max_retries=0)
    for call in (backend.achat(ASK), backend.acomplete("x"), backend.aembed("x"), backend.aresponses("x")):
        with pytest.raises(errors.ContextLengthError, match="Too long"):
            await call
    await backend.aclose()


async def test_what_is_unknown_is_tolerated_and_details_are_read(answering: Callable[..., OpenAI]) -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "total_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3, "audio_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 1},
        "new": {},
    }
    message = {
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "reasoning_content": "Hm.",
        "new": 1,
    }
    backend = answering({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage, "new": []})
    reply = await backend.achat(ASK, model="m")
    assert (reply.text, reply.reasoning, reply.model) == ("ab", "Hm.", "m")
    found = reply.usage
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (10, 20, 30)
    assert (found.cached_tokens, found.cache_write_tokens, found.reasoning_tokens, found.audio_tokens) == (4, 3, 5, 3)
    await backend.aclose()
    backend = answering(
        {"choices": [CHOICE], "usage": {"prompt_tokens": 0, "completion_tokens": -1, "total_tokens": "9"}}
    )
    found = (await backend.achat(ASK)).usage
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (0, None, None)
    await backend.aclose()


async def test_choices_come_in_their_order(answering: Callable[..., OpenAI]) -> None:
    backend = answering({"choices": [{"index": n, "message": {"content": str(n)}, "text": str(n)} for n in (2, 0, 1)]})
    assert (await backend.achat(ASK, n=3)).texts == ("0", "1", "2")
    assert (await backend.acomplete("x", n=3)).texts == ("0", "1", "2")
    await backend.aclose()


async def test_vectors_are_put_into_the_order_of_their_texts(answering: Callable[..., OpenAI]) -> None:
    rows = [{"index": 1, "embedding": [1.0, 2]}, {"index": 0, "embedding": "AACAPwAAAEA="}]
    backend = answering({"data": rows, "model": "e"})
    found = await backend.aembed(["a", "b"])
    assert found.vectors == ((1.0, 2.0), (1.0, 2.0))
    assert found.raw["data"] == rows
    await backend.aclose()
    for wrong in (
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 2, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": ["1"]}, {"index": 1, "embedding": [True]}],
        [{"index": 0, "embedding": None}, {"index": 1, "embedding": [1.0]}],
    ):
        backend = answering({"data": wrong})
        with pytest.raises(errors.ResponseFormatError):
            await backend.aembed(["a", "b"])
        await backend.aclose()


@pytest.mark.parametrize("text", ["*", "AAA", "AAAA", "AADAfwAAAEA=", "AACAfwAAgP8="])
def test_packed_vectors_that_are_none(text: str) -> None:
    with pytest.raises(FormatError):
        read_vector(text)


@given(JSON, st.sampled_from([None, 400, 404, 429, 500, 599]))
def test_any_error_body_becomes_an_error(body: Any, status: int | None) -> None:
    for shape in (body, {"error": body}, {"detail": body}, {"error": {"message": body, "code": body, "type": body}}):
        made = typed_error(status, shape, model="m")
        assert made.message
        assert len(made.message) < 3_000
        assert status is None or made.status == status


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "m", "type": "t", "param": "p", "code": "c"}}, "m", "c"),
        ({"error": {"message": "m", "type": "t", "param": None, "code": 404}}, "m", None),
        ({"error": "Unauthorized"}, "Unauthorized", None),
        ({"detail": "Not Found"}, "Not Found", None),
        ({"detail": [{"msg": "Field required", "type": "missing"}]}, "Field required", None),
        ({"object": "error", "message": "m", "type": "t", "code": 400}, "m", None),
        ([{"error": {"message": "m"}}], "m", None),
        ("<html>bad gateway</html>", "An HTML page came instead of the API's own error.", None),
        ("plain", "plain", None),
        ("", "", None),
    ],
)
def test_the_shapes_of_error_bodies(body: Any, message: str, code: str | None) -> None:
    facts = error_facts(body)
    assert (facts.message, facts.code) == (message, code)
