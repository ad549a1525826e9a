"""What a provider is made of: field tables, forms, schema samples, and a provider written from nothing."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import jsonschema
import pytest
from simulator_wire import exchange, request_bytes

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import ErrorEvent, Truncate
from conformance.simulators.generation import sample
from conformance.simulators.multipart import Upload, parse
from conformance.simulators.provider import Answer, Call, Event, Part, Provider, Request, Route, Stream, encode
from conformance.simulators.shape import (
    Choice,
    File,
    Flag,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Problem,
    Record,
    Tagged,
    Text,
)

TABLE = Record(
    {"a": Integer(1, 3)},
    {
        "b": OneOf(Text(1), ListOf(Text(), 1, 2)),
        "c": Tagged({"x": Record({"type": Text(), "n": Number(0, 1)}), "y": Record({"type": Text()}, open=True)}),
        "d": MapOf(Flag(), 1, Text(maximum=2)),
        "e": Choice("p", "q"),
        "f": Text(pattern="[a-z]+"),
    },
)


@pytest.mark.parametrize(
    ("value", "kind", "path"),
    [
        ([], Kind.TYPE, ""),
        ({}, Kind.MISSING, "a"),
        ({"a": None}, Kind.TYPE, "a"),
        ({"a": 1.5}, Kind.TYPE, "a"),
        ({"a": True}, Kind.TYPE, "a"),
        ({"a": 0}, Kind.BELOW, "a"),
        ({"a": 4}, Kind.ABOVE, "a"),
        ({"a": 1, "z": 1}, Kind.UNKNOWN, "z"),
        ({"a": 1, "b": ""}, Kind.SHORT, "b"),
        ({"a": 1, "b": ["x"] * 3}, Kind.LONG, "b"),
        ({"a": 1, "b": ["x", 1]}, Kind.TYPE, "b[1]"),
        ({"a": 1, "b": 1}, Kind.TYPE, "b"),
        ({"a": 1, "c": {}}, Kind.MISSING, "c.type"),
        ({"a": 1, "c": {"type": "z"}}, Kind.CHOICE, "c.type"),
        ({"a": 1, "c": {"type": 1}}, Kind.TYPE, "c.type"),
        ({"a": 1, "c": {"type": "x", "n": 2}}, Kind.ABOVE, "c.n"),
        ({"a": 1, "d": {"k": 1}}, Kind.TYPE, "d.k"),
        ({"a": 1, "d": {"k": True, "l": True}}, Kind.LONG, "d"),
        ({"a": 1, "d": {"long": True}}, Kind.LONG, "d.long"),
        ({"a": 1, "e": "r"}, Kind.CHOICE, "e"),
        ({"a": 1, "f": "A"}, Kind.FORMAT, "f"),
    ],
)
def test_the_first_problem_is_named(value: object, kind: Kind, path: str) -> None:
    problem = TABLE.check(value, "")
    assert problem is not None
    assert (problem.kind, problem.path) == (kind, path)


def test_what_fits_has_no_problem() -> None:
    full = {"a": 2, "b": ["x"], "c": {"type": "y", "more": 1}, "d": {"k": True}, "e": "q", "f": "abc"}
    assert TABLE.check(full, "") is None
    assert TABLE.check({"a": 1, **dict.fromkeys("bcdef")}, "") is None


def test_forms_are_read_as_the_table_says() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n3\r\n'
        b'--B\r\nContent-Disposition: form-data; name="list[]"\r\n\r\ntrue\r\n'
        b'--B\r\nContent-Disposition: form-data; name="list[]"\r\n\r\nfalse\r\n'
        b'--B\r\nContent-Disposition: form-data; name="deep[x]"\r\n\r\n0.5\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a\\"b.txt"\r\nContent-Type: text/x\r\n\r\n'
        b"\r\n--C\r\n\x00\r\n--B--\r\n"
    )
    form = parse("multipart/form-data; boundary=B", body)
    table = Record({"n": Integer(), "list": ListOf(Flag()), "deep": Record({"x": Number()}), "f": File()})
    read = table.from_form(form.gathered())
    assert read == {
        "n": 3,
        "list": [True, False],
        "deep": {"x": 0.5},
        "f": Upload('a"b.txt', "text/x", b"\r\n--C\r\n\x00"),
    }
    assert table.check(read, "") is None


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=B", b"nothing"),
        ("multipart/form-data; boundary=B", b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n3\r\n'),
        ("multipart/form-data; boundary=B", b"--B\r\nno header\r\n\r\n3\r\n--B--"),
        ("multipart/form-data; boundary=B", b"--B\r\nContent-Disposition: inline\r\n\r\n3\r\n--B--"),
    ],
)
def test_forms_that_are_not_well_formed(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError):
        parse(content_type, body)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5, "maximum": 6}}, "required": ["a"]},
        {"type": "array", "items": {"enum": ["x"]}, "minItems": 3},
        {"$defs": {"n": {"type": "object", "properties": {"m": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/n"}]}}}},
         "$ref": "#/$defs/n"},
        {"type": ["string", "null"], "minLength": 20, "maxLength": 30},
        {"type": "object", "properties": {"t": {"const": 1}, "b": {"type": "boolean"}}, "additionalProperties": False},
        {"type": "number"},
    ],
)  # fmt: skip
def test_samples_satisfy_their_schema(schema: dict) -> None:
    jsonschema.validate(sample(schema, "0123456789"), schema)


def line(event: Event) -> bytes:
    return encode(event.payload) + b"\n"


def failed(status: int, code: str | None, message: str | None) -> Answer:
    return Answer(status, payload={"oops": message or code or str(status)})


async def anything(call: Call) -> Answer:
    if call.request.method == "HEAD":
        return Answer(declared_length=12345)
    if call.request.parameters.get("stream"):
        events = [Event({"n": number}) for number in range(3)] + [Event({"done": call.nonce}, part=Part.TERMINATOR)]
        return Answer(stream=Stream(events, line), content_type="application/x-ndjson")
    call.state.append(call.params.get("path"))
    return Answer(body=call.request.body, content_type=None, headers=(("x-seen", str(len(call.state))),))


def unpacked(request: Request) -> Request:
    if request.header("content-encoding") != "gzip":
        return request
    try:
        return replace(request, body=gzip.decompress(request.body))
    except OSError as error:
        raise ValueError("not gzip") from error


ECHO = Provider(
    name="echo",
    mount="/echo",
    routes=(
        Route("*", "/", anything, raw=True, query=None, open_to_all=True),
        Route("*", "/{path:path}", anything, raw=True, query=None, open_to_all=True),
    ),
    new_state=list,
    error=failed,
    refuse=lambda problem: failed(400, None, str(problem)),
    error_event=lambda status, code, message: [Event({"error": message or code or status})],
    frame=line,
    not_found=lambda request, nearest: failed(404, None, nearest),
    authenticate=lambda request, key: None,
    find_key=lambda request: None,
    decode=unpacked,
)


async def test_a_provider_from_nothing() -> None:
    async with Simulator([ECHO]) as sim:
        assert sim.base_url("echo") == f"http://127.0.0.1:{sim.port}/echo"
        packed = gzip.compress(b"hello")
        coded = request_bytes("/echo/a%2Fb/c", packed, method="PUT", headers=("content-encoding: gzip",))
        wire = await exchange(sim, coded)
        assert (wire.body, wire.headers["x-seen"]) == (b"hello", "1")
        assert (sim.requests[0].body, sim.requests[0].path) == (packed, "/a%2Fb/c")
        broken = request_bytes("/echo/", b"no gzip", method="PUT", headers=("content-encoding: gzip",))
        assert (await exchange(sim, broken)).status == 400
        head = await exchange(sim, request_bytes("/echo", method="HEAD"))
        assert head.headers["content-length"] == "12345"
        lines = (await exchange(sim, request_bytes("/echo/x?stream=1", method="GET"))).body.splitlines()
        assert json.loads(lines[-1]) == {"done": sim.requests[3].nonce}
        sim.script(Fault(ErrorEvent(after_events=1, message="no"), nth=1), Fault(Truncate(), nth=2))
        lines = (await exchange(sim, request_bytes("/echo/x?stream=1", method="GET"))).body.splitlines()
        assert lines == [b'{"n":0}', b'{"error":"no"}']
        lines = (await exchange(sim, request_bytes("/echo/x?stream=1", method="GET"))).body.splitlines()
        assert lines[-1].startswith(b'{"done"')
        assert sim.unfired() == []


async def test_a_simulator_that_breaks_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def broken(call: Call) -> Answer:
        raise KeyError(Problem(Kind.TYPE, "x"))

    provider = replace(ECHO, routes=(Route("GET", "/", broken, open_to_all=True),))
    async with Simulator([provider]) as sim:
        wire = await exchange(sim, request_bytes("/echo", method="GET"))
        assert wire.status == 500
        assert b"echo simulator failed on GET /: KeyError" in wire.body
        assert "simulator failed" in (sim.requests[0].problem or "")
    assert "simulator failed" in caplog.text
