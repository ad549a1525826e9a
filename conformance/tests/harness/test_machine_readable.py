"""JUnit XML and SARIF: what other people's programs read is well formed whatever a broken backend put into the evidence."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from conformance.evidence import Evidence
from conformance.reports import junit, sarif
from conformance.summary import Summary, summarise

from . import golden

HOSTILE = (
    "nul \x00 bell \x07 escape \x1b[0m next \x85 lone \ud800 \udfff none \ufffe \uffff ]]> <a b='\"'>&amp; 🙂 \r\n\tend"
)


def _junit() -> ElementTree.Element:
    return ElementTree.fromstring(golden.rendered()["junit.xml"])


def _hostile() -> Summary:
    """Evidence as a broken backend might leave it: every free text is hostile."""
    header = {"lane": "simulated", "seed": 0, "complete": False, "sources": "0" * 16}
    subject = {**golden.SUBJECT, "reasons": [HOSTILE]}
    cases = tuple(
        {**case, "case": f"{case['case']} {HOSTILE}", "detail": HOSTILE}
        for case in golden.RECORDS
        if case["kind"] == "case"
    )
    kills = tuple({**kill, "sin": HOSTILE, "detail": HOSTILE} for kill in golden.RECORDS if kill["kind"] == "kill")
    return summarise(Evidence(header, {"openai": subject}, cases, kills), golden.REQUIREMENTS)


def test_junit_counts_what_it_holds() -> None:
    root = _junit()
    assert "conformance.openai" in [suite.get("name") for suite in root]
    for element in (root, *root):
        tests = element.findall(".//testcase")
        assert int(element.get("tests", "")) == len(tests)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.get(attribute, "")) == len(element.findall(f".//testcase/{tag}")), attribute


def test_junit_names_are_unique() -> None:
    names = [(test.get("classname"), test.get("name")) for test in _junit().iter("testcase")]
    assert len(names) == len(set(names))


def _outcome(name: str) -> tuple[str, str]:
    test = next(test for test in _junit().iter("testcase") if test.get("name") == name)
    return (test[0].tag, test[0].get("message") or "") if len(test) else ("passed", "")


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("QUE-01", ("passed", "")),
        ("BRK-01 [500]", ("passed", "")),
        ("BRK-01 [503]", ("failure", "requests: expected 2, got <script>alert(1)</script>")),
        ("BRK-02", ("skipped", "known failure: the provider cannot (issue 7)")),
        ("BAK-01", ("skipped", "unproven: the check passed, but no saboteur is caught by it")),
        ("STR-01", ("skipped", "not applicable: it has no stream")),
        ("ERR-01", ("failure", "the check asserted nothing")),
        ("TRK-90", ("skipped", "not scored, added since contract 2026.11; fail: it is too new")),
        ("TRK-01 (live)", ("passed", "")),
        ("QUE-01 saboteur counts_wrong", ("passed", "")),
        ("ERR-01 saboteur wrong_class", ("failure", "the saboteur survived: breaks ERR-01")),
        ("TRK-90 saboteur too_new", ("skipped", "not scored, added since contract 2026.11; the saboteur survived: breaks TRK-90")),
    ],
)  # fmt: skip
def test_every_verdict_has_its_outcome_in_junit(name: str, outcome: tuple[str, str]) -> None:
    assert _outcome(name) == outcome


def test_a_crash_of_the_harness_is_an_error_not_a_failure() -> None:
    crashed = golden._case("QUE-01", "fail", detail="KeyError: 'x'") | {"failure": "crash"}
    header = {"lane": "simulated", "seed": 0, "complete": False, "sources": "0" * 16}
    summary = summarise(Evidence(header, {"openai": golden.SUBJECT}, (crashed,)), golden.REQUIREMENTS)
    error = ElementTree.fromstring(junit.render(summary)).find(".//error")
    assert error is not None
    assert error.get("type") == "crash"
    assert (error.text or "").startswith("QUE-01 MUST: Passes | with a pipe")


def test_a_backend_of_which_only_saboteurs_are_told_has_a_suite() -> None:
    header = {"lane": "simulated", "seed": 0, "complete": False, "sources": "0" * 16}
    kill = {**golden._kill("BRK-01", "never_opens", killed=False), "subject": "groq"}
    root = ElementTree.fromstring(junit.render(summarise(Evidence(header, {}, (), (kill,)), golden.REQUIREMENTS)))
    assert [(suite.get("name"), suite.get("failures")) for suite in root] == [("conformance.groq", "1")]


def test_a_failure_tells_the_clause_and_its_source() -> None:
    failure = _junit().find(".//testcase[@name='CAP-02 [embed]']/failure")
    assert failure is not None
    assert failure.text == "CAP-02 MUST: The reply is read, call by call.\nSource: made up\nthe vectors are missing"


def test_junit_is_well_formed_whatever_the_evidence_holds() -> None:
    text = junit.render(_hostile())
    root = ElementTree.fromstring(text.encode("utf-8"))
    message = next(test[0].get("message") for test in root.iter("testcase") if test.find("failure") is not None)
    assert message is not None
    assert (
        "nul \\x00 bell \\x07 escape \\x1b[0m next \x85 lone \\ud800 \\udfff none \\ufffe \\uffff ]]> <a b='\"'>"
        in message
    )
    assert message.endswith("&amp; 🙂 \\r\n\tend")


def _schema() -> dict[str, Any]:
    text = files("conformance").joinpath("schemas/sarif.subset.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


@pytest.fixture
def run() -> dict[str, Any]:
    document = json.loads(golden.rendered()["conformance.sarif"])
    jsonschema.validate(document, _schema())
    found: dict[str, Any] = document["runs"][0]
    return found


def test_sarif_rules_are_the_requirements(run: dict[str, Any]) -> None:
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [requirement.id for requirement in golden.REQUIREMENTS]
    assert rules[1]["fullDescription"]["text"] == "Passes | with a pipe, and a saboteur is caught."
    assert rules[1]["help"]["text"] == "MUST. Source: made up. Applies to: every backend."
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_results_are_everything_that_is_not_green(run: dict[str, Any]) -> None:
    found = [(result["ruleId"], result["properties"]["verdict"], result["level"]) for result in run["results"]]
    assert found == [
        ("KEY-04", "unknown", "note"),
        ("BAK-01", "unproven", "warning"),
        ("BRK-01", "fail", "error"),
        ("BRK-02", "known_failure", "warning"),
        ("TRK-90", "fail", "note"),
        ("ERR-01", "vacuous", "error"),
        ("CAP-02", "fail", "error"),
        ("ERR-01", "survived", "error"),
        ("TRK-90", "survived", "note"),
    ]


def test_a_known_failure_is_a_suppressed_result(run: dict[str, Any]) -> None:
    suppressed = [result for result in run["results"] if "suppressions" in result]
    assert [result["ruleId"] for result in suppressed] == ["BRK-02"]
    assert suppressed[0]["suppressions"][0]["justification"] == "the provider cannot (issue 7)"


def test_sarif_results_lie_in_the_row_and_are_told_apart(run: dict[str, Any]) -> None:
    places = {result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for result in run["results"]}
    assert places == {"backends/openai"}
    prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
    assert len(prints) == len(set(prints))


def test_sarif_is_text_whatever_the_evidence_holds() -> None:
    text = sarif.render(_hostile())
    document = json.loads(text.encode("utf-8"))
    jsonschema.validate(document, _schema())
    assert "lone \\ud800 \\udfff" in document["runs"][0]["results"][2]["message"]["text"]


def test_without_evidence_there_is_nothing_to_tell() -> None:
    empty = summarise(Evidence({"lane": "simulated", "seed": 0, "complete": False, "sources": "0" * 16}))
    assert ElementTree.fromstring(junit.render(empty)).get("tests") == "0"
    document = json.loads(sarif.render(empty))
    jsonschema.validate(document, _schema())
    assert document["runs"][0]["results"] == []
