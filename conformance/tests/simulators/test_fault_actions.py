"""Actions on heads, framings and values, seen as bytes."""

from __future__ import annotations

import asyncio
import json
import socket
import zlib

import pytest
from simulator_wire import CHAT, STREAM, Wire, ask

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import (
    Action,
    BadChunk,
    Bomb,
    Coded,
    CutHead,
    CutInCharacter,
    CutInChunk,
    DropIdle,
    ErrorInside,
    Fields,
    HangInHead,
    Informational,
    Literal,
    Prefixed,
    SlowHead,
    StatusLine,
    Twice,
    Unsolicited,
)
from conformance.virtual_time import VirtualTimeLoop


async def struck(sim: Simulator, action: Action, body: object = None) -> Wire:
    """The answer to one request, after making sure that the fault fired."""
    sim.script(Fault(action, nth=1))
    wire = await ask(sim, body)
    assert sim.unfired() == []
    return wire


async def test_a_head_is_cut_where_it_is_told(sim: Simulator) -> None:
    assert (await struck(sim, CutHead())).data == b""
    assert (await struck(sim, CutHead(12))).data == b"HTTP/1.1 200"


async def test_a_head_that_hangs_ends_when_the_client_leaves(sim: Simulator) -> None:
    sim.script(Fault(HangInHead(5), nth=1))
    asking = asyncio.create_task(ask(sim))
    await sim.until(seen=1)
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await sim.until(in_flight=0)
    assert sim.unfired() == []
    assert sim.requests[0].aborted


@pytest.mark.parametrize("body", [None, STREAM])
async def test_a_slow_head_is_a_whole_answer(sim: Simulator, body: object) -> None:
    wire = await struck(sim, SlowHead(0.0), body)
    assert wire.status == 200
    assert wire.complete


async def test_early_answers_come_before_the_answer(sim: Simulator) -> None:
    wire = await struck(sim, Informational(3))
    assert wire.data.count(b"HTTP/1.1 103 ") == 3
    assert wire.data.count(b"HTTP/1.1 200 OK") == 1


async def test_status_lines_and_fields_are_written_as_given(sim: Simulator) -> None:
    assert (await struck(sim, StatusLine("HTTP/1.1 abc OK"))).data.startswith(b"HTTP/1.1 abc OK\r\ncontent-type: ")
    assert (await struck(sim, Fields((("x-a", "1"),)))).headers["x-a"] == "1"
    many = await struck(sim, Fields((("x-a", "1"),), 3))
    assert [name for name in many.headers if name.startswith("x-a")] == ["x-a-0", "x-a-1", "x-a-2"]


async def test_chunks_lie(sim: Simulator) -> None:
    cut = await struck(sim, CutInChunk())
    size, _, rest = cut.after_head.partition(b"\r\n")
    assert len(rest) == int(size, 16) // 2
    assert (await struck(sim, BadChunk(), STREAM)).after_head.startswith(b"zz\r\ndata: ")
    late = await struck(sim, BadChunk("-1", after=2, seconds=0.01), STREAM)
    assert late.after_head.split(b"\r\n").index(b"-1") == 4


async def test_a_character_is_cut(sim: Simulator) -> None:
    last = (await struck(sim, CutInCharacter(), STREAM)).chunks[-1]
    assert last[-1] >= 0xC0
    with pytest.raises(UnicodeDecodeError):
        last.decode()


@pytest.mark.parametrize(("coding", "bits"), [("gzip", 31), ("deflate", 15), ("raw deflate", -15)])
async def test_a_body_is_coded(sim: Simulator, coding: str, bits: int) -> None:
    wire = await struck(sim, Coded(coding))
    assert wire.headers["content-encoding"] == coding.removeprefix("raw ")
    assert json.loads(zlib.decompress(wire.body, bits))["object"] == "chat.completion"
    half = await struck(sim, Coded(coding, 0.5))
    assert half.complete
    with pytest.raises(zlib.error, match="incomplete"):
        zlib.decompress(half.body, bits)


async def test_a_coding_may_be_a_lie(sim: Simulator) -> None:
    wire = await struck(sim, Coded("br"))
    assert wire.headers["content-encoding"] == "br"
    assert json.loads(wire.body)


async def test_a_bomb_may_be_deflate(sim: Simulator) -> None:
    wire = await struck(sim, Bomb(1 << 20, "deflate"))
    assert wire.headers["content-encoding"] == "deflate"
    assert len(zlib.decompress(wire.body)) > 1 << 20 > 50 * len(wire.body)


async def test_kept_connections_end_or_speak_unasked(sim: Simulator) -> None:
    assert (await struck(sim, DropIdle())).complete
    spoken = await struck(sim, Unsolicited(b"more"))
    assert spoken.data.endswith(b"}more")


async def test_literals_and_fields_that_are_there_twice(sim: Simulator) -> None:
    count = "usage.completion_tokens"
    assert b'"completion_tokens":1e400' in (await struck(sim, Literal(count, "1e400"))).body
    content = "choices[0].message.content"
    half = json.loads((await struck(sim, Literal(content, r'"\ud83d{true}"'))).body)
    assert half["choices"][0]["message"]["content"].startswith("\ud83d")
    assert len(half["choices"][0]["message"]["content"]) > 1
    twice = (await struck(sim, Twice(content))).body
    assert twice.count(b'"content":') == 2
    assert json.loads(twice)["choices"][0]["message"]["content"] != "another value"
    streamed = (await struck(sim, Literal("choices[0].delta.content", "NaN"), STREAM)).body
    assert streamed.count(b"NaN") == 1
    sim.script(Fault(Literal("no.such.field", "1"), nth=1))
    await ask(sim)
    assert len(sim.unfired()) == 1


async def test_marks_and_errors_under_a_good_status(sim: Simulator) -> None:
    assert (await struck(sim, Prefixed())).body.startswith(b"\xef\xbb\xbf{")
    assert (await struck(sim, Prefixed(), STREAM)).chunks[0] == b"\xef\xbb\xbf"
    inside = await struck(sim, ErrorInside(503, "jammed"), STREAM)
    assert inside.status == 200
    assert json.loads(inside.body)["error"]["message"] == "jammed"


async def deaf() -> None:
    async with Simulator(["openai"]) as sim:
        sim.deafen()
        with socket.socket() as caller:
            caller.setblocking(False)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(60.0):
                    await asyncio.get_running_loop().sock_connect(caller, ("127.0.0.1", sim.port))
        sim.refuse()
        await sim.listen()
        assert (await ask(sim)).status == 200
        await sim.until(in_flight=0)


def test_a_deaf_server_neither_takes_nor_refuses() -> None:
    """Afterwards it can listen again, on the same port."""
    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(deaf())
    finally:
        loop.close()


async def test_a_short_answer_has_three_words(sim: Simulator) -> None:
    wire = await ask(sim, {**CHAT, "messages": [{"role": "user", "content": "sim:short"}]})
    content = json.loads(wire.body)["choices"][0]["message"]["content"]
    assert content == f"{sim.requests[0].nonce} naïve 🙂"
