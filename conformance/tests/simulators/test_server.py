"""The server beneath the providers: connections, the log, the gate, the control endpoint, time and determinism."""

from __future__ import annotations

import asyncio
import hashlib
import json

import pytest
from simulator_wire import CHAT, KEY, PATH, STREAM, ask, exchange, request_bytes

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Hang, LongStream, SlowChunks, SlowFirstByte, Status
from conformance.virtual_time import VirtualTimeLoop


async def read_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return head, await reader.readexactly(length)


async def test_one_connection_serves_many_requests_even_pipelined(sim: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    one = request_bytes(PATH, CHAT, close=False)
    writer.write(one)
    _, first = await read_answer(reader)
    writer.write(one + one)
    bodies = [first, *[(await read_answer(reader))[1] for _ in range(2)]]
    assert [seen.nonce for seen in sim.requests] == [json.loads(body)["id"][9:] for body in bodies]
    assert {seen.connection for seen in sim.requests} == {0}
    writer.close()
    await writer.wait_closed()


async def test_head_chunked_requests_and_old_http(sim: Simulator) -> None:
    head = await exchange(sim, request_bytes("/openai/v1/models", method="HEAD"))
    assert (head.status, head.after_head) == (200, b"")
    assert int(head.headers["content-length"]) > 100
    data = json.dumps(CHAT).encode()
    lines = ("content-type: application/json", "transfer-encoding: chunked")
    chunked = request_bytes(PATH, headers=lines) + b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (
        data[:5],
        len(data) - 5,
        data[5:],
    )
    assert (await exchange(sim, chunked)).status == 200
    old = request_bytes(PATH, STREAM).replace(b"HTTP/1.1", b"HTTP/1.0")
    wire = await exchange(sim, old)
    assert "transfer-encoding" not in wire.headers
    assert wire.after_head.endswith(b"data: [DONE]\n\n")


async def test_a_client_that_waits_is_told_to_continue(sim: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    whole = request_bytes(PATH, CHAT, headers=("expect: 100-continue",))
    head, _, body = whole.partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.read(12)) == b"HTTP/1.1 200"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "nonsense", [b"hello\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nho st: x\r\n\r\n"]
)
async def test_what_is_not_http_is_refused(sim: Simulator, nonsense: bytes) -> None:
    assert (await exchange(sim, nonsense)).status == 400
    assert sim.requests == []


async def test_the_log_masks_credentials_everywhere(sim: Simulator) -> None:
    await ask(sim, headers=(f"x-copy: {KEY}", "cookie: session=secret"), path=f"{PATH}?api_key={KEY}")
    seen = sim.requests[0]
    assert KEY not in repr(seen)
    assert KEY not in json.dumps(seen.as_json())
    assert seen.key_fingerprint == hashlib.sha256(KEY.encode()).hexdigest()[:8]
    assert seen.header("authorization") == f"Bearer ****:{seen.key_fingerprint}"
    assert "secret" not in (seen.header("cookie") or "")
    assert seen.key_in_url
    assert seen.problem == "Unknown parameter: 'api_key'."


async def test_the_log_knows_how_requests_ended(sim: Simulator) -> None:
    wire = await ask(sim, STREAM)
    seen = sim.requests[0]
    assert (seen.finished, seen.aborted, seen.status) == (True, False, 200)
    assert seen.sent == len(wire.body)
    assert (seen.json, seen.body, seen.body_length) == (STREAM, json.dumps(STREAM).encode(), len(seen.body))
    assert seen.ended is not None
    assert seen.ended >= seen.arrived


async def test_the_gate_holds_and_lets_go_in_order(sim: Simulator) -> None:
    sim.hold(path="*/chat/*")
    done: list[str] = []

    async def named(name: str) -> None:
        await ask(sim, {**CHAT, "user": name})
        done.append(name)

    tasks = []
    for name in "abc":
        tasks.append(asyncio.create_task(named(name)))
        await sim.until(held=len(tasks))
    assert (await exchange(sim, request_bytes("/openai/v1/models", method="GET"))).status == 200
    assert (sim.in_flight, sim.peak_in_flight) == (3, 4)
    assert [seen.json["user"] for seen in sim.held] == ["a", "b", "c"]
    for left in ("a", "b"):
        assert sim.let_go(1) == 1
        await tasks["abc".index(left)]
        assert done[-1] == left
    tasks[2].cancel()
    await sim.until(in_flight=0)
    assert next(seen for seen in sim.requests if seen.json and seen.json["user"] == "c").aborted
    assert sim.let_go() == 0
    assert (await ask(sim)).status == 200


