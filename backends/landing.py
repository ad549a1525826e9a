"""Files that appear under their name only when they are whole: written beside it, then renamed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

from backends.errors import ConfigurationError
from backends.handover import handed_over
from backends.streams import AsyncStream

__all__ = ["Landing", "land"]

T = TypeVar("T")


async def land(stream: AsyncStream[T], path: str | Path) -> T:
    """Write the bytes of a stream to a file in bounded memory and return the stream's reply.

    Raises:
        ConfigurationError: the file cannot be written; then nothing was asked for.
        BackendError: the stream failed; then there is no file.
    """
    async with Landing(path) as landing, stream:
        async for chunk in stream:
            if chunk.data:
                await landing.write(chunk.data)
        return stream.reply


class Landing:
    """A file on its way; used in ``async with``. Leaving it well renames the file, leaving it by an error removes it.

    Args:
        path: the final name; its directory must exist. An existing file is replaced in one step.

    Raises:
        ConfigurationError: the directory does not exist or cannot be written (on entering).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._part = self.path.with_name(f".{self.path.name[:100]}.{secrets.token_hex(6)}.part")
        self._file: IO[bytes] | None = None

    async def write(self, data: bytes) -> None:
        """Append bytes without blocking the event loop."""
        assert self._file is not None
        await asyncio.to_thread(self._file.write, data)

    async def __aenter__(self) -> Landing:
        try:
            self._file = await handed_over(lambda: self._part.open("xb"), self._discarded)
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror}.") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()  # here and now: a cancelled task may not get to run anything later
            return
        try:
            await asyncio.to_thread(self._land)
        except asyncio.CancelledError:
            self._discard()  # perhaps before the thread began: then nobody else closes the file
            raise

    def _land(self) -> None:
        assert self._file is not None
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self.path)
        except OSError as error:
            self._discard()
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror}.") from None

    def _discard(self) -> None:
        assert self._file is not None
        self._discarded(self._file)

    def _discarded(self, file: IO[bytes]) -> None:
        with contextlib.suppress(OSError):
            file.close()
        with contextlib.suppress(FileNotFoundError):
            self._part.unlink()
