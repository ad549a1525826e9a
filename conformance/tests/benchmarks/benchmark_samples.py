"""Results as the parts write them, with round figures."""

from __future__ import annotations

from typing import Any

__all__ = ["client", "everything", "noise", "with_clients"]


def noise(*, quiet: bool = True) -> dict[str, Any]:
    return {
        "load_before": [0.1, 0.1, 0.1],
        "load_after": [1.0, 0.5, 0.2],
        "others_share": 0.01 if quiet else 0.4,
        "spin_spread": 0.03,
        "quiet": quiet,
    }


def _frame(part: str, **more: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "part": part,
        "date": "2026-01-02",
        "quick": False,
        "machine": {
            "processor": "A processor",
            "cpus": 2,
            "memory_gib": 8.0,
            "system": "Linux 6.1 x86_64",
            "python": "CPython 3.11.7",
            "pinned": True,
        },
        "versions": {"aiohttp": "3.13.0"},
        "noise": noise(),
        **more,
    }


def client(name: str, per_second: list[float] | None, levels: tuple[str, ...], **more: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "title": name.replace("_", " "),
        "note": "as it is",
        "ours": name.startswith("whole_path"),
        "status": "measured",
        "remark": "",
        "versions": {"a-package": "1.0"},
        "levels": {},
        **more,
    }
    if per_second is not None:
        figures = {
            "calls": [100 for _ in per_second],
            "per_second": per_second,
            "cpu_per_unit": [1 / rate for rate in per_second],
            "p50": [0.001 for _ in per_second],
            "p99": [0.01 for _ in per_second],
            "server_share": [0.1 for _ in per_second],
            "requests_per_call": [1.0 for _ in per_second],
            "failures": 0,
            "first_failure": None,
            "peak_bytes": 50 * 2**20,
        }
        row["levels"] = {level: dict(figures) for level in levels}
    return row


def with_clients(part: str, levels: tuple[str, ...], rates: dict[str, list[float]]) -> dict[str, Any]:
    return _frame(
        part,
        settings={"rounds": 3, "seconds": 2.0, "orders": {level: {"what": "call"} for level in levels}},
        clients=[client(name, values, levels) for name, values in rates.items()],
    )


def _import_row(name: str, wall: float, peak: int) -> dict[str, Any]:
    return {
        "name": name,
        "title": f"`{name}`",
        "status": "measured",
        "remark": "",
        "wall": [wall] * 2,
        "peak": [peak] * 2,
    }


def _span(came: int, served: int, p95: float | None) -> dict[str, Any]:
    return {"came": came, "served": served, "p50": p95, "p95": p95, "wasted": came - served}


