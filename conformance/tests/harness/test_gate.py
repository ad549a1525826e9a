"""The gate: nothing may get worse, better is silent, and a damaged baseline is one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.baseline.gate import BaselineError, compare, read_baseline
from conformance.evidence import read
from conformance.reports.status_json import document
from conformance.summary import Summary, summarise

from . import golden

Document = dict[str, Any]


@pytest.fixture
def today() -> Summary:
    return summarise(read(golden.EVIDENCE), golden.REQUIREMENTS)


def _requirements(baseline: Document) -> dict[str, str]:
    found: dict[str, str] = baseline["backends"]["openai"]["requirements"]
    return found


def _set(requirement: str, verdict: str) -> Callable[[Document], None]:
    return lambda baseline: _requirements(baseline).update({requirement: verdict})


def test_nothing_got_worse_since_today(today: Summary) -> None:
    assert compare(document(today), today) == []


WORSE = {
    "a pass that fails": (_set("BRK-01", "pass"), "openai BRK-01: was pass, is fail (requests: expected 2"),
    "a pass that is unproven": (_set("BAK-01", "pass"), "openai BAK-01: was pass, is unproven"),
    "a pass that is excused": (_set("STR-01", "pass"), "openai STR-01: was pass, is not applicable"),
    "a pass that is vacuous": (_set("ERR-01", "pass"), "openai ERR-01: was pass, is vacuous"),
    "a pass that is unknown": (_set("KEY-04", "pass"), "openai KEY-04: was pass, is unknown"),
    "an unknown that fails": (_set("BRK-01", "unknown"), "openai BRK-01: was unknown, is fail"),
    "a requirement that is gone": (_set("KEY-01", "pass"), "openai KEY-01: was pass, the requirement is gone"),
    "an endpoint": (
        lambda baseline: baseline["backends"]["openai"]["endpoints"]["embed"].update(proven=True),
        "openai endpoint embed: was proven, is not",
    ),
    "reality": (
        lambda baseline: baseline["backends"]["openai"].update(implementation="real"),
        "openai: the implementation was real, is partial",
    ),
    "a saboteur": (
        lambda baseline: baseline["saboteurs"].update({"X on openai": {"requirement": "BRK-01", "killed": True}}),
        "saboteur X on openai: was caught, is not",
    ),
    "a backend": (
        lambda baseline: baseline["backends"].update(mistral=baseline["backends"]["vllm"]),
        "mistral: the backend is gone",
    ),
}


@pytest.mark.parametrize("name", WORSE)
def test_whatever_got_worse_is_named(today: Summary, name: str) -> None:
    change, expected = WORSE[name]
    baseline = document(today)
    change(baseline)
    found = compare(baseline, today)
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize("before", ["fail", "unknown", "vacuous"])
def test_better_is_silent(today: Summary, before: str) -> None:
    baseline = document(today)
    _requirements(baseline)["QUE-01"] = before
    assert compare(baseline, today) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not valid JSON"),
        (b"{", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"[]", "is not a status.json"),
        (b'{"version": 2}', "is not a status.json"),
    ],
)
def test_a_damaged_baseline_is_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "status.json"
    path.write_bytes(content)
    with pytest.raises(BaselineError, match=says) as caught:
        read_baseline(path)
    assert "\n" not in str(caught.value)


def test_the_golden_status_is_a_baseline(tmp_path: Path) -> None:
    assert read_baseline(golden.FOLDER / "status.json")["version"] == 1
    with pytest.raises(BaselineError, match="does not exist"):
        read_baseline(tmp_path / "status.json")
    broken = json.loads((golden.FOLDER / "status.json").read_text(encoding="utf-8"))
    broken["backends"]["openai"]["requirements"]["BRK-01"] = "green"
    (tmp_path / "status.json").write_text(json.dumps(broken))
    with pytest.raises(BaselineError, match=r"backends\.openai\.requirements\.BRK-01"):
        read_baseline(tmp_path / "status.json")
