"""Chapter QUE: what takes a slot and what gives it back, over threads, failures and streams."""

from __future__ import annotations

import asyncio
import threading

from conformance.check import check
from conformance.checks.common import marked, texts
from conformance.simulators.faults import Hang, Status
from conformance.trial import Trial


@check("QUE-07")
async def que_07(trial: Trial) -> None:
    """A request cancelled in flight gives back its slot and its key, and its connection is closed."""
    backend = await trial.backend(max_concurrent_requests=1)
    trial.fault(Hang(), nth=1)
    doomed = trial.spawn(trial.call(backend, marked(1)))
    await trial.sim.until(seen=1)
    await trial.settle()
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    await trial.sim.until(in_flight=0)
    trial.equal(backend.queue_status()["active"], 0, "slots in use after the cancellation")
    trial.equal([key.in_flight for key in backend.endpoint().key_status() if key.in_flight], [], "keys in use")
    trial.expect(trial.requests[0].aborted, "the server still talks to a client that has left")
    await trial.call(backend, marked(2))
    trial.equal(len(trial.requests), 2, "requests: the slot serves the next one")


@check("QUE-08")
async def que_08(trial: Trial) -> None:
    """One object serves several threads and event loops at once under one limit."""
    backend = await trial.backend(max_concurrent_requests=2, queue_size=100)
    failures: list[BaseException] = []

    def other_loop(start: int) -> None:
        async def several() -> None:
            await asyncio.gather(*[trial.call(backend, marked(start + number)) for number in range(5)])

        try:
            asyncio.run(several())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=other_loop, args=(100 * number,)) for number in (1, 2, 3)]
    loop = asyncio.get_running_loop()
    jobs = [loop.run_in_executor(None, _started_and_joined, thread) for thread in threads]
    here = [trial.call(backend, marked(number)) for number in range(5)]
    await asyncio.gather(*jobs, *here)
    trial.equal([repr(failure) for failure in failures], [], "errors in other threads")
    trial.equal(len(trial.requests), 20, "requests from four loops")
    trial.expect(
        trial.sim.peak_in_flight <= 2, f"{trial.sim.peak_in_flight} in flight with a limit of 2 over all loops"
    )
    trial.equal(backend.report()["successes"], 20, "successes counted")


def _started_and_joined(thread: threading.Thread) -> None:
    thread.start()
    thread.join(15.0)


@check("QUE-11")
async def que_11(trial: Trial) -> None:
    """A request that waits to be repeated holds no slot and no key."""
    backend = await trial.backend(max_concurrent_requests=1, initial_retry_delay=10.0, jitter=0.0)
    trial.fault(Status(503), nth=1)
    failing = trial.spawn(trial.call(backend, marked(1)))
    await trial.sim.until(seen=1, in_flight=0)
    await trial.settle()
    trial.equal(backend.queue_status()["active"], 0, "slots in use while the only request waits")
    trial.equal(sum(key.in_flight for key in backend.endpoint().key_status()), 0, "keys in use while it waits")
    before = trial.now
    await trial.call(backend, marked(2))
    trial.expect(trial.now - before < 5.0, "another request had to wait for the one that sleeps")
    await failing
    trial.equal(texts(trial.requests), [marked(1), marked(2), marked(1)], "order at the server")


@check("QUE-12")
async def que_12(trial: Trial) -> None:
    """An open stream holds its slot until it ends; closed early or abandoned, it gives it back."""
    backend = await trial.backend(max_concurrent_requests=1)
    stream = trial.stream(backend, marked(1))
    await anext(stream)
    second = trial.spawn(trial.call(backend, marked(2)))
    await trial.settle()
    trial.equal(len(trial.requests), 1, "requests while the stream is open")
    await stream.aclose()
    await trial.settle()
    trial.equal(len(trial.requests), 2, "requests after the stream was closed early")
    await second
    abandoned = trial.stream(backend, marked(3))
    await anext(abandoned)
    del abandoned
    await trial.settle()
    await trial.call(backend, marked(4))
    trial.equal(len(trial.requests), 4, "requests after a stream was abandoned")
    await trial.stream(backend, marked(5)).collect()
    trial.equal(backend.queue_status()["active"], 0, "slots in use after a stream was read to its end")
