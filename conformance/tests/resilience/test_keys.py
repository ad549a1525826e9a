"""The key pool: whose turn it is, what a rate limit and a refusal do, and totals that add up."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from backends.resilience.allowance import ONE, Rates
from backends.resilience.key_state import SLACK
from backends.resilience.keys import Busy, Exhausted, KeyLease, KeyPool, KeyStatus, Strategy, Wait
from backends.resilience.rate_headers import Kind, Told
from backends.secret import Key
from backends.telemetry.prices import Charge
from backends.types import Usage


def key(number: int) -> Key:
    return Key(f"sk-planted-{number}", name=f"key {number}")


def pool(size: int, strategy: Strategy = Strategy.ROUND_ROBIN, limit: int | None = None) -> KeyPool:
    return KeyPool([key(number) for number in range(size)], strategy=strategy, per_key_limit=limit)


def lease(keys: KeyPool, now: float = 0.0, tried: tuple[str, ...] = (), affinity: bytes | None = None) -> KeyLease:
    answer = keys.acquire(now, tried=tried, affinity=affinity)
    assert isinstance(answer, KeyLease), answer
    return answer


def status(keys: KeyPool, name: str, now: float = 0.0) -> KeyStatus:
    (row,) = (row for row in keys.snapshot(now) if row.name == name)
    return row


@pytest.mark.parametrize("calls", [1, 7, 40, 101])
def test_round_robin_spreads_within_one(calls: int) -> None:
    """N calls over k keys, whether they are given back or not."""
    keys = pool(4)
    used = Counter(lease(keys).key.name for _ in range(calls))
    assert max(used.values()) - min(used[f"key {number}"] for number in range(4)) <= 1


def test_least_loaded_takes_the_fewest_in_flight() -> None:
    """The key whose call ended gets the next one."""
    keys = pool(3, Strategy.LEAST_LOADED)
    out = [lease(keys) for _ in range(6)]
    assert Counter(one.key.name for one in out) == {"key 0": 2, "key 1": 2, "key 2": 2}
    keys.release(out[1])
    assert lease(keys).key is out[1].key


@pytest.mark.parametrize("strategy", list(Strategy))
def test_ties_take_turns(strategy: Strategy) -> None:
    """Idle keys are used one after another, not the first one always."""
    keys = pool(3, strategy)
    used = []
    for _ in range(6):
        one = lease(keys)
        used.append(one.key.name)
        keys.release(one)
    assert used == ["key 0", "key 1", "key 2"] * 2


def test_a_rate_limit_cools_that_key_only() -> None:
    """The others go on; the cooling one is offered at its time and not before."""
    keys = pool(2)
    first = lease(keys)
    keys.cool(first, 10.0)
    keys.release(first)
    assert {lease(keys, 9.9).key.name for _ in range(4)} == {"key 1"}
    assert status(keys, "key 0", 4.0).cooling_for == 6.0
    assert {lease(keys, 10.0).key.name for _ in range(2)} == {"key 0", "key 1"}


def test_all_cooling_says_until_when() -> None:
    """The earliest moment, and coming at that moment is enough."""
    keys = pool(2)
    keys.cool(lease(keys), 100.3)
    keys.cool(lease(keys), 90.1)
    answer = keys.acquire(0.7)
    assert answer == Wait(90.1)
    assert lease(keys, 0.7 + (90.1 - 0.7)).key.name == "key 1"


@pytest.mark.parametrize(
    ("now", "early", "offered"), [(0.0, SLACK, True), (0.0, 2 * SLACK, False), (8.0, SLACK / 2, True)]
)
@pytest.mark.parametrize("cools", [True, False])
def test_who_comes_a_rounding_error_early_is_offered_the_key(
    cools: bool, now: float, early: float, offered: bool
) -> None:
    """A microsecond before it has cooled, or before its budget is whole."""
    keys = KeyPool([key(0)], rates=Rates(told=True, obeyed=True))
    one = keys.acquire(now, demand=ONE)
    assert isinstance(one, KeyLease)
    assert one.draw is not None
    if cools:
        keys.cool(one, now + early)
    else:
        one.draw.allowance.learn(one.draw, {Kind.REQUESTS: Told(0, 10, early)}, now)
    answer = keys.acquire(now, demand=ONE)
    assert isinstance(answer, KeyLease) if offered else answer == Wait(now + early, paced=not cools)


def test_a_shorter_hint_does_not_end_a_longer_one() -> None:
    """Of two answers that crossed, the later moment holds."""
    keys = pool(1)
    one = lease(keys)
    keys.cool(one, 50.0)
    keys.cool(one, 20.0)
    assert keys.acquire(30.0) == Wait(50.0)


def test_ten_keys_seven_dead() -> None:
    """A request walks past every dead key; the next one does not meet them any more."""
    keys = pool(10)
    dead = {f"key {number}" for number in range(7)}
    tried: list[str] = []
    while True:
        one = lease(keys, tried=tuple(tried))
        keys.release(one)
        tried.append(one.key.fingerprint)
        if one.key.name not in dead:
            break
        keys.retire(one, "401")
    assert len(tried) == 8
    assert {lease(keys).key.name for _ in range(30)} == {"key 7", "key 8", "key 9"}
    assert [row.state for row in keys.snapshot(0.0)] == ["retired"] * 7 + ["ready"] * 3


def test_tried_keys_go_last() -> None:
    """A key that failed for this request is offered to it again only when no other is ready."""
    keys = pool(3)
    tried = (key(0).fingerprint, key(2).fingerprint)
    assert {lease(keys, tried=tried).key.name for _ in range(5)} == {"key 1"}
    keys.retire(lease(keys, tried=tried), "403")
    assert lease(keys, tried=tried).key.name in {"key 0", "key 2"}


def test_a_tried_key_that_is_free_beats_waiting_for_a_fresh_one() -> None:
    """Nothing is gained by waiting when a healthy key has room."""
    keys = pool(2, limit=1)
    first = lease(keys)
    answer = keys.acquire(0.0, tried=(key(1).fingerprint,))
    assert isinstance(answer, KeyLease)
    assert (first.key.name, answer.key.name) == ("key 0", "key 1")


def test_limits_per_key() -> None:
    """Busy while all are at their limit; a key's own limit replaces the pool's."""
    keys = pool(2, limit=1)
    out = [lease(keys), lease(keys)]
    assert keys.acquire(0.0) == Busy()
    keys.release(out[0])
    assert lease(keys).key.name == "key 0"
    keys.add(key(5), limit=2)
    assert [lease(keys).key.name for _ in range(2)] == ["key 5", "key 5"]
    assert keys.acquire(0.0) == Busy()


def test_busy_tells_when_a_cooling_key_comes_back() -> None:
    """That may be sooner than a release."""
    keys = pool(2, limit=1)
    keys.cool(lease(keys), 30.0)
    lease(keys)
    assert keys.acquire(1.0) == Busy(until=30.0)


def test_a_single_key_that_was_refused_can_recover() -> None:
    """The next request tries it, one that has tried it does not, and a success makes it ready again."""
    keys = pool(1)
    first = lease(keys)
    keys.retire(first, "401 from the provider")
    keys.release(first)
    assert keys.acquire(0.0, tried=(first.key.fingerprint,)) == Exhausted("401 from the provider")
    assert status(keys, "key 0").reason == "401 from the provider"
    second = lease(keys)
    keys.record(second, None, failed=False)
    assert status(keys, "key 0").state == "ready"


def test_the_last_resort_is_the_key_retired_last() -> None:
    """Of several refused keys."""
    keys = pool(3)
    one, two, three = lease(keys), lease(keys), lease(keys)
    for refused in (one, three, two):
        keys.retire(refused, f"refused {refused.key.name}")
    assert lease(keys).key is two.key
    assert keys.acquire(0.0, tried=("x",)) == Exhausted("refused key 1")


def test_the_last_resort_counts_in_its_budgets() -> None:
    """They are the key's, refused or not."""
    keys = KeyPool([key(0)], rates=Rates(requests_per_minute=5))
    keys.retire(lease(keys), "")
    assert keys.acquire(1.0, tried=("x",), demand=ONE) == Exhausted("all keys are retired")
    last = keys.acquire(1.0, demand=ONE)
    assert isinstance(last, KeyLease)
    assert last.draw is not None
    assert status(keys, "key 0", 2.0).rates[0]["left"] == 4


