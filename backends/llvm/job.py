"""One request to a worker, as data. It is sent and read by :mod:`backends.llvm.core`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from backends.batch_plan import BatchPlan
from backends.operation import Answer
from backends.types import Reply

__all__ = ["Job"]

R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, slots=True)
class Job(Generic[R]):
    """One request to a worker, as data.

    Attributes:
        name: the operation; names counters and errors.
        header: the fields of the frame.
        read: turns the answer and the blobs behind it into the reply.
        blobs: the bytes behind the header.
        seconds: how long the answer may take where that is less than ``read_timeout``.
        runs_code: a stranger's function is run: if the worker is lost, that is why.
        pure: the same request always has the same answer.
        batch: how it may share a frame with others of its kind; None where every call is a frame of its own.
        is_shared: it holds the modules of several callers, and ``read`` gives a reply or an error for each.
    """

    name: str
    header: Mapping[str, Any]
    read: Callable[[Answer, Sequence[bytes]], R]
    blobs: tuple[bytes, ...] = field(default=(), repr=False)
    seconds: float | None = None
    runs_code: bool = False
    pure: bool = True
    batch: BatchPlan[R] | None = None
    is_shared: bool = False

    @property
    def model(self) -> None:
        """There is none."""
        return

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """There are none."""
        return ()
