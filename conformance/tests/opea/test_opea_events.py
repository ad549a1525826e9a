"""The reader of the three stream dialects: any split gives the same chunks; what is hidden in a stream is found."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opea_bench import DONE, REFUSAL, events, tokens

from backends import errors
from backends.opea.events import AnswerReader
from backends.operation import Answer
from backends.types import Chunk, Usage
from backends.wire.values import FormatError

ANSWER = Answer(200, {}, None, "id", None, 1, 0.5, "m")
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), min_size=1, max_size=8)


def chunk_of(text: str | None, **choice: Any) -> dict[str, Any]:
    return {"id": "c1", "model": "llama", "choices": [{"index": 0, "delta": {"content": text}, **choice}]}


def patch(*operations: tuple[str, Any]) -> dict[str, Any]:
    return {"ops": [{"op": "add", "path": path, "value": value} for path, value in operations]}


def read(pieces: list[bytes], limit: int = 1 << 20) -> tuple[AnswerReader, list[Chunk]]:
    reader = AnswerReader("chatqna", limit)
    chunks = [chunk for piece in pieces for chunk in reader.feed(piece)]
    return reader, [*chunks, *reader.finish()]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=12))
def test_any_split_gives_the_same_chunks(texts: list[str], cuts: list[int]) -> None:
    data = tokens("x", *texts) + DONE
    whole, first = read([data])
    parted, second = read(split(data, cuts))
    assert second == first
    assert parted.done
    assert parted.reply(ANSWER) == whole.reply(ANSWER)
    assert parted.reply(ANSWER).text == "x" + "".join(texts)


@pytest.mark.parametrize(
    "data",
    [
        tokens("It", "'s", " Café\n", ' "☃" 🙂') + DONE,
        events(chunk_of("It"), chunk_of("'s ☃"), chunk_of(None, finish_reason="stop")) + DONE,
        events(patch(("/logs/VLLM/streamed_output_str/-", "It's ☃"))) + DONE,
    ],
)
def test_every_single_split_of_each_dialect(data: bytes) -> None:
    expected = read([data])[1]
    for place in range(1, len(data)):
        reader, chunks = read([data[:place], data[place:]])
        assert chunks == expected, place
        assert reader.done
    assert read([data[at : at + 1] for at in range(len(data))])[1] == expected


@given(TEXTS, st.data())
def test_any_prefix_is_unfinished_and_keeps_what_came(texts: list[str], data: st.DataObject) -> None:
    body = tokens("x", *texts) + DONE
    reader, chunks = read([body[: data.draw(st.integers(0, len(body) - 2))]])
    assert not reader.done
    assert "".join(chunk.text for chunk in chunks) == (reader.partial() or "")
    assert ("x" + "".join(texts)).startswith(reader.partial() or "")


@given(
    st.binary(max_size=200), st.lists(st.integers(0, 500), max_size=4), st.sampled_from([b"", b"data: ", b"data: b'"])
)
def test_hostile_bytes_end_typed(data: bytes, cuts: list[int], start: bytes) -> None:
    # Nothing else may come out: these are what the call path turns into a ResponseFormatError.
    with contextlib.suppress(FormatError, errors.BackendError, KeyError, TypeError, AttributeError, IndexError):
        reader, _ = read(split(start + data + b"\n\n", cuts), limit=150)
        assert not reader.done


def test_a_character_that_was_cut_goes_on_in_the_next_event() -> None:
    snowman = "☃".encode()
    data = b"".join(
        b"data: " + repr(part).encode() + b"\n\n" for part in (b"a", snowman[:1], snowman[1:2], snowman[2:])
    )
    reader, chunks = read([data + DONE])
    assert [chunk.text for chunk in chunks] == ["a", "", "", "☃"]
    assert reader.reply(ANSWER).text == "a☃"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\xc3("])
def test_a_token_that_is_no_text(content: bytes) -> None:
    with pytest.raises(FormatError, match="UTF-8"):
        read([b"data: " + repr(content).encode() + b"\n\n"])


def test_a_character_that_never_ends() -> None:
    with pytest.raises(FormatError, match="UTF-8"):
        read([tokens("a") + b"data: b'\\xe2\\x98'\n\n" + DONE])


@pytest.mark.parametrize(
    "body",
    [DONE, tokens("", "") + DONE, events(patch(("", {"streamed_output": []}))) + DONE, events({"choices": []}) + DONE],
)
def test_an_answer_without_a_word_hides_a_failure(body: bytes) -> None:
    with pytest.raises(FormatError, match="without a word"):
        read([body])


def test_a_model_that_says_nothing_and_why() -> None:
    reader, _ = read([events(chunk_of("", finish_reason="stop")) + DONE])
    assert (reader.reply(ANSWER).text, reader.reply(ANSWER).finish_reason) == ("", "stop")


def test_chunks_passed_through_bring_reason_model_and_usage() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    body = events(chunk_of("Hi"), chunk_of(None, finish_reason="length"), {"choices": [], "usage": usage}) + DONE
    reader, chunks = read([body])
    reply = reader.reply(ANSWER)
    assert [chunk.text for chunk in chunks] == ["Hi", "", ""]
    assert (reply.text, reply.model, reply.finish_reason) == ("Hi", "llama", "length")
    assert reply.usage == chunks[-1].usage == Usage(5, 2, 7)
    assert reply.raw["choices"][0]["message"] == {"role": "assistant", "content": "Hi"}
    assert reply.raw["usage"] == usage


def test_completion_chunks_passed_through() -> None:
    body = (
        events({"choices": [{"index": 0, "text": "x = 1"}]}, {"choices": [{"text": "", "finish_reason": "stop"}]})
        + DONE
    )
    reader, _ = read([body])
    assert (reader.reply(ANSWER).text, reader.reply(ANSWER).finish_reason) == ("x = 1", "stop")


def test_a_run_log_says_each_token_once() -> None:
    log = "/logs/VLLMOpenAI"
    body = events(
        patch(("", {"id": "r", "streamed_output": []})),
        patch((log, {"name": "VLLMOpenAI"})),
        patch((f"{log}/streamed_output_str/-", "Two"), (f"{log}/streamed_output/-", "Two")),
        patch((f"{log}/streamed_output_str/-", " words"), (f"{log}/streamed_output/-", " words")),
        patch((f"{log}/final_output", {"generations": []}), (f"{log}/end_time", "2026-01-01T00:00:00")),
        patch(("/final_output", {"output_text": "Two words"})),
    )
    reader, chunks = read([body + DONE])
    assert "".join(chunk.text for chunk in chunks) == "Two words"
    assert reader.reply(ANSWER).text == "Two words"


def test_what_docsum_wraps_is_unwrapped() -> None:
    usage = '{"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}'
    reader, chunks = read([tokens("A", " sum", usage, "") + DONE])
    reply = reader.reply(ANSWER)
    assert (reply.text, reply.usage) == ("A sum", Usage(9, 3, 12))
    assert chunks[2].usage == Usage(9, 3, 12)
    whole = '{"id":"ab","text":"A sum","prompt":"A long text"}'
    assert read([tokens(whole) + DONE])[0].reply(ANSWER).text == "A sum"


def test_two_events_that_docsum_took_for_one() -> None:
    log = "/logs/L/streamed_output_str/-"
    glued = events(patch((log, "one")), patch((log, " two"))).decode().removeprefix("data: ").rstrip("\n")
    reader, chunks = read([tokens("zero ", glued) + DONE])
    assert [chunk.text for chunk in chunks] == ["zero ", "one", " two"]
    assert reader.reply(ANSWER).text == "zero one two"


@pytest.mark.parametrize(
    ("wrapped", "kind", "said"),
    [
        (
            '{"error":{"message":"engine died","type":"InternalServerError","code":500}}',
            errors.ServerError,
            "engine died",
        ),
        (
            '{"object":"error","message":"maximum context length is 8","type":"BadRequestError","code":400}',
            errors.ContextLengthError,
            "maximum context",
        ),
        (
            '{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}',
            errors.ServerError,
            "Field",
        ),
    ],
)
def test_errors_inside_tokens_and_events(wrapped: str, kind: type[errors.BackendError], said: str) -> None:
    for body in (tokens(wrapped) + DONE, f"data: {wrapped}\n\n".encode()):
        with pytest.raises(kind, match=said) as caught:
            read([body])
        assert type(caught.value) is kind


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "{not json", '{"choices"', '{"x": 1}\n\ndata: {"y": 2}', '{"text": "only"}', "{}", "{"]
)
def test_text_that_only_begins_like_json_is_text(text: str) -> None:
    assert read([tokens(text) + DONE])[0].reply(ANSWER).text == text


@pytest.mark.parametrize(
    "refusal", [REFUSAL, 'Violated policies: a user\'s "weapons", please check your input.', REFUSAL + "\n"]
)
def test_a_refusal_is_found_before_anything_is_handed_out(refusal: str) -> None:
    shapes = [tokens(refusal)]
    if "\n" not in refusal:
        shapes.append(f"data: b'{refusal}'\n\n".encode())  # as the orchestrator writes it: nothing is escaped
    for shape in shapes:
        reader = AnswerReader("chatqna", 1 << 20)
        with pytest.raises(errors.ContentFilterError, match="Violated policies") as caught:
            list(reader.feed(shape + DONE))
        assert caught.value.code == "guardrails"
        assert reader.partial() is None


def test_a_refusal_that_comes_word_by_word() -> None:
    reader = AnswerReader("chatqna", 1 << 20)
    words = tokens("Violated ", *REFUSAL.split(" ", 1)[1:])
    with pytest.raises(errors.ContentFilterError):
        list(reader.feed(words + DONE))
    assert reader.partial() == REFUSAL


@pytest.mark.parametrize(
    "text", ["Violated policies: none.", f"He said: {REFUSAL}", REFUSAL + " And more.", REFUSAL * 20]
)
def test_talk_about_a_refusal_is_none(text: str) -> None:
    assert read([tokens(text) + DONE])[0].reply(ANSWER).text == text


@pytest.mark.parametrize(
    "event", [b"data: hello\n\n", b"data: 17\n\n", b"data: b'open\n\n", b"data: [1]\n\n", b"data: {x\n\n"]
)
def test_events_of_no_dialect(event: bytes) -> None:
    with pytest.raises(FormatError):
        read([event])


def test_what_came_before_a_bad_event_in_the_same_bytes_comes_out_first() -> None:
    reader = AnswerReader("chatqna", 1 << 20)
    seen: list[Chunk] = []
    with pytest.raises(FormatError):
        seen.extend(reader.feed(tokens("a", "b") + b"data: nonsense\n\n"))
    assert [chunk.text for chunk in seen] == ["a", "b"]
    assert reader.partial() == "ab"


def test_noise_and_what_follows_the_end() -> None:
    noise = b": keep-alive\n\nevent: ping\ndata: {}\n\nid: 7\nretry: 3\n\ndata:  \n\n"
    reader, chunks = read([noise + tokens("a") + noise + DONE + tokens("b") + b"data: junk\n\n", b"more"])
    assert [chunk.text for chunk in chunks] == ["a"]
    assert reader.reply(ANSWER).text == "a"


def test_zeros_are_no_counts() -> None:
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    reader, _ = read([events(chunk_of("a"), {"choices": [], "usage": zeros}) + DONE])
    assert reader.reply(ANSWER).usage == Usage()
