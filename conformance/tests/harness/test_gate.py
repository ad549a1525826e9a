"""The gate: nothing may get worse, better is told, what is not scored decides nothing, and a damaged baseline is one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.baseline.gate import BaselineError, Comparison, compare, read_baseline
from conformance.evidence import read
from conformance.reports.status_json import document
from conformance.summary import Summary, summarise

from . import golden

Document = dict[str, Any]


@pytest.fixture
def today() -> Iterator[Summary]:
    with golden.in_force():
        yield summarise(read(golden.EVIDENCE), golden.REQUIREMENTS)


def _requirements(baseline: Document) -> dict[str, str]:
    found: dict[str, str] = baseline["backends"]["openai"]["requirements"]
    return found


def _set(requirement: str, verdict: str) -> Callable[[Document], None]:
    return lambda baseline: _requirements(baseline).update({requirement: verdict})


def test_nothing_got_worse_since_today(today: Summary) -> None:
    assert compare(document(today), today) == Comparison()


WORSE = {
    "a pass that fails": (_set("BRK-01", "pass"), "openai BRK-01: was pass, is fail (requests: expected 2"),
    "a pass that is unproven": (_set("BAK-01", "pass"), "openai BAK-01: was pass, is unproven"),
    "a pass that is excused": (_set("STR-01", "pass"), "openai STR-01: was pass, is not applicable"),
    "a pass that is vacuous": (_set("ERR-01", "pass"), "openai ERR-01: was pass, is vacuous"),
    "a pass that is unknown": (_set("KEY-04", "pass"), "openai KEY-04: was pass, is unknown"),
    "an unknown that fails": (_set("BRK-01", "unknown"), "openai BRK-01: was unknown, is fail"),
    "a requirement that is gone": (_set("KEY-01", "pass"), "openai KEY-01: was pass, is gone"),
    "an endpoint": (
        lambda baseline: baseline["backends"]["openai"]["endpoints"]["embed"].update(proven=True),
        "openai endpoint embed: was proven, is not proven",
    ),
    "reality": (
        lambda baseline: baseline["backends"]["openai"].update(implementation="real"),
        "openai implementation: was real, is partial",
    ),
    "a saboteur": (
        lambda baseline: baseline["saboteurs"].update({"X on openai": {"requirement": "BRK-01", "killed": True}}),
        "openai saboteur X: was caught, is gone",
    ),
    "a saboteur that survives": (
        lambda baseline: baseline["saboteurs"]["ERR-01-wrong_class on openai"].update(killed=True),
        "openai saboteur ERR-01-wrong_class: was caught, is not caught (the check passed)",
    ),
    "a backend": (
        lambda baseline: baseline["backends"].update(mistral=baseline["backends"]["openai"]),
        "mistral implementation: was partial, is gone",
    ),
}


@pytest.mark.parametrize("name", WORSE)
def test_whatever_got_worse_is_named(today: Summary, name: str) -> None:
    change, expected = WORSE[name]
    baseline = document(today)
    change(baseline)
    found = compare(baseline, today)
    assert [str(change)[: len(expected)] for change in found.worse] == [expected]
    assert found.better == found.noted == ()


BETTER = {
    "a fail that passes": (_set("QUE-01", "fail"), "openai QUE-01: was fail, is pass"),
    "an unknown that passes": (_set("QUE-01", "unknown"), "openai QUE-01: was unknown, is pass"),
    "a fail that is known": (_set("BRK-02", "fail"), "openai BRK-02: was fail, is known failure (the provider cannot"),
    "a requirement that is new": (
        lambda baseline: _requirements(baseline).pop("QUE-01"),
        "openai QUE-01: was not there, is pass",
    ),
    "an endpoint": (
        lambda baseline: baseline["backends"]["openai"]["endpoints"]["chat"].update(proven=False),
        "openai endpoint chat: was not proven, is proven",
    ),
    "reality": (
        lambda baseline: baseline["backends"]["openai"].update(implementation="mock"),
        "openai implementation: was mock, is partial",
    ),
    "a saboteur": (
        lambda baseline: baseline["saboteurs"].pop("TRK-01-one_id_for_all on openai"),
        "openai saboteur TRK-01-one_id_for_all: was not there, is caught",
    ),
}


@pytest.mark.parametrize("name", BETTER)
def test_whatever_got_better_is_named(today: Summary, name: str) -> None:
    change, expected = BETTER[name]
    baseline = document(today)
    change(baseline)
    found = compare(baseline, today)
    assert [str(change)[: len(expected)] for change in found.better] == [expected]
    assert found.worse == found.noted == ()


def _retired(baseline: Document) -> None:
    baseline["contract"] = "2025.01"
    _requirements(baseline)["KEY-01"] = "pass"


NOTED = {
    "a requirement that is not scored": (_set("TRK-90", "pass"), "openai TRK-90: was pass, is fail (it is too new)"),
    "a saboteur of one that is not scored": (
        lambda baseline: baseline["saboteurs"]["TRK-90-too_new on openai"].update(killed=True),
        "openai saboteur TRK-90-too_new: was caught, is not caught",
    ),
    "a requirement that is new and bad": (
        lambda baseline: _requirements(baseline).pop("BRK-01"),
        "openai BRK-01: was not there, is fail (requests: expected 2",
    ),
    "a requirement that a newer contract retired": (_retired, "openai KEY-01: was pass, is gone"),
    "one that was never scored and is gone": (
        lambda baseline: (_set("KEY-01", "pass")(baseline), baseline["not_scored"].append("KEY-01")),
        "openai KEY-01: was pass, is gone",
    ),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_decides_nothing_is_told_apart(today: Summary, name: str) -> None:
    change, expected = NOTED[name]
    baseline = document(today)
    change(baseline)
    found = compare(baseline, today)
    assert [str(change)[: len(expected)] for change in found.noted] == [expected]
    assert found.worse == found.better == ()


def test_a_baseline_from_before_there_were_versions_still_gates(today: Summary) -> None:
    baseline = document(today)
    del baseline["contract"], baseline["not_scored"]
    assert compare(baseline, today) == Comparison()
    _set("BRK-01", "pass")(baseline)
    assert len(compare(baseline, today).worse) == 1


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