def test_the_last_resort_keeps_limits_and_rate_limits() -> None:
    """A refused key is no more than any other key."""
    keys = pool(1, limit=1)
    first = lease(keys)
    keys.retire(first, "401")
    assert keys.acquire(0.0) == Busy()
    keys.cool(first, 5.0)
    assert keys.acquire(0.0) == Wait(5.0)


def test_old_news_changes_nothing() -> None:
    """Neither a success nor a refusal of a call from before the retirement counts after it."""
    keys = pool(1)
    success, refusal, first = lease(keys), lease(keys), lease(keys)
    keys.retire(first, "401")
    keys.record(success, None, failed=False)
    assert status(keys, "key 0").state == "retired"
    keys.record(lease(keys), None, failed=False)
    assert status(keys, "key 0").state == "ready"
    keys.retire(refusal, "401 again")
    assert status(keys, "key 0").state == "ready"
    early, late = lease(keys), lease(keys)
    keys.retire(late, "401 once more")
    keys.record(early, None, failed=False)
    assert status(keys, "key 0").state == "retired", "as after the first retirement"


def test_in_flight_is_zero_when_idle() -> None:
    """However calls end, and even if a lease is given back twice."""
    keys = pool(2, Strategy.LEAST_LOADED)
    out = [lease(keys) for _ in range(5)]
    for one in out:
        keys.record(one, None, failed=True)
    assert [keys.release(one) for one in out] == [True] * 5
    assert [keys.release(one) for one in out] == [False] * 5
    assert [(row.in_flight, row.failures) for row in keys.snapshot(0.0)] == [(0, 3), (0, 2)]


