"""Chapter KEY: several keys, judged by which of them each request carried."""

from __future__ import annotations

import asyncio
from collections import Counter

from backends import errors
from conformance.check import check
from conformance.checks.common import ENDPOINT_KEY, elsewhere, marked
from conformance.simulators.faults import Redirect, Status
from conformance.simulators.record import fingerprint
from conformance.trial import Trial

KEYS = tuple(f"sk-key-{number:02d}-5f0c9e7a1b" for number in range(10))


def used(trial: Trial, start: int = 0) -> list[str]:
    """Return which key each request carried, from one on, as fingerprints."""
    return [seen.key_fingerprint for seen in trial.requests[start:]]


@check("KEY-04")
async def key_04(trial: Trial) -> None:
    """Round robin spreads calls over the keys within one; least-loaded takes the key with the fewest in flight and rotates among equals."""
    backend = await trial.backend(api_keys=KEYS[:3])
    for _ in range(10):
        await trial.call(backend)
    counts = Counter(used(trial))
    trial.equal(len(counts), 3, "keys used by 10 calls over 3 keys")
    trial.expect(max(counts.values()) - min(counts.values()) <= 1, f"round robin is uneven: {sorted(counts.values())}")

    balanced = await trial.backend(api_keys=KEYS[3:6], key_strategy="least_loaded", max_concurrent_requests=10)
    start = len(trial.requests)
    for _ in range(6):
        await trial.call(balanced)
    counts = Counter(used(trial, start))
    trial.expect(len(counts) == 3 and max(counts.values()) == 2, f"ties do not rotate: {sorted(counts.values())}")
    trial.sim.hold()
    start = len(trial.requests)
    calls = [trial.spawn(trial.call(balanced)) for _ in range(2)]
    await trial.sim.until(held=2)
    third = trial.spawn(trial.call(balanced))
    await trial.sim.until(held=3)
    trial.equal(len(set(used(trial, start))), 3, "keys in use by three calls in flight")
    trial.sim.let_go(1)
    await trial.settle()
    freed = used(trial, start)[0]
    fourth = trial.spawn(trial.call(balanced))
    await trial.sim.until(seen=start + 4)
    trial.equal(used(trial, start)[3], freed, "key taken when only one is free")
    trial.sim.let_go()
    await asyncio.gather(*calls, third, fourth)


@check("KEY-05")
async def key_05(trial: Trial) -> None:
    """A 429 rests only the key it came for, as long as the provider asked; the others go on and the request is not lost."""
    backend = await trial.backend(api_keys=KEYS[:2], jitter=0.0)
    tired, fresh = fingerprint(KEYS[0]), fingerprint(KEYS[1])
    trial.fault(Status(429, headers=(("retry-after", "20"),)), nth=1, key=tired)
    before = trial.now
    await trial.call(backend)
    trial.equal(used(trial), [tired, fresh], "keys used by the request that met the 429")
    trial.close_to(trial.now, before, "time lost by changing the key", 0.1)
    for _ in range(4):
        await trial.call(backend)
    trial.equal(set(used(trial, 2)), {fresh}, "keys used while the other rests")
    await trial.sleep(20.5)
    start = len(trial.requests)
    for _ in range(2):
        await trial.call(backend)
    trial.equal(set(used(trial, start)), {tired, fresh}, "keys used after the rest")


@check("KEY-06")
async def key_06(trial: Trial) -> None:
    """401, 402 and 403 take a key out of service; the next is tried at once, over all healthy keys whatever max_retries says."""
    backend = await trial.backend(api_keys=KEYS, max_retries=3)
    for number, status in enumerate((401, 402, 403, 401, 401, 402, 403)):
        trial.fault(Status(status), key=fingerprint(KEYS[number]))
    before = trial.now
    await trial.call(backend)
    trial.close_to(trial.now, before, "time lost on the way to a healthy key", 0.1)
    trial.equal(used(trial), [fingerprint(key) for key in KEYS[:8]], "keys tried")
    for _ in range(6):
        await trial.call(backend)
    trial.equal(set(used(trial, 8)), {fingerprint(key) for key in KEYS[7:]}, "keys used afterwards")
    lonely = await trial.backend(api_key="sk-dead-0000")
    trial.fault(Status(401), key=fingerprint("sk-dead-0000"))
    async with trial.raises(errors.AuthenticationError, "a call whose only key is refused"):
        await trial.call(lonely)


@check("KEY-07")
async def key_07(trial: Trial) -> None:
    """What the keys used adds up to the totals, and no key counts a request in flight when idle."""
    backend = await trial.backend(
        api_keys=KEYS[:3], max_concurrent_requests=4, max_retries=1, initial_retry_delay=0.1, failure_threshold=100
    )
    trial.fault(Status(500), nth=(2, 9))
    trial.fault(Status(400), nth=4)
    await trial.outcomes(trial.call(backend, marked(number)) for number in range(8))
    if trial.subject.stream is not None:
        await trial.stream(backend).collect()
        stream = trial.stream(backend)
        await anext(stream)
        await stream.aclose()
    trial.sim.hold()
    doomed = trial.spawn(trial.call(backend))
    await trial.sim.until(held=1)
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    trial.sim.let_go()
    await trial.settle()
    status = backend.endpoint().key_status()
    trial.equal([key.in_flight for key in status], [0, 0, 0], "requests in flight per key while idle")
    trial.equal(
        sum(key.requests for key in status), len(trial.requests), "requests of the keys together and at the server"
    )
    seen = Counter(used(trial))
    trial.equal({key.fingerprint: key.requests for key in status}, dict(seen), "requests per key")
    report = backend.report()
    trial.equal(
        sum(key["requests"] for key in report["keys"]),
        report["attempts"],
        "requests of the keys and attempts in the report",
    )
    tokens = sum(key.input_tokens for key in status)
    trial.equal(tokens, report["tokens"]["input"], "input tokens of the keys together and in total")


