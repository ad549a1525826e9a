"""Chapter STR, second part: noise, tool calls, silence, and consumers slower than the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from backends import errors
from conformance.check import check
from conformance.checks.str_tape import content_of, expect_events, recorded
from conformance.expectations import expectations_of
from conformance.replay import Tape
from conformance.simulators.faults import Hang, LongStream, Pings, SlowChunks, SlowFirstByte, SplitEvery
from conformance.simulators.registry import load
from conformance.trial import Trial

_LONG = LongStream(12_000, padding=3_000)  # more than the sockets of two processes can hold between them
_CUT = SplitEvery(23)
"""Shorter than any event, so that each is cut, and at another place than the last; cuts everywhere are STR-02's."""
_MOST_AHEAD = 12 << 20
"""Bytes that may be under way while nobody reads: the buffers of two sockets on one machine, with room."""


@check("STR-06")
async def str_06(trial: Trial) -> None:
    """Pings, comments, unknown events and blank choices change nothing."""
    expected, tape, player, backend = await recorded(trial)
    for about, body in _noisy(tape):
        player.pieces = (body,)
        await expect_events(trial, backend, expected, f"events among {about}")
        player.pieces = tuple(body[start : start + 11] for start in range(0, len(body), 11))
        await expect_events(trial, backend, expected, f"events among {about}, split")
    if trial.subject.provider is None or not load([trial.subject.provider])[0].pings:
        return
    networked = await trial.backend(max_retries=0)
    usage, finish = (await trial.stream(networked).collect()).usage, None
    for split in (False, True):
        trial.fault(Pings(), nth=1)
        if split:
            trial.fault(_CUT, nth=1)
        stream = trial.stream(networked)
        text = ""
        async for chunk in stream:
            text += chunk.text
            finish = chunk.finish_reason or finish
        trial.equal(
            text.replace(trial.requests[-1].nonce, ""),
            content_of(expected).replace(trial.requests[0].nonce, ""),
            "text among the provider's own noise",
        )
        trial.equal(stream.reply.usage, usage, "token counts among the provider's own noise")
        trial.expect(finish, "the reason for the end was lost among the provider's own noise")


def _noisy(tape: Tape) -> Iterator[tuple[str, bytes]]:
    """Yield bodies that mean the same as the tape's."""
    if tape.is_event_stream:
        events = tape.body.replace(b"\r\n", b"\n").split(b"\n\n")
        for about, noise in (
            ("comments", b": keep-alive\n\n"),
            ("comments inside events", b":\n"),
            ("unknown events", b"event: surprise\ndata: {}\n\n"),
            ("ids and retry times", b"id: 7\nretry: 10\n\n"),
            ("unknown fields", b"mood: sunny\n"),
            ("blank lines", b"\n\n"),
        ):
            yield about, b"".join(noise + event + b"\n\n" for event in events if event)
    else:
        for about, noise in (("blank lines", b"\n"), ("lines of blanks", b"  \r\n")):
            yield about, b"".join(noise + line + b"\n" for line in tape.body.split(b"\n") if line)


@check("STR-07")
async def str_07(trial: Trial) -> None:
    """The pieces of a tool call assemble to the whole call."""
    known = expectations_of(trial.subject)
    options = known.tools
    backend = await trial.backend()
    whole = _calls((await trial.call(backend, **options)).tool_calls, trial)
    trial.expect(
        len(whole) >= known.tool_calls, f"the simulated answer has {len(whole)} tool calls, which proves too little"
    )
    for split in (False, True):
        if split:
            trial.fault(_CUT, nth=1)
        stream = trial.stream(backend, **options)
        pieces: dict[int, list[Any]] = {}
        async for chunk in stream:
            for piece in chunk.tool_calls:
                pieces.setdefault(piece.index, []).append(piece)
        calls = stream.reply.tool_calls
        trial.equal(_calls(calls, trial), whole, "tool calls of the stream, compared with those of the whole answer")
        trial.equal(len({call.id for call in calls}), len(calls), "different ids of the tool calls")
        trial.equal(
            [
                ("".join(one.name or "" for one in found), "".join(one.arguments for one in found))
                for _, found in sorted(pieces.items())
            ],
            [(call.name, call.arguments) for call in calls],
            "pieces put together by their index",
        )


def _calls(calls: Any, trial: Trial) -> list[tuple[str, Any, bool]]:
    """Return name, arguments without the nonce, and whether there is an id, of each call."""
    nonce = trial.requests[-1].nonce
    found = []
    for call in calls:
        try:
            arguments = json.loads(call.arguments.replace(nonce, "<nonce>"))
        except ValueError:
            trial.expect(False, f"the arguments of {call.name!r} are not JSON: {call.arguments!r}")
        found.append((call.name, arguments, bool(call.id)))
    return found


@check("STR-08")
async def str_08(trial: Trial) -> None:
    """A stream that is slow to begin, or stalls between chunks, fails after the time set for that."""
    for action in (SlowFirstByte(20.0), SlowChunks(20.0, after=0), Hang()):
        backend = await trial.backend(max_retries=0, first_token_timeout=2.0)
        trial.fault(action, nth=1)
        before = trial.now
        async with trial.raises(errors.TransportError, f"no content within first_token_timeout: {action}") as caught:
            await trial.stream(backend).collect()
        trial.close_to(trial.now - before, 2.0, f"seconds until the error with {action}", 0.1)
        trial.equal(caught.error.code, "read_timeout", f"code of the error with {action}")

    for action in (SlowChunks(20.0, after=5), Hang(after=5)):
        backend = await trial.backend(max_retries=0, idle_timeout=5.0, first_token_timeout=2.0)
        trial.fault(action, nth=1)
        text, last = "", trial.now
        async with trial.raises(errors.StreamInterruptedError, f"a stream that stalls: {action}") as caught:
            async for chunk in trial.stream(backend):
                text, last = text + chunk.text, trial.now
        trial.close_to(trial.now - last, 5.0, f"seconds between the last chunk and the error with {action}", 0.1)
        trial.equal(
            (caught.error.code, caught.error.partial), ("idle_timeout", text), f"code and partial text with {action}"
        )

    # Some providers send three events before the first content.
    backend = await trial.backend(max_retries=0, idle_timeout=5.0, first_token_timeout=15.0, read_timeout=10.0)
    trial.fault(SlowChunks(4.0), nth=1)
    before = trial.now
    reply = await trial.stream(backend).collect()
    trial.expect(
        reply.text and trial.now - before > 20.0, "a slow stream that never stalls was too short to prove anything"
    )


@check("STR-09")
async def str_09(trial: Trial) -> None:
    """A consumer slower than the server costs a bounded amount of memory."""
    backend = await trial.backend()
    trial.fault(_LONG, nth=1)
    stream = trial.stream(backend)
    for _ in range(3):
        await anext(stream)
    await trial.sleep(30.0)
    trial.equal(trial.sim.in_flight, 1, "streams that the server has not been able to finish while nobody read")
    await stream.aclose()
    await trial.sim.until(in_flight=0)
    ahead = trial.requests[-1].sent
    trial.expect(ahead <= _MOST_AHEAD, f"{ahead >> 20} MiB were read ahead of a consumer that took three chunks")