def test_rotation_while_calls_fly() -> None:
    """The call in flight finishes on the old key, and counts for it; new calls use the new one in its place."""
    keys = pool(2, limit=1)
    flying = lease(keys)
    keys.rotate(key(0).fingerprint, key(9))
    assert flying.key.name == "key 0"
    assert [row.name for row in keys.snapshot(0.0)] == ["key 9", "key 1", "key 0"]
    keys.record(flying, Usage(input_tokens=3, output_tokens=4), failed=False)
    keys.retire(flying, "401")
    keys.release(flying)
    old, new = status(keys, "key 0"), status(keys, "key 9")
    assert (old.state, old.requests, old.input_tokens, old.output_tokens, old.in_flight) == ("removed", 1, 3, 4, 0)
    assert old.reason is None, "it is not refused but gone"
    assert (new.state, new.requests) == ("ready", 0)
    assert {lease(keys).key.name for _ in range(2)} == {"key 9", "key 1"}
    assert keys.acquire(0.0) == Busy()


def test_totals_survive_removal() -> None:
    """The sum over all rows is what was recorded, however many keys came and went; the rows stay few."""
    keys = pool(1)
    late = []
    for number in range(1, 200):
        keys.add(key(number))
        keys.remove(key(number - 1).fingerprint)
        one = lease(keys)
        keys.record(one, Usage(input_tokens=1, output_tokens=2), failed=number % 2 == 0)
        keys.release(one)
        late.append(one)
    keys.record(late[0], Usage(input_tokens=1, output_tokens=2), failed=False)
    rows = keys.snapshot(0.0)
    assert len(rows) <= 34
    names = ("requests", "failures", "input_tokens", "output_tokens")
    assert [sum(getattr(row, name) for row in rows) for name in names] == [200, 99, 200, 400]


@pytest.mark.parametrize(("removed", "following"), [(0, "key 3"), (2, "key 3"), (3, "key 4"), (4, "key 3")])
def test_turns_go_on_when_a_key_is_removed(removed: int, following: str) -> None:
    """Nobody is passed over, and nobody's turn comes twice."""
    keys = pool(5)
    assert [lease(keys).key.name for _ in range(3)] == ["key 0", "key 1", "key 2"]
    keys.remove(key(removed).fingerprint)
    assert lease(keys).key.name == following


