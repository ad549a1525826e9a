"""Chapter STR: streams, judged by the chunks a caller gets for bytes that the server cuts, delays, ends and fills with noise."""

from __future__ import annotations

from typing import Any

from backends import errors
from conformance.check import check
from conformance.checks.str_tape import Piece, content_of, events_of, expect_events, recorded, splits
from conformance.simulators.faults import (
    CutAfter,
    CutBeforeTerminator,
    EmptyBody,
    EmptyStream,
    ErrorEvent,
    Reset,
    SlowChunks,
    SplitAt,
    SplitEvery,
    Truncate,
)
from conformance.trial import Trial

_WORDS = "the engine took fire 7f3a"


@check("STR-01")
async def str_01(trial: Trial) -> None:
    """The chunks joined are the whole text, and the first one arrives before the server has sent the last."""
    backend = await trial.backend()
    plain = await trial.call(backend)
    expected = plain.text.replace(trial.requests[0].nonce, "")
    trial.expect(expected and not expected.isascii(), "the simulated text is too simple to prove anything")

    trial.fault(SlowChunks(1.0), nth=1)
    stream = trial.stream(backend)
    trial.equal(len(trial.requests), 1, "requests before the first chunk is asked for")
    times: list[float] = []
    pieces: list[str] = []
    async for chunk in stream:
        if not chunk.text:
            continue
        if not pieces:
            trial.expect(
                not trial.requests[-1].finished, "the first text came only when the server had sent everything"
            )
        times.append(trial.now)
        pieces.append(chunk.text)
    joined = "".join(pieces)
    trial.equal(joined.replace(trial.requests[-1].nonce, ""), expected, "chunks joined, compared with the whole answer")
    trial.equal(stream.reply.text, joined, "text of the reply")
    trial.expect(
        len(set(times)) >= 5, f"chunks that the server sent second by second came at {len(set(times))} different times"
    )


@check("STR-02")
async def str_02(trial: Trial) -> None:
    """The same bytes give the same events however they are split: inside lines or characters, with any line ending or mark."""
    expected, tape, player, backend = await recorded(trial)
    for about, pieces in splits(tape):
        player.pieces = pieces
        await expect_events(trial, backend, expected, f"events when the bytes come {about}")
    whole = content_of(expected).replace(trial.requests[0].nonce, "")
    networked = await trial.backend()
    trial.fault(SplitEvery(3), nth=1)  # one by one they came from the tape, through the same reader
    text = (await trial.stream(networked).collect()).text
    trial.equal(text.replace(trial.requests[-1].nonce, ""), whole, "text when the server sends 3 bytes at a time")


@check("STR-03")
async def str_03(trial: Trial) -> None:
    """An error event inside an answer 200 raises a typed error, with the partial text when content had come."""
    backend = await trial.backend(max_retries=0, failure_threshold=1000)
    trial.fault(ErrorEvent(after_events=0, status=500, message=_WORDS), nth=1)
    seen, error = await _broken(trial, backend, "an error event before any content")
    trial.expect(
        type(error) is errors.ServerError,
        f"an error event before any content raised {type(error).__name__}, not ServerError",
    )
    trial.expect(_WORDS in error.message, f"the error does not say what the provider said: {error}")
    trial.expect(not seen and not error.partial, "an error before any content came with content")
    for together in (False, True):
        about = "an error event behind content" + (" in the same bytes" if together else "")
        trial.fault(ErrorEvent(after_events=3, status=500, message=_WORDS), nth=1)
        if together:
            trial.fault(SplitAt(1), nth=1)
        seen, error = await _broken(trial, backend, about)
        trial.expect(type(error) is errors.StreamInterruptedError, f"{about} raised {type(error).__name__}")
        trial.expect(_WORDS in error.message, f"{about}: the error does not say what the provider said: {error}")
        trial.expect(seen, f"{about}: the content before the error was lost")
        trial.equal(error.partial, seen, f"{about}: partial text of the error")
        trial.expect(
            isinstance(error.__cause__, errors.ServerError), f"{about}: the provider's typed error is not the cause"
        )


async def _broken(trial: Trial, backend: Any, about: str) -> tuple[str, Any]:
    """Return the text that came before the error that a stream must raise, and the error."""
    seen: list[str] = []
    async with trial.raises(errors.BackendError, about) as caught:
        async for chunk in trial.stream(backend):
            seen.append(chunk.text)
    return "".join(seen), caught.error


@check("STR-04")
async def str_04(trial: Trial) -> None:
    """A stream that ends without its terminator is an error, not an end."""
    _, tape, player, tested = await recorded(trial)
    size = len(tape.body)
    for offset in sorted({*range(size // 4, size - 3, max(1, size // 60)), *range(size - 30, size - 2)}):
        player.pieces = (tape.body[:offset],)
        await _cut_short(trial, tested, f"a body that ends {size - offset} bytes early")
    backend = await trial.backend(max_retries=0, failure_threshold=1000)
    for action in (
        CutBeforeTerminator(),
        CutBeforeTerminator(closing=True),
        Truncate(0.5),
        CutAfter(size // 2),
        CutAfter(size - 20),
        Reset("body", after=size // 2),
    ):
        trial.fault(action, nth=1)
        await _cut_short(trial, backend, f"a stream that meets {action}")


async def _cut_short(trial: Trial, backend: Any, about: str) -> None:
    seen, error = await _broken(trial, backend, about)
    trial.expect(
        isinstance(error, errors.StreamInterruptedError | errors.TransportError),
        f"{about} raised {type(error).__name__}, not StreamInterruptedError",
    )
    trial.equal(error.partial or "", seen, f"{about}: partial text of the error")


@check("STR-05")
async def str_05(trial: Trial) -> None:
    """The token counts of a stream arrive with its last chunk and stand on its reply."""
    backend = await trial.backend()
    whole = (await trial.call(backend)).usage
    trial.expect(whole.input_tokens and whole.output_tokens, f"the whole answer brought no token counts: {whole}")
    stream = trial.stream(backend)
    chunks = [chunk async for chunk in stream]
    trial.expect(chunks[-1].usage is not None, "the last chunk has no token counts")
    trial.expect(
        all(not chunk.text for chunk in chunks[-1:]) or chunks[-1].finish_reason, "text follows the end of the answer"
    )
    trial.equal(chunks[-1].usage, stream.reply.usage, "token counts of the last chunk and of the reply")
    counted = (stream.reply.usage.input_tokens, stream.reply.usage.output_tokens, stream.reply.usage.estimated)
    trial.equal(
        counted, (whole.input_tokens, whole.output_tokens, False), "token counts of the stream and of the whole answer"
    )


@check("STR-10")
async def str_10(trial: Trial) -> None:
    """A stream without any content and without its terminator is an error."""
    backend = await trial.backend(max_retries=0, failure_threshold=1000)
    for action in (EmptyStream(), EmptyBody(200), CutAfter(0)):
        trial.fault(action, nth=1)
        chunks: list[Piece] = []
        async with trial.raises(errors.BackendError, f"a stream that meets {action}"):
            await events_of(trial.stream(backend), chunks)
        trial.equal(content_of(chunks), "", f"content of a stream that meets {action}")
