"""What a figure depends on besides the code: machine, versions, and what else ran meanwhile.

Figures that the system does not tell are None; nothing is guessed.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

__all__ = ["Noise", "cpus", "describe", "peak_bytes", "pin", "resident_bytes", "spin", "versions"]

QUIET: Final = 0.05
"""Share of the machine that others may use while figures still count as taken in quiet."""


def cpus() -> tuple[int | None, int | None]:
    """Return one CPU for the server and one for the client, (None, None) where processes cannot be pinned apart."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[-1]) if len(allowed) > 1 else (None, None)


def pin(cpu: int | None) -> None:
    """Keep this process on one CPU."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})


def describe() -> dict[str, Any]:
    """Return processor, memory, system and interpreter; no name of the machine or its user."""
    return {
        "processor": _processor(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "pinned": cpus() != (None, None),
    }


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _memory_gib() -> float | None:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal:"):
            return round(int(line.split()[1]) / 2**20, 1)
    return None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return []


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the installed versions; a package that is not installed is left out."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _status(field: str) -> int | None:
    for line in _lines("/proc/self/status"):
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return None


def resident_bytes() -> int | None:
    """Return the memory that this process holds now."""
    return _status("VmRSS")


def peak_bytes() -> int | None:
    """Return the most that this process ever held. ``ru_maxrss`` will not do: it remembers the parent's pages."""
    return _status("VmHWM")


def spin() -> float:
    """Return seconds for a fixed piece of pure Python: its spread is the noise of this processor."""
    began = time.perf_counter()
    total = 0
    for number in range(200_000):
        total += number & 7
    return time.perf_counter() - began


class Noise:
    """What else the machine did between construction and ``result``."""

    def __init__(self) -> None:
        self._load = _load()
        self._busy, self._all = _machine_ticks()
        self._own = _own_seconds()
        self._spins = [spin() for _ in range(5)]

    def beat(self) -> None:
        """Take one more sample of the processor's speed; call it between rounds."""
        self._spins.append(spin())

    def result(self, children: float) -> dict[str, Any]:
        """Return the noise so far.

        Args:
            children: CPU seconds of the processes that this run started.
        """
        busy, everything = _machine_ticks()
        others = None
        if everything > self._all:
            own = _own_seconds() - self._own + children
            ticks = os.sysconf("SC_CLK_TCK")
            others = max(0.0, (busy - self._busy) / ticks - own) / ((everything - self._all) / ticks)
        low, high = min(self._spins), max(self._spins)
        return {
            "load_before": self._load,
            "load_after": _load(),
            "others_share": round(others, 4) if others is not None else None,
            "spin_spread": round(high / low - 1, 4),
            "quiet": others is not None and others <= QUIET,
        }


def _load() -> list[float]:
    return [round(value, 2) for value in os.getloadavg()]


def _own_seconds() -> float:
    return time.process_time()


def _machine_ticks() -> tuple[int, int]:
    for line in _lines("/proc/stat"):
        if line.startswith("cpu "):
            ticks = [int(value) for value in line.split()[1:9]]  # guest time is inside user time already
            return sum(ticks) - ticks[3] - ticks[4], sum(ticks)  # less idle and waiting for disks
    return 0, 0
