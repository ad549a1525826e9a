"""Chapters REAL and TRK: answers, counts and errors are the server's, and every call reaches it."""

from __future__ import annotations

from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import Status


@question("REAL-01")
async def real_01(trial: Trial) -> None:
    """The answer carries the nonce that the server put into it for this request."""
    await trial.client()
    for text in ("hello", "hello again"):
        reply = await trial.call(text)
        trial.expect(trial.requests, "an answer came back, but the server has seen no request")
        shown = trial.requests[-1].nonce in reply.text
        trial.expect(shown, f"the text is not the server's, its nonce is missing: {reply.text[:80]!r}")
    if "stream" in trial.claims:
        reply = await trial.call(stream=True)
        shown = trial.requests[-1].nonce in "".join(reply.pieces)
        trial.expect(shown, "the text of the stream is not the server's, its nonce is missing")


@question("REAL-02")
async def real_02(trial: Trial) -> None:
    """Every call is seen at the server: as many as were made."""
    await trial.client()
    for number in range(1, 4):
        await trial.call("the same words")
        trial.equal(len(trial.requests), number, f"requests after call {number} of the same words")
    if "stream" in trial.claims:
        await trial.call("the same words", stream=True)
        trial.equal(len(trial.requests), 4, "requests after a stream")
    if "embed" in trial.claims:
        sent = len(trial.requests)
        one, same, other = [(await trial.embed([text])).vectors for text in ("one", "one", "another")]
        trial.equal(len(trial.requests) - sent, 3, "requests of three embeddings, two of them of the same words")
        trial.expect(one == same != other, "the vectors do not depend on the words alone")


@question("REAL-04")
async def real_04(trial: Trial) -> None:
    """When the provider's answer, usage or error changes, the client's changes with it."""
    await trial.client(wish={"max_retries": 0})
    first, second = await trial.call("one"), await trial.call("two")
    trial.expect(first.text != second.text, "two different answers of the server gave the same reply")
    if "usage" in trial.claims:
        longer = await trial.call("one " * 400)
        changed = first.input_tokens != longer.input_tokens
        trial.expect(changed, f"the usage does not change with the answer's: {first.input_tokens} tokens both times")
    for words in ("the first complaint 7f3a", "another complaint 9c1d"):
        trial.fault(Status(400, message=words), nth=1)
        error = await trial.refused("a call that the server refuses")
        trial.expect(words in error.message, f"the error does not say {words!r}: {error}")
