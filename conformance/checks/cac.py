"""Chapter CAC: the cache, judged by the requests that reach the server."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from backends import errors
from backends.cache import Cache
from backends.telemetry.events import AttemptEnded, CallEnded, CallStarted, Event
from conformance.check import check
from conformance.checks.common import elsewhere
from conformance.checks.toy_embedder import always_alike, bag_of_words, cosine
from conformance.simulators.faults import CutBeforeTerminator, Status
from conformance.trial import Trial

QUESTION = "How do I reset my password?"
REWORDED = "How can I reset my password"
REVERSALS = (
    ("Is it safe to eat raw eggs?", "Is it not safe to eat raw eggs?"),
    ("Which plants are poisonous to cats?", "Which plants are non poisonous to cats?"),
    ("Is this mushroom edible?", "Is this mushroom inedible?"),
    ("What is 15 percent of 80 dollars?", "What is 80 percent of 15 dollars?"),
    ("Convert 5 miles to kilometers please", "Convert 5 kilometers to miles please"),
    ("How hot is 30 degrees Celsius outside?", "How hot is 30 degrees Fahrenheit outside?"),
    ("Who was the president of Brazil in 1999?", "Who was the president of Brazil in 1998?"),
    ("What is the capital of Austria?", "What is the capital of Australia?"),
    ("Did Arsenal beat Chelsea yesterday?", "Did Chelsea beat Arsenal yesterday?"),
    ("Show flights from Paris to London", "Show flights from London to Paris"),
    ("Show flights from Oslo to Rome", "Show flights to Oslo from Rome"),
    ("Is gold heavier than lead?", "Is lead heavier than gold?"),
    ("List the most expensive cities", "List the least expensive cities"),
    ("Should I take it before dinner?", "Should I take it after dinner?"),
)
"""Texts that an embedding puts beside each other although they ask for something else."""


@check("CAC-01")
async def cac_01(trial: Trial) -> None:
    """The second of two identical calls is answered from the cache while another call holds the only slot."""
    backend = await trial.backend(cache="exact", max_concurrent_requests=1)
    first = await trial.call(backend)
    trial.sim.hold()
    other = trial.spawn(trial.call(backend, "something else"))
    await trial.sim.until(held=1)
    second = await trial.call(backend, deadline=5.0)
    trial.equal(len(trial.requests), 2, "requests at the server: the identical one was not sent again")
    trial.equal((first.cached, second.cached), (False, True), "whether the replies say that they were kept")
    trial.equal((second.cost, second.attempts), (0.0, 0), "cost and attempts of a kept reply")
    trial.equal(second.raw, first.raw, "the provider's payload, replayed")
    trial.expect(second.request_id != first.request_id, "both calls have the same id")
    report = backend.report()
    trial.equal((report["total_requests"], report["active_requests"]), (2, 1), "requests counted and in flight")
    trial.equal((report["cache"]["hits"], report["cache"]["misses"]), (1, 2), "hits and misses in the report")
    trial.sim.let_go()
    await other
    bypassed = await trial.call(backend, cache=False)
    trial.equal((len(trial.requests), bypassed.cached), (3, False), "requests after a call with cache=False")
    plain = await trial.backend()
    await trial.call(plain)
    await trial.call(plain)
    trial.equal(len(trial.requests), 5, "requests at the server: nothing is kept unless asked for")


@check("CAC-02")
async def cac_02(trial: Trial) -> None:
    """Other words for the same hit at the threshold and miss below it, in both modes; at 0 only identical requests hit."""
    near = cosine(bag_of_words(QUESTION), bag_of_words(REWORDED))
    expected = {0.0: False, near - 0.05: True, near: True, near + 0.05: False}
    found: dict[float, bool] = {}
    for threshold in expected:
        backend = await trial.backend(cache=Cache(threshold, bag_of_words))
        await trial.call(backend, QUESTION)
        reply = await trial.call(backend, REWORDED)
        found[threshold] = reply.cached
        trial.expect((await trial.call(backend, QUESTION)).cached, f"an identical request missed at {threshold:g}")
        unrelated = await trial.call(backend, "Why is the sky blue?")
        trial.expect(not unrelated.cached, "a question about something else hit")
    trial.equal(found, expected, f"hits by threshold of two questions whose cosine is {near:.3f}")
    trial.equal(len(trial.requests), sum(3 - hit for hit in expected.values()), "requests at the server")
    async with trial.threads() as side:
        for threshold, hit in expected.items():
            twin = side.backend(cache=Cache(threshold, bag_of_words))
            replies = [await side.run(_asked, trial, twin, text) for text in (QUESTION, REWORDED)]
            trial.equal(
                [reply.cached for reply in replies], [False, hit], f"hits of the synchronous twin at {threshold:g}"
            )


def _asked(trial: Trial, backend: Any, text: str) -> Any:
    return getattr(backend, trial.subject.call_name)(*trial.subject.call_arguments(text))


@check("CAC-03")
async def cac_03(trial: Trial) -> None:
    """Reversals whose embeddings are near, or even equal, are all sent; a mere change of form still hits."""
    for embedder, threshold in ((bag_of_words, 0.7), (always_alike, 1.0)):
        cache = Cache(threshold, embedder)
        backend = await trial.backend(cache=cache)
        for one, other in REVERSALS:
            await trial.call(backend, one)
            reply = await trial.call(backend, other)
            trial.expect(not reply.cached, f"the answer to {one!r} was given to {other!r}")
            back = await trial.call(backend, one)
            trial.expect(back.cached, f"{one!r} was not kept")
        turned_away = backend.report()["cache"]["guarded"]
        trial.expect(turned_away >= len(REVERSALS) - 1, f"look-alikes turned away: {turned_away}")
        await trial.call(backend, QUESTION)
        trial.expect((await trial.call(backend, REWORDED)).cached, "a question in another form missed")
    trial.equal(len(trial.requests), 2 * (2 * len(REVERSALS) + 1), "requests at the server")


@check("CAC-04")
async def cac_04(trial: Trial) -> None:
    """The same text is sent again for another model, tenant, header, endpoint, and with each feature of the provider."""
    backend = await trial.backend(cache=Cache(0.5, always_alike, store_sampled=True), max_retries=0)
    other = await trial.another_simulator()
    backend.create_endpoint("far", **elsewhere(trial, other))
    backend.create_endpoint("near", max_retries=0)
    await trial.call(backend)
    trial.expect((await trial.call(backend)).cached, "an identical request missed")
    variants: dict[str, dict[str, Any]] = {
        "model": {"model": "another-model"},
        "tenant": {"cache_tenant": "another tenant"},
        "header": {"extra_headers": {"x-variant": "another"}},
        "endpoint": {"endpoint": "near"},
    }
    for name, options in variants.items():
        sent = len(trial.requests)
        await trial.outcomes([trial.call(backend, **options)])  # a model that is unknown is an error, after the wire
        trial.equal(len(trial.requests) - sent, 1, f"requests for the same text with another {name}")
    trial.expect(
        (await trial.call(backend, cache_tenant="another tenant")).cached, "a tenant's own answer was not found"
    )
    await trial.call(backend, endpoint="far")
    trial.equal(len(other.requests), 1, "requests for the same text at another address")
    plain = await trial.backend()
    asked = {trial.requests[0].body}
    for name, case in trial.subject.features.items():
        await case.run(plain)
        body, sent = trial.requests[-1].body, len(trial.requests)
        await case.run(backend)
        new = len(trial.requests) > sent
        trial.expect(new or body in asked, f"with {name} the answer of another request was given")
        asked.add(body)


@check("CAC-05")
async def cac_05(trial: Trial) -> None:
    """Answers expire, make room, can be invalidated and counted, and are found again in their file unless it is damaged."""
    cache = Cache(max_entries=2, ttl=60.0)
    backend = await trial.backend(cache=cache)
    await trial.call(backend, "one")
    await trial.sleep(59.0)
    trial.expect((await trial.call(backend, "one")).cached, "an answer was forgotten before its time")
    await trial.sleep(1.0)
    trial.expect(not (await trial.call(backend, "one")).cached, "an answer was given after its time")
    await trial.call(backend, "two", cache_tenant="b")
    await trial.call(backend, "one")
    await trial.call(backend, "three")
    trial.expect((await trial.call(backend, "one")).cached, "the answer used last made room")
    trial.expect(not (await trial.call(backend, "two", cache_tenant="b")).cached, "three answers are kept, not two")
    trial.equal(cache.invalidate(tenant="b"), 1, "answers of one tenant that were invalidated")
    trial.expect(not (await trial.call(backend, "two", cache_tenant="b")).cached, "an invalidated answer was given")
    counts = cache.statistics()
    trial.equal((counts.entries, counts.expired, counts.invalidated), (2, 1, 1), "entries, expired, invalidated")
    trial.equal(counts.stored - counts.evicted - counts.expired - counts.invalidated, 2, "stored less those that left")
    trial.equal((cache.clear(), cache.statistics().bytes), (2, 0), "answers cleared, and bytes held then")
    with tempfile.TemporaryDirectory() as folder:
        await _in_a_file(trial, Path(folder) / "answers.db")


async def _in_a_file(trial: Trial, path: Path) -> None:
    first = await trial.backend(cache=Cache(path=path))
    reply = await trial.call(first)
    second = await trial.backend(cache=Cache(path=path))
    again = await trial.call(second)
    trial.equal((again.cached, again.raw), (True, reply.raw), "the reply of another process of the same file")
    path.write_bytes(b"not a database at all" * 100)  # noqa: ASYNC240 - a few bytes, and nothing else runs
    damaged = Cache(path=path)
    third = await trial.backend(cache=damaged)
    trial.expect(not (await trial.call(third)).cached, "an answer came out of a damaged file")
    trial.expect(damaged.statistics().file_failures > 0, "the damage was not noticed")


@check("CAC-06")
async def cac_06(trial: Trial) -> None:
    """After an error, a stream cut short or left early, and a request that asks for chance, the next one is sent again."""
    backend = await trial.backend(cache="exact", max_retries=0, failure_threshold=100)
    trial.fault(Status(500), nth=1)
    async with trial.raises(errors.ServerError, "a call that the server fails"):
        await trial.call(backend)
    trial.expect(not (await trial.call(backend)).cached, "something was kept of an error")
    trial.equal(len(trial.requests), 2, "requests at the server after an error")
    if trial.subject.stream is not None:
        trial.fault(CutBeforeTerminator(), nth=1)
        async with trial.raises(errors.BackendError, "a stream cut short"):
            await trial.stream(backend).collect()
        left = trial.stream(backend)
        await anext(left)
        await left.aclose()
        whole = await trial.stream(backend).collect()
        trial.equal((len(trial.requests), whole.cached), (5, False), "requests after a stream cut short and one left")
    chance = trial.subject.features.get("sampling")
    if chance is not None:
        sent = len(trial.requests)
        await chance.run(backend)
        await chance.run(backend)
        trial.equal(len(trial.requests) - sent, 2, "requests with a temperature, asked twice")
        willing = await trial.backend(cache=Cache(store_sampled=True))
        await chance.run(willing)
        trial.expect((await chance.run(willing)).cached, "store_sampled=True kept nothing")


@check("CAC-07")
async def cac_07(trial: Trial) -> None:
    """Five identical calls at once make one request; a cancelled leader hands over, a failing one fails all."""
    backend = await trial.backend(cache="exact", max_retries=0, max_concurrent_requests=10)
    trial.sim.hold()
    calls = [trial.spawn(trial.call(backend, "at once")) for _ in range(5)]
    await trial.sim.until(held=1)
    await trial.settle()
    trial.equal(len(trial.requests), 1, "requests of five identical calls")
    trial.sim.let_go()
    replies = await asyncio.gather(*calls)
    trial.equal(sorted(reply.cached for reply in replies), [False, True, True, True, True], "who was answered for free")
    trial.equal(len({repr(reply.raw) for reply in replies}), 1, "different answers to the five")
    trial.equal(len({reply.request_id for reply in replies}), 5, "ids of the five")

    trial.sim.hold()
    leader, *others = [trial.spawn(trial.call(backend, "led", deadline=300.0)) for _ in range(3)]
    await trial.sim.until(held=1)
    leader.cancel()
    await trial.outcomes([leader])
    await trial.settle()
    trial.equal(len(trial.requests), 3, "requests after the leader was cancelled: one of the others leads")
    trial.sim.let_go()
    led = await asyncio.gather(*others)
    trial.equal(sorted(reply.cached for reply in led), [False, True], "who was answered for free after that")

    trial.sim.hold()
    trial.fault(Status(503), nth=1)
    doomed = [trial.spawn(trial.call(backend, "doomed")) for _ in range(3)]
    await trial.sim.until(held=1)
    trial.sim.let_go()
    ends = await trial.outcomes(doomed)
    trial.expect(all(isinstance(end, errors.ServerError) for end in ends), f"how three identical calls ended: {ends}")
    trial.equal(len(trial.requests), 4, "requests of three identical calls, the first of which failed")


@check("CAC-08")
async def cac_08(trial: Trial) -> None:
    """A kept stream comes chunk by chunk as the first did, with the same reply, while another call holds the only slot."""
    backend = await trial.backend(cache="exact", max_concurrent_requests=1)
    stream = trial.stream(backend)
    chunks = [chunk async for chunk in stream]
    trial.sim.hold()
    other = trial.spawn(trial.call(backend, "something else"))
    await trial.sim.until(held=1)
    replayed = trial.stream(backend, deadline=5.0)
    again = [chunk async for chunk in replayed]
    trial.equal(again, chunks, "the chunks, replayed")
    trial.expect(sum(bool(chunk.text) for chunk in again) > 1, "the text came in one chunk")
    first, second = stream.reply, replayed.reply
    trial.equal((second.text, second.usage), (first.text, first.usage), "text and usage of the reply")
    trial.equal((second.cached, second.cost, second.attempts), (True, 0.0, 0), "what the reply says of itself")
    trial.equal(len(trial.requests), 2, "requests at the server: the stream was not asked for again")
    trial.sim.let_go()
    await other
    trial.expect(not (await trial.call(backend)).cached, "a whole answer was made of a stream")


@check("CAC-09")
async def cac_09(trial: Trial) -> None:
    """Whatever an embedder does, the call is answered by the provider, and an identical one from the cache."""
    sizes = iter((3, 3, 4, 4))

    async def raises(text: str) -> list[float]:
        raise ConnectionError("no embedder here")

    async def hangs(text: str) -> list[float]:
        await asyncio.sleep(3600.0)
        return [1.0]

    def changes(text: str) -> list[float]:
        return [1.0] * next(sizes)

    embedders: dict[str, Any] = {
        "that raises": raises,
        "that hangs": hangs,
        "without a vector": lambda text: None,
        "with an empty vector": lambda text: [],
        "with zeros": lambda text: [0.0, 0.0],
        "with no number": lambda text: [float("nan"), 1.0],
        "that changes its dimension": changes,
    }
    for name, embedder in embedders.items():
        sent, began = len(trial.requests), trial.now
        backend = await trial.backend(cache=Cache(0.5, embedder, embedder_timeout=2.0))
        replies = [await trial.call(backend, text) for text in (QUESTION, "Why is the sky blue?", REWORDED, QUESTION)]
        trial.equal([reply.cached for reply in replies], [False] * 3 + [True], f"hits with an embedder {name}")
        trial.equal(len(trial.requests) - sent, 3, f"requests with an embedder {name}")
        trial.expect(trial.now - began < 10.0, f"an embedder {name} held its calls up for {trial.now - began:g} s")


@check("CAC-10")
async def cac_10(trial: Trial) -> None:
    """A call that the cache answers starts and ends once for observers: as a success out of a cache, without an attempt,
    at cost 0."""
    events: list[Event] = []
    backend = await trial.backend(cache="exact", observers=[events.append])
    sent = await trial.call(backend)
    kept = await trial.call(backend)
    told = {
        reply.request_id: [one for one in events if one.call.request_id == reply.request_id] for reply in (sent, kept)
    }
    shapes = [[type(event) for event in one] for one in told.values()]
    trial.equal(
        shapes, [[CallStarted, AttemptEnded, CallEnded], [CallStarted, CallEnded]], "events of a call and a hit"
    )
    ends: list[Any] = [one[-1] for one in told.values()]
    trial.equal([end.cached for end in ends], [False, True], "which of both came out of a cache")
    trial.equal((ends[1].outcome, ends[1].attempts, ends[1].cost), ("success", 0, 0.0), "the end of a hit")
    trial.equal(ends[1].usage, kept.usage, "the usage that a hit is told with")
