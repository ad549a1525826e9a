"""The seam between the backend and its workers: one frame out, one frame back, or a :class:`WireError`.

The default behind it is a pool of processes on this machine (:mod:`backends.llvm.worker_pool`). Another transport may
carry frames elsewhere; what stands in its way there (a gateway's status, a hint when to come back) it passes on as
``status`` and ``headers``, and the path of a call treats it as it does with every provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Request", "Returned", "Transport"]


@dataclass(frozen=True, slots=True)
class Request:
    """One frame on its way to a worker.

    Attributes:
        operation: what it asks for (``optimize``); it also stands in the frame.
        frame: see :mod:`backends.llvm_worker.frames`.
        address: the endpoint's ``base_url``; means nothing to processes of this machine.
        seconds: how long the answer may take; None is no limit.
        largest: bytes that the answer may have.
        most: how many requests this endpoint has under way at once, at most.
    """

    operation: str
    frame: bytes = field(repr=False)
    address: str
    seconds: float | None
    largest: int
    most: int


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back: a frame, or with a ``status`` of 400 and more whatever stood in its way, as bytes."""

    frame: bytes = field(repr=False)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """Brings frames to workers; safe from every thread and event loop. It repeats nothing."""

    async def exchange(self, request: Request) -> Returned:
        """Send a frame and return what came back; cancelled, it ends the work at the other end.

        Raises:
            WireError: the worker could not be reached, died, was silent for too long or said too much.
            ConfigurationError: there can be no worker here at all; the message says what to do.
        """
        ...

    async def aclose(self) -> None:
        """End every worker; idempotent."""
        ...

    def abandon(self) -> None:
        """Forget every worker without ending it: after a fork they belong to the parent process."""
        ...
