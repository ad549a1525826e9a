"""Sees what a block of code asks of the operating system: files, sockets, threads, processes. It forbids nothing.

An audit hook cannot be taken back, so there is one for the whole process, asleep unless a block is being watched.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["EVENTS", "RecordingEnvironment", "watched"]

EVENTS: Final = frozenset(
    {
        "open",
        "os.listdir",
        "os.scandir",
        "socket.__new__",
        "socket.connect",
        "socket.bind",
        "socket.getaddrinfo",
        "subprocess.Popen",
        "os.fork",
        "os.posix_spawn",
    }
)
_state = threading.local()
_installed: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    seen = getattr(_state, "seen", None)
    if seen is not None and event in EVENTS:
        what = f" {arguments[0]}" if event == "open" and arguments and isinstance(arguments[0], str) else ""
        seen.append(f"{event}{what}")


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collect what this thread asks for while the block runs."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    seen: list[str] = []
    start = threading.Thread.start

    def noted(thread: threading.Thread) -> None:
        if getattr(_state, "seen", None) is seen:
            seen.append(f"a thread {thread.name}")
        start(thread)

    _state.seen = seen
    threading.Thread.start = noted  # type: ignore[method-assign, assignment]  # not every version of Python audits threads
    try:
        yield seen
    finally:
        _state.seen = None
        threading.Thread.start = start  # type: ignore[method-assign]


class RecordingEnvironment(Mapping[str, str]):
    """An environment that remembers which variables were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.asked.append(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        self.asked.append("*")
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
