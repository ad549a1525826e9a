"""LIFE: what importing, building, closing and moving between loops, threads and processes may do."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import chain
from typing import Any, Final

from backends import errors
from conformance.check import check
from conformance.checks.common import shows
from conformance.simulators.faults import SlowChunks
from conformance.subject import Subject
from conformance.trial import Trial
from conformance.watch import RecordingEnvironment, watched

_IMPORT: Final = """
import json, os, sys, threading
from conformance.watch import EVENTS
seen, asked = [], []
home = (os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix), *sys.argv[1].split(os.pathsep))
def hook(event, arguments):
    if event in EVENTS and event not in ("os.listdir", "os.scandir"):
        path = os.path.realpath(str(arguments[0])) if event == "open" and arguments else ""
        if event != "open" or not (path.endswith((".py", ".pyc", ".so", ".pyd")) or path.startswith(home)):
            seen.append((event + " " + path).strip())
read = os._Environ.__getitem__
os._Environ.__getitem__ = lambda self, name: (asked.append(name), read(self, name))[1]
sys.addaudithook(hook)
for module in sys.argv[2:]:
    __import__(module)
if threading.active_count() > 1:
    seen.append("a thread was started")
words = ("KEY", "TOKEN", "SECRET", "CREDENTIAL", "BASE_URL")
secrets = [name for name in asked if any(word in name.upper() for word in words)]
loaded = [name for name in ("httpx", "aiohttp", "boto3", "requests") if name in sys.modules]
print(json.dumps({"asked of the system": seen, "secrets read": secrets, "libraries loaded": loaded}))
"""


@check("LIFE-01", cases=lambda _: ("import", "construct"))
async def life_01(trial: Trial) -> None:
    """Importing and building do no network or file access, read no key and start no thread."""
    if trial.case == "import":
        modules = ["backends", *trial.subject.sources]
        ended = _imported(tuple(modules))
        trial.equal(ended.returncode, 0, f"importing {modules}: {ended.stderr[-200:]}")
        for what, found in json.loads(ended.stdout).items():
            trial.equal(found, [], f"importing: {what}")
        return
    asked = RecordingEnvironment({})
    with watched() as seen:
        backend = trial.make(environ=asked, credentials_path="/nonexistent/conformance/other")
    trial.equal(seen, [], "building asked the system for")
    trial.equal(asked.asked, [], "building read the environment")
    await backend.aclose()


@cache
def _imported(modules: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Import modules in a fresh interpreter that writes down what they ask for.

    Once: no backend takes part, so every one on trial in this process would find the same.
    """
    package = find_spec("backends")
    places = package.submodule_search_locations or () if package is not None else ()
    command = [sys.executable, "-c", _IMPORT, os.pathsep.join(os.path.realpath(place) for place in places), *modules]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(  # noqa: S603 - this very interpreter
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def _endings(subject: Subject) -> Iterator[str]:
    yield from ("unused", "after a call", "twice", "with calls under way")
    if subject.stream is not None:
        yield "after a stream left early"
    if "sync" in subject.tags:
        yield from ("synchronous", "synchronous twice")


@check("LIFE-02", cases=_endings)
async def life_02(trial: Trial) -> None:
    """After close no task, thread, socket or warning is left."""
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()  # what earlier trials of this process left behind must not be found here
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await _ended(trial)
        gc.collect()
    complaints = [
        str(warning.message) for warning in caught if issubclass(warning.category, ResourceWarning | RuntimeWarning)
    ]
    trial.equal(complaints, [], "warnings after close")
    trial.equal(len(trial.sim._connections), 0, "connections still open at the server")
    trial.equal(_new_threads(before), [], "threads after close")


def _new_threads(before: set[threading.Thread]) -> list[str]:
    """Names of threads that were not there before, those of the trial itself left out."""
    ours = ("asyncio_", "conformance-")
    return sorted(thread.name for thread in set(threading.enumerate()) - before if not thread.name.startswith(ours))


async def _ended(trial: Trial) -> None:
    """Use a backend as the case says and close it."""
    if trial.case.startswith("synchronous"):
        async with trial.threads() as side:
            backend = side.make()
            await side.run(lambda: getattr(backend, trial.subject.call_name)(*trial.subject.call_arguments("hello")))
            for _ in range(2 if trial.case.endswith("twice") else 1):
                await side.run(backend.close)
        return
    backend = trial.make(max_concurrent_requests=1)
    if trial.case == "unused":
        async with trial.make() as other:
            await trial.call(other)
    elif trial.case == "after a stream left early":
        trial.fault(SlowChunks(1.0))
        stream = trial.stream(backend, "hello")
        await anext(aiter(stream))
        await stream.aclose()
    elif trial.case == "with calls under way":
        trial.sim.hold()
        calls = [trial.spawn(trial.call(backend)) for _ in range(2)]
        await trial.sim.until(held=1)
        await backend.aclose()
        trial.sim.let_go()
        for outcome in await trial.outcomes(calls):
            trial.expect(isinstance(outcome, errors.BackendError), f"a call at close ended as {type(outcome).__name__}")
    else:
        await trial.call(backend)
    for _ in range(2 if trial.case == "twice" else 1):
        await backend.aclose()
    async with trial.raises(errors.ClosedError, "a call after close"):
        await trial.call(backend)
    await trial.settle()


def _places(subject: Subject) -> Iterator[str]:
    yield from ("two runs", "two loops at once", "two threads")
    if hasattr(os, "fork"):
        yield "fork"


@check("LIFE-03", cases=_places)
async def life_03(trial: Trial) -> None:
    """One object works over two runs of an event loop, two loops at once, two threads and a fork."""
    async with trial.threads() as side:
        backend = side.backend(max_concurrent_requests=4)

        async def several() -> list[Any]:
            return await asyncio.gather(*(trial.subject.call(backend, f"hello {number}") for number in range(3)))

        def once() -> list[Any]:
            return asyncio.run(several())

        def synchronously() -> list[Any]:
            call = getattr(backend, trial.subject.call_name)
            return [call(*trial.subject.call_arguments(f"hello {number}")) for number in range(3)]

        if trial.case == "two runs":
            replies = [*await side.run(once), *await side.run(once)]
        elif trial.case == "two loops at once":
            replies = list(chain(*await asyncio.gather(side.run(once), side.run(once))))
        elif trial.case == "two threads":
            replies = list(chain(*await asyncio.gather(side.run(synchronously), side.run(synchronously))))
        else:
            before = await side.run(once)
            trial.equal(await side.run(_in_child, trial.subject, backend), "", "a call in the child process")
            replies = [*before, *await side.run(once)]
        trial.equal(len({reply.request_id for reply in replies}), 6, "requests that were answered")
        seen = await side.run(lambda: side.requests)
        texts = " ".join(repr(reply) for reply in replies)
        trial.equal(
            [one.index for one in seen if not shows(one.nonce, texts) and trial.case != "fork"],
            [],
            "requests without their answer",
        )


_PATIENCE: Final = 30.0
"""Real seconds that a call from a child may take, on a machine that is busy with something else."""
_TURNS: Final = 20
"""Turns of the loop after which a call has a slot or waits for one."""


def _in_child(subject: Subject, backend: Any) -> str:
    """Make one call in a forked process, while the parent's slots are all taken; return what went wrong there."""
    endpoint = backend.endpoint()
    taken = [endpoint.admission.submit(object(), 1, 0.0) for _ in range(4)]
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what is being tried
        child = os.fork()
    if child == 0:
        os.close(reading)
        told = "no answer"
        try:
            told = asyncio.run(_told_in_child(subject, backend))
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"[:200]
        finally:
            os.write(writing, told.encode() or b"\0")
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode()
    os.waitpid(child, 0)
    for _ in taken:
        endpoint.leave()
    return told.strip("\0")


async def _told_in_child(subject: Subject, backend: Any) -> str:
    call = asyncio.ensure_future(subject.call(backend, "hello from the child", deadline=_PATIENCE))
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    if backend.queue_status()["waiting"]["total"]:
        return "the call waits for a slot that the parent holds"
    reply = await call
    return "" if reply.attempts == 1 else f"{reply.attempts} attempts"


@check(
    "LIFE-04", cases=lambda subject: ("signatures", "results", "errors", *(["streams"] if subject.stream_name else []))
)
async def life_04(trial: Trial) -> None:
    """Every asynchronous call has a synchronous twin with the same parameters, results and errors."""
    from conformance.twins import different_errors, different_results, different_streams, mismatched

    if trial.case == "signatures":
        backend = await trial.backend()
        await trial.call(backend)
        trial.equal(mismatched(type(backend)), [], "twins that differ")
        return
    async with trial.threads() as side:
        compare = {"results": different_results, "errors": different_errors, "streams": different_streams}[trial.case]
        trial.equal(await compare(trial.subject, side), "", f"the twins' {trial.case}")
