"""The reader of streamed chat: any split of the bytes, usage once, errors in ``x_groq``, what the service ran."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from groq_bench import ASK, MODEL, TOOL, completion
from hypothesis import given
from hypothesis import strategies as st

from backends import errors
from backends.groq import Groq, executed_tools, timings
from backends.groq.chat_stream import GroqStreamReader
from backends.operation import Answer
from backends.types import Chunk
from backends.wire.values import FormatError
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import CutBeforeTerminator, ErrorEvent

ANSWER = Answer(200, {}, None, "id", None, 1, 0.5, MODEL)
USAGE = completion()["usage"]


def event(delta: dict[str, Any], finish: str | None = None, **extra: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-g1", "object": "chat.completion.chunk", "created": 1_795_000_000, "model": MODEL}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**head, "system_fingerprint": "fp_aa", "choices": [choice], **extra}


FIRST = event({"role": "assistant", "content": ""}, x_groq={"id": "req_01k"})
LAST = event({}, "stop", x_groq={"id": "req_01k", "usage": USAGE, "seed": 7})
AGAIN = {**FIRST, "choices": [], "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 64}}}
del AGAIN["x_groq"]


def stream(*payloads: dict[str, Any], done: bool = True) -> bytes:
    lines = [f"data: {json.dumps(one, ensure_ascii=False)}\n\n" for one in payloads]
    return "".join([*lines, *(["data: [DONE]\n\n"] if done else [])]).encode()


def read(data: bytes, *cuts: int) -> tuple[GroqStreamReader, list[Chunk]]:
    reader = GroqStreamReader()
    places = [0, *sorted(cuts), len(data)]
    chunks = [chunk for start, end in itertools.pairwise(places) for chunk in reader.feed(data[start:end])]
    return reader, [*chunks, *reader.finish()]


BODY = stream(FIRST, event({"reasoning": "Töne. "}), event({"content": "Sev"}), event({"content": "en ☃"}), LAST)


def test_every_split_gives_the_same() -> None:
    whole, chunks = read(BODY)
    reply = whole.reply(ANSWER)
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("Seven ☃", "Töne. ", "stop")
    for cut in range(len(BODY)):
        reader, pieces = read(BODY, cut)
        assert pieces == chunks
        assert reader.done
        assert reader.reply(ANSWER) == reply


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=6), st.data())
def test_any_prefix_is_unfinished_and_keeps_what_came(texts: list[str], data: st.DataObject) -> None:
    body = stream(FIRST, *(event({"content": text}) for text in texts), LAST)
    cut = data.draw(st.integers(0, len(body) - 2))
    reader, chunks = read(body[:cut])
    assert not reader.done
    assert "".join(chunk.text for chunk in chunks) == (reader.partial() or "")
    assert "".join(texts).startswith(reader.partial() or "")


def test_the_last_chunk_has_the_usage_and_raw_is_the_whole_answer() -> None:
    reader, chunks = read(BODY)
    reply = reader.reply(ANSWER)
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].usage == reply.usage
    assert chunks[-1].raw["x_groq"]["usage"] == USAGE
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.total_tokens) == (74, 9, 83)
    assert reply.raw["usage"] == USAGE
    assert reply.raw["x_groq"] == {"id": "req_01k", "seed": 7}
    assert reply.raw["object"] == "chat.completion"
    assert reply.provider_request_id == "req_01k"
    took = timings(reply)
    assert (took.queue, took.prompt, took.completion, took.total) == (0.012, 0.003, 0.01, 0.013)
    assert timings(chunks[-1].raw) == took
    assert reply.cost == pytest.approx((74 * 0.075 + 9 * 0.30) / 1e6)


def test_usage_that_comes_twice_is_told_once_and_never_added() -> None:
    reader, chunks = read(stream(FIRST, event({"content": "Seven"}), LAST, AGAIN))
    reply = reader.reply(ANSWER)
    assert [chunk.usage is not None for chunk in chunks] == [False, False, True, False]
    assert chunks[-1].raw == AGAIN
    assert (reply.usage.input_tokens, reply.usage.total_tokens, reply.usage.cached_tokens) == (74, 83, 64)
    assert reply.raw["usage"] == AGAIN["usage"]
    assert timings(reply).queue == 0.012


def test_a_stream_that_names_no_tier_is_priced_by_what_was_asked_for() -> None:
    for tier, priced in ((None, True), ("flex", True), ("auto", False), ("performance", False)):
        reader = GroqStreamReader(tier=tier)
        list(reader.feed(BODY))
        assert (reader.reply(ANSWER).cost is not None) == priced
    told = GroqStreamReader(tier="auto")
    list(told.feed(stream(event({"content": "x"}, service_tier="on_demand"), LAST)))
    assert told.reply(ANSWER).cost is not None


def test_usage_of_a_server_that_only_has_the_dialects_is_read() -> None:
    plain = event({}, "stop")
    reader, chunks = read(stream(event({"content": "Seven"}), plain, AGAIN))
    assert reader.reply(ANSWER).usage == chunks[-1].usage
    assert reader.reply(ANSWER).usage.total_tokens == 83
    assert "x_groq" not in reader.reply(ANSWER).raw


def test_an_error_in_x_groq_ends_the_stream_behind_its_content() -> None:
    cut = event({"content": "en"}, x_groq={"id": "req_01k", "error": "over_capacity"})
    reader = GroqStreamReader()
    seen = []
    with pytest.raises(errors.ServerError, match="over_capacity"):
        seen.extend(chunk.text for chunk in reader.feed(stream(FIRST, event({"content": "Sev"}), cut, LAST)))
    assert reader.partial() == "Seven"
    typed = event({}, x_groq={"error": {"message": "full", "code": "capacity_exceeded"}})
    with pytest.raises(errors.OverloadedError) as caught:
        list(GroqStreamReader().feed(stream(typed)))
    assert caught.value.status == 498


def test_what_the_service_ran_is_gathered_by_its_number() -> None:
    begun = {"index": 0, "type": "search", "arguments": "{}"}
    ended = {"index": 0, "type": "search", "output": "found"}
    other = {"index": 1, "type": "python", "output": "7"}
    cited = {"type": "document_citation", "document_citation": {"document_id": "one"}}
    parts = [{"model": "openai/gpt-oss-120b", "usage": USAGE}, {"model": MODEL, "usage": USAGE}]
    last = event({}, "stop", x_groq={"usage": USAGE, "usage_breakdown": {"models": parts}})
    reader, _ = read(
        stream(
            FIRST,
            event({"executed_tools": [begun]}),
            event({"executed_tools": [ended, other]}),
            event({"content": "Seven", "annotations": [cited]}),
            last,
        )
    )
    reply = reader.reply(ANSWER)
    assert executed_tools(reply) == ({**begun, "output": "found"}, other)
    assert reply.raw["choices"][0]["message"]["annotations"] == [cited]
    assert reply.raw["usage_breakdown"] == {"models": parts}
    assert reply.cost is None


@pytest.mark.parametrize(
    "payload",
    [
        event({"content": "x"}, x_groq=[1]),
        event({"content": "x"}, x_groq={"usage": [1]}),
        event({"executed_tools": "x"}),
        {"choices": [[]]},
        {"choices": 7},
        {"choices": [{"index": [], "delta": {"executed_tools": []}}]},
    ],
)
def test_hostile_chunks_break_the_format(payload: dict[str, Any]) -> None:
    with pytest.raises((FormatError, TypeError, AttributeError, ValueError)):
        list(GroqStreamReader().feed(stream(payload)))


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_x_groq_ends_in_a_reply_or_typed(extra: Any) -> None:
    reader = GroqStreamReader()
    try:
        list(reader.feed(stream(event({"content": "x"}, "stop", x_groq=extra))))
        assert reader.reply(ANSWER).text == "x"
    except (errors.BackendError, FormatError, KeyError, TypeError, ValueError, IndexError, AttributeError):
        assert not reader.done or extra  # a strange value may be refused, nothing else


async def test_streams_against_the_simulator(sim: Simulator, backend: Groq) -> None:
    stream = backend.astream_chat(ASK, reasoning_effort="low", seed=7)
    chunks = [chunk async for chunk in stream]
    reply = stream.reply
    whole = await backend.achat(ASK, reasoning_effort="low", seed=7)
    first, second = (seen.nonce for seen in sim.requests)
    assert reply.text.replace(first, second) == whole.text
    assert reply.reasoning == f"{first} was thought about."
    assert "".join(chunk.reasoning for chunk in chunks) == reply.reasoning
    assert reply.usage == whole.usage
    assert reply.cost == whole.cost
    assert sorted(set(whole.raw) - set(reply.raw)) == ["service_tier"]
    tokens = backend.report()["tokens"]
    assert tokens["input"] == 2 * (whole.usage.input_tokens or 0)


async def test_asked_twice_for_usage_the_report_counts_it_once(backend: Groq) -> None:
    stream = backend.astream_chat(ASK, stream_options={"include_usage": True})
    counted = [chunk.usage for chunk in [chunk async for chunk in stream] if chunk.usage is not None]
    assert counted == [stream.reply.usage]
    assert backend.report()["tokens"]["input"] == stream.reply.usage.input_tokens


async def test_broken_streams_are_typed(sim: Simulator, backend: Groq) -> None:
    sim.script(Fault(ErrorEvent(after_events=3, message="the wheel fell off"), nth=1))
    with pytest.raises(errors.StreamInterruptedError, match="the wheel fell off") as caught:
        await backend.astream_chat(ASK).collect()
    assert caught.value.partial.startswith(sim.requests[0].nonce)
    sim.script(Fault(CutBeforeTerminator(), nth=1))
    with pytest.raises(errors.StreamInterruptedError):
        await backend.astream_chat(ASK).collect()


async def test_tool_calls_assemble(sim: Simulator, backend: Groq) -> None:
    reply = await backend.astream_chat(ASK, tools=[TOOL], tool_choice="required").collect()
    (call,) = reply.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": sim.requests[0].nonce})
