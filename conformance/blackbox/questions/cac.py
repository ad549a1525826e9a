"""Chapter CAC: the cache, by the requests that reach the server."""

from __future__ import annotations

from typing import Any, Final

from conformance.blackbox.findings import Told
from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.checks.cac import QUESTION, REVERSALS, REWORDED
from conformance.simulators.faults import CutBeforeTerminator, Status

_CHANCE: Final[dict[str, Any]] = {"temperature": 0.9}


@question("CAC-01", "cache")
async def cac_01(trial: Trial) -> None:
    """The second of two identical calls is answered from the cache while another call holds the only slot."""
    limited = "limit" in trial.claims
    await trial.client(cache="exact", wish={"max_concurrent_requests": 1})
    first = await trial.call()
    other = None
    if limited:
        trial.sim.hold()
        other = trial.start("something else")
        await trial.until(held=1)
    second = await trial.call()
    trial.equal(len(trial.requests), 1 + limited, "requests at the server: the identical one was not sent again")
    trial.equal(second.text, first.text, "text of the second answer")
    trial.expect(second.cached in (None, True), "the kept answer says that it is fresh")
    trial.expect(not first.cached, "the fresh answer says that it was kept")
    if other is not None:
        trial.sim.let_go()
        await trial.end(other)
    await trial.client()
    await trial.call()
    await trial.call()
    trial.equal(len(trial.requests), 3 + limited, "requests at the server: nothing is kept unless asked for")


@question("CAC-02", "semantic_cache")
async def cac_02(trial: Trial) -> None:
    """Other words for the same hit; a question about something else misses."""
    await trial.client(cache="semantic")
    await trial.call(QUESTION)
    await trial.call(REWORDED)
    trial.equal(len(trial.requests), 1, "requests for a question and the same in other words")
    await trial.call("Why is the sky blue?")
    trial.equal(len(trial.requests), 2, "requests after a question about something else")


@question("CAC-03", "semantic_cache")
async def cac_03(trial: Trial) -> None:
    """Negations and reversals of numbers, names and order are all sent."""
    await trial.client(cache="semantic")
    for number, (one, other) in enumerate(REVERSALS, 1):
        await trial.call(one)
        await trial.call(other)
        trial.equal(len(trial.requests), 2 * number, f"requests up to {one!r} and {other!r}")


@question("CAC-04", "cache")
async def cac_04(trial: Trial) -> None:
    """The same text is sent again for another model, system prompt or parameter, and for a stream."""
    await trial.client(cache="exact", wish={"max_retries": 0})
    await trial.call()
    await trial.call()
    trial.equal(len(trial.requests), 1, "requests of two identical calls")
    variants: dict[str, dict[str, Any]] = {
        "another model": {"model": trial.place.other_model},
        "a limit of tokens": {"options": {"max_tokens": 64}},
        "a system prompt": {
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
        },
    }
    for number, (about, fields) in enumerate(variants.items(), 2):
        await trial.ends([trial.start(**fields)])  # a model that this server does not have is an error, after the wire
        trial.equal(len(trial.requests), number, f"requests after the same text with {about}")


@question("CAC-06", "cache")
async def cac_06(trial: Trial) -> None:
    """After an error, a stream cut short, and a request that asks for chance, the next one is sent again."""
    await trial.client(cache="exact", wish={"max_retries": 0})
    trial.fault(Status(400), nth=1)
    await trial.refused("a call that the server refuses")
    await trial.call()
    trial.equal(len(trial.requests), 2, "requests after an error")
    if "stream" in trial.claims:
        trial.fault(CutBeforeTerminator(closing=True), nth=1)
        await trial.ends([trial.start("streamed", stream=True)])
        await trial.call("streamed", stream=True)
        trial.equal(len(trial.requests), 4, "requests after a stream cut short")
    sent = len(trial.requests)
    if any(isinstance(end, Told) for end in await trial.ends([trial.start("by chance", options=_CHANCE)])):
        return  # this provider's models take no temperature
    await trial.call("by chance", options=_CHANCE)
    trial.equal(len(trial.requests) - sent, 2, "requests with a temperature, asked twice")


@question("CAC-07", "cache")
async def cac_07(trial: Trial) -> None:
    """Five identical calls at once make one request."""
    await trial.client(cache="exact", wish={"max_concurrent_requests": 10})
    trial.sim.hold()
    calls = [trial.start("at once") for _ in range(5)]
    await trial.until(held=1)
    await trial.quiet()
    trial.sim.let_go()
    replies = await trial.ends(calls)
    trial.equal(len(trial.requests), 1, "requests of five identical calls")
    trial.equal(len({getattr(reply, "text", "an error") for reply in replies}), 1, "different answers to the five")
