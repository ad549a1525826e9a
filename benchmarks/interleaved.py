"""Rounds over several clients, one after another and again from the start, against one server.

The order is client by client within a round (ABCD ABCD), so that all columns see the same noise and ratios can be taken
within rounds. One process measures at a time; the others sleep.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

from benchmarks.clients import find
from benchmarks.context import Context
from benchmarks.machine import Noise, cpus
from benchmarks.processes import ClientProcess, ServerProcess, children_seconds

__all__ = ["run"]

_PER_ROUND: Final = ("calls", "per_second", "cpu_per_unit", "p50", "p99")


def run(
    part: str,
    context: Context,
    names: Sequence[str],
    orders: Mapping[str, Mapping[str, Any]],
    rounds: int | None = None,
) -> dict[str, Any]:
    """Measure each client under each order in every round.

    Args:
        part: the name for progress.
        context: the run's settings.
        names: the clients.
        orders: label -> what the client's process is told to do.
        rounds: another number of rounds than the run's.

    Returns:
        noise, settings and a row for each client, with one figure a round.
    """
    rounds = rounds or context.rounds
    server_cpu, client_cpu = cpus()
    context.progress.part(part, len(names) * (1 + rounds * len(orders)))
    noise, ended = Noise(), children_seconds()
    with ServerProcess(server_cpu) as server, ExitStack() as stack:
        processes = []
        for name in names:
            context.progress.step(f"starting {name}")
            process = ClientProcess(find(name), server.url, client_cpu, context.interpreters)
            stack.callback(process.close)
            processes.append(process)
        levels = {name: {label: _empty() for label in orders} for name in names}
        for _ in range(rounds):
            noise.beat()
            for label, order in orders.items():
                for process in processes:
                    context.progress.step(f"{process.entry.title}, {label}")
                    _one(process, server, order, levels[process.entry.name][label])
    return {
        "noise": noise.result(children_seconds() - ended),
        "settings": {
            "rounds": rounds,
            "seconds": context.seconds,
            "orders": {label: dict(o) for label, o in orders.items()},
        },
        "clients": [_row(process, levels[process.entry.name]) for process in processes],
    }


def _empty() -> dict[str, Any]:
    lists: dict[str, Any] = {name: [] for name in _PER_ROUND}
    return {
        **lists,
        "server_share": [],
        "requests_per_call": [],
        "failures": 0,
        "first_failure": None,
        "peak_bytes": None,
    }


def _one(process: ClientProcess, server: ServerProcess, order: Mapping[str, Any], into: dict[str, Any]) -> None:
    """Measure once and add the figures; the server's own counts are taken around it."""
    if process.status != "measured":
        return
    before, began = server.state(), time.perf_counter()
    try:
        told = process.order(**order)
    except RuntimeError as problem:
        process.give_up(problem)
        return
    after, took = server.state(), time.perf_counter() - began
    for name in _PER_ROUND:
        into[name].append(told[name])
    into["server_share"].append((after["cpu"] - before["cpu"]) / took)
    into["requests_per_call"].append((after["requests"] - before["requests"]) / max(1, told["everything"]))
    into["failures"] += told["failures"]
    into["first_failure"] = into["first_failure"] or told["first_failure"]
    into["peak_bytes"] = told["peak_bytes"]


def _row(process: ClientProcess, levels: dict[str, Any]) -> dict[str, Any]:
    entry = process.entry
    return {
        "name": entry.name,
        "title": entry.title,
        "note": entry.note,
        "ours": entry.ours,
        "status": process.status,
        "remark": process.remark,
        "versions": process.versions,
        "levels": levels if process.status == "measured" else {},
    }
