"""Which machines there are: for each, the class that ships, the bench that judges it and the check that drives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from conformance.machines import (
    adaptive,
    admission,
    allowance,
    backoff,
    batcher,
    breaker,
    budget,
    cache,
    hints,
    histogram,
    keys,
    line,
    ndjson,
    sse,
    walk,
)
from conformance.machines.bench import Bench, Rules

__all__ = ["MACHINES", "Machine"]


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine under contract.

    Attributes:
        name: as in files and reports.
        genuine: the class, or function, that ships.
        bench: judges steps; needs no Hypothesis.
        rules: draw the steps.
        run: ``run(settings, machine_class)`` drives a class at random.
    """

    name: str
    genuine: Callable[..., Any]
    bench: type[Bench]
    rules: type[Rules]
    run: Callable[[Any, Any], None]


def _machine(module: ModuleType) -> Machine:
    (rules,) = (
        one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Rules) and one is not Rules
    )
    return Machine(rules.bench_class.machine, rules.subject, rules.bench_class, rules, module.run)


MACHINES: Mapping[str, Machine] = MappingProxyType(
    {
        machine.name: machine
        for machine in map(
            _machine,
            (
                breaker,
                line,
                admission,
                adaptive,
                allowance,
                batcher,
                keys,
                backoff,
                hints,
                budget,
                cache,
                histogram,
                sse,
                ndjson,
                walk,
            ),
        )
    }
)
"""All machines by name."""
