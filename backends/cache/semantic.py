"""Texts into vectors, by whatever the user gave: a function, a coroutine function, or one of our backends.

An embedder that fails, hangs or answers nonsense means no vector, which means a miss. It is never an error of the call.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any, Final

from backends.cache.index import unit
from backends.callables import is_asynchronous

__all__ = ["Embedder", "embedder_of"]

_log = logging.getLogger("backends.cache")
_LONGEST_CAUSE: Final = 300
_WARN_EVERY: Final = 1_000
"""The first failure is told, then every so many: each call would repeat it."""


def embedder_of(given: Any) -> Callable[[str], Any] | None:
    """Return an embedder as a function of a text, None where nothing that embeds was given."""
    if hasattr(given, "aembed"):

        async def by_backend(text: str) -> Any:
            return (await given.aembed([text])).vectors[0]

        return by_backend
    return given if callable(given) else None


class Embedder:
    """Asks an embedder, within bounds.

    Args:
        function: text -> vector, or a coroutine of one. A plain function runs in a thread: it may compute for long.
        timeout: seconds it may take, None for no limit.

    Attributes:
        failures: how often it gave no vector.
    """

    def __init__(self, function: Callable[[str], Any], timeout: float | None) -> None:
        self._function = function
        self._timeout = timeout
        self._is_async = is_asynchronous(function)
        self.failures = 0

    async def vector(self, text: str) -> bytes | None:
        """Return the unit vector of a text, None where there is none to be had."""
        try:
            async with asyncio.timeout(self._timeout):
                found = self._function(text) if self._is_async else await asyncio.to_thread(self._function, text)
                if inspect.isawaitable(found):
                    found = await found
            return unit(found)
        except Exception as problem:
            self.failures += 1
            if self.failures % _WARN_EVERY != 1:
                return None
            cause = f"{type(problem).__name__}: {problem}"[:_LONGEST_CAUSE]
            _log.warning("The embedder of the cache failed; the call goes on as a miss: %s", cause)
            return None
