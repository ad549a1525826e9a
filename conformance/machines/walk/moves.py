"""What may happen on a walk: a table of moves with their weights.

Whoever walks draws one of those that are possible now, so what is rare in life (a close) is rare on a walk, and none is spent
on steps that cannot matter. Nothing here draws by itself: each move is given the way to pick among values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from backends.types import Priority
from conformance.machines.walk.bench import ENDPOINTS, MOST_KEYS, WalkBench
from conformance.machines.walk.server import ANSWERS

__all__ = ["Pick", "beginning", "move"]

Pick: TypeAlias = Callable[[Sequence[Any]], Any]
"""Returns one of several values; the first is the simplest."""
Do: TypeAlias = Callable[..., None]
"""Takes a step: ``do(name, **arguments)``."""

_ENDPOINTS: Final = (*ENDPOINTS[:1] * 4, *ENDPOINTS[1:])
_WELL: Final = [how for how in ANSWERS if how.startswith(("good", "slow"))]
_BADLY: Final = [how for how in ANSWERS if how not in _WELL]
_ENOUGH: Final = 9
"""Calls before a walk may close its backend: what comes after has little left to show."""


def beginning(row: str, pick: Pick) -> dict[str, Any]:
    """Return the arguments of the first step: what kind of backend is walked."""
    extra = pick(["", "batch", "cache"])
    return {
        "row": row,
        "limit": pick([2, 1, 3]),
        "queue": pick([4, 2, 1, 0]),
        "overflow": pick(["reject", "drop_lowest", "wait"]),
        "keys": pick([2, 1, 3]),
        "strategy": pick(["round_robin", "least_loaded"]),
        "per_key": pick([None, None, 1]),
        "retries": pick([2, 1, 0]),
        "threshold": pick([2, 1, 3]),
        "first_token": pick([None, 2.0]),
        "batch": extra == "batch",
        "cache": extra == "cache",
        "abrupt": pick([False, True]),
    }


def move(bench: WalkBench, do: Do, pick: Pick) -> None:
    """Pick one of the moves that are possible now, and make it."""
    possible = [made for weight, made, can in _MOVES if can(bench) for _ in range(weight)]
    pick(possible)(bench, do, pick)


def _always(_: WalkBench) -> bool:
    return True


def _undecided(bench: WalkBench) -> list[int]:
    return [exchange.rides[0] for exchange in bench.server.undecided() if exchange.rides]


def _paused(bench: WalkBench) -> list[int]:
    return [exchange.rides[0] for exchange in bench.server.paused() if exchange.rides]


def _can_close(bench: WalkBench) -> bool:
    return len(bench.rides) > _ENOUGH and not bench.closed


def _submit(bench: WalkBench, do: Do, pick: Pick) -> None:
    do(
        "submit",
        ride=len(bench.rides),
        kind="call" if bench.batches else pick(["call", "stream"]),
        level=pick([int(priority) for priority in Priority]),
        endpoint=pick(_ENDPOINTS),
        deadline=pick([None, None, None, None, 0.25, 3.0]),
        same=pick(sorted(bench.rides)) if bench.caches and bench.rides else None,
    )


def _cancel(bench: WalkBench, do: Do, pick: Pick) -> None:
    do("cancel", ride=pick(bench.waiting()))


def _read(bench: WalkBench, do: Do, pick: Pick) -> None:
    do("read", ride=pick(bench.streams()))


def _leave(bench: WalkBench, do: Do, pick: Pick) -> None:
    do(pick(["hang_up", "abandon"]), ride=pick(bench.streams()))


def _answer_well(bench: WalkBench, do: Do, pick: Pick) -> None:
    do("answer", ride=pick(_undecided(bench)), how=pick(_WELL))


def _answer_badly(bench: WalkBench, do: Do, pick: Pick) -> None:
    do("answer", ride=pick(_undecided(bench)), how=pick(_BADLY))


def _resume(bench: WalkBench, do: Do, pick: Pick) -> None:
    do("resume", ride=pick(_paused(bench)), how=pick(["rest", "cut"]))


def _change_mood(bench: WalkBench, do: Do, pick: Pick) -> None:
    do("mood", how=pick(["good", "500", "429 hint", "slow 2"]), requests=pick([2, 1, 4]))


def _change_limits(bench: WalkBench, do: Do, pick: Pick) -> None:
    limit, queue = pick([4, 3, 1, 2, None]), pick([None, None, 3, 1, 0])
    do("resize", endpoint=pick(_ENDPOINTS), limit=limit, queue=queue)


def _change_keys(bench: WalkBench, do: Do, pick: Pick) -> None:
    endpoint = pick(_ENDPOINTS)
    present = bench.keys[endpoint]
    absent = [number for number in range(MOST_KEYS) if number not in present]
    what = pick([*["add", "rotate"][: len(absent)], "remove"]) if present else "add"
    if what == "add":
        do("add_key", endpoint=endpoint, key=pick(absent))
    elif what == "remove":
        do("remove_key", endpoint=endpoint, key=pick(present))
    else:
        do("rotate_key", endpoint=endpoint, old=pick(present), new=pick(absent))


def _wait(bench: WalkBench, do: Do, pick: Pick) -> None:
    do("advance", seconds=pick([0.5, 1.0, 2.0, 5.0, 30.0]))


def _close(bench: WalkBench, do: Do, pick: Pick) -> None:
    do("close")


_MOVES: Final[tuple[tuple[int, Callable[[WalkBench, Do, Pick], None], Callable[[WalkBench], Any]], ...]] = (
    (6, _answer_badly, _undecided),
    (6, _answer_well, _undecided),
    (5, _resume, _paused),
    (5, _read, WalkBench.streams),
    (9, _submit, _always),
    (4, _cancel, WalkBench.waiting),
    (2, _close, _can_close),
    (2, _leave, WalkBench.streams),
    (2, _change_keys, _always),
    (2, _change_mood, _always),
    (4, _wait, _always),
    (3, _change_limits, _always),
)
"""How often, what, and when."""
