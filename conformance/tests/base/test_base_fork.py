"""A backend over a fork: the child starts afresh, and the parent loses nothing by it. Each story is a process of its
own, since a fork of the test process would take its threads' locks along."""

from __future__ import annotations

import os

import pytest
from base_bench import script

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

STORY = """
import gc, json, os, sys, asyncio, threading, httpx
from base_bench import Parrot, Turning, held, counted, parrot
from base_server import Server

def child(work):
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.write(writing, json.dumps(work()).encode())
            gc.collect()
            code = 0
        except BaseException as error:
            import traceback
            traceback.print_exc()
        os._exit(code)
    assert os.waitpid(process, 0)[1] == 0, "the child failed"
    return json.loads(os.read(reading, 65536))

def at(server, **settings):
    return Parrot(api_key="sk-1", base_url=f"http://127.0.0.1:{server.port}", environ={}, read_timeout=2.0, max_retries=0, **settings)
"""


def test_a_child_opens_its_own_connections_and_leaves_the_parents_alone() -> None:
    """The connection that the parent kept alive still serves it after the child has called, collected and closed."""
    told = script(
        STORY
        + """
with Server() as server:
    backend = at(server)
    told = {"before": backend.say().text}
    def work():
        text = backend.say().text
        gc.collect()
        backend.close()
        gc.collect()
        return [text, counted(backend)]
    told["child"] = child(work)
    told["after"] = backend.say().text
    told["connections"] = server.connections
    told["counted"] = counted(backend)
    backend.close()
print(json.dumps(told))
"""
    )
    assert told["before"] == "answer 1"
    assert told["child"] == ["answer 2", [1, 1, 0, 0]]
    assert told["after"] == "answer 3"
    assert told["connections"] == 2
    assert told["counted"] == [2, 2, 0, 0]


def test_a_child_may_begin_with_anything() -> None:
    """Also while another thread of the parent held every lock at the moment of the fork."""
    told = script(
        STORY
        + """
with Server() as server:
    backend = at(server)
    backend.say()
    told = {}
    for first in ("report", "close", "queue_status", "reset_metrics", "endpoint"):
        locks = backend._lock, backend.endpoint()._lock, backend._portal._lock
        for lock in locks:
            lock.acquire()
        def work():
            done = getattr(backend, first)()
            return done.get("total_requests", 0) if isinstance(done, dict) else 0
        told[first] = child(work)
        for lock in locks:
            lock.release()
    after = backend.say().text
    backend.close()
print(json.dumps([told, after, server.connections]))
"""
    )
    assert told == [dict.fromkeys(("report", "close", "queue_status", "reset_metrics", "endpoint"), 0), "answer 2", 1]


def test_what_the_parent_held_is_not_held_in_the_child() -> None:
    """Slots, keys and places in the queue of calls under way stay with the parent; their end in the child counts nothing."""
    told = script(
        STORY
        + """
class Gate(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request):
        await gate.wait()
        return httpx.Response(200, json={"text": "hi"}, request=request)

gate = asyncio.Event()
backend = parrot(Gate(), max_concurrent_requests=1)
loop = asyncio.new_event_loop()
async def start():
    tasks = [asyncio.ensure_future(backend.asay(str(number))) for number in range(3)]
    await asyncio.sleep(0); await asyncio.sleep(0)
    return tasks
tasks = loop.run_until_complete(start())
before = backend.queue_status()
def work():
    global tasks
    told = backend.queue_status()
    told = [told["active"], told["waiting"]["total"], backend.endpoint().key_status()[0].in_flight]
    for task in tasks:
        task.get_coro().close()
    tasks = None
    gc.collect()
    gate.set()
    asyncio.run(backend.asay("in the child"))
    return [*told, held(backend), backend.queue_status()["granted"], len(backend.endpoint().key_status())]
told = child(work)
gate.set()
texts = [reply.text for reply in loop.run_until_complete(asyncio.gather(*tasks))]
loop.close()
print(json.dumps([before["active"], before["waiting"]["total"], told, texts, held(backend)]))
"""
    )
    assert told == [1, 2, [0, 0, 0, [], 1, 1], ["hi", "hi", "hi"], []]


def test_a_closed_backend_stays_closed_in_the_child() -> None:
    """The child gets the same error."""
    told = script(
        STORY
        + """
from backends import errors
backend = parrot()
backend.say()
backend.close()
def work():
    try:
        backend.say()
    except errors.ClosedError as error:
        return type(error).__name__
print(json.dumps(child(work)))
"""
    )
    assert told == "ClosedError"


def test_a_synchronous_stream_of_the_parent_is_let_go_quietly_in_the_child() -> None:
    """Dropping it there touches nothing of the parent, which reads on."""
    told = script(
        STORY
        + """
backend = parrot(Turning([b"one\\n", b"two\\nEND\\n"]))
stream = backend.stream_say()
first = next(stream).text
def work():
    global stream
    stream = None
    gc.collect()
    return backend.stream_say().collect().text
told = child(work)
print(json.dumps([first, told, [chunk.text for chunk in stream], stream.reply.text]))
backend.close()
"""
    )
    assert told == ["one", "onetwo", ["two"], "onetwo"]


def test_a_child_batches_by_itself() -> None:
    """A caller of the parent who waits for a batch neither travels with the child's nor keeps it from leaving."""
    told = script(
        STORY
        + """
from choir import Hall, choir
hall = Hall()
backend = choir(hall, max_batch_size=2)
waiting = threading.Thread(target=backend.sing, args=("parent",))
waiting.start()
while not len(backend._batchings.get("default", ())):
    pass
def sing():
    threads = [threading.Thread(target=backend.sing, args=(line,)) for line in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sizes = list(hall.sizes)
    backend.close()
    return [sizes, counted(backend)]
told = {"child": child(sing)}
backend.sing("other")
waiting.join()
told["parent"] = [hall.sizes, counted(backend)]
backend.close()
print(json.dumps(told))
"""
    )
    assert told == {"child": [[2], [2, 2, 0, 0]], "parent": [[2], [2, 2, 0, 0]]}