async def test_a_later_one_can_be_let_go_first(sim: Simulator) -> None:
    sim.hold()
    early = asyncio.create_task(ask(sim))
    await sim.until(held=1)
    late = asyncio.create_task(ask(sim))
    await sim.until(held=2)
    assert sim.let_go(1, skip=1) == 1
    await late
    assert not early.done()
    assert sim.let_go() == 1
    await early


async def test_the_control_endpoint(sim: Simulator) -> None:
    faults = [{"what": {"action": "Status", "status": 503}, "provider": "openai", "path": "*/chat/*", "nth": 1}]
    scripted = await ask(sim, faults, "/_sim/faults")
    assert scripted.status == 200
    unfired = await exchange(sim, request_bytes("/_sim/faults", method="GET"))
    assert len(json.loads(unfired.body)["unfired"]) == 1
    assert (await ask(sim)).status == 503
    log = json.loads((await exchange(sim, request_bytes("/_sim/requests", method="GET"))).body)
    assert [(seen["path"], seen["status"]) for seen in log["requests"]] == [("/v1/chat/completions", 503)]
    assert KEY not in json.dumps(log)
    assert sim.unfired() == []
    assert (await ask(sim, [{"what": "Explode"}], "/_sim/faults")).status == 400
    assert (await ask(sim, {"what": "Hang"}, "/_sim/faults")).status == 400
    assert (await ask(sim, [{"what": "Hang", "provider": "nobody"}], "/_sim/faults")).status == 400
    assert (await ask(sim, path="/_sim/other")).status == 404
    assert (await ask(sim, path="/_sim/reset")).status == 200
    assert sim.requests == []
    assert (await exchange(sim, request_bytes("/_sim/faults", method="DELETE"))).status == 200


async def test_the_same_requests_get_the_same_bytes() -> None:
    runs = []
    for _ in range(2):
        async with Simulator(["openai"]) as sim:
            runs.append([(await ask(sim, body)).data for body in (CHAT, CHAT, STREAM)])
    assert runs[0] == runs[1]
    first, second = runs[0][0].partition(b"\r\n\r\n")[2], runs[0][1].partition(b"\r\n\r\n")[2]
    assert first != second
    ids = [json.loads(body)["id"][9:].encode() for body in (first, second)]
    assert first.replace(ids[0], b"N") == second.replace(ids[1], b"N")


async def test_reset_starts_afresh(sim: Simulator) -> None:
    before = (await ask(sim)).data
    sim.script(Fault(Status(500)))
    sim.hold()
    sim.reset()
    assert (await ask(sim)).data == before
    assert (len(sim.requests), sim.unfired(), sim.peak_in_flight) == (1, [], 1)


async def test_connections_can_be_refused_and_taken_again(sim: Simulator) -> None:
    port = sim.port
    sim.refuse()
    assert (await ask(sim)).error is ConnectionRefusedError
    await sim.listen()
    assert (sim.port, (await ask(sim)).status) == (port, 200)


async def test_a_slow_client_holds_an_endless_stream_back(sim: Simulator) -> None:
    sim.script(Fault(LongStream(10**7)))
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port, limit=1024)
    writer.write(request_bytes(PATH, STREAM))
    await reader.readuntil(b"\n\n")
    seen = sim.requests[0]
    for _ in range(20_000):
        await asyncio.sleep(0)
    assert not seen.finished
    writer.transport.abort()
    await sim.until(in_flight=0)
    assert seen.sent < 64 << 20
    assert seen.aborted


async def test_closing_ends_what_is_in_flight() -> None:
    sim = Simulator(["openai"])
    await sim.start()
    sim.script(Fault(Hang()))
    task = asyncio.create_task(ask(sim))
    await sim.until(in_flight=1)
    await sim.aclose()
    await sim.aclose()
    assert (await task).data == b""
    assert sim.in_flight == 0


async def test_unknown_providers_are_named() -> None:
    with pytest.raises(ValueError, match="did you mean 'openai'"):
        Simulator(["opnai"])
    async with Simulator(["openai"]) as sim:
        with pytest.raises(ValueError, match="not served here"):
            sim.base_url("claude")


def test_delays_are_the_loops() -> None:
    async def work() -> None:
        async with Simulator(["openai"]) as sim:
            loop = asyncio.get_running_loop()
            start = loop.time()
            sim.script(Fault(SlowFirstByte(3600), nth=1), Fault(SlowChunks(60), nth=2))
            await ask(sim)
            assert loop.time() - start == pytest.approx(3600, abs=1)
            assert sim.requests[0].ended - sim.requests[0].arrived == pytest.approx(3600, abs=1)
            start = loop.time()
            wire = await ask(sim, STREAM)
            assert loop.time() - start == pytest.approx(60 * (len(wire.chunks) - 1), abs=1)
            assert sim.unfired() == []

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(work())