def told(keys: KeyPool, left: int) -> str:
    """Lease the key whose turn it is, and let the answer say what is left of ten; return its name."""
    one = keys.acquire(0.0, demand=ONE)
    assert isinstance(one, KeyLease)
    assert one.draw is not None
    one.draw.allowance.learn(one.draw, {Kind.REQUESTS: Told(left, 10, 60.0)}, 0.0)
    return one.key.name


def test_the_key_with_the_most_left_goes_next() -> None:
    """One of which nothing is known counts as fresh: it goes before one that has less than all, and takes turns with
    one that has all."""
    keys = KeyPool([key(number) for number in range(3)], strategy=Strategy.MOST_HEADROOM, rates=Rates(told=True))
    assert [told(keys, 10), lease(keys).key.name, lease(keys).key.name] == ["key 0", "key 1", "key 2"]
    assert [told(keys, 5), told(keys, 8), told(keys, 3)] == ["key 0", "key 1", "key 2"]
    assert [row.headroom for row in keys.snapshot(0.0)] == [0.5, 0.8, 0.3]
    assert [told(keys, 4), told(keys, 9)] == ["key 1", "key 0"]
    assert told(keys, 2) == "key 0"
    assert told(keys, 1) == "key 1"


def test_keys_without_budgets_are_all_alike() -> None:
    keys = pool(2, Strategy.MOST_HEADROOM)
    assert [lease(keys).key.name for _ in range(4)] == ["key 0", "key 1"] * 2
    assert [row.headroom for row in keys.snapshot(0.0)] == [None, None]


def test_a_removed_key_with_calls_in_flight_keeps_its_row() -> None:
    """A count in flight is never lost in a sum."""
    keys = pool(1)
    flying = lease(keys)
    for number in range(1, 100):
        keys.add(key(number))
        keys.remove(key(number - 1).fingerprint)
    assert status(keys, "key 0").in_flight == 1
    assert keys.release(flying)


def test_a_key_that_comes_back_is_a_new_one() -> None:
    """What was known of it before it was removed is over."""
    keys = pool(2)
    one = lease(keys)
    keys.retire(one, "401")
    keys.remove(key(0).fingerprint)
    keys.add(key(0))
    assert keys.snapshot(0.0)[1].state == "ready"


def test_affinity_holds_and_moves_as_little_as_possible() -> None:
    """The same prefix gets the same key; when one key cools, only its own prefixes move, and they move back."""
    keys = pool(5)
    prefixes = [f"prompt {number}".encode() for number in range(60)]
    before = {prefix: lease(keys, affinity=prefix).key.name for prefix in prefixes}
    assert before == {prefix: lease(keys, affinity=prefix).key.name for prefix in prefixes}
    assert {name for name, count in Counter(before.values()).items() if count >= 3} == {
        row.name for row in keys.snapshot(0.0)
    }
    cooled = lease(keys, affinity=prefixes[0])
    keys.cool(cooled, 10.0)
    during = {prefix: lease(keys, 5.0, affinity=prefix).key.name for prefix in prefixes}
    moved = {prefix for prefix in prefixes if during[prefix] != before[prefix]}
    assert moved == {prefix for prefix in prefixes if before[prefix] == cooled.key.name}
    assert before == {prefix: lease(keys, 10.0, affinity=prefix).key.name for prefix in prefixes}


def test_affinity_is_the_same_in_every_process_and_release() -> None:
    """A provider's cache that one process has filled serves the others: which key a prefix has is not to change."""
    keys = pool(5)
    chosen = [lease(keys, affinity=f"prompt {number}".encode()).key.name.removeprefix("key ") for number in range(12)]
    assert "".join(chosen) == "222300013320"


