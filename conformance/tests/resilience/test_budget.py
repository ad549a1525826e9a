"""The retry budget."""

from __future__ import annotations

import pytest

from backends.resilience.budget import RetryBudget


def test_a_dead_provider_sees_a_fixed_share() -> None:
    """However many repeats are wanted, 1,000 requests allow the reserve and a fifth."""
    budget = RetryBudget()
    allowed = 0
    for _ in range(1000):
        budget.deposit()
        allowed += sum(budget.withdraw() for _ in range(5))
    assert allowed == budget.granted
    assert 200 <= allowed <= 50 + 200
    assert budget.denied == 5000 - allowed


def test_a_quiet_day_does_not_pay_for_a_storm() -> None:
    """The account never holds more than the reserve."""
    budget = RetryBudget(reserve=3.0)
    for _ in range(100_000):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(100)) == 3


@pytest.mark.parametrize("ratio", [0.1, 0.2, 0.3, 1 / 3])
def test_rounding_does_not_eat_a_repeat(ratio: float) -> None:
    """Ten tenths make one."""
    budget = RetryBudget(ratio=ratio, reserve=0.0)
    for _ in range(round(1 / ratio + 0.49)):
        budget.deposit()
    assert budget.withdraw()
    assert not budget.withdraw()


def test_nothing_is_nothing() -> None:
    """Neither reserve nor ratio: no repeats at all."""
    budget = RetryBudget(ratio=0.0, reserve=0.0)
    budget.deposit()
    assert not budget.withdraw()


@pytest.mark.parametrize("field", ["ratio", "reserve"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_wrong_argument_is_named(field: str, value: float) -> None:
    """Construction refuses what makes no sense and says which."""
    with pytest.raises(ValueError, match=f"^{field} must be 0 or more, and finite$"):
        RetryBudget(**{field: value})


def test_without_a_reserve_there_is_room_for_one_repeat() -> None:
    """However many requests paid in."""
    budget = RetryBudget(ratio=1.0, reserve=0.0)
    for _ in range(10):
        budget.deposit()
    assert [budget.withdraw() for _ in range(3)] == [True, False, False]
    assert (budget.granted, budget.denied) == (1, 2)


def test_the_reserve_is_there_from_the_start() -> None:
    """Fifty repeats unless told otherwise."""
    budget = RetryBudget()
    assert [budget.withdraw() for _ in range(51)] == [True] * 50 + [False]


def test_a_balance_that_is_one_but_for_a_rounding_error_pays_for_a_repeat() -> None:
    assert [RetryBudget(ratio=0.0, reserve=reserve).withdraw() for reserve in (1.0 - 1e-9, 1.0 - 1e-6)] == [True, False]
