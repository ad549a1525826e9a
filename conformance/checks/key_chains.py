"""Chapter KEY: keys called by name, and chains over several backends, judged by what reached which server and when."""

from __future__ import annotations

from collections import Counter
from typing import Any

from backends import errors
from backends.failover import Hop
from backends.multiplexer import ApiKeyMultiplexer
from backends.secret import Key
from conformance.check import check
from conformance.checks.common import elsewhere
from conformance.checks.key import KEYS
from conformance.simulators.faults import CutBeforeTerminator, Status
from conformance.simulators.record import fingerprint
from conformance.simulators.server import Simulator
from conformance.trial import Trial

_HELLO = [{"role": "user", "content": "hello"}]


@check("KEY-15")
async def key_15(trial: Trial) -> None:
    """A call that names a key goes with that key alone, the others with any; without a key nothing is sent."""
    backend = await trial.backend(api_keys=KEYS[:2], max_retries=0)
    second = fingerprint(KEYS[1])
    for _ in range(3):
        await trial.call(backend, use_key=second)
    trial.equal(
        Counter(seen.key_fingerprint for seen in trial.requests), {second: 3}, "keys of calls that name the second"
    )
    await trial.call(backend)
    await trial.call(backend)
    trial.equal(len({seen.key_fingerprint for seen in trial.requests[3:]}), 2, "keys of two calls that name none")
    trial.fault(Status(401), nth=1)
    async with trial.raises(errors.AuthenticationError, "the named key is refused"):
        await trial.call(backend, use_key=second)
    trial.equal(len(trial.requests), 6, "requests when the named key was refused")
    sent = len(trial.requests)
    async with trial.raises(errors.AuthenticationError, "a key that is not there"):
        await trial.call(backend, use_key="no-such-key")
    for key in KEYS[:2]:
        backend.remove_key(fingerprint(key))
    async with trial.raises(errors.AuthenticationError, "a call without any key left"):
        await trial.call(backend)
    trial.equal(len(trial.requests), sent, "requests without a key")


@check("KEY-16")
async def key_16(trial: Trial) -> None:
    """A wait longer than the call's patience ends it at once, with the failure at hand; a shorter one does not."""
    backend = await trial.backend(max_retries=3, initial_retry_delay=4.0, jitter=0.0)
    began = trial.now
    trial.fault(Status(503), nth=(1, 2))
    async with trial.raises(errors.ServerError, "an impatient call") as caught:
        await trial.call(backend, patience=3.0)
    trial.equal(caught.error.attempts, 1, "attempts of the impatient call")
    trial.equal(trial.now - began, 0.0, "seconds that it waited")
    await trial.call(backend, patience=5.0)
    trial.equal(len(trial.requests), 3, "requests with a call that had the patience")
    trial.close_to(trial.now - began, 4.0, "seconds that the second call waited")
    async with trial.raises(errors.InvalidRequestError, "a patience below zero"):
        await trial.call(backend, patience=-1.0)


async def _two_hops(trial: Trial, **settings: Any) -> tuple[ApiKeyMultiplexer, Simulator]:
    """Return a multiplexer with the chain ``both`` over two servers, and the second server."""
    other = await trial.another_simulator()
    multiplexer = ApiKeyMultiplexer(clock=trial.clock)
    multiplexer.add_backend("first", await trial.backend(**settings))
    multiplexer.add_backend("second", await trial.backend(**{**settings, **_named(elsewhere(trial, other))}))
    multiplexer.create_chain("both", ["first", Hop("second")])
    return multiplexer, other


def _named(place: dict[str, Any]) -> dict[str, Any]:
    return {"base_url": place["base_url"], "api_keys": [Key(place["api_key"], "spare")]}


@check("KEY-17")
async def key_17(trial: Trial) -> None:
    """A chain goes on without sleeping after an outage, under one id and one deadline, and says why; a bad request is not repeated."""
    multiplexer, other = await _two_hops(trial, max_retries=5, initial_retry_delay=8.0)
    began = trial.now
    trial.fault(Status(503), nth=1)
    reply = await multiplexer.achat(
        _HELLO, chain="both", deadline=30.0, request_id="11111111-2222-4333-8444-555555555555"
    )
    trial.equal(trial.now - began, 0.0, "seconds slept on the way")
    trial.equal((len(trial.requests), len(other.requests)), (1, 1), "requests at the two servers")
    trial.equal(reply.request_id, "11111111-2222-4333-8444-555555555555", "the id of the answer")
    trial.equal([(hop.client, hop.status, hop.attempts) for hop in reply.hops], [("first", 503, 1)], "the hops told of")
    trial.fault(Status(400), nth=1)
    async with trial.raises(errors.InvalidRequestError, "a request at fault itself") as caught:
        await multiplexer.achat(_HELLO, chain="both")
    trial.equal((len(trial.requests), len(other.requests)), (2, 1), "requests after the bad one")
    trial.equal([hop.client for hop in caught.error.hops], ["first"], "the hops of the bad request")
    trial.fault(Status(503), nth=1)
    other.hold()
    waiting = trial.spawn(multiplexer.achat(_HELLO, chain="both", deadline=3.0))
    await other.until(held=1)
    await trial.sleep(3.5)
    async with trial.raises(errors.DeadlineExceededError, "the deadline of the whole chain") as late:
        await waiting
    other.let_go()
    trial.equal([hop.error for hop in late.error.hops][-1:], ["DeadlineExceededError"], "why the chain ended")
    hops = multiplexer.report()["chains"]["both"]["hops"]
    trial.equal([hop["answered"] for hop in hops], [0, 1], "answers by hop in the report")
    trial.equal(sum(hops[0]["failed"].values()), 3, "failures of the first hop in the report")


@check("KEY-18")
async def key_18(trial: Trial) -> None:
    """A stream begins at the next hop as long as there was no content, and ends where content had come."""
    multiplexer, other = await _two_hops(trial, max_retries=0)
    trial.fault(Status(503), nth=1)
    stream = multiplexer.astream_chat(_HELLO, chain="both")
    text = "".join([chunk.text async for chunk in stream])
    trial.equal(text, stream.reply.text, "the text of the second hop's stream")
    trial.equal([hop.client for hop in stream.reply.hops], ["first"], "the hops told of")
    trial.equal(len(other.requests), 1, "requests at the second server")
    trial.fault(CutBeforeTerminator(), nth=1)
    async with trial.raises(errors.StreamInterruptedError, "a stream that dies after content") as caught:
        await multiplexer.astream_chat(_HELLO, chain="both").collect()
    trial.equal(len(other.requests), 1, "requests at the second server after content had come")
    trial.equal(len(caught.error.hops), 1, "hops told of")
    trial.equal(multiplexer.report()["chains"]["both"]["calls"], 2, "calls in the report")
