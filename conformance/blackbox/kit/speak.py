"""The subject's end of the protocol, for adapters in Python: it reads commands, runs them at once, writes answers.

It needs nothing but the standard library (3.10 or later), because it runs in the client's environment and not in the judge's.
It must never add to what a client does: no retry, no order, no repair. How an adapter looks::

    class Acme:
        def hello(self): return {"name": "acme", "language": "Python", "versions": {...}, "claims": {"openai": ["chat"]}}
        async def configure(self, settings): ...            # returns the settings that the client cannot be given
        async def chat(self, call): ...                     # returns the fields of the reply
        async def stream(self, call, emit): ...             # emit(text) for each piece, then as chat
        async def embed(self, call): ...
        async def other(self, call): ...                    # call["operation"], where ``refusals`` are claimed
        def explain(self, error): ...                       # the client's exception -> the fields of an error
        async def close(self): ...

    if __name__ == "__main__":
        serve(Acme())

A plain function in place of a coroutine runs in a thread, which is what a synchronous client needs. A call that is cancelled is
cancelled as the users of the client would: its task is. Standard output belongs to the protocol; whatever the client prints goes
to standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

__all__ = ["PROTOCOL", "Speaker", "serve"]

PROTOCOL: Final = 1
LONGEST_LINE: Final = 1 << 20
_CALLS: Final = ("configure", "chat", "embed", "other", "close")


class Speaker:
    """Runs the commands of one judge on one adapter, inside a running loop.

    Args:
        adapter: see the module.
        write: takes one whole line; called from any thread.

    Attributes:
        done: set once ``close`` was answered.
    """

    def __init__(self, adapter: Any, write: Callable[[bytes], None]) -> None:
        self.done = asyncio.Event()
        self._adapter = adapter
        self._write = write
        self._running: dict[int, asyncio.Task[None]] = {}
        # As many threads as calls can be in flight: a pool of a few would be a queue that the client does not have.
        self._threads = ThreadPoolExecutor(max_workers=256, thread_name_prefix="call")

    def hear(self, line: bytes) -> None:
        """Begin one command; it is answered when it is done.

        Raises:
            ValueError: the line is no command, which is the judge's fault.
        """
        command = json.loads(line)
        number = command["id"]
        task = asyncio.get_running_loop().create_task(self._answer(number, command))
        self._running[number] = task
        task.add_done_callback(lambda _: self._running.pop(number, None))

    async def stop(self) -> None:
        """Cancel what still runs."""
        left = list(self._running.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, number: int, command: dict[str, Any]) -> None:
        try:
            self._say(number, ok=await self._done(number, command))
        except asyncio.CancelledError:
            self._say(number, error={"class": "cancelled", "message": "the caller gave up"})
        except Exception as error:  # whatever a client raises is an answer of the client
            self._say(number, error=self._explained(error))
        if command["do"] == "close":
            self.done.set()

    async def _done(self, number: int, command: dict[str, Any]) -> Any:
        asked = command["do"]
        if asked == "hello":
            return {**self._adapter.hello(), "protocol": PROTOCOL}
        if asked == "cancel":
            target = self._running.get(command["target"])
            if target is not None:
                target.cancel()
            return {}
        if asked == "stream":
            return await self._run(self._adapter.stream, command, lambda text: self._say(number, event={"text": text}))
        if asked not in _CALLS:
            raise ValueError(f"there is no command {asked!r}")
        result = await self._run(getattr(self._adapter, asked), *([] if asked == "close" else [command]))
        return {"ignored": list(result or ())} if asked == "configure" else result or {}

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*arguments))

    def _explained(self, error: Exception) -> dict[str, Any]:
        plain = {"class": "other", "message": str(error), "type": type(error).__name__}
        try:
            told = {**plain, **(self._adapter.explain(error) or {})}
        except Exception as second:  # an adapter that cannot explain still has to answer
            return {**plain, "message": f"{error} (not explained: {type(second).__name__}: {second})"}
        return {name: value for name, value in told.items() if value is not None}

    def _say(self, number: int, **answer: Any) -> None:
        line = json.dumps({"id": number, **answer}).encode() + b"\n"
        if len(line) > LONGEST_LINE:
            refusal = {"class": "other", "message": "the answer is longer than a line may be", "type": "LineTooLong"}
            line = json.dumps({"id": number, "error": refusal}).encode() + b"\n"
        self._write(line)


def serve(adapter: Any) -> None:
    """Speak for an adapter until the judge says ``close`` or goes away."""
    heard, said = _own_pipes()
    lock = threading.Lock()

    def write(line: bytes) -> None:
        with lock:
            left = memoryview(line)
            while left:
                left = left[os.write(said, left) :]

    asyncio.run(_converse(adapter, heard, write))


async def _converse(adapter: Any, heard: int, write: Callable[[bytes], None]) -> None:
    speaker = Speaker(adapter, write)
    loop = asyncio.get_running_loop()

    def read() -> None:
        # The bare descriptor: a buffered reader that a thread waits in cannot be closed when the program ends.
        kept = b""
        while piece := os.read(heard, 1 << 16):
            *lines, kept = (kept + piece).split(b"\n")
            for line in lines:
                loop.call_soon_threadsafe(speaker.hear, line)
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(speaker.done.set)

    threading.Thread(target=read, name="commands", daemon=True).start()
    await speaker.done.wait()
    await speaker.stop()


def _own_pipes() -> tuple[int, int]:
    """Keep standard input and output for the protocol; what anybody else prints goes to standard error."""
    heard, said = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return heard, said