def test_readiness() -> None:
    """What the path of a call asks before it decides to wait."""
    keys = pool(2, limit=1)
    first = lease(keys)
    assert keys.ready(0.0, (key(0).fingerprint,))
    assert keys.next_ready(3.0) == 3.0
    keys.cool(first, 10.0)
    keys.retire(lease(keys), "401")
    assert not keys.ready(3.0)
    assert keys.next_ready(3.0) == 10.0
    keys.retire(first, "401")
    assert keys.next_ready(3.0) is None
    assert [one.name for one in tuple(keys.keys())] == ["key 0", "key 1"]


def test_an_empty_pool() -> None:
    """It says so."""
    assert KeyPool([]).acquire(0.0) == Exhausted("the pool holds no key")


def test_misuse_is_refused_without_showing_a_key() -> None:
    """Twice the same key, an unknown one, a limit of nothing."""
    keys = pool(2)
    with pytest.raises(ValueError, match="already") as twice:
        keys.add(key(1))
    with pytest.raises(ValueError, match="already"):
        keys.rotate(key(0).fingerprint, key(1))
    with pytest.raises(LookupError, match="fingerprint") as unknown:
        keys.remove(key(7).fingerprint)
    with pytest.raises(LookupError, match="fingerprint"):
        keys.rotate(key(7).fingerprint, key(8))
    with pytest.raises(ValueError, match="limit"):
        keys.add(key(8), limit=0)
    assert "planted" not in f"{twice.value}{unknown.value}{keys.snapshot(0.0)}{lease(keys)!r}"
    assert len(keys) == 2


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "2"])
def test_a_limit_is_a_whole_number_above_nothing(limit: Any) -> None:
    keys = pool(1, limit=2)
    with pytest.raises(ValueError, match=r"^the limit of a key must be a whole number, 1 or more, or None$"):
        keys.add(key(8), limit=limit)
    with pytest.raises(ValueError, match=r"^the limit of a key must be a whole number, 1 or more, or None$"):
        keys.limit("key 0", limit)
    assert len([lease(keys) for _ in range(2)]) == 2
    assert keys.acquire(0.0) == Busy()


@pytest.mark.parametrize("weight", [0.0, -1.0, float("inf"), float("nan")])
def test_a_weight_is_above_nothing_and_finite(weight: float) -> None:
    with pytest.raises(ValueError, match=r"^the weight of a key must be a number above 0, and finite$"):
        pool(1, Strategy.WEIGHTED).add(key(8), weight=weight)


def test_weights_where_they_do_not_belong() -> None:
    with pytest.raises(ValueError, match=r"^there are 2 keys and 1 weights$"):
        KeyPool([key(0), key(1)], strategy=Strategy.WEIGHTED, weights=[1.0])
    with pytest.raises(ValueError, match=r"^a weight means nothing to the key strategy least_loaded; use weighted$"):
        pool(1, Strategy.LEAST_LOADED).add(key(8), weight=2.0)


def test_a_key_without_a_weight_weighs_one() -> None:
    keys = pool(1, Strategy.WEIGHTED)
    keys.add(key(1), weight=2.0)
    assert Counter(lease(keys).key.name for _ in range(9)) == {"key 0": 3, "key 1": 6}
    assert [row.weight for row in keys.snapshot(0.0)] == [1.0, 2.0]


@pytest.mark.parametrize("there", [Key("sk-planted-8", name="another"), Key("sk-planted-9", name=key(8).fingerprint)])
def test_a_fingerprint_is_that_of_one_key(there: Key) -> None:
    """Whatever the keys are named: what is asked for by a fingerprint is never another key."""
    keys = KeyPool([key(0), there])
    for change in (keys.add, lambda new: keys.rotate("key 0", new)):
        with pytest.raises(ValueError, match=rf"^{re.escape(str(key(8)))} is in the pool already$"):
            change(key(8))
    swapped = KeyPool([key(8)])
    with pytest.raises(ValueError, match=r"is in the pool already$"):
        swapped.add(there)
    assert keys.keys() == (key(0), there)


