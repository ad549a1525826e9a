"""Chapter KEY: which key each request carried, and where keys never show."""

from __future__ import annotations

from collections import Counter
from typing import Final

from conformance.blackbox.findings import NotClaimed, Told
from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import Garbage, Redirect, Status
from conformance.simulators.record import fingerprint
from conformance.simulators.server import Simulator

KEYS: Final = tuple(f"sk-key-{number:02d}-5f0c9e7a1b" for number in range(10))
_MANY: Final = 24
"""Calls after which both of two keys have been used, also where each is picked by chance."""
_SECRET: Final = "sk-planted-c0ffee5eed1234567890"


def _used(trial: Trial, start: int = 0) -> list[str]:
    return [seen.key_fingerprint for seen in trial.requests[start:]]


@question("KEY-03")
async def key_03(trial: Trial) -> None:
    """Without a key the call fails before the wire and names a variable to set; a server that needs none is called without."""
    if not trial.place.variables:
        await trial.client(keys=())
        await trial.call()
        trial.equal(_used(trial), [""], "keys sent to a server that needs none")
        return
    async with trial.failing("a call without any key") as failed:
        await trial.client(keys=())
        await trial.call()
    trial.equal(len(trial.requests), 0, "requests at the server")
    named = any(variable in failed.error.message for variable in trial.place.variables)
    trial.expect(named, f"the error names none of {', '.join(trial.place.variables)}: {failed.error.message[:200]}")


@question("KEY-04", "keys")
async def key_04(trial: Trial) -> None:
    """Round robin spreads calls over the keys within one; least-loaded takes the key with the fewest in flight."""
    ignored = await trial.client(keys=KEYS[:3], wish={"key_strategy": "round_robin"})
    if "key_strategy" not in ignored:
        for _ in range(9):
            await trial.call()
        counts = Counter(_used(trial))
        trial.equal(sorted(counts.values()), [3, 3, 3], "calls per key of 9 calls over 3 keys")
    wish = {"key_strategy": "least_loaded", "max_concurrent_requests": 10}
    if "key_strategy" in await trial.client(keys=KEYS[3:6], wish=wish):
        if not trial.assertions:
            raise NotClaimed("cannot be set: key_strategy")
        return
    trial.sim.hold()
    start = len(trial.requests)
    calls = []
    for number in range(3):
        calls.append(trial.start())
        await trial.until(held=number + 1)
    trial.equal(len(set(_used(trial, start))), 3, "keys in use by three calls in flight")
    trial.sim.let_go(1, skip=1)
    await trial.end(calls[1])
    calls[1] = trial.start()
    await trial.until(held=3)
    trial.equal(_used(trial, start)[3], _used(trial, start)[1], "key taken when only one is free")
    trial.sim.let_go()
    await trial.ends(calls)


