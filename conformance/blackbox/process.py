"""A subject as a program of its own: started in an empty folder with an empty environment, read within bounds, always ended.

Nothing that it does can hold the judge up: lines, their number and standard error are bounded, and every wait has an end. It
gets no variable and no file of the user's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from conformance.blackbox.findings import Misconduct

__all__ = ["KIT", "LONGEST_LINE", "MOST_LINES", "Process"]

KIT: Final = Path(__file__).resolve().parent / "kit"
LONGEST_LINE: Final = 1 << 20
MOST_LINES: Final = 200_000
_TAIL: Final = 64 << 10
_SHOWN: Final = 400
_LAST_WORDS: Final = 1.0
"""Seconds that a program may take to end after it closed its output, and its error output after its end."""


class Process:
    """One running program, as a channel of lines.

    Attributes:
        printed: the last 64 KiB of its standard error.
    """

    def __init__(self, process: asyncio.subprocess.Process, folder: str) -> None:
        self.printed = b""
        self._process = process
        self._folder = folder
        self._lines = 0
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    @classmethod
    async def start(cls, command: Sequence[str], *, path: Sequence[Path] = ()) -> Self:
        """Start a command; ``path`` is where its Python modules are looked for besides its own.

        Raises:
            Misconduct: there is no such program, or it may not be run.
        """
        folder = tempfile.mkdtemp(prefix="conformance-subject-")
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=folder,
                env=_environment(folder, path),
                limit=LONGEST_LINE,
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise Misconduct(f"subject cannot be started: {Path(command[0]).name}: {error.strerror}") from None
        return cls(process, folder)

    def write(self, line: bytes) -> None:
        """Send one line; a program that has gone is noticed by the next :meth:`read`."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")

    async def read(self) -> bytes:
        """Return the next line of standard output.

        Raises:
            Misconduct: there will be none, or it is longer than a line may be, or they are too many.
        """
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
        except ValueError:
            raise Misconduct(
                f"subject babbles: a line on standard output is longer than {LONGEST_LINE} bytes"
            ) from None
        if not line.endswith(b"\n"):
            raise Misconduct(await self._ending())
        self._lines += 1
        if self._lines > MOST_LINES:
            raise Misconduct(f"subject babbles: more than {MOST_LINES} lines on standard output")
        return line[:-1]

    async def finish(self, seconds: float) -> str:
        """Wait for the program to end by itself; return what it did wrong, ``""`` when it ended well."""
        try:
            async with asyncio.timeout(seconds):
                status = await self._process.wait()
        except TimeoutError:
            return f"did not exit within {seconds:g} s after close: killed"
        return "" if status == 0 else f"exited with status {status} after close"

    async def kill(self) -> None:
        """End the program and whatever it started, at once; safe after its end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        # The transport of a killed program is closed by the loop only when it is told to, or collected.
        self._process._transport.close()  # type: ignore[attr-defined]
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(1 << 14):
            self.printed = (self.printed + piece)[-_TAIL:]

    async def _ending(self) -> str:
        try:
            async with asyncio.timeout(_LAST_WORDS):
                status = await self._process.wait()
        except TimeoutError:
            return "subject closed its standard output and went on"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await asyncio.shield(self._listening)
        words = " ".join(self.printed.decode("utf-8", "replace").split())
        said = f"; stderr: {words[-_SHOWN:]}" if words else ""
        return f"subject crashed: exit {status}{said}"


def _environment(folder: str, path: Sequence[Path]) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    modules = os.pathsep.join(str(place) for place in (KIT, *path))
    return {
        **kept,
        "HOME": folder,
        "TMPDIR": folder,
        "PYTHONPATH": modules,
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
