"""Chapter STR: what a caller is handed of streams that the server delays, cuts, breaks and fills with noise."""

from __future__ import annotations

from typing import Any, Final

from conformance.blackbox.findings import Told
from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import (
    CutAfter,
    CutBeforeTerminator,
    ErrorEvent,
    Hang,
    Pings,
    Reset,
    SlowChunks,
    SplitEvery,
)

TOOL: Final = {
    "name": "weather_7f3a",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
_WORDS: Final = "the engine took fire 7f3a"


async def _alone(trial: Trial, **settings: Any) -> None:
    """Make a client whose every call is one attempt, where it can be told so."""
    await trial.client(**{"wish": {"max_retries": 0}, **settings})


async def _whole(trial: Trial) -> str:
    """Return the text of a whole answer without its nonce, to compare streams with."""
    reply = await trial.call()
    text = reply.text.replace(trial.requests[-1].nonce, "")
    trial.expect(text and not text.isascii(), f"the whole answer came as {reply.text[:80]!r}")
    return text


@question("STR-01", "stream")
async def str_01(trial: Trial) -> None:
    """The chunks joined are the whole text, and the first one arrives before the server has sent the last."""
    await _alone(trial)
    expected = await _whole(trial)
    trial.fault(SlowChunks(0.05), nth=1)
    stream = trial.start(stream=True)
    await stream.until(pieces=1)
    trial.expect(not trial.requests[-1].finished, "the first text came only when the server had sent everything")
    reply = await trial.end(stream)
    joined = "".join(reply.pieces)
    trial.equal(joined.replace(trial.requests[-1].nonce, ""), expected, "chunks joined, compared with the whole answer")
    trial.expect(sum(map(bool, reply.pieces)) >= 5, f"the text came in {sum(map(bool, reply.pieces))} pieces")


async def _broken(trial: Trial, about: str) -> tuple[str, Told]:
    """Return the text that came before the error that a stream must end in, and the error."""
    stream = trial.start(stream=True)
    async with trial.failing(about) as failed:
        await trial.end(stream)
    return "".join(stream.pieces), failed.error


@question("STR-03", "stream")
async def str_03(trial: Trial) -> None:
    """An error event inside an answer 200 is a typed error, with the partial text when content had come."""
    await _alone(trial)
    trial.fault(ErrorEvent(after_events=0, status=500, message=_WORDS))
    seen, error = await _broken(trial, "an error event before any content")
    trial.expect(_WORDS in error.message, f"the error does not say what the provider said: {error}")
    trial.expect(error.kind != "other", f"the client has no name for it: {error.type}")
    trial.equal(seen, "", "content before an error that came first")
    trial.sim.forget_faults()
    await _alone(trial)
    trial.fault(ErrorEvent(after_events=3, status=500, message=_WORDS), nth=1)
    seen, error = await _broken(trial, "an error event behind content")
    trial.expect(_WORDS in error.message, f"the error does not say what the provider said: {error}")
    trial.expect(error.kind != "other", f"the client has no name for it: {error.type}")
    trial.expect(seen or error.partial, "the content before the error was lost")


@question("STR-04", "stream")
async def str_04(trial: Trial) -> None:
    """A stream that ends without its terminator is an error, not an end."""
    await _alone(trial)
    await trial.call(stream=True)
    size = trial.requests[-1].sent
    for action in (
        Reset("body", after=size // 2),
        CutAfter(size // 2),
        CutBeforeTerminator(closing=True),
        CutBeforeTerminator(),
    ):
        await _alone(trial)
        trial.fault(action, nth=1)
        await _broken(trial, f"a stream that meets {action}")


@question("STR-05", "stream", "usage")
async def str_05(trial: Trial) -> None:
    """The token counts of a stream arrive with its last chunk and are those of the whole answer."""
    await _alone(trial)
    whole = await trial.call()
    stream = await trial.call(stream=True)
    trial.expect(whole.input_tokens and whole.output_tokens, "the whole answer brought no token counts")
    counted = (stream.input_tokens, stream.output_tokens)
    trial.equal(
        counted, (whole.input_tokens, whole.output_tokens), "token counts of the stream and of the whole answer"
    )
    trial.expect(not stream.estimated, "the provider's counts are marked as estimates")


@question("STR-06", "stream")
async def str_06(trial: Trial) -> None:
    """Pings, comments, unknown events and blank choices change nothing, however the bytes are split."""
    await _alone(trial)
    expected = await _whole(trial)
    actions: tuple[Any, ...] = ((Pings(),), (Pings(), SplitEvery(17))) if trial.place.pings else ((SplitEvery(17),),)
    for together in actions:
        for action in together:
            trial.fault(action, nth=1)
        reply = await trial.call(stream=True)
        text = "".join(reply.pieces).replace(trial.requests[-1].nonce, "")
        trial.equal(text, expected, f"text when the stream meets {' and '.join(map(str, together))}")


@question("STR-07", "stream", "tools")
async def str_07(trial: Trial) -> None:
    """The pieces of a tool call assemble to the whole call."""
    await _alone(trial)
    whole = await trial.call(options={"tools": [TOOL]})
    expected = _calls(trial, whole.tool_calls)
    trial.equal([name for name, _ in expected], [TOOL["name"]], "tools called by the whole answer")
    stream = await trial.call(stream=True, options={"tools": [TOOL]})
    trial.equal(_calls(trial, stream.tool_calls), expected, "tool calls of the stream and of the whole answer")


def _calls(trial: Trial, made: tuple[dict[str, Any], ...]) -> list[tuple[str, str]]:
    return [(call["name"], repr(call["arguments"]).replace(trial.requests[-1].nonce, "nonce")) for call in made]


@question("STR-08", "stream", "timeouts")
async def str_08(trial: Trial) -> None:
    """A stream of which nothing comes, or no more comes, ends in an error after the client's timeout."""
    for action in (Hang(), Hang(after=3)):
        await _alone(trial, read_timeout=0.3)
        trial.fault(action)
        _, error = await _broken(trial, f"a stream that meets {action}")
        trial.expect(error.kind != "other", f"the client has no name for it: {error.type}")
        trial.sim.forget_faults()
