"""Starting, asking and ending the processes of a run: one server, one process for each client.

A process that ends is reported with the last words it wrote; no process outlives the run.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.clients import Entry

__all__ = ["ROOT", "ClientProcess", "ServerProcess", "children_seconds", "environment"]

ROOT: Final = Path(__file__).resolve().parent.parent
_PATIENCE: Final = 30.0
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")


def environment() -> dict[str, str]:
    """Return the variables a measured process sees: no credentials, no proxies, no debugging switches."""
    found = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**found, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}


def children_seconds() -> float:
    """Return the CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class ServerProcess:
    """The loopback server; a context manager."""

    def __init__(self, cpu: int | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", *_cpu(cpu)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the benchmark's server did not start")
        self._port = int(line)
        self.url = f"http://127.0.0.1:{self._port}/v1"

    def state(self) -> dict[str, float]:
        """Return its CPU seconds and requests so far."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/_bench/state")
            found: dict[str, float] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end(self._process)


class ClientProcess:
    """One client under measurement.

    Attributes:
        entry: which.
        status: ``measured``, ``not installed`` or ``failed``.
        remark: what to do or what went wrong, where it is not measured.
        versions: of its packages, as its own interpreter sees them.
    """

    def __init__(self, entry: Entry, url: str, cpu: int | None, interpreters: Mapping[str, str]) -> None:
        self.entry = entry
        self.status, self.remark = "measured", ""
        self.versions: dict[str, str] = {}
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [
                interpreters.get(entry.packages[0], sys.executable),
                "-m",
                "benchmarks.driver",
                entry.name,
                url,
                *_cpu(cpu),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env=environment(),
            cwd=ROOT,
            text=True,
        )
        try:
            told = self._hear()
        except RuntimeError as problem:
            told = {"failed": str(problem)}
        if "ready" in told:
            self.versions = told["ready"]
        elif "absent" in told:
            self.status, self.remark = "not installed", f"pip install {entry.packages[0]}"
        else:
            self.status, self.remark = "failed", told["failed"]

    def order(self, **order: Any) -> dict[str, Any]:
        """Have it measure and return the figures.

        Raises:
            RuntimeError: the process ended instead; the message has its last words.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RuntimeError(self._last_words()) from None
        return self._hear()

    def give_up(self, problem: RuntimeError) -> None:
        """Leave it out of the rest of the run."""
        self.status, self.remark = "failed", str(problem)

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(self._last_words())
        told: dict[str, Any] = json.loads(line)
        return told

    def _last_words(self) -> str:
        self._process.wait(_PATIENCE)
        self._words.seek(0)
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        return f"its process ended with {self._process.returncode}: {lines[-1][:300] if lines else 'no word'}"

    def close(self) -> None:
        """End the process."""
        _end(self._process)
        self._words.close()


def _cpu(cpu: int | None) -> list[str]:
    return ["--cpu", str(cpu)] if cpu is not None else []


def _end(process: subprocess.Popen[Any]) -> None:
    """Close its input, which it takes as the end; insist when it does not."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
