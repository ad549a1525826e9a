"""Streams of events and lines: any split of the bytes gives the same result, in bounded memory and linear time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from backends.wire.ndjson import NDJSONDecoder
from backends.wire.sse import ServerSentEvent, SSEDecoder
from backends.wire.values import FormatError
from conformance.machines import ndjson, sse
from conformance.machines.bench import default_settings

STREAM = (
    "\ufeffid: 1\r\nevent: delta\r\ndata: first é€😀\r\n\r\n: ping\r\r"
    'data: {"a":1}\ndata:  two\ndata\n\nretry: 10\nunknown: x\nid\ndata:[DONE]\r\n\r\ndata: unfinished'
).encode()
EVENTS = [
    ServerSentEvent("first é€😀", "delta", "1"),
    ServerSentEvent('{"a":1}\n two\n', None, "1"),
    ServerSentEvent("[DONE]", None, ""),
]
LINES = '{"a":"é€😀"}\r\n\n  \n{"b":"\u2028\x85"}\n[1]'.encode()
TEXTS = ['{"a":"é€😀"}\r', '{"b":"\u2028\x85"}', "[1]"]


def _all(decoder: Any, pieces: list[bytes]) -> list[Any]:
    found = [one for piece in pieces for one in decoder.feed(piece)]
    return [*found, *decoder.close()]


def _halves(data: bytes) -> list[list[bytes]]:
    return [[data[:place], data[place:]] for place in range(len(data) + 1)]


def test_events_split_at_every_byte() -> None:
    """In two at every place, into single bytes, and not at all; with empty pieces between."""
    for pieces in (*_halves(STREAM), [bytes([byte]) for byte in STREAM], [STREAM], [b"", STREAM, b""]):
        assert _all(SSEDecoder(), pieces) == EVENTS


def test_lines_split_at_every_byte() -> None:
    """As for events; only a line feed ends a line."""
    for pieces in (*_halves(LINES), [bytes([byte]) for byte in LINES], [LINES], [b"", LINES, b""]):
        assert _all(NDJSONDecoder(), pieces) == TEXTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_split_anywhere(places: list[int]) -> None:
    """Into up to thirteen pieces."""
    cuts = [0, *sorted(places), len(STREAM)]
    assert _all(SSEDecoder(), [STREAM[start:end] for start, end in itertools.pairwise(cuts)]) == EVENTS


@pytest.mark.parametrize("run", [sse.run, ndjson.run], ids=["events", "lines"])
def test_any_stream_agrees_with_its_model(run: Callable[..., None]) -> None:
    """Well-formed or not, cut anywhere, against a reader that sees the whole at once."""
    run(settings(default_settings(60, 12), phases=[Phase.generate]))


@pytest.mark.parametrize(("made", "unit"), [(SSEDecoder, b"data: "), (NDJSONDecoder, b"")], ids=["events", "lines"])
@pytest.mark.parametrize("size", [1, 10, 1000])
def test_what_does_not_end_is_bounded(made: Callable[[int], Any], unit: bytes, size: int) -> None:
    """An event or line beyond its bound is refused before it is whole; the decoder stays refused or empty, not wrong."""
    decoder = made(100)
    stream = unit + b"1" * 10_000
    taken: list[int] = []

    def feed_all() -> None:
        for start in range(0, len(stream), size):
            taken.append(start)
            decoder.feed(stream[start : start + size])

    with pytest.raises(FormatError, match="larger than 100 bytes"):
        feed_all()
    assert taken[-1] <= 110


def test_good_events_before_a_bad_one_come_out() -> None:
    """In the same bytes; the error follows at the next call."""
    decoder = SSEDecoder(50)
    assert [event.data for event in decoder.feed(b"data: good\n\ndata: " + b"x" * 100 + b"\n\n")] == ["good"]
    with pytest.raises(FormatError):
        decoder.feed(b"data: never\n\n")
    with pytest.raises(FormatError):
        decoder.close()
    lines = NDJSONDecoder(50)
    assert lines.feed(b'{"good":1}\n' + b"x" * 100 + b"\n") == ['{"good":1}']
    with pytest.raises(FormatError, match="larger than 50 bytes"):
        lines.close()
    lines = NDJSONDecoder()
    assert lines.feed(b'{"good":1}\n"\xff"\n') == ['{"good":1}']
    with pytest.raises(FormatError, match=r"^a line is not UTF-8 text$"):
        lines.feed(b"{}\n")


@pytest.mark.parametrize(("made", "unit"), [(SSEDecoder, b"data: "), (NDJSONDecoder, b"")], ids=["events", "lines"])
def test_time_is_linear(made: Callable[[int], Any], unit: bytes) -> None:
    """Four times the bytes, in single bytes of one long event, cost about four times the time, and never sixteen times."""

    def cost(length: int) -> float:
        best = float("inf")
        for _ in range(3):
            decoder = made(1 << 24)
            begun = time.thread_time()
            decoder.feed(unit)
            for _ in range(length):
                decoder.feed(b"x")
            decoder.feed(b"\n\n")
            best = min(best, time.thread_time() - begun)
        return best

    assert cost(40_000) < 10 * cost(10_000)


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_the_data_lines_of_an_event_are_joined(lines: int) -> None:
    """With a line feed between two, and none after the last."""
    (event,) = SSEDecoder().feed(b"".join(b"data: %d\n" % number for number in range(lines)) + b"\n")
    assert event.data == "\n".join(map(str, range(lines)))


@pytest.mark.parametrize("limit", [7, 8])
def test_an_event_may_be_as_long_as_the_bound(limit: int) -> None:
    """All its lines together, without their ends."""
    decoder = SSEDecoder(limit)
    if limit == 8:
        assert decoder.feed(b"data\ndata\n\n") == [ServerSentEvent("\n")]
        assert decoder.feed(b"data\ndata\n\n") == [ServerSentEvent("\n")], "each event has the whole bound"
    else:
        with pytest.raises(FormatError):
            decoder.feed(b"data\ndata\n\n")


def test_a_line_may_be_as_long_as_the_bound() -> None:
    """Whole or in pieces, with an end or without."""
    for pieces in ([b"12345\n"], [b"123", b"45", b"\n"], [b"1\n12345\n"], [b"12345"], [b"\n12345", b"\n"]):
        decoder = NDJSONDecoder(5)
        assert _all(decoder, pieces)[-1] == "12345"
    for pieces in ([b"123456\n"], [b"123", b"456"], [b"\n123456"], [b"123456"]):
        with pytest.raises(FormatError, match="larger than 5 bytes"):
            _all(NDJSONDecoder(5), pieces)


def test_an_event_in_pieces_may_be_as_long_as_the_bound() -> None:
    """The first as well as those behind it; the end of its line does not count."""
    decoder = SSEDecoder(8)
    for _ in range(3):
        assert decoder.feed(b"data: ") == []
        assert decoder.feed(b"12") == []
        assert decoder.feed(b"\n\n") == [ServerSentEvent("12")]
    with pytest.raises(FormatError, match=r"^a stream event is larger than 8 bytes$"):
        decoder.feed(b"data: 123")


@pytest.mark.parametrize("limit", [1, 2])
def test_a_bound_holds_from_the_first_byte_on(limit: int) -> None:
    """Although so few bytes might have become a mark of byte order."""
    with pytest.raises(FormatError):
        SSEDecoder(limit).feed(b"x" * (limit + 1))


@pytest.mark.parametrize("field", [b"DATA: x", b"Data:x", b"dATA", b" data: x", b"data : x"])
def test_names_of_fields_are_taken_as_they_are(field: bytes) -> None:
    """By the standard another case, or a blank, makes another field, and unknown ones are ignored."""
    assert SSEDecoder().feed(field + b"\n\n") == []


@pytest.mark.parametrize("blank", [b"", b" "], ids=["without a blank", "with a blank"])
def test_bytes_that_are_no_text_are_replaced(blank: bytes) -> None:
    """In every field; the rest of the stream is unharmed."""
    lines = [name + blank + b"a\xffb\n" for name in (b"data:", b"event:", b"id:")]
    assert SSEDecoder().feed(b"".join(lines) + b"\n") == [ServerSentEvent("a\ufffdb", "a\ufffdb", "a\ufffdb")]


def test_what_is_unfinished_at_the_end_is_dropped_once() -> None:
    """An event without its end, whole lines of it and half ones; a last line, in turn, is handed out, and only once."""
    events = SSEDecoder(20)
    assert events.feed(b"data: unfinished\ndat") == []
    assert events.close() == events.close() == []
    assert events.feed(b"\n\ndata: next\n\n") == [ServerSentEvent("next")]
    lines = NDJSONDecoder(5)
    assert lines.feed(b"12345") == []
    assert lines.close() == ["12345"]
    assert lines.close() == []
    assert lines.feed(b"67890") == []
    assert lines.feed(b"\n") == ["67890"]


def test_a_long_event_in_small_pieces() -> None:
    """Put together once, and not at every piece: sixteen mebibytes would be copied for minutes."""
    decoder, piece = SSEDecoder(1 << 25), b"x" * 512
    assert decoder.feed(b"data: ") == []
    for _ in range(1 << 15):
        decoder.feed(piece)
    (event,) = decoder.feed(b"\n\n")
    assert len(event.data) == 1 << 24