@check("KEY-08")
async def key_08(trial: Trial) -> None:
    """Keys are added, rotated and removed while calls fly; what is in flight ends on the key it began with."""
    backend = await trial.backend(api_keys=KEYS[:2], max_concurrent_requests=10)
    trial.sim.hold()
    flying = [trial.spawn(trial.call(backend)) for _ in range(2)]
    await trial.sim.until(held=2)
    backend.rotate_key(fingerprint(KEYS[0]), KEYS[2])
    backend.remove_key(fingerprint(KEYS[1]))
    backend.add_key(KEYS[3])
    trial.sim.let_go()
    replies = await asyncio.gather(*flying)
    trial.equal(len(replies), 2, "calls in flight that ended well")
    for _ in range(4):
        await trial.call(backend)
    trial.equal(used(trial)[:2], [fingerprint(key) for key in KEYS[:2]], "keys of the calls in flight")
    trial.equal(Counter(used(trial, 2)), {fingerprint(KEYS[2]): 2, fingerprint(KEYS[3]): 2}, "keys used afterwards")
    trial.equal(sum(key.in_flight for key in backend.endpoint().key_status()), 0, "keys in use when idle")
    async with trial.raises(errors.ConfigurationError, "removing a key that is not there"):
        backend.remove_key("00000000")


@check("KEY-09")
async def key_09(trial: Trial) -> None:
    """An endpoint's key reaches no other endpoint, and no key follows a redirect to another host."""
    backend = await trial.backend(api_key=KEYS[0])
    other = await trial.another_simulator()
    backend.create_endpoint("other", **elsewhere(trial, other))
    await trial.call(backend)
    await trial.call(backend, endpoint="other")
    trial.equal(used(trial), [fingerprint(KEYS[0])], "keys at the first endpoint")
    trial.equal(
        [seen.key_fingerprint for seen in other.requests], [fingerprint(ENDPOINT_KEY)], "keys at the other endpoint"
    )
    provider = trial.subject.provider
    assert provider is not None
    for status in (307, 302):
        already = len(other.requests)
        trial.fault(Redirect(other.base_url(provider) + "/stolen", status), nth=1)
        async with trial.raises(errors.BackendError, f"a {status} to another host"):
            await trial.call(backend)
        trial.equal(len(other.requests), already, f"requests that followed a {status} to another host")
    if type(backend).provider.key_required:
        async with trial.raises(errors.ConfigurationError, "an endpoint elsewhere without a key of its own"):
            backend.create_endpoint("third", base_url=other.base_url(provider))


@check("KEY-11")
async def key_11(trial: Trial) -> None:
    """Calls that begin with the same long text stay on one key while it is healthy, so that a prompt cache can serve them."""
    backend = await trial.backend(api_keys=KEYS[:4], prefix_affinity=400)
    long_texts = [f"{letter * 600} and a question" for letter in "abcdefg"]
    homes: dict[str, set[str]] = {}
    for round_number in range(3):
        for text in long_texts:
            await trial.call(backend, f"{text} {round_number}")
            homes.setdefault(text, set()).add(used(trial)[-1])
    trial.expect(all(len(home) == 1 for home in homes.values()), "calls with the same beginning went to several keys")
    trial.expect(len({next(iter(home)) for home in homes.values()}) > 1, "every beginning went to the same key")
    start = len(trial.requests)
    for _ in range(4):
        await trial.call(backend, "short")
    trial.equal(len(set(used(trial, start))), 4, "keys used by short calls")


@check("KEY-12")
async def key_12(trial: Trial) -> None:
    """A limit of requests in flight per key holds, seen at the server."""
    backend = await trial.backend(api_keys=KEYS[:2], per_key_limit=2, max_concurrent_requests=10, queue_size=50)
    trial.sim.hold()
    calls = [trial.spawn(trial.call(backend, marked(number))) for number in range(9)]
    await trial.sim.until(held=4)
    await trial.settle()
    trial.equal(trial.sim.in_flight, 4, "requests in flight with two keys of two each")
    trial.equal(sorted(Counter(used(trial)).values()), [2, 2], "requests in flight per key")
    for number in range(1, 6):
        trial.sim.let_go(1)
        await trial.sim.until(seen=4 + number)
        await trial.settle()
        in_flight = Counter(seen.key_fingerprint for seen in trial.sim.held)
        trial.expect(
            max(in_flight.values()) <= 2, f"a key has {max(in_flight.values())} requests in flight with a limit of 2"
        )
    trial.sim.let_go()
    await asyncio.gather(*calls)
    trial.equal(len(trial.requests), 9, "requests in all")