@question("KEY-05", "keys")
async def key_05(trial: Trial) -> None:
    """A 429 rests only the key it came for, as long as the provider asked; the others go on and the request is not lost."""
    await trial.client(keys=KEYS[:2])
    while len(set(_used(trial))) < 2:
        await trial.call()
        trial.expect(len(trial.requests) < _MANY, f"only one key is used: {_used(trial)}")
    tired, start = _used(trial)[0], len(trial.requests)
    trial.fault(Status(429, headers=(("retry-after", "1"),)), nth=1, key=tired)
    while tired not in _used(trial, start):
        sent = len(trial.requests)
        await trial.call()
        trial.expect(len(trial.requests) > sent, "a call came back without a request")
        trial.expect(len(trial.requests) < start + _MANY, f"the first key was not used again: {_used(trial)}")
    met = _used(trial).index(tired, start)
    for _ in range(4):
        await trial.call()
    since = trial.requests[met + 1 :]
    early = [
        seen for seen in since if seen.key_fingerprint == tired and seen.arrived < trial.requests[met].arrived + 1.0
    ]
    trial.equal(len(early), 0, "requests with the key within the second that it was told to rest")
    trial.expect(
        since and since[0].key_fingerprint != tired, "the request that met the 429 was not sent with the other key"
    )
    await trial.outlast(1.1)
    start = len(trial.requests)
    for _ in range(_MANY // 2):
        await trial.call()
    trial.expect(tired in _used(trial, start), "the key is not used again after its rest")


@question("KEY-06", "keys")
async def key_06(trial: Trial) -> None:
    """401, 402 and 403 take a key out of service; the next is tried at once, over all healthy keys whatever max_retries says."""
    await trial.client(keys=KEYS, wish={"max_retries": 3})
    dead = KEYS[:7]
    for key, status in zip(dead, (401, 402, 403, 401, 401, 402, 403), strict=True):
        trial.fault(Status(status), key=fingerprint(key))
    for number in range(12):
        try:
            await trial.call()
        except Told as error:
            trial.expect(False, f"call {number} failed although three keys are healthy: {error}")
    counts = Counter(_used(trial))
    again = [counts[fingerprint(key)] for key in dead if counts[fingerprint(key)] > 1]
    trial.equal(again, [], "how often keys were sent again after they were refused")
    trial.equal(sum(counts[fingerprint(key)] for key in KEYS[7:]), 12, "calls answered to healthy keys")
    await trial.client(keys=["sk-dead-0000"], max_retries=0)
    trial.fault(Status(401), key=fingerprint("sk-dead-0000"))
    await trial.refused("a call whose only key is refused")


@question("KEY-09")
async def key_09(trial: Trial) -> None:
    """No key follows a redirect to another host, and an endpoint's key reaches no other endpoint."""
    other = await trial.another_simulator()
    for status in (307, 302):
        # A client that was told 401 elsewhere may rest its only key: each status meets a fresh one.
        await trial.client(keys=KEYS[:1], wish={"max_retries": 0})
        trial.fault(Redirect(_by_name(other, trial) + "/chat/completions", status), nth=1)
        await trial.ends([trial.start()])
        trial.expect(fingerprint(KEYS[0]) not in _at(other), f"the key followed a {status} to another host")
        leaked = [seen for seen in other.requests if KEYS[0] in seen.path + seen.query + repr(seen.headers)]
        trial.equal(len(leaked), 0, f"requests at another host that hold the key after a {status}")
    if "endpoints" not in trial.claims:
        return
    place = {"base_url": other.base_url(trial.place.provider), "api_keys": [KEYS[1]]}
    before = len(other.requests)
    await trial.client(keys=KEYS[:1], endpoints={"other": place})
    start = len(trial.requests)
    await trial.call()
    await trial.call(endpoint="other")
    trial.equal(_used(trial, start), [fingerprint(KEYS[0])], "keys at the first endpoint")
    trial.equal(_at(other)[before:], [fingerprint(KEYS[1])], "keys at the other endpoint")


def _by_name(other: Simulator, trial: Trial) -> str:
    """Return the other server's address under another host name: the same name on another port is one host to some."""
    return other.base_url(trial.place.provider).replace("127.0.0.1", "localhost")


def _at(sim: Simulator) -> list[str]:
    return [seen.key_fingerprint for seen in sim.requests]


@question("KEY-10")
async def key_10(trial: Trial) -> None:
    """A key is in a header, never in an address; it shows in no error and in nothing that the client prints."""
    await trial.client(keys=[_SECRET], wish={"max_retries": 0})
    echo = {
        "error": {"message": f"Incorrect API key provided: {_SECRET}.", "code": f"invalid {_SECRET}", "type": _SECRET}
    }
    actions = (Status(401, body=echo), Status(400, body=echo), Status(500, body=f"no {_SECRET} here"), Garbage())
    for number, action in enumerate(actions, 1):
        await trial.client(keys=[_SECRET], wish={"max_retries": 0})
        trial.fault(action, nth=1)
        error = await trial.refused(f"call {number}, which the server refuses")
        told = repr(vars(error))
        trial.expect(_SECRET not in told, f"the error that call {number} gave shows the key, which the answer quoted")
    await trial.client(keys=[_SECRET])
    await trial.call()
    trial.equal(trial.requests[-1].key_fingerprint, fingerprint(_SECRET), "the key that the server was given")
    in_address = [seen for seen in trial.requests if seen.key_in_url or _SECRET in seen.path + seen.query]
    trial.equal(len(in_address), 0, "requests with the key in their address")
    trial.expect(_SECRET not in trial.printed, "the client prints the key")
