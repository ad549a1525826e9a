"""``FAULTS.md``: a mark for each cell, from evidence alone."""

from __future__ import annotations

from typing import Any

from conformance import catalogue
from conformance.evidence import Evidence
from conformance.reports import faults
from conformance.summary import summarise

HEADER = {"lane": "simulated", "seed": 0, "complete": False, "sources": "0" * 16}


def case(name: str, mode: str, verdict: str = "pass", **facts: Any) -> dict[str, Any]:
    return {
        "kind": "case",
        "subject": name,
        "requirement": "FLT-01",
        "lane": "simulated",
        "case": mode,
        "verdict": verdict,
        "detail": "",
        "failure": "",
        "assertions": 1,
        "requests": 1,
        **facts,
    }


def row(text: str, mishap: str) -> list[str]:
    """Return the cells of a line of the matrix."""
    return next(line for line in text.splitlines() if line.startswith(f"| {mishap} |")).strip("| ").split(" | ")


def rendered(*cases: dict[str, Any], killed: bool = True) -> str:
    kill = {"saboteur": "FLT-01-x", "subject": "openai", "requirement": "FLT-01", "sin": "s", "killed": killed}
    evidence = Evidence(HEADER, {}, cases, ({**kill, "kind": "kill", "by": "assertion", "detail": "", "also": None},))
    return faults.render(summarise(evidence, catalogue.load()))


def test_marks_follow_from_evidence() -> None:
    """Right, wrong, spared, not there, not asked."""
    text = rendered(
        case(
            "claude", "plain", parts={"refused": "", "reset on accept": "it hung"}, spared={"nobody accepts": "a pipe"}
        ),
        case("claude", "stream", parts={"refused": "it hung"}),
        case("hf_tei", "plain", parts={"refused": ""}),
        case("llvm", "", "not_applicable", detail="no network"),
    )
    head = row(text, "mishap")
    assert dict(zip(head, row(text, "refused"), strict=True)) == {
        "mishap": "refused",
        "what the server does": "nobody listens on the port",
        "right end": "TransportError `connect`, twice",
        **dict.fromkeys(head[3:], "❔❔"),
        "claude": "✅❌",
        "hf_tei": "✅·",
        "llvm": "--",
    }
    assert row(text, "nobody accepts")[3] == "-❔"
    assert row(text, "reset on accept")[3] == "❌❔"
    assert "- claude: nobody accepts: a pipe." in text
    assert "- llvm: all of FLT-01: no network." in text


def test_without_a_caught_saboteur_nothing_is_green() -> None:
    text = rendered(case("claude", "plain", parts={"refused": ""}), killed=False)
    assert row(text, "refused")[3] == "🔸·"


def test_ends_are_told_in_words() -> None:
    text = rendered()
    assert row(text, "status 409")[2] == "ServerError, twice"
    assert row(text, "hint in seconds")[2] == "the right answer at the second attempt, after 3 s"
    assert row(text, "silent between events")[2] == ("StreamInterruptedError, once, with what came, after 2 s")
    assert row(text, "empty 200")[2] == "ResponseFormatError, once; stream: TransportError `cut_short`, twice"
