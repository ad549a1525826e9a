"""What the checks of chapter STR share: a recorded stream, the events of a stream, and the ways to cut its bytes. It judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from backends import errors
from conformance.replay import Player, Recorder, Tape
from conformance.trial import Trial

__all__ = ["Piece", "content_of", "events_of", "expect_events", "recorded", "splits"]

Piece: TypeAlias = tuple[str, Any, str | None]
"""Text, provider's event and finish reason of one chunk."""

_BOM = b"\xef\xbb\xbf"


async def recorded(trial: Trial) -> tuple[list[Piece], Tape, Player, Any]:
    """Return the events of one real stream, its bytes, and a backend without retries that plays them."""
    recorder = Recorder()
    backend = await trial.backend(transport=recorder)
    expected: list[Piece] = []
    await events_of(trial.stream(backend), expected)
    await recorder.aclose()
    tape = recorder.tape
    assert tape is not None
    trial.expect(not content_of(expected).isascii(), "the simulated text is too simple to prove anything")
    player = Player(tape)
    return expected, tape, player, await trial.backend(transport=player, max_retries=0, failure_threshold=1_000_000)


async def events_of(stream: Any, into: list[Piece]) -> None:
    """Append the events of a stream, and what its reply says."""
    async for chunk in stream:
        into.append((chunk.text, chunk.raw, chunk.finish_reason))


async def expect_events(trial: Trial, backend: Any, expected: list[Piece], about: str) -> None:
    """Assert that a stream of the backend has these events and no error."""
    seen: list[Piece] = []
    try:
        await events_of(trial.stream(backend), seen)
    except errors.BackendError as error:
        trial.expect(
            False, f"{about}: {type(error).__name__} after {len(seen)} of {len(expected)} chunks: {error.message}"
        )
    trial.equal(content_of(seen), content_of(expected), f"{about}: text")
    trial.equal(len(seen), len(expected), f"{about}: number of chunks")
    trial.expect(seen == expected, f"{about}: an event differs from what was sent")


def content_of(events: list[Piece]) -> str:
    """Return the text of events."""
    return "".join(text for text, _, _ in events)


def splits(tape: Tape) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """Yield the ways in which one body can come, each with its name."""
    body = tape.body
    yield "all at once", (body,)
    for size in (1, 2, 3, 5, 7, 64, 1000):
        yield f"{size} at a time", _every(body, size)
    for offset in _telling_offsets(body):
        yield f"split at {offset} of {len(body)}", (body[:offset], body[offset:])
    yield "with CR LF, all at once", (body.replace(b"\n", b"\r\n"),)
    yield "with CR LF, one byte at a time", _every(body.replace(b"\n", b"\r\n"), 1)
    if tape.is_event_stream:
        for size in (1, 2, 1000):
            yield f"with CR alone, {size} at a time", _every(body.replace(b"\n", b"\r"), size)
            yield f"behind a byte order mark, {size} at a time", _every(_BOM + body, size)


def _every(body: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(body[start : start + size] for start in range(0, len(body), size))


def _telling_offsets(body: bytes) -> list[int]:
    """Return where a split is most likely to hurt: inside characters, around line ends, and evenly over the rest."""
    inside = [offset for offset, byte in enumerate(body) if byte & 0xC0 == 0x80]
    ends = [offset for offset, byte in enumerate(body) if byte == 0x0A]
    around = [end + shift for end in (*ends[:6], *ends[-6:]) for shift in (-1, 0, 1, 2)]
    evenly = range(1, len(body), max(1, len(body) // 100))
    return sorted({offset for offset in (*inside, *around, *evenly) if 0 < offset < len(body)})