def everything() -> dict[str, dict[str, Any]]:
    """Return one result of every part; every target is reached except those of the sync twin."""
    rates = {
        "aiohttp_raw": [9000.0, 8000.0, 10000.0],
        "whole_path": [4500.0, 4400.0, 5200.0],
        "openai_sdk": [600.0, 650.0, 700.0],
        "litellm_router": [200.0, 205.0, 210.0],
    }
    sizes = (1_000, 1_000_000)
    return {
        "calls": with_clients("calls", ("1", "32", "128"), rates),
        "arrivals": with_clients("arrivals", ("100 a second",), rates),
        "streams": with_clients("streams", ("1", "8"), rates),
        "sync_twin": with_clients("sync_twin", ("1", "32"), {"whole_path": [900.0], "whole_path_sync": [300.0]}),
        "imports": _frame(
            "imports",
            settings={"rounds": 2},
            rows=[
                _import_row("bare", 0.01, 8 * 2**20),
                _import_row("backends", 0.02, 10 * 2**20),
                _import_row("backends_openai", 0.06, 20 * 2**20),
                _import_row("whole_path_call", 0.25, 40 * 2**20),
            ],
        ),
        "waiting_line": _frame(
            "waiting_line",
            settings={"rounds": 1, "batch": 10},
            rows=[
                {"waiting": size, "push": [1e-6], "pop": [2e-6], "submit": [2e-6], "release": [2e-6]} for size in sizes
            ],
        ),
        "batching": _frame(
            "batching",
            settings={
                "rounds": 1,
                "seconds": 1.0,
                "batch_timeout": 0.01,
                "server": {"workers": 4, "per_request": 0.02, "per_input": 0.0005},
            },
            rows=[
                {"callers": callers, "size": size, "per_second": [rate], "inputs_per_request": [1.0], "p50": [0.02]}
                for callers in (1, 64)
                for size, rate in ((1, 200.0), (32, 1400.0), (64, 1000.0))
            ],
        ),
        "caching": _frame(
            "caching",
            settings={
                "rounds": 1,
                "entries": 100_000,
                "dimensions": 384,
                "calls": 200,
                "asked": 200,
                "missed": 1,
                "packages": {"numpy": "2.0"},
            },
            rows=[
                {"name": name, "p50": [seconds], "p99": [2 * seconds]}
                for name, seconds in (("past", 5e-4), ("miss", 1e-3), ("exact", 1e-4), ("semantic", 8e-4))
            ],
        ),
        "overheads": _frame(
            "overheads",
            settings={"rounds": 1, "calls": 1000, "packages": {}},
            rows=[
                {"name": name, "seconds": [micros * 1e-6]}
                for name, micros in (
                    ("uncounted", 190.0),
                    ("plain", 200.0),
                    ("empty", 215.0),
                    ("logs", 240.0),
                    ("logs_floor", 232.0),
                    ("audit", 250.0),
                    ("audit_buffered", 230.0),
                    ("otel_api", 230.0),
                    ("otel", 255.0),
                    ("otel_floor", 245.0),
                    ("chain", 220.0),
                )
            ],
        ),
        "growth": _frame(
            "growth",
            settings={"requests": 1_000_000, "in_flight": 8},
            status="measured",
            remark="",
            samples=[
                {"requests": 0, "resident_bytes": 50 * 2**20, "seconds": 0.0},
                {"requests": 1_000_000, "resident_bytes": 51 * 2**20, "seconds": 120.0},
            ],
        ),
        "semantic_cache": _frame(
            "semantic_cache",
            settings={"pairs": 10, "same": 5, "held_out": 4, "held_out_same": 2, "thresholds": [0.8, 0.9]},
            embedders=[
                {
                    "name": "minilm",
                    "title": "an encoder of ours",
                    "status": "measured",
                    "remark": "",
                    "versions": {"an-encoder": "1.0"},
                    "rates": [
                        {"gate": gate, "threshold": threshold, "hits": 0.8, "false_hits": wrong, "false_by_kind": {}}
                        for gate, wrong in (("no gate", 0.5), ("content", 0.0))
                        for threshold in (0.8, 0.9)
                    ],
                    "held_out": [
                        {"gate": "content", "threshold": 0.8, "hits": 0.7, "false_hits": 0.0, "false_by_kind": {}},
                    ],
                },
                {"name": "words", "title": "words", "status": "failed", "remark": "why", "versions": {}, "rates": []},
            ],
            strangers={"compared": 100, "hits": 0},
            lookups=[{"entries": 1000, "dimensions": 8, "numpy": True, "seconds": 1e-4}],
        ),
        "adaptive": _frame(
            "adaptive",
            settings={
                "calls_per_second": 10.0,
                "patience": 15.0,
                "ceiling": 64,
                "bucket": 10.0,
                "phases": [{"name": "well", "seconds": 10.0}, {"name": "dead", "seconds": 10.0}],
            },
            clients=[
                {
                    "name": name,
                    "short": name,
                    "title": f"{name}, whole path",
                    "runs": [[_span(100, 100, 1.5), _span(100, 0, None)], [_span(100, 80, 2.0), _span(100, 0, None)]],
                }
                for name in ("adaptive", "naive")
            ],
            router={"status": "measured", "remark": "", "version": "1.2", "late": 0.01, "processor": 0.3},
        ),
        "contract_time": _frame(
            "contract_time",
            settings={"changed": "backends/resilience/breaker.py"},
            status="measured",
            remark="",
            steps={
                name: {
                    "command": command,
                    "status": "measured",
                    "remark": "",
                    "exit_status": 0,
                    "seconds": seconds,
                    "told": ["2 run, 0 reused."],
                }
                for name, command, seconds in (
                    ("whole", "conformance run", 45.0),
                    ("changed", "conformance run --changed", 30.0),
                )
            },
        ),
    }
