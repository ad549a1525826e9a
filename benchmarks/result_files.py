"""The results as files: one JSON file a part, with machine, versions and noise beside the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import describe, versions
from benchmarks.processes import ROOT

__all__ = ["FOLDER", "PARTS", "DamagedError", "read", "write"]

FOLDER: Final = ROOT / "benchmarks" / "results"
SCHEMA: Final = 1
PARTS: Final = (
    "calls",
    "arrivals",
    "streams",
    "sync_twin",
    "imports",
    "waiting_line",
    "batching",
    "caching",
    "overheads",
    "growth",
    "adaptive",
    "semantic_cache",
    "contract_time",
)
"""The parts in the order in which they run and are reported."""
_PACKAGES: Final = ("backends-conformance", "aiohttp", "httpx")


class DamagedError(ValueError):
    """A file of results is not what :func:`write` writes; the message names it."""


def write(folder: Path, part: str, result: Mapping[str, Any], *, date: str | None, quick: bool) -> None:
    """Write the result of one part."""
    content = {
        "schema": SCHEMA,
        "part": part,
        **({"date": date} if date else {}),
        "quick": quick,
        "machine": describe(),
        "versions": versions(_PACKAGES),
        **result,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{part}.json").write_text(json.dumps(_rounded(content), indent=1) + "\n", "utf-8")


def _rounded(value: Any) -> Any:
    """Cut figures to six significant digits: the rest is noise and makes every difference unreadable."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {name: _rounded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    return value


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the results that are there, by part.

    Raises:
        DamagedError: a file is not readable, or of another schema.
    """
    found = {}
    for part in PARTS:
        path = folder / f"{part}.json"
        if not path.exists():
            continue
        try:
            content = json.loads(path.read_text("utf-8"))
        except ValueError as problem:
            raise DamagedError(f"{path.name} is not JSON: {problem}") from None
        if not isinstance(content, dict) or content.get("schema") != SCHEMA or content.get("part") != part:
            raise DamagedError(f"{path.name} is not a result of part {part} in schema {SCHEMA}; measure it again")
        found[part] = content
    return found
