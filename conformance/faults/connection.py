"""Mishaps while the connection is made, and while the answer is awaited: nothing has come yet, so all of it is repeated."""

from __future__ import annotations

from typing import Any, Final

from backends.wire.values import Failure
from conformance.faults.fault import PATIENCE, Door, Mishap, Stage, lost
from conformance.simulators.faults import CutHead, Hang, Reset

__all__ = ["MISHAPS"]


def _mishap(name: str, does: str, failure: Failure, *, seconds: float = 0.0, **facts: Any) -> Mishap:
    end = lost(failure, seconds=seconds, requests=facts.pop("requests", None))
    return Mishap(name=name, stage=Stage.CONNECTION, does=does, plain=end, stream=end, **facts)


MISHAPS: Final = (
    _mishap(
        "refused",
        "nobody listens on the port",
        Failure.CONNECT,
        family="connecting",
        door=Door.REFUSED,
        requests=0,
    ),
    _mishap(
        "nobody accepts",
        "the port listens and takes no connection",
        Failure.CONNECT_TIMEOUT,
        family="connect timeout",
        door=Door.DEAF,
        requests=0,
        seconds=2 * PATIENCE,
    ),
    _mishap(
        "reset on accept",
        "the connection is reset before a byte of the request was read",
        Failure.RESET_AFTER_SENT,
        family="connecting",
        actions=(Reset("accept"),),
        requests=0,
    ),
    _mishap(
        "reset after request",
        "the request was read, then the connection is reset",
        Failure.RESET_AFTER_SENT,
        family="silence",
        actions=(Reset("headers"),),
    ),
    _mishap(
        "closed after request",
        "the request was read, then the connection is closed without a word",
        Failure.RESET_AFTER_SENT,
        family="silence",
        actions=(CutHead(0),),
    ),
    _mishap(
        "silent before head",
        "the request was read, then nothing comes",
        Failure.READ_TIMEOUT,
        family="silence",
        actions=(Hang(),),
        seconds=2 * PATIENCE,
    ),
)
