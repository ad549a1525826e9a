"""The readers: any split of a stream's bytes gives the same chunks, and what a server should not send ends typed."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vllm_bench import answer, events, mocked

from backends import errors
from backends.dialects.openai_events import EventReader
from backends.types import Chunk, Ranked
from backends.vllm.audio import TranscriptReader
from backends.vllm.pooled import read_classes, read_pooled, read_ranking, read_scores
from backends.vllm.streams import ChatReader, CompletionReader
from backends.vllm.values import Verdict
from backends.wire.values import FormatError
from conformance.recordings import exchanges

_BOUND = 1 << 20
_UNREADABLE = (FormatError, KeyError, TypeError, ValueError, IndexError, AttributeError)


def _chunk(delta: dict[str, Any], **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None, "token_ids": [7], **fields}
    return {"id": "chatcmpl-1", "model": "m", "choices": [choice]}


CHAT = events(
    {**_chunk({"role": "assistant", "content": ""}, token_ids=None), "prompt_token_ids": [1, 2], "prompt_text": "p"},
    _chunk({"reasoning": "naïve "}),
    _chunk({"content": "☃ \ufffd"}),
    _chunk({"content": None, "tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f"}}]}),
    _chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a": "🙂"}'}}]}),
    {**_chunk({"content": ""}, finish_reason="stop", stop_reason="END", token_ids=[8, 9]), "system_fingerprint": "fp"},
    {"model": "m", "choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}},
)
COMPLETION = events(
    {"model": "m", "choices": [{"index": 1, "text": "b", "prompt_token_ids": [3], "token_ids": [4]}]},
    {"model": "m", "choices": [{"index": 0, "text": "ä", "prompt_token_ids": [1], "token_ids": [2]}]},
    {"model": "m", "choices": [{"index": 0, "text": "", "finish_reason": "stop", "stop_reason": 5, "token_ids": None}]},
    {"model": "m", "choices": [{"index": 1, "text": "", "finish_reason": "length"}], "system_fingerprint": "fp"},
)
HEARD = events(
    {"object": "transcription.chunk", "model": "w", "choices": [{"delta": {"content": "naïve "}}]},
    {"object": "transcription.chunk", "model": "w", "choices": [{"delta": {"content": "☃"}, "finish_reason": "stop"}]},
    {
        "object": "transcription.chunk",
        "model": "w",
        "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    },
)
KINDS = [(ChatReader, CHAT), (CompletionReader, COMPLETION), (TranscriptReader, HEARD)]


def read(reader: EventReader, pieces: list[bytes]) -> list[Chunk]:
    chunks = [chunk for piece in pieces for chunk in reader.feed(piece)]
    return [*chunks, *reader.finish()]


@pytest.mark.parametrize(("kind", "body"), KINDS)
def test_a_split_at_every_byte_changes_nothing(kind: Any, body: bytes) -> None:
    whole = kind(_BOUND)
    expected = read(whole, [body])
    for cut in range(1, len(body)):
        reader = kind(_BOUND)
        assert read(reader, [body[:cut], body[cut:]]) == expected
        assert reader.done
        assert reader.reply(answer(None)) == whole.reply(answer(None))
    single = kind(_BOUND)
    assert read(single, [body[at : at + 1] for at in range(len(body))]) == expected


@pytest.mark.parametrize(("kind", "body"), KINDS)
def test_a_prefix_is_unfinished(kind: Any, body: bytes) -> None:
    for cut in range(len(body) - 2):
        reader = kind(_BOUND)
        chunks = read(reader, [body[:cut]])
        assert not reader.done
        first = [chunk.text for chunk in chunks if chunk.index == 0]
        assert "".join(first) == (reader.partial() or "")


def test_what_is_the_servers_own_is_in_the_reply() -> None:
    reader = ChatReader(_BOUND)
    read(reader, [CHAT])
    reply = reader.reply(answer(None))
    choice = reply.raw["choices"][0]
    assert (choice["stop_reason"], choice["token_ids"]) == ("END", [7, 7, 7, 7, 8, 9])
    assert (reply.raw["prompt_token_ids"], reply.raw["prompt_text"], reply.raw["system_fingerprint"]) == (
        [1, 2],
        "p",
        "fp",
    )
    assert (reply.text, reply.reasoning, reply.tool_calls[0].arguments) == ("☃ \ufffd", "naïve ", '{"a": "🙂"}')
    other = CompletionReader(_BOUND)
    read(other, [COMPLETION])
    done = other.reply(answer(None))
    assert done.texts == ("ä", "b")
    assert [one["stop_reason"] for one in done.raw["choices"]] == [5, None]
    assert [one["prompt_token_ids"] for one in done.raw["choices"]] == [[1], [3]]
    assert [one["token_ids"] for one in done.raw["choices"]] == [[2], [4]]


@pytest.mark.parametrize("name", ["chat_stream", "chat_stream_usage", "chat_stream_tool"])
def test_recorded_streams_keep_their_last_fields(name: str) -> None:
    recorded = exchanges()[f"vllm-0.32.0/{name}"]
    reader = ChatReader(_BOUND)
    places = [0, *itertools.accumulate(recorded.pieces)]
    read(reader, [recorded.body[start:end] for start, end in itertools.pairwise(places)])
    raw = reader.reply(answer(None)).raw
    assert raw["system_fingerprint"] == "vllm-0.32.0-d1359fc9"
    assert raw["choices"][0]["stop_reason"] is None
    assert "prompt_token_ids" in raw


@given(st.binary(max_size=200), st.lists(st.integers(0, 500), max_size=4))
def test_hostile_bytes_end_typed(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    for kind, _ in KINDS:
        reader = kind(100)
        try:
            read(reader, pieces)
        except (FormatError, errors.BackendError):
            continue
        assert not reader.done or reader.partial() is None


@pytest.mark.parametrize(
    "payload",
    [
        {"choices": 5},
        {"choices": [5]},
        {"choices": [{"index": "a", "delta": {"content": "x"}}]},
        {"choices": [{"index": [], "delta": {}}]},
        {"choices": [{"delta": {"content": 5}, "text": 5}]},
        {"choices": [{"delta": [], "token_ids": 5}]},
    ],
)
def test_hostile_chunks_end_typed(payload: Any) -> None:
    for kind, _ in KINDS[:2]:
        with pytest.raises(_UNREADABLE):
            finished(kind(_BOUND), events(payload))


def finished(reader: Any, body: bytes) -> Any:
    read(reader, [body])
    return reader.reply(answer(None))


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_an_empty_stream_is_refused(kind: Any) -> None:
    with pytest.raises(FormatError, match="without any content"):
        read(kind(_BOUND), [b"data: [DONE]\n\n"])


def test_pooled_answers_in_order() -> None:
    body = {"data": [{"index": 1, "data": [[3, 4.5]]}, {"index": 0, "data": [1, 2]}], "usage": {"prompt_tokens": 3}}
    reply = read_pooled(answer(body), 2)
    assert reply.outputs == ((1.0, 2.0), ((3.0, 4.5),))
    assert (reply.usage.input_tokens, reply.model, reply.raw) == (3, "m", body)
    classes = {"model": "c", "data": [{"index": 0, "label": None, "probs": [0.25, 0.75], "num_classes": 2}]}
    labelled = read_classes(answer(classes), 1)
    assert (labelled.verdicts, labelled.model) == ((Verdict(None, (0.25, 0.75)),), "c")
    assert read_scores(answer({"data": [{"index": 1, "score": 2}, {"index": 0, "score": -0.5}]}), 2).scores == (
        -0.5,
        2.0,
    )
    results = [{"index": 0, "relevance_score": 0.1}, {"index": 2, "document": {"text": "c"}, "relevance_score": 0.9}]
    assert read_ranking(answer({"results": results}), 3).results == (Ranked(2, 0.9, "c"), Ranked(0, 0.1, None))


@pytest.mark.parametrize(
    ("read_one", "entry"),
    [
        (read_pooled, {"index": 0, "data": []}),
        (read_pooled, {"index": 0, "data": [[]]}),
        (read_pooled, {"index": 0, "data": [[1], 2]}),
        (read_pooled, {"index": 0, "data": ["a"]}),
        (read_pooled, {"index": 0, "data": [math.inf]}),
        (read_pooled, {"index": 0, "data": None}),
        (read_pooled, {"index": 1, "data": [1]}),
        (read_pooled, {"index": "0", "data": [1]}),
        (read_pooled, {"index": 0}),
        (read_pooled, 5),
        (read_classes, {"index": 0, "label": "a"}),
        (read_classes, {"index": 0, "label": "a", "probs": [True]}),
        (read_scores, {"index": 0, "score": "1"}),
        (read_scores, {"index": 0, "score": math.nan}),
        (read_scores, {"index": 0, "score": True}),
        (read_scores, {"index": 0, "score": None}),
    ],
)
def test_hostile_entries_end_typed(read_one: Any, entry: Any) -> None:
    with pytest.raises(_UNREADABLE):
        read_one(answer({"data": [entry]}), 1)


@pytest.mark.parametrize("data", [None, [], {}, {"data": {}}, {"data": []}, {"data": [{}, {}]}, {"data": 5}])
def test_hostile_lists_end_typed(data: Any) -> None:
    for read_one in (read_pooled, read_classes, read_scores):
        with pytest.raises(_UNREADABLE):
            read_one(answer(data), 1)


@pytest.mark.parametrize(
    "results",
    [
        [{"index": 3, "relevance_score": 1}],
        [{"index": -1, "relevance_score": 1}],
        [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 0}],
        [{"index": 0, "relevance_score": None}],
        [{"index": 0, "relevance_score": 1, "document": "text"}],
        [{"relevance_score": 1}],
        5,
    ],
)
def test_hostile_rankings_end_typed(results: Any) -> None:
    with pytest.raises(_UNREADABLE):
        read_ranking(answer({"results": results}), 3)


@pytest.mark.parametrize("read_one", [read_pooled, read_classes, read_scores, read_ranking])
def test_an_error_inside_a_200_is_one(read_one: Any) -> None:
    with pytest.raises(errors.InvalidRequestError, match="no"):
        read_one(answer({"error": {"message": "no", "type": "BadRequestError", "code": 400}}), 1)


@pytest.mark.parametrize(
    "body",
    [
        {"count": 2, "tokens": [1], "max_model_len": 5},
        {"count": 1, "tokens": ["1"], "max_model_len": 5},
        {"count": 1, "tokens": [True], "max_model_len": 5},
        {"count": 1, "tokens": None},
        {"count": 1, "tokens": [1], "token_strs": ["a", "b"]},
        {"count": 1, "tokens": [1], "token_strs": [1]},
        {"tokens": [1]},
        [],
    ],
)
async def test_hostile_tokens(body: Any) -> None:
    async with mocked((200, body)) as vllm:
        with pytest.raises(errors.ResponseFormatError, match="tokenize"):
            await vllm.atokenize("a")


@pytest.mark.parametrize("body", [{"prompt": 5}, {"prompt": None}, {}, "text"])
async def test_hostile_texts(body: Any) -> None:
    async with mocked((200, body)) as vllm:
        with pytest.raises(errors.ResponseFormatError, match="detokenize"):
            await vllm.adetokenize([1])
