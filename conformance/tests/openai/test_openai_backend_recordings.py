"""Exchanges with a real server of the dialect (vLLM 0.32.0), replayed: streams at every split of their bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends import OpenAI, errors
from backends.dialects.openai_chat_stream import ChatStreamReader
from backends.dialects.openai_completions import CompletionStreamReader
from backends.dialects.openai_events import EventReader
from backends.dialects.openai_responses_stream import ResponseStreamReader
from backends.operation import Answer
from backends.types import Chunk

HERE = Path(__file__).parents[3] / "fixtures" / "recordings"
ANSWER = Answer(200, {}, None, "id", None, 1, 0.0)


@cache
def recordings() -> dict[str, Any]:
    lines = [
        line
        for name in ("vllm-0.32.0.jsonl", "vllm-0.32.0-embed.jsonl")
        for line in (HERE / name).read_text(encoding="utf-8").splitlines()
    ]
    return {entry["name"]: entry for entry in map(json.loads, lines)}


def body_of(name: str) -> bytes:
    body = recordings()[name]["response"]["body"]
    return body["text"].encode() if "text" in body else base64.b64decode(body["base64"])


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


def replay(name: str, *cuts: int) -> OpenAI:
    """Return a backend whose server answers with the recording, its body cut at the places given."""
    entry = recordings()[name]

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.url.path == entry["request"]["path"]
        body, response = body_of(name), entry["response"]
        places = [0, *cuts, len(body)]
        headers = {
            key: value
            for key, value in response["headers"].items()
            if key not in ("content-length", "transfer-encoding")
        }
        pieces = [body[start:end] for start, end in pairwise(places)]
        return httpx.Response(response["status"], headers=headers, stream=Pieces(*pieces), request=request)

    return OpenAI(api_key="sk-x", transport=httpx.MockTransport(respond), environ={}, max_retries=0)


def asked(name: str) -> dict[str, Any]:
    body = recordings()[name]["request"]["body"]
    given: dict[str, Any] = json.loads(body) if isinstance(body, str) else dict(body)
    given.pop("stream", None)
    return given


WHOLE_CHATS = ["chat", "chat_stop", "chat_json_schema", "chat_n2_logprobs", "chat_tool_named", "chat_tool_required"]


@pytest.mark.parametrize("name", WHOLE_CHATS)
async def test_whole_chats(name: str) -> None:
    given = asked(name)
    async with replay(name) as backend:
        reply = await backend.achat(given.pop("messages"), **given)
    raw = json.loads(body_of(name))
    first = raw["choices"][0]
    assert reply.raw == raw
    assert reply.text == first["message"]["content"]
    assert reply.texts == tuple(choice["message"]["content"] for choice in raw["choices"])
    assert reply.finish_reason == first["finish_reason"]
    assert reply.logprobs == first["logprobs"]
    assert reply.usage.input_tokens == raw["usage"]["prompt_tokens"]
    assert reply.usage.output_tokens == raw["usage"]["completion_tokens"]
    calls = first["message"].get("tool_calls") or []
    assert [call.name for call in reply.tool_calls] == [call["function"]["name"] for call in calls]
    assert [call.arguments for call in reply.tool_calls] == [call["function"]["arguments"] for call in calls]


READERS = {
    "chat_stream": ChatStreamReader,
    "chat_stream_usage": ChatStreamReader,
    "chat_stream_tool": ChatStreamReader,
    "completion_echo_stream": CompletionStreamReader,
    "responses_stream": ResponseStreamReader,
}


def read(reader: EventReader, *pieces: bytes) -> list[Chunk]:
    chunks = [chunk for piece in pieces for chunk in reader.feed(piece)]
    return [*chunks, *reader.finish()]


@pytest.mark.parametrize("name", READERS)
def test_every_split_gives_the_same_chunks_and_reply(name: str) -> None:
    body, make = body_of(name), READERS[name]
    whole = make()
    chunks = read(whole, body)
    reply: Any = whole.reply(ANSWER)  # type: ignore[attr-defined]
    assert whole.done
    assert "".join(chunk.text for chunk in chunks) == reply.text
    for cut in range(1, len(body)):
        reader = make()
        assert read(reader, body[:cut], body[cut:]) == chunks
        assert reader.done
        assert reader.reply(ANSWER) == reply  # type: ignore[attr-defined]
    single = make()
    assert read(single, *(bytes([byte]) for byte in body)) == chunks


@pytest.mark.parametrize("name", READERS)
def test_without_the_terminator_it_is_not_done(name: str) -> None:
    body, make = body_of(name), READERS[name]
    end = body.rindex(b"data:")
    for cut in range(len(body[:end]), len(body) - 1, 7):
        reader = make()
        read(reader, body[:cut])
        assert not reader.done


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
@pytest.mark.parametrize("name", READERS)
def test_other_line_ends_and_a_byte_order_mark_change_nothing(name: str, line_end: bytes) -> None:
    body, make = body_of(name), READERS[name]
    chunks = read(make(), body)
    changed = b"\xef\xbb\xbf" + body.replace(b"\n", line_end)
    for cut in range(1, len(changed), 13):
        assert read(make(), changed[:cut], changed[cut:]) == chunks


@pytest.mark.parametrize("name", ["chat_stream_usage", "chat_stream_tool"])
async def test_streamed_chats_through_the_whole_path(name: str) -> None:
    given = asked(name)
    messages = given.pop("messages")
    expected = ChatStreamReader()
    chunks = read(expected, body_of(name))
    reply = expected.reply(ANSWER)
    for cut in range(1, len(body_of(name)), 97):
        async with replay(name, cut) as backend:
            stream = backend.astream_chat(messages, **given)
            assert [chunk async for chunk in stream] == chunks
        assert stream.reply.text == reply.text
        assert stream.reply.tool_calls == reply.tool_calls
        assert stream.reply.finish_reason == reply.finish_reason == "length"
        assert stream.reply.usage == reply.usage
    if name == "chat_stream_usage":
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (16, 5)
    else:
        assert reply.tool_calls[0].name == "weather"


async def test_a_cut_stream_is_an_error_with_what_came() -> None:
    body = body_of("chat_stream")
    entry = recordings()["chat_stream"]

    def respond(request: httpx.Request) -> httpx.Response:
        headers = {"content-type": entry["response"]["headers"]["content-type"]}
        return httpx.Response(200, headers=headers, stream=Pieces(body[: body.rindex(b"data:")]), request=request)

    async with OpenAI(api_key="sk-x", transport=httpx.MockTransport(respond), environ={}, max_retries=0) as backend:
        with pytest.raises(errors.StreamInterruptedError) as caught:
            await backend.astream_chat([{"role": "user", "content": "x"}], model="tiny").collect()
    assert caught.value.code == "cut_short"
    assert caught.value.partial


@pytest.mark.parametrize("name", ["completion", "completion_list", "completion_tokens"])
async def test_completions(name: str) -> None:
    given = asked(name)
    async with replay(name) as backend:
        reply = await backend.acomplete(given.pop("prompt"), **given)
    raw = json.loads(body_of(name))
    assert reply.texts == tuple(choice["text"] for choice in raw["choices"])
    assert reply.logprobs == raw["choices"][0]["logprobs"]
    assert reply.usage.total_tokens == raw["usage"]["total_tokens"]


async def test_responses() -> None:
    given = asked("responses")
    async with replay("responses") as backend:
        reply = await backend.aresponses(given.pop("input"), **given)
    assert (reply.status, reply.finish_reason, reply.text) == ("incomplete", "length", "")
    assert reply.usage.total_tokens == 20
    given = asked("responses_stream")
    async with replay("responses_stream") as backend:
        stream = backend.astream_responses(given.pop("input"), **given)
        assert "".join([chunk.text async for chunk in stream]) == "ж" == stream.reply.text
    assert stream.reply.finish_reason == "length"


async def test_embeddings_in_three_shapes() -> None:
    vectors = []
    for name in ("embed_base64", "embed_many", "embed_tokens"):
        given = asked(name)
        async with replay(name) as backend:
            found = await backend.aembed(given.pop("input"), **given)
        assert all(len(vector) == 64 for vector in found.vectors)
        assert found.usage.input_tokens == json.loads(body_of(name))["usage"]["prompt_tokens"]
        vectors.append(found.vectors[0])
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("unknown_model", errors.UnknownModelError),
        ("missing_messages", errors.InvalidRequestError),
        ("bad_temperature", errors.InvalidRequestError),
        ("max_tokens_too_large", errors.InvalidRequestError),
        ("image_unsupported", errors.InvalidRequestError),
        ("wrong_verb", errors.UnsupportedError),
    ],
)
async def test_errors_of_chat(name: str, kind: type[errors.BackendError]) -> None:
    async with replay(name) as backend:
        with pytest.raises(errors.BackendError) as caught:
            await backend.achat([{"role": "user", "content": "x"}], model="gone")
    body = json.loads(body_of(name))
    assert type(caught.value) is kind
    assert caught.value.status == recordings()[name]["response"]["status"]
    if "error" in body:
        assert body["error"]["message"] in caught.value.message
        assert caught.value.code == body["error"]["type"]
    if name == "unknown_model":
        assert "tiny" in caught.value.suggestions


async def test_further_errors() -> None:
    async with replay("prompt_too_long") as backend:
        with pytest.raises(errors.ContextLengthError):
            await backend.acomplete("hello", model="tiny")
    async with replay("embed_too_long") as backend:
        with pytest.raises(errors.ContextLengthError):
            await backend.aembed("hello", model="tiny")
    async with replay("embeddings_not_served") as backend:
        with pytest.raises(errors.NotFoundError, match="Not Found"):
            await backend.aembed("hello", model="tiny")
    async with replay("bad_key") as backend:
        with pytest.raises(errors.AuthenticationError, match="Unauthorized"):
            await backend.amodels()


async def test_models() -> None:
    async with replay("models") as backend:
        (model,) = await backend.amodels()
    assert (model.id, model.owned_by, model.raw["max_model_len"]) == ("tiny", "vllm", 256)
