"""Every action of a fault, seen as bytes."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from simulator_wire import CHAT, PATH, STREAM, Wire, ask, exchange, request_bytes

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import (
    ACTIONS,
    Action,
    Bomb,
    CutAfter,
    CutBeforeTerminator,
    DeepJson,
    Drop,
    EmptyBody,
    EmptyStream,
    ErrorEvent,
    Fields,
    Garbage,
    Hang,
    Headers,
    Html,
    Informational,
    Literal,
    LongStream,
    Oversized,
    Pings,
    Redirect,
    Replace,
    Reset,
    SlowChunks,
    SlowFirstByte,
    SplitAt,
    SplitEvery,
    Status,
    StatusLine,
    Truncate,
    Twice,
    WrongContentType,
    WrongLength,
    from_json,
    to_json,
)


async def struck(sim: Simulator, action: Action, body: object = None) -> Wire:
    """The answer to one request, after making sure that the fault fired."""
    sim.script(Fault(action, nth=1))
    wire = await ask(sim, body)
    assert sim.unfired() == []
    return wire


def payloads(wire: Wire) -> list[dict]:
    lines = wire.body.decode().split("\n\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


async def test_a_stream_without_faults_is_one_event_a_chunk(sim: Simulator) -> None:
    wire = await ask(sim, STREAM)
    assert wire.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert wire.complete
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in wire.chunks)
    assert wire.chunks[-1] == b"data: [DONE]\n\n"


async def test_status_with_its_own_and_other_bodies(sim: Simulator) -> None:
    wire = await struck(sim, Status(503, headers=(("retry-after", "2"),)))
    assert (wire.status, wire.headers["retry-after"]) == (503, "2")
    assert json.loads(wire.body)["error"]["code"] == "server_is_overloaded"
    assert (await struck(sim, Status(500, body="oops"))).body == b"oops"
    assert json.loads((await struck(sim, Status(418, body={"tea": True}))).body) == {"tea": True}
    assert (await struck(sim, Status(529, code="slow_down", message="slow"))).status == 529
    assert [seen.status for seen in sim.requests] == [503, 500, 418, 529]


async def test_pages_empty_bodies_and_redirects(sim: Simulator) -> None:
    page = await struck(sim, Html())
    assert (page.status, page.headers["content-type"]) == (502, "text/html")
    empty = await struck(sim, EmptyBody(200))
    assert (empty.status, empty.body, empty.headers["content-length"]) == (200, b"", "0")
    away = await struck(sim, Redirect("https://example.com/"))
    assert (away.status, away.headers["location"]) == (307, "https://example.com/")


async def test_garbage_truncation_and_wrong_types(sim: Simulator) -> None:
    body = await struck(sim, Garbage())
    assert body.status == 200
    assert body.complete
    with pytest.raises(ValueError):
        json.loads(body.body)
    assert b"data: \x00\xff" in (await struck(sim, Garbage(), STREAM)).body
    raw = await struck(sim, Garbage("http"))
    assert not raw.data.startswith(b"HTTP")
    half = await struck(sim, Truncate())
    assert half.complete
    assert half.body.startswith(b'{"id"')
    assert not half.body.endswith(b"}")
    assert (await struck(sim, Truncate(), STREAM)).body.endswith(b"data: [")
    assert (await struck(sim, WrongContentType())).headers["content-type"] == "text/html; charset=utf-8"


async def test_fields_replaced_added_and_dropped(sim: Simulator) -> None:
    changed = await struck(sim, Replace("usage.prompt_tokens", 999))
    assert json.loads(changed.body)["usage"]["prompt_tokens"] == 999
    added = await struck(sim, Replace("zork", {"new": [1]}))
    assert json.loads(added.body)["zork"] == {"new": [1]}
    told = (await struck(sim, Headers((("x-request-id", "req_other"), ("x-new", "1"))))).headers
    assert (told["x-request-id"], told["x-new"]) == ("req_other", "1"), "in place of the provider's own"
    dropped = json.loads((await struck(sim, Drop("choices[0].message.content"))).body)
    assert "content" not in dropped["choices"][0]["message"]
    streamed = payloads(await struck(sim, Replace("choices[0].delta.content", "x"), STREAM))
    assert {event["choices"][0]["delta"]["content"] for event in streamed} == {"x"}
    sim.script(Fault(Drop("no.such.field")))
    await ask(sim)
    assert len(sim.unfired()) == 1


async def test_deep_json(sim: Simulator) -> None:
    wire = await struck(sim, DeepJson(50_000))
    assert wire.body.count(b"[") >= 50_000
    with pytest.raises(RecursionError):
        json.loads(wire.body)
    stream = await struck(sim, DeepJson(50_000), STREAM)
    assert len(stream.chunks[0]) > 100_000 > len(stream.chunks[1])


async def test_error_events_cut_and_empty_streams(sim: Simulator) -> None:
    broken = await struck(sim, ErrorEvent(after_events=2, code="oh", message="no"), STREAM)
    assert payloads(broken)[3]["error"] == {"message": "no", "type": "server_error", "param": None, "code": "oh"}
    assert len(broken.chunks) == 4
    assert broken.complete
    cut = await struck(sim, CutBeforeTerminator(), STREAM)
    assert payloads(cut)[-1]["choices"][0]["finish_reason"] == "stop"
    assert b"[DONE]" not in cut.body
    assert cut.complete
    shorter = await struck(sim, CutBeforeTerminator(closing=True), STREAM)
    assert payloads(shorter)[-1]["choices"][0]["finish_reason"] is None
    assert (await struck(sim, EmptyStream(), STREAM)).body == b""
    assert (await struck(sim, EmptyStream(terminator=True), STREAM)).body == b"data: [DONE]\n\n"
    for action in (ErrorEvent(), CutBeforeTerminator(), EmptyStream(), Pings(), LongStream(9)):
        sim.reset()
        sim.script(Fault(action))
        await ask(sim, CHAT)
        assert sim.unfired() == [Fault(action)], "a whole answer has no events"


async def test_noise_and_length(sim: Simulator) -> None:
    noisy = await struck(sim, Pings(), STREAM)
    assert b": keep-alive\n\nevent: ping\ndata: {}\n\n" in noisy.body
    assert b'"choices":[]}' in noisy.body
    long = await struck(sim, LongStream(500), STREAM)
    assert len(long.chunks) > 500


async def test_bodies_cut_short(sim: Simulator) -> None:
    whole = await struck(sim, CutAfter(10))
    assert len(whole.body) == 10
    assert not whole.complete
    stream = await struck(sim, CutAfter(300), STREAM)
    assert len(stream.body) == 300
    assert not stream.complete
    assert stream.error is None
    sim.script(Fault(CutAfter(10**6)))
    assert (await ask(sim)).complete
    assert len(sim.unfired()) == 1, "a cut beyond the end is no cut"


async def test_resets(sim: Simulator) -> None:
    accepted = await struck(sim, Reset("accept"))
    assert (accepted.error, accepted.data) == (ConnectionResetError, b"")
    assert sim.requests == []
    headers = await struck(sim, Reset("headers", after=12))
    assert (headers.error, headers.data) == (ConnectionResetError, b"HTTP/1.1 200")
    assert (await struck(sim, Reset("headers"))).data == b""
    body = await struck(sim, Reset("body", after=20), STREAM)
    assert (body.error, len(b"".join(body.chunks))) == (ConnectionResetError, 20)
    assert (await ask(sim)).complete


async def test_bytes_split(sim: Simulator) -> None:
    single = await struck(sim, SplitEvery(1), STREAM)
    assert {len(chunk) for chunk in single.chunks} == {1}
    sevens = await struck(sim, SplitEvery(7), STREAM)
    assert {len(chunk) for chunk in sevens.chunks[:-1]} == {7}
    assert sevens.body.endswith(b"[DONE]\n\n")
    two = await struck(sim, SplitAt(333), STREAM)
    assert (len(two.chunks), len(two.chunks[0])) == (2, 333)
    plain = await struck(sim, SplitEvery(5))
    assert json.loads(plain.body)["object"] == "chat.completion"


async def test_wrong_lengths(sim: Simulator) -> None:
    more = await struck(sim, WrongLength(+7))
    assert int(more.headers["content-length"]) == len(more.after_head) + 7
    less = await struck(sim, WrongLength(-7), STREAM)
    assert int(less.headers["content-length"]) == len(less.after_head) - 7


async def test_oversized_and_bombs_stay_valid(sim: Simulator) -> None:
    large = await struck(sim, Oversized(1 << 20))
    assert len(large.body) > 1 << 20
    assert json.loads(large.body)["object"] == "chat.completion"
    event = await struck(sim, Oversized(1 << 20), STREAM)
    assert len(event.body.split(b"\n\n")[0]) > 1 << 20
    bomb = await struck(sim, Bomb(1 << 24))
    assert bomb.headers["content-encoding"] == "gzip"
    assert len(bomb.body) < 1 << 16
    unpacked = gzip.decompress(bomb.body)
    assert len(unpacked) > 1 << 24
    assert json.loads(unpacked)["object"] == "chat.completion"
    streamed = await struck(sim, Bomb(1 << 20), STREAM)
    assert zlib.decompress(streamed.body, 31).endswith(b"data: [DONE]\n\n")


async def test_faults_fall_where_they_are_aimed(sim: Simulator) -> None:
    sim.script(
        Fault(Status(500), path="*/models", nth=2),
        Fault(Status(501), method="DELETE"),
        Fault(Status(503), key="00000000"),
        Fault(Status(504), provider="claude"),
    )
    get = "/openai/v1/models"
    statuses = [(await exchange(sim, request_bytes(get, method="GET"))).status for _ in range(3)]
    assert statuses == [200, 500, 200]
    assert (await exchange(sim, request_bytes(get + "/x", method="DELETE"))).status == 501
    assert [fault.action for fault in sim.unfired()] == [Status(503), Status(504)]
    sim.forget_faults()
    key = sim.requests[0].key_fingerprint
    sim.script(Fault(Status(429), key=key, nth=(1, 3)), Fault(WrongContentType("text/x"), nth=1))
    first = await ask(sim)
    assert (first.status, first.headers["content-type"]) == (429, "text/x"), "several may fall on one request"
    assert [fault.nth for fault in sim.unfired()] == [(1, 3)]
    with pytest.raises(ValueError):
        Fault(Hang(), nth=0)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_faults_survive_json(name: str) -> None:
    samples = {
        "Status": Status(429, body={"a": 1}, headers=(("retry-after", "1"),), code="c"),
        "Garbage": Garbage("http", b"\x00\xff"),
        "Headers": Headers((("retry-after", "1"),)),
        "Replace": Replace("a.b", [1, None]),
        "Drop": Drop("a[0]"),
        "Redirect": Redirect("http://x/"),
        "LongStream": LongStream(3),
        "SlowFirstByte": SlowFirstByte(1.5),
        "SlowChunks": SlowChunks(2, after=0),
        "CutAfter": CutAfter(5),
        "SplitEvery": SplitEvery(2),
        "SplitAt": SplitAt(2),
        "WrongLength": WrongLength(-1),
        "Oversized": Oversized(10),
        "Bomb": Bomb(10),
        "Fields": Fields((("x-a", "1"),), 3),
        "Informational": Informational(2),
        "Literal": Literal("a", "NaN"),
        "StatusLine": StatusLine("HTTP/1.1 abc"),
        "Twice": Twice("a.b"),
    }
    fault = Fault(samples[name] if name in samples else ACTIONS[name](), path="*/x", nth=(1, 2))
    assert from_json(json.loads(json.dumps(to_json(fault)))) == fault
    if name not in samples:
        assert from_json({"what": name}) == Fault(ACTIONS[name]())


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        {"what": "Explode"},
        {"what": "Status"},
        {"what": {"action": "Status", "status": 500, "color": 1}},
        {"what": "Hang", "nth": "first"},
        {"what": "Hang", "nth": 0},
        {"what": "Hang", "where": "here"},
        {"what": {"action": "Reset", "stage": "later"}},
    ],
)
def test_wrong_faults_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        from_json(wrong)


async def test_hang_ends_when_the_client_leaves(sim: Simulator) -> None:
    import asyncio

    for action, body, answered in ((Hang(), CHAT, False), (Hang(after=2), STREAM, True)):
        sim.reset()
        sim.script(Fault(action))
        reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
        writer.write(request_bytes(PATH, body))
        await sim.until(seen=1)
        if answered:
            await reader.readuntil(sim.requests[0].nonce.encode() + b'"},')
        assert sim.in_flight == 1
        writer.close()
        await writer.wait_closed()
        await sim.until(in_flight=0)
        seen = sim.requests[0]
        assert (seen.aborted, seen.finished) == (True, False)
        assert sim.unfired() == []
