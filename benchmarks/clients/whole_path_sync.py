"""The synchronous twin of our whole path: ``OpenAI.chat``, one backend shared by all threads."""

from __future__ import annotations

from benchmarks import workload
from benchmarks.clients.whole_path import backend

__all__ = ["Client"]


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        self._backend = backend(url)

    def call(self) -> str:
        return self._backend.chat(workload.MESSAGES).text

    def close(self) -> None:
        self._backend.close()