def test_a_name_is_that_of_one_key() -> None:
    """A new key may take over the name of the one in whose place it comes."""
    keys = pool(2)
    keys.add(Key("sk-planted-8", name=120 * "n"))
    with pytest.raises(ValueError, match=rf"^a key named '{100 * 'n'}' is in the pool already$"):
        keys.add(Key("sk-planted-9", name=120 * "n"))
    renamed = Key("sk-planted-9", name="key 1")
    with pytest.raises(ValueError, match=r"^a key named 'key 1' is in the pool already$"):
        keys.rotate("key 0", renamed)
    keys.rotate("key 1", renamed)
    assert keys.keys()[1] is renamed
    for which in ("key 1", renamed.fingerprint):
        for _ in range(2):
            answer = keys.acquire(0.0, only=which)
            assert isinstance(answer, KeyLease)
            assert answer.key is renamed


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_renewed_pool_has_the_same_keys_and_no_past(strategy: Strategy) -> None:
    """Limits and strategy stay; leases, rate limits, refusals and totals were the parent process's."""
    keys = pool(2, strategy, limit=3)
    keys.limit("key 1", 1)
    one, two = lease(keys), lease(keys)
    keys.retire(one, "401")
    keys.cool(two, 50.0)
    keys.record(two, Usage(1, 2), failed=True)
    fresh = keys.renewed()
    assert (fresh.strategy, fresh.keys()) == (strategy, keys.keys())
    assert [(row.state, row.in_flight, row.requests) for row in fresh.snapshot(0.0)] == [("ready", 0, 0)] * 2
    assert Counter(lease(fresh).key.name for _ in range(4)) == {"key 0": 3, "key 1": 1}
    assert fresh.acquire(0.0) == Busy()
    fresh.add(key(2))
    assert [lease(fresh).key.name for _ in range(3)] == ["key 2"] * 3
    assert fresh.acquire(0.0) == Busy()


def test_keys_of_a_renewed_pool_have_budgets_in_which_nothing_is_spent() -> None:
    """Those that were there, and those that are added."""
    keys = KeyPool([key(0)], rates=Rates(requests_per_minute=5))
    assert isinstance(keys.acquire(0.0, demand=ONE), KeyLease)
    fresh = keys.renewed()
    fresh.add(key(1))
    assert [[rate["left"] for rate in row.rates] for row in fresh.snapshot(0.0)] == [[5], [5]]
    assert [row.rates[0]["left"] for row in keys.snapshot(0.0)] == [4]


def test_charges_survive_removal() -> None:
    """What is known to have been charged, and how often nobody knew, by key and in the sum of those removed long ago."""
    keys = pool(1)
    for number in range(1, 40):
        one = lease(keys)
        keys.charge(one, Charge(None))
        keys.charge(one, Charge(0.25))
        keys.charge(one, Charge(None))
        keys.record(one, Usage(), failed=False)
        keys.release(one)
        keys.add(key(number))
        keys.remove(key(number - 1).fingerprint)
    rows = keys.snapshot(0.0)
    assert rows[-1] == KeyStatus("(removed)", "", "removed", 0, 7, 0, 0, 0, cost=7 * 0.25, unknown_costs=7 * 2)
    assert (sum(row.cost for row in rows), sum(row.unknown_costs for row in rows)) == (39 * 0.25, 39 * 2)


def test_a_key_that_is_not_there_is_said_to_be_missing() -> None:
    """And which there are."""
    keys = pool(1)
    assert keys.acquire(0.0, only="key 7") == Exhausted("the pool holds no such key")
    with pytest.raises(LookupError, match=r"which has key 0$"):
        keys.remove("key 7")
    with pytest.raises(LookupError, match=r"which has none$"):
        KeyPool([]).remove("key 7")


def test_of_many_keys_and_long_names_the_beginning_is_said() -> None:
    """Twenty keys, a hundred characters each."""
    names = [f"{number:02}" + 100 * "n" for number in range(21)]
    keys = KeyPool([Key(f"sk-planted-{name[:2]}", name=name) for name in names])
    with pytest.raises(LookupError) as missing:
        keys.remove("key 7")
    known = ", ".join(name[:100] for name in names[:20])
    assert str(missing.value) == f"no key with this fingerprint or name is in the pool, which has {known}"
