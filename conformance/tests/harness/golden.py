"""Evidence that holds every verdict, over a handful of requirements, and the reports that must come of it.

``python -m harness.golden`` (in ``conformance/tests``) writes ``fixtures/reports`` anew after a wanted change; look at the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from conformance.baseline.known import KnownFailure
from conformance.evidence import read
from conformance.evidence_writer import Writer
from conformance.frozen import Contract, FrozenClause
from conformance.requirement import Level, Requirement

FOLDER = Path(__file__).parents[3] / "fixtures" / "reports"
EVIDENCE = FOLDER / "evidence.jsonl"

REQUIREMENTS = tuple(
    Requirement(name, level, clause, "made up", black_box=name == "BRK-01")
    for name, level, clause in (
        ("KEY-04", Level.MUST, "Is not judged at all."),
        ("QUE-01", Level.MUST, "Passes | with a pipe, and a saboteur is caught."),
        ("BAK-01", Level.MUST, "Passes, but nothing proves the check."),
        ("BRK-01", Level.MUST, "Fails in one of two cases."),
        ("BRK-02", Level.SHOULD, "Fails, and that is known."),
        ("TRK-01", Level.MUST, "Passes and is proven."),
        ("TRK-90", Level.MUST, "Was added since the contract was frozen, and fails."),
        ("STR-01", Level.MUST, "Does not concern this backend."),
        ("ERR-01", Level.MUST, "Is vacuous."),
        ("CAP-01", Level.MUST, "The request is right, call by call."),
        ("CAP-02", Level.MUST, "The reply is read, call by call."),
    )
)
CONTRACT = Contract(
    "2026.11",
    {requirement.id: FrozenClause.of(requirement) for requirement in REQUIREMENTS if requirement.id != "TRK-90"},
)
KNOWN = KnownFailure("openai", "BRK-02", "the provider cannot", "issue 7")


def _case(
    requirement: str, verdict: str, *, case: str = "", detail: str = "", lane: str = "simulated"
) -> dict[str, Any]:
    failure = "assertion" if verdict == "fail" else ""
    return {
        "kind": "case", "subject": "openai", "requirement": requirement, "lane": lane, "case": case, "verdict": verdict,
        "detail": detail, "failure": failure, "assertions": 3, "requests": 2,
    }  # fmt: skip


def _kill(requirement: str, name: str, *, subject: str = "openai", killed: bool = True) -> dict[str, Any]:
    others = ["BRK-02"] if requirement == "BRK-01" else []
    return {
        "kind": "kill", "saboteur": f"{requirement}-{name}", "subject": subject, "requirement": requirement,
        "sin": f"breaks {requirement}", "killed": killed, "by": "assertion" if killed else "",
        "detail": "seen" if killed else "the check passed", "also": others if subject == "openai" else None,
    }  # fmt: skip


SUBJECT = {
    "kind": "subject",
    "subject": "openai",
    "reality": "partial",
    "reasons": ["OpenAI.chat: line 3: every error is swallowed"],
    "declared": {"chat": "POST */chat/completions", "embed": "POST */embeddings"},
    "excused": {"STR-01": "it has no stream"},
}
RECORDS: tuple[dict[str, Any], ...] = (
    _case("QUE-01", "pass"),
    _case("BAK-01", "pass"),
    _case("BRK-01", "pass", case="500"),
    _case("BRK-01", "fail", case="503", detail="requests: expected 2, got <script>alert(1)</script>"),
    _case("BRK-02", "fail", detail="it does not"),
    _case("TRK-01", "pass"),
    _case("TRK-01", "pass", lane="live"),
    _case("TRK-90", "fail", detail="it is too new"),
    _case("STR-01", "not_applicable", detail="it has no stream"),
    _case("ERR-01", "vacuous", detail="the check asserted nothing"),
    _case("CAP-01", "pass", case="chat"),
    _case("CAP-01", "pass", case="embed"),
    _case("CAP-02", "pass", case="chat"),
    _case("CAP-02", "fail", case="embed", detail="the vectors are missing"),
    _kill("QUE-01", "counts_wrong"),
    _kill("BRK-01", "never_opens"),
    _kill("TRK-01", "one_id_for_all"),
    _kill("CAP-01", "other_field"),
    _kill("CAP-02", "drops_usage"),
    _kill("ERR-01", "wrong_class", killed=False),
    _kill("BRK-01", "never_opens", subject="groq"),
    _kill("ERR-01", "takes_498_for_final", subject="groq"),
    _kill("TRK-90", "too_new", killed=False),
)


def write_evidence(path: Path) -> None:
    """Write the golden evidence."""
    with Writer(path, lane="simulated", seed=0, complete=True, sources="0" * 16) as writer:
        for record in (SUBJECT, *RECORDS):
            writer.add(record)


@contextmanager
def in_force() -> Iterator[None]:
    """While it is entered, the golden contract scores and the golden known failure is accepted."""
    with (
        patch("conformance.frozen.versions", lambda: (CONTRACT,)),
        patch("conformance.summary.known_failures", lambda: {("openai", "BRK-02"): KNOWN}),
    ):
        yield


@cache
def rendered() -> Mapping[str, str]:
    """Return the reports of the golden evidence; ``REALITY.md`` is none of them."""
    from conformance.reports import junit, render, sarif
    from conformance.summary import summarise

    with in_force():
        summary = summarise(read(EVIDENCE), REQUIREMENTS)
        found = {**render(summary), "junit.xml": junit.render(summary), "conformance.sarif": sarif.render(summary)}
        return {name: text for name, text in found.items() if name != "REALITY.md"}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_evidence(EVIDENCE)
    for name, text in rendered().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
