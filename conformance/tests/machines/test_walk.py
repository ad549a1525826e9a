"""The walk over the whole path of a call: it repeats itself, shortens what it finds, and finds all within the quick profile."""

from __future__ import annotations

import pytest

from conformance.machines.bench import Disagreement
from conformance.machines.broken.walk import BROKEN
from conformance.machines.profiles import QUICK, Tally
from conformance.machines.walk import WalkBench, walk
from conformance.machines.walk.bench import build
from conformance.machines.walk.rules import stroll

BEGINNING = {
    "row": "openai",
    "limit": 1,
    "queue": 4,
    "overflow": "reject",
    "keys": 1,
    "strategy": "round_robin",
    "per_key": None,
    "retries": 2,
    "threshold": 2,
    "first_token": None,
    "batch": False,
    "cache": False,
    "abrupt": False,
}
ASKED = {"kind": "call", "level": 1, "endpoint": "default", "deadline": None, "same": None}


def test_dice_repeat_themselves() -> None:
    """The same seed takes the same steps, another one others."""
    steps = [stroll(build, "claude", 12, seed).steps for seed in ("1/claude/0", "1/claude/0", "2/claude/0")]
    assert steps[0] == steps[1] != steps[2]
    assert steps[0][0]["do"] == "new"
    assert steps[0][-1]["do"] == "finish"


def test_walks_are_counted() -> None:
    """Examples, steps, and requests that arrived."""
    tally = Tally()
    arrived = walk(build, "ollama", 2, 10, tally=tally)
    assert tally == Tally(2, 2 * 12)
    assert arrived > 0


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_path_is_found_within_the_quick_profile(broken) -> None:
    """By dice alone."""
    with pytest.raises(Disagreement):
        walk(broken.subject, "openai", QUICK.walks, QUICK.steps)


def test_what_is_found_is_shortened() -> None:
    """To a few steps that show the same fault."""
    broken = next(one for one in BROKEN if one.name == "walk-ends-twice")
    with pytest.raises(Disagreement) as found:
        walk(broken.subject, "openai", QUICK.walks, QUICK.steps, shrinks=True)
    assert "cancelled" in found.value.message
    assert len(found.value.steps) <= 4


def test_a_retry_waits_outside_and_comes_back_first() -> None:
    """One story by hand: what the bench sees of a slot, a sleeper and a queue."""
    bench = WalkBench(build)
    bench.do("new", **BEGINNING)
    bench.do("submit", ride=0, **ASKED)
    bench.do("submit", ride=1, **ASKED)
    bench.do("answer", ride=0, how="500")
    assert bench.waiting() == [0, 1]
    assert [exchange.rides for exchange in bench.server.undecided()] == [(1,)]
    bench.do("advance", seconds=2.0)
    bench.do("answer", ride=1, how="good")
    assert [exchange.rides for exchange in bench.server.undecided()] == [(0,)]
    bench.do("finish")
    assert [ride.ends for ride in bench.rides.values()][:2] == [["result"], ["result"]]


def test_steps_that_find_nobody_do_nothing() -> None:
    """So that a part of a walk is a walk."""
    bench = WalkBench(build)
    bench.do("new", **BEGINNING)
    for step in ("cancel", "read", "hang_up", "abandon"):
        bench.do(step, ride=7)
    bench.do("answer", ride=7, how="good")
    bench.do("resume", ride=7, how="cut")
    bench.do("remove_key", endpoint="default", key=4)
    bench.do("rotate_key", endpoint="default", old=4, new=0)
    bench.do("add_key", endpoint="default", key=0)
    bench.do("finish")
    assert bench.keys["default"] == [0, 5]


def test_a_question_of_the_backend_itself_is_answered_and_is_no_call() -> None:
    """TEI is asked for its limits before anything is batched; that request carries no call of the walk."""
    bench = WalkBench(build)
    settings = {"limit": 1, "queue": 0, "overflow": "wait", "keys": 3, "strategy": "round_robin", "per_key": None}
    others = {"retries": 0, "threshold": 2, "first_token": 2.0, "batch": True, "cache": False, "abrupt": True}
    call = {"ride": 0, "kind": "call", "level": 2, "endpoint": "default", "deadline": None, "same": None}
    bench.replay(
        [
            {"do": "new", "row": "hf_tei", **settings, **others},
            {"do": "submit", **call},
            {"do": "answer", "ride": 7, "how": "503 hint"},
            {"do": "answer", "ride": 0, "how": "good"},
        ]
    )
    assert bench.server.arrivals[0].rides == ()
    assert all(exchange.decided.done() for exchange in bench.server.arrivals if not exchange.rides)
