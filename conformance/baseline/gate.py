"""The gate: compares today's verdicts with a committed ``status.json`` and lists whatever got worse. It writes
nothing."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from conformance.summary import Summary
from conformance.verdict import Verdict

__all__ = ["BaselineError", "compare", "read_baseline"]

_LARGEST: Final = 64 * 1024 * 1024
_RANK: Final = {
    Verdict.PASS: 6,
    Verdict.NOT_APPLICABLE: 5,
    Verdict.UNPROVEN: 4,
    Verdict.KNOWN_FAILURE: 3,
    Verdict.VACUOUS: 2,
    Verdict.UNKNOWN: 1,
    Verdict.FAIL: 0,
}
"""A pass that becomes "not applicable" is worse: an excuse took the place of a proof."""


class BaselineError(ValueError):
    """The baseline cannot be used; the message is one line and says what to do."""


def read_baseline(path: Path) -> dict[str, Any]:
    """Read and validate a ``status.json``.

    Raises:
        BaselineError: it is absent, damaged or of another shape.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise BaselineError(f"{path} is too large to be a status.json; name another file with --baseline")
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise BaselineError(f"{path} does not exist; name a committed status.json with --baseline") from None
    except OSError as error:
        raise BaselineError(f"{path} cannot be read ({error.strerror}); name another file with --baseline") from None
    except (ValueError, RecursionError):
        raise BaselineError(
            f"{path} is not valid JSON; restore it from version control or name another with --baseline"
        ) from None
    from jsonschema import Draft202012Validator

    schema = json.loads(files("conformance").joinpath("schemas/status.schema.json").read_text(encoding="utf-8"))
    wrong = next(iter(Draft202012Validator(schema).iter_errors(document)), None)
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path) or "the document"
        raise BaselineError(
            f"{path} is not a status.json: {where}: {wrong.message[:120]}; restore it from version control"
        )
    checked: dict[str, Any] = document
    return checked


def compare(baseline: dict[str, Any], summary: Summary) -> list[str]:
    """Return one line for each requirement, endpoint, reality or saboteur that is worse than in the baseline."""
    worse: list[str] = []
    today = {entry.row.name: entry for entry in summary.rows}
    for name, old in baseline["backends"].items():
        entry = today.get(name)
        if entry is None:
            worse.append(f"{name}: the backend is gone")
            continue
        now = {cell.requirement.id: cell for cell in entry.cells}
        for requirement_id, before in old["requirements"].items():
            cell = now.get(requirement_id)
            if cell is None:
                if before != Verdict.UNKNOWN.value:
                    worse.append(f"{name} {requirement_id}: was {_word(before)}, the requirement is gone")
            elif _RANK[cell.verdict] < _RANK[Verdict(before)]:
                worse.append(
                    f"{name} {requirement_id}: was {_word(before)}, is {_word(cell.verdict.value)}" + _why(cell.detail)
                )
        proven = {call for call, _, is_proven in entry.endpoints if is_proven}
        worse += [
            f"{name} endpoint {call}: was proven, is not"
            for call, about in old["endpoints"].items()
            if about["proven"] and call not in proven
        ]
        if old["implementation"] == "real" and entry.reality != "real":
            worse.append(f"{name}: the implementation was real, is {entry.reality}")
    killed = {f"{kill['saboteur']} on {kill['subject']}" for kill in summary.evidence.kills if kill["killed"]}
    worse += [
        f"saboteur {name}: was caught, is not"
        for name, about in baseline["saboteurs"].items()
        if about["killed"] and name not in killed
    ]
    return worse


def _word(verdict: str) -> str:
    return verdict.replace("_", " ")


def _why(detail: str) -> str:
    return f" ({detail})" if detail else ""
