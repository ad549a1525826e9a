"""Chapter KEY: credentials and multiplexing, judged by which key each request carried and by where keys never show."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import pickle
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from backends import errors
from backends.secret import Key
from conformance.check import check
from conformance.checks.common import ENDPOINT_KEY, elsewhere, marked
from conformance.simulators.faults import CutBeforeTerminator, Fault, Garbage, Redirect, Reset, Status
from conformance.simulators.record import fingerprint
from conformance.trial import Trial

KEYS = tuple(f"sk-key-{number:02d}-5f0c9e7a1b" for number in range(10))


def _used(trial: Trial, start: int = 0) -> list[str]:
    return [seen.key_fingerprint for seen in trial.requests[start:]]


def _file(folder: str, text: str, mode: int = 0o600) -> Path:
    path = Path(folder) / "credentials"
    path.write_text(text)
    path.chmod(mode)
    return path


@check("KEY-01")
async def key_01(trial: Trial) -> None:
    """The argument beats metadata, metadata the environment, the environment the file; the official variable is read."""
    name = trial.subject.name
    with tempfile.TemporaryDirectory() as folder:
        path = _file(folder, f'[{name}]\napi_key = "{KEYS[4]}"\n')
        sources: list[dict[str, Any]] = [
            {"api_key": KEYS[1]},
            {"metadata": {f"{name}_api_key": KEYS[2]}},
            {"environ": dict.fromkeys(type(await trial.backend()).provider.key_variables, KEYS[3])},
            {"credentials_path": path},
        ]
        for first in range(len(sources)):
            merged: dict[str, Any] = {}
            for source in sources[first:]:
                merged |= source
            backend = await trial.backend(**merged)
            await trial.call(backend)
            trial.equal(
                _used(trial)[-1], fingerprint(KEYS[first + 1]), f"key used when the sources are {', '.join(merged)}"
            )
        several = await trial.backend(metadata={f"{name}_api_keys": [KEYS[5], KEYS[6]]})
        for _ in range(2):
            await trial.call(several)
        trial.equal(
            set(_used(trial)[-2:]), {fingerprint(KEYS[5]), fingerprint(KEYS[6])}, "keys used from metadata with several"
        )


@check("KEY-02")
async def key_02(trial: Trial) -> None:
    """A malformed credentials file is named with line and field, never a value; one that others can read is refused."""
    name = trial.subject.name
    secret = "sk-never-shown-77aa"
    cases = (
        (f'[{name}]\napi_key = "{secret}\n', ("line 2",)),
        (f'[{name}]\napi_kye = "{secret}"\n', ("line 2", "api_kye", "api_key")),
        (f'[{name}]\napi_keys = "{secret}"\n', ("line 2", "api_keys")),
        (f'[nobody]\napi_key = "{secret}"\n', ("line 1", "nobody")),
        (f'{{"{name}": {{"api_key": "{secret}"', ("line 1", "JSON")),
        (f'{{"{name}": {{"api_key": ["{secret}"]}}}}', ("api_key",)),
    )
    with tempfile.TemporaryDirectory() as folder:
        for text, parts in cases:
            path = _file(folder, text)
            backend = await trial.backend(credentials_path=path)
            async with trial.raises(errors.ConfigurationError, f"a file that says {text[:20]!r}") as caught:
                await trial.call(backend)
            shown = str(caught.error)
            for part in (str(path), *parts):
                trial.expect(part in shown, f"the error does not name {part!r}: {shown}")
            trial.expect(
                secret not in "".join(traceback.format_exception(caught.error)), "the error shows a value of the file"
            )
        path = _file(folder, f'[{name}]\napi_key = "{secret}"\n', 0o644)
        if os.name == "posix":
            backend = await trial.backend(credentials_path=path)
            async with trial.raises(errors.ConfigurationError, "a file that others can read") as caught:
                await trial.call(backend)
            trial.expect("chmod 600" in str(caught.error), f"the error does not say what to run: {caught.error}")
    trial.equal(len(trial.requests), 0, "requests at the server")


@check("KEY-03")
async def key_03(trial: Trial) -> None:
    """Without a key the call fails before the wire and names the variables to set; a server that needs none is called without."""
    backend = await trial.backend(environ={})
    provider = type(backend).provider
    if provider.key_required:
        async with trial.raises(errors.ConfigurationError, "a call without any key") as caught:
            await trial.call(backend)
        for variable in provider.key_variables:
            trial.expect(variable in str(caught.error), f"the error does not name {variable}: {caught.error}")
        trial.equal(len(trial.requests), 0, "requests at the server")
    else:
        await trial.call(backend)
        trial.equal(_used(trial), [""], "keys sent to a server that needs none")


@check("KEY-04")
async def key_04(trial: Trial) -> None:
    """Round robin spreads calls over the keys within one; least-loaded takes the key with the fewest in flight and rotates among equals."""
    backend = await trial.backend(api_keys=KEYS[:3])
    for _ in range(10):
        await trial.call(backend)
    counts = Counter(_used(trial))
    trial.equal(len(counts), 3, "keys used by 10 calls over 3 keys")
    trial.expect(max(counts.values()) - min(counts.values()) <= 1, f"round robin is uneven: {sorted(counts.values())}")

    balanced = await trial.backend(api_keys=KEYS[3:6], key_strategy="least_loaded", max_concurrent_requests=10)
    start = len(trial.requests)
    for _ in range(6):
        await trial.call(balanced)
    counts = Counter(_used(trial, start))
    trial.expect(len(counts) == 3 and max(counts.values()) == 2, f"ties do not rotate: {sorted(counts.values())}")
    trial.sim.hold()
    start = len(trial.requests)
    calls = [trial.spawn(trial.call(balanced)) for _ in range(2)]
    await trial.sim.until(held=2)
    third = trial.spawn(trial.call(balanced))
    await trial.sim.until(held=3)
    trial.equal(len(set(_used(trial, start))), 3, "keys in use by three calls in flight")
    trial.sim.let_go(1)
    await trial.settle()
    freed = _used(trial, start)[0]
    fourth = trial.spawn(trial.call(balanced))
    await trial.sim.until(seen=start + 4)
    trial.equal(_used(trial, start)[3], freed, "key taken when only one is free")
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
    trial.equal(_used(trial), [tired, fresh], "keys used by the request that met the 429")
    trial.close_to(trial.now, before, "time lost by changing the key", 0.1)
    for _ in range(4):
        await trial.call(backend)
    trial.equal(set(_used(trial, 2)), {fresh}, "keys used while the other rests")
    await trial.sleep(20.5)
    start = len(trial.requests)
    for _ in range(2):
        await trial.call(backend)
    trial.equal(set(_used(trial, start)), {tired, fresh}, "keys used after the rest")


@check("KEY-06")
async def key_06(trial: Trial) -> None:
    """401, 402 and 403 take a key out of service; the next is tried at once, over all healthy keys whatever max_retries says."""
    backend = await trial.backend(api_keys=KEYS, max_retries=3)
    for number, status in enumerate((401, 402, 403, 401, 401, 402, 403)):
        trial.fault(Status(status), key=fingerprint(KEYS[number]))
    before = trial.now
    await trial.call(backend)
    trial.close_to(trial.now, before, "time lost on the way to a healthy key", 0.1)
    trial.equal(_used(trial), [fingerprint(key) for key in KEYS[:8]], "keys tried")
    for _ in range(6):
        await trial.call(backend)
    trial.equal(set(_used(trial, 8)), {fingerprint(key) for key in KEYS[7:]}, "keys used afterwards")
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
    seen = Counter(_used(trial))
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
    trial.equal(_used(trial)[:2], [fingerprint(key) for key in KEYS[:2]], "keys of the calls in flight")
    trial.equal(Counter(_used(trial, 2)), {fingerprint(KEYS[2]): 2, fingerprint(KEYS[3]): 2}, "keys used afterwards")
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
    trial.equal(_used(trial), [fingerprint(KEYS[0])], "keys at the first endpoint")
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


@check("KEY-10")
async def key_10(trial: Trial) -> None:
    """A key is in a header, never in an address; it shows in no repr, message, traceback, log, report or pickle."""
    key = "sk-planted-c0ffee5eed1234567890"
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    shown: list[str] = []
    try:
        backend = await trial.backend(api_key=key, max_retries=0, failure_threshold=1000, read_timeout=5.0)
        echo = {"error": {"message": f"Incorrect API key provided: {key}.", "code": f"invalid {key}", "type": key}}
        actions = [
            Status(401, body=echo), Status(400, body=echo), Status(500, body=f"no {key} here"), Garbage(), Reset("headers"),
        ]  # fmt: skip
        for number, action in enumerate(actions, 1):
            trial.fault(action, nth=number)
        for _ in actions:
            async with trial.raises(errors.BackendError, "a call that fails") as caught:
                await trial.call(backend)
            error = caught.error
            shown += [repr(error), str(error), "".join(traceback.format_exception(error)), repr(vars(error))]
            shown.append(_with_locals(error))
            shown.append(pickle.dumps(error).decode("latin-1"))
        await trial.call(backend)
        if trial.subject.stream is not None:
            trial.script(Fault(CutBeforeTerminator(), path=trial.subject.call_path, nth=1))
            async with trial.raises(errors.BackendError, "a stream that dies") as caught:
                await trial.stream(backend).collect()
            shown += [repr(caught.error), _with_locals(caught.error)]
        shown += [repr(backend), json.dumps(backend.report(), default=repr), repr(backend.endpoint().key_status())]
        shown += [f"{Key(key)}", f"{Key(key)!r}", f"{[Key(key)]}", repr(vars(backend))]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    shown.append(written.getvalue())
    for place, text in enumerate(shown):
        trial.expect(key not in text, f"the key shows in output {place}: ...{_around(text, key)}...")
    trial.expect(
        any("****" in text for text in shown), "no redaction was seen anywhere: the search may look at nothing"
    )
    trial.expect(
        not any(seen.key_in_url or key in seen.path + seen.query for seen in trial.requests),
        "a key stood in an address",
    )
    trial.equal(set(_used(trial)), {fingerprint(key)}, "keys at the server: it was really sent")
    with trial.raises(TypeError, "pickling a key"):
        pickle.dumps(Key(key))


def _with_locals(error: BaseException) -> str:
    """Return the local variables of every frame of the library that the error and its causes hold (the check's own know the key)."""
    lines = []
    link: BaseException | None = error
    while link is not None:
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if str(frame.f_globals.get("__name__", "")).startswith("backends"):
                lines += [f"{name} = {value!r}" for name, value in frame.f_locals.items()]
        link = link.__cause__ or link.__context__
    return "\n".join(lines)


def _around(text: str, key: str) -> str:
    start = text.find(key)
    return text[max(0, start - 60) : start] + "<KEY>" if start >= 0 else ""


@check("KEY-11")
async def key_11(trial: Trial) -> None:
    """Calls that begin with the same long text stay on one key while it is healthy, so that a prompt cache can serve them."""
    backend = await trial.backend(api_keys=KEYS[:4], prefix_affinity=400)
    long_texts = [f"{letter * 600} and a question" for letter in "abcdefg"]
    homes: dict[str, set[str]] = {}
    for round_number in range(3):
        for text in long_texts:
            await trial.call(backend, f"{text} {round_number}")
            homes.setdefault(text, set()).add(_used(trial)[-1])
    trial.expect(all(len(home) == 1 for home in homes.values()), "calls with the same beginning went to several keys")
    trial.expect(len({next(iter(home)) for home in homes.values()}) > 1, "every beginning went to the same key")
    start = len(trial.requests)
    for _ in range(4):
        await trial.call(backend, "short")
    trial.equal(len(set(_used(trial, start))), 4, "keys used by short calls")


@check("KEY-12")
async def key_12(trial: Trial) -> None:
    """A limit of requests in flight per key holds, seen at the server."""
    backend = await trial.backend(api_keys=KEYS[:2], per_key_limit=2, max_concurrent_requests=10, queue_size=50)
    trial.sim.hold()
    calls = [trial.spawn(trial.call(backend, marked(number))) for number in range(9)]
    await trial.sim.until(held=4)
    await trial.settle()
    trial.equal(trial.sim.in_flight, 4, "requests in flight with two keys of two each")
    trial.equal(sorted(Counter(_used(trial)).values()), [2, 2], "requests in flight per key")
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
