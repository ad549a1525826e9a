"""Part ``contract_time``: how long the whole contract takes over all backends, and how long after a change that concerns every
check, as a user runs them. It changes a copy, never the code beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.context import Context
from benchmarks.machine import Noise
from benchmarks.processes import ROOT, children_seconds, environment

__all__ = ["measure"]

_COPIED: Final = ("backends", "conformance", "fixtures")
_CHANGED: Final = "backends/resilience/breaker.py"
"""Every call of every backend passes it: no change costs more."""
_STEPS: Final = {"whole": ("run",), "changed": ("run", "--changed")}


def measure(context: Context) -> dict[str, Any]:
    """Run each step once; they are long, and their spread is small beside their targets. Not pinned: they may use every
    CPU."""
    context.progress.part("contract", len(_STEPS))
    noise, ended = Noise(), children_seconds()
    steps = {}
    with tempfile.TemporaryDirectory() as place:
        if not context.quick:
            _copy(Path(place))
        for name, words in _STEPS.items():
            context.progress.step(" ".join(("conformance", *words)))
            steps[name] = _step(("list",) if context.quick else words, Path(place))
            if name == "whole" and not context.quick:
                with Path(place, _CHANGED).open("a", encoding="utf-8") as source:
                    source.write("# changed\n")
            noise.beat()
    return {
        "noise": noise.result(children_seconds() - ended),
        "settings": {"changed": _CHANGED},
        "status": "measured" if all(step["status"] == "measured" for step in steps.values()) else "failed",
        "remark": next((step["remark"] for step in steps.values() if step["remark"]), ""),
        "steps": steps,
    }


def _copy(place: Path) -> None:
    for name in _COPIED:
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))


def _step(words: tuple[str, ...], place: Path) -> dict[str, Any]:
    seen = {**environment(), "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    if words == ("list",):
        seen["PYTHONPATH"] = str(ROOT)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "conformance", *words], capture_output=True, text=True, env=seen, cwd=place, check=False
    )
    took = time.perf_counter() - began
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    ran = done.returncode == 0 or (done.returncode == 1 and "cases passed" in done.stdout)
    return {
        "command": " ".join(("conformance", *words)),
        "status": "measured" if ran else "failed",
        "remark": "" if ran else (lines or ["no word"])[-1][:300],
        "exit_status": done.returncode,
        "seconds": took,
        "told": [line for line in done.stdout.splitlines() if line.endswith((" reused.", " caught."))],
    }
