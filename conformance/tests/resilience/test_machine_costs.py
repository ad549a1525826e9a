"""What one call costs in all machines together, counted in calls and lines of Python: the same on every computer."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import backends.resilience.admission
from backends.resilience.admission import Admission
from backends.resilience.breaker import Breaker, Lease
from backends.resilience.budget import RetryBudget
from backends.resilience.keys import KeyLease, KeyPool
from backends.secret import Key
from backends.telemetry.metrics import Metrics
from backends.types import Usage

PURE = [
    "backoff", "hints", "breaker", "line", "admission", "adaptive", "turnover", "window", "allowance", "rate_headers",
    "keys", "key_state", "key_choice", "budget", "batcher", "shares",
]  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "monotonic_ns", "perf_counter"}


def counted(action: Callable[[], Any]) -> tuple[int, int]:
    """Count the Python functions entered and the lines run by an action."""
    calls = lines = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal calls, lines
        calls += event == "call"
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return calls, lines


def test_the_hot_path_is_short() -> None:
    """A granted call that succeeds enters few functions, and the thousandth costs what the second did."""
    admission: Admission[str] = Admission(5, 100)
    breaker, metrics, budget = Breaker(), Metrics(0.0, 0.0), RetryBudget()
    keys = KeyPool([Key(f"sk-planted-{number}") for number in range(4)])
    usage = Usage(10, 20, 30)

    def call() -> None:
        metrics.started()
        budget.deposit()
        admission.submit("call", 1, 1.0)
        lease = breaker.acquire(1.0, 1.0)
        key = keys.acquire(1.0)
        assert isinstance(lease, Lease)
        assert isinstance(key, KeyLease)
        breaker.success(lease, 2.0, 2.0)
        keys.record(key, usage, failed=False)
        keys.release(key)
        admission.release(2.0)
        metrics.finished("success", model="m", endpoint="e", queued=0.001, total=0.5, usage=usage, attempts=1)

    call()
    costs = []
    for _ in range(4):
        costs.append(counted(call))
        for _ in range(1000):
            call()
    calls, lines = max(costs)
    assert calls <= 30
    assert lines <= 180
    assert max(costs) == min(costs)


@pytest.mark.parametrize("name", PURE)
def test_machines_are_pure(name: str) -> None:
    """No machine imports a clock, a random source, a lock, a loop or a socket."""
    source = Path(backends.resilience.admission.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    allowed = {"__future__", "backends", "collections", "dataclasses", "datetime", "email", "enum", "hashlib"}
    assert imported <= allowed | {"math", "re", "typing"}
    assert not {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)} & CLOCKS
