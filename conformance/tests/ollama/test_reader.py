"""The NDJSON readers: any split of the bytes gives the same chunks; hostile bytes end in a typed error."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ollama_bench import lines

from backends import errors
from backends.ollama.failures import typed_error
from backends.ollama.lines import LineReader
from backends.ollama.progress import ProgressReader
from backends.ollama.stream import ChatReader, CompletionReader
from backends.operation import Answer
from backends.types import Chunk
from backends.wire.values import FormatError

ANSWER = Answer(200, {}, None, "id", None, 1, 0.5, "m")
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def fail(event: Any) -> errors.BackendError:
    return typed_error(None, event)


def event(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": text}, "done": False, **fields}


def final(**fields: Any) -> dict[str, Any]:
    return {**event(""), "done": True, "done_reason": "stop", "eval_count": 2, "prompt_eval_count": 5, **fields}


def read(reader: LineReader, pieces: list[bytes]) -> list[Chunk]:
    chunks = [chunk for piece in pieces for chunk in reader.feed(piece)]
    return [*chunks, *reader.finish()]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(st.lists(_TEXT, max_size=8), st.lists(st.integers(0, 10_000), max_size=12), st.booleans())
def test_any_split_gives_the_same_chunks(texts: list[str], cuts: list[int], trailing: bool) -> None:
    objects = [*(event(text) for text in texts), final()]
    data = b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in objects)
    data = data if trailing else data[:-1]
    whole, pieces = ChatReader(fail, 1 << 20), ChatReader(fail, 1 << 20)
    assert read(pieces, split(data, cuts)) == read(whole, [data])
    assert pieces.done
    reply = pieces.reply(ANSWER)
    assert reply.text == "".join(texts)
    assert reply == whole.reply(ANSWER)
    assert reply.usage.total_tokens == 7


@given(st.lists(_TEXT.filter(bool), min_size=1, max_size=6), st.data())
def test_any_prefix_is_unfinished_and_keeps_what_came(texts: list[str], data: st.DataObject) -> None:
    body = lines(*(event(text) for text in texts), final())
    cut = data.draw(st.integers(0, len(body) - 2))
    reader = ChatReader(fail, 1 << 20)
    chunks = read(reader, [body[:cut]])
    assert not reader.done
    assert "".join(chunk.text for chunk in chunks) == (reader.partial() or "")
    assert "".join(texts).startswith(reader.partial() or "")


@given(st.binary(max_size=200), st.lists(st.integers(0, 500), max_size=4))
def test_hostile_bytes_end_typed(data: bytes, cuts: list[int]) -> None:
    for reader in (
        ChatReader(fail, 100),
        CompletionReader(fail, 100),
        ProgressReader(fail, 100, quiet=False),
    ):
        # Nothing else may come out: these are what the call path turns into a ResponseFormatError.
        with contextlib.suppress(FormatError, errors.BackendError, KeyError, TypeError, AttributeError):
            read(reader, split(data, cuts))
        assert not reader.done


def test_what_came_before_a_bad_line_in_the_same_bytes_comes_out_first() -> None:
    for bad in (b"\xff\n", b"nonsense\n", b"[]\n", b'{"error": "broken"}\n', b"x" * 5000 + b"\n"):
        reader = ChatReader(fail, 4000)
        seen: list[str] = []
        with pytest.raises((FormatError, errors.ServerError)):
            _into(seen, reader, lines(event("a"), event("b")) + bad)
        assert seen == ["a", "b"]
        assert reader.partial() == "ab"


def _into(seen: list[str], reader: LineReader, data: bytes) -> None:
    for chunk in reader.feed(data):
        seen.append(chunk.text)


def test_what_follows_the_end_is_not_read() -> None:
    reader = ChatReader(fail, 4000)
    chunks = read(reader, [lines(event("a"), final(), event("b"), {"error": "late"}), b"junk"])
    assert [chunk.text for chunk in chunks] == ["a", ""]
    assert reader.reply(ANSWER).text == "a"


def test_tool_calls_are_numbered_as_they_come() -> None:
    def used(name: str) -> dict[str, Any]:
        call = {"function": {"index": 0, "name": name, "arguments": {"x": "ü"}}}
        return event("", message={"role": "assistant", "content": "", "tool_calls": [call]})

    reader = ChatReader(fail, 4000)
    chunks = read(reader, [lines(used("a"), used("b"), final())])
    deltas = [delta for chunk in chunks for delta in chunk.tool_calls]
    assert [(delta.index, delta.id, delta.name, delta.arguments) for delta in deltas] == [
        (0, "", "a", '{"x":"ü"}'),
        (1, "", "b", '{"x":"ü"}'),
    ]
    reply = reader.reply(ANSWER)
    assert [call.name for call in reply.tool_calls] == ["a", "b"]
    assert reply.raw["message"]["tool_calls"][1]["function"]["name"] == "b"


def test_an_end_without_a_reason_or_counts() -> None:
    reader = ChatReader(fail, 4000)
    read(reader, [lines(event("a"), {"done": True})])
    reply = reader.reply(ANSWER)
    assert (reply.finish_reason, reply.model) == (None, "m")
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.total_tokens) == (0, None, None)


def test_completion_keeps_context_and_thinking() -> None:
    reader = CompletionReader(fail, 4000)
    body = lines(
        {"response": "", "thinking": "Hm", "done": False},
        {"response": "Yes", "done": False, "logprobs": [{"token": "Yes", "logprob": -1}]},
        {"model": "m2", "response": "", "done": True, "done_reason": "length", "context": [1, 2], "eval_count": 2},
    )
    chunks = read(reader, [body])
    reply = reader.reply(ANSWER)
    assert [chunk.reasoning for chunk in chunks] == ["Hm", "", ""]
    assert (reply.text, reply.reasoning, reply.model, reply.finish_reason) == ("Yes", "Hm", "m2", "length")
    assert reply.raw == {
        "model": "m2",
        "response": "Yes",
        "thinking": "Hm",
        "done": True,
        "done_reason": "length",
        "context": [1, 2],
        "eval_count": 2,
        "logprobs": [{"token": "Yes", "logprob": -1}],
    }


@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_progress_in_any_split(cuts: list[int]) -> None:
    told = [
        {"status": "pulling manifest"},
        {"status": "pulling aa", "digest": "sha256:aa", "total": 9},
        {"status": "pulling aa", "digest": "sha256:aa", "total": 9, "completed": 9},
        {"status": "success"},
    ]
    loud, quiet = ProgressReader(fail, 4000, quiet=False), ProgressReader(fail, 4000, quiet=True)
    assert [chunk.raw for chunk in read(loud, split(lines(*told), cuts))] == told
    assert [chunk.raw for chunk in read(quiet, split(lines(*told), cuts))] == told[-1:]
    assert loud.reply(ANSWER) == quiet.reply(ANSWER)
    assert loud.reply(ANSWER).layers == {"sha256:aa": 9}


def test_the_first_line_of_progress_waits_for_the_second() -> None:
    reader = ProgressReader(fail, 4000, quiet=False)
    assert list(reader.feed(lines({"status": "pulling manifest"}))) == []
    with pytest.raises(errors.UnknownModelError):
        list(reader.feed(lines({"error": "pull model manifest: file does not exist"})))
    assert reader.partial() == {"status": "pulling manifest"}
