"""What a worker, and the child that runs a stranger's function, may use of the machine. POSIX only."""

from __future__ import annotations

import math
import resource
from pathlib import Path
from typing import Final

__all__ = ["MOST_FILES", "address_space", "confine", "settle"]

_LARGEST_LOG: Final = 1 << 20
MOST_FILES: Final = 64
"""Descriptors that a worker may have open."""


def settle(memory: int) -> None:
    """Limit this worker: address space, size of its log, open files; no core files.

    The limit of the address space can be raised again for a child: a run has a limit of its own.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_at_most(memory, hard), hard))
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, _LARGEST_LOG)
    _set(resource.RLIMIT_NOFILE, MOST_FILES)


def confine(memory: int, seconds: float) -> None:
    """Limit the child of one run for good: memory beyond what it has now, processor time, no bytes into any file."""
    _set(resource.RLIMIT_AS, address_space() + memory)
    # One second more than the clock on the wall allows: this limit is for code that runs in several threads.
    _set(resource.RLIMIT_CPU, math.ceil(seconds) + 1)
    _set(resource.RLIMIT_FSIZE, 0)


def address_space() -> int:
    """Return the bytes that this process has mapped; what it ever held of real memory where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()


def _set(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = _at_most(most, hard)
    resource.setrlimit(kind, (most, most))


def _at_most(wanted: int, hard: int) -> int:
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
