"""Part ``contract_time``: how long the whole contract takes over all backends, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.context import Context
from benchmarks.machine import Noise
from benchmarks.processes import ROOT, children_seconds, environment

__all__ = ["measure"]


def measure(context: Context) -> dict[str, Any]:
    """Run the part once; it is long, and its spread is small beside its target. Not pinned: it may use every CPU."""
    context.progress.part("contract", 1)
    context.progress.step("conformance run")
    noise, ended = Noise(), children_seconds()
    with tempfile.TemporaryDirectory() as place:
        where = ["--evidence", str(Path(place) / "evidence.jsonl"), "--reports", str(Path(place) / "reports")]
        order = [sys.executable, "-m", "conformance", "run", *where]
        if context.quick:
            order = [sys.executable, "-m", "conformance", "list"]
        began = time.perf_counter()
        done = subprocess.run(order, capture_output=True, text=True, env=environment(), cwd=ROOT, check=False)
        took = time.perf_counter() - began
        ran = done.returncode == 0 if context.quick else (Path(place) / "evidence.jsonl").exists()
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return {
        "noise": noise.result(children_seconds() - ended),
        "settings": {"command": " ".join(["conformance", *order[3:4]])},
        "status": "measured" if ran else "failed",
        "remark": "" if ran else (done.stderr.strip().splitlines() or lines or ["no word"])[-1][:300],
        "exit_status": done.returncode,
        "seconds": took,
    }
