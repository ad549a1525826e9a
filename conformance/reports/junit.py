"""Writes JUnit XML: one suite a backend, one test case for each case of a requirement and for each saboteur, for the
programs of other people's builds that read nothing else.

JUnit knows no shade between red and green: what is accepted for now, unproven, not scored or not applicable is skipped
with its reason, so that no case counts as passed that is not green in the status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from xml.etree import ElementTree

from conformance.frozen import contract
from conformance.summary import Cell, RowSummary, Summary
from conformance.verdict import Verdict

__all__ = ["render"]

Record: TypeAlias = Mapping[str, Any]
_NOT_XML: Final = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, escaped or not; a carriage return would come back as a line feed."""
_COUNTED: Final = ("failure", "error", "skipped")


def render(summary: Summary) -> str:
    """Return the whole document."""
    root = ElementTree.Element("testsuites", name="conformance")
    evidence = summary.evidence
    told = set(evidence.subjects) | {record["subject"] for record in (*evidence.cases, *evidence.kills)}
    suites = [_suite(entry, summary) for entry in summary.rows if entry.row.name in told]
    root.extend(suites)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(entry: RowSummary, summary: Summary) -> ElementTree.Element:
    name, header = entry.row.name, summary.evidence.header
    cells = {cell.requirement.id: cell for cell in entry.cells}
    order = {requirement_id: index for index, requirement_id in enumerate(cells)}
    found = [case for case in summary.evidence.cases if case["subject"] == name and case["requirement"] in cells]
    found.sort(key=lambda case: (order[case["requirement"]], case["case"], case["lane"]))
    kills = [kill for kill in summary.evidence.kills if kill["subject"] == name]
    kills.sort(key=lambda kill: str(kill["saboteur"]))
    tests = [_case(case, cells[case["requirement"]]) for case in found] + [_kill(kill) for kill in kills]
    suite = ElementTree.Element("testsuite", name=f"conformance.{name}", tests=str(len(tests)))
    for outcome, counter in zip(_COUNTED, ("failures", "errors", "skipped"), strict=True):
        suite.set(counter, str(sum(test.find(outcome) is not None for test in tests)))
    properties = ElementTree.SubElement(suite, "properties")
    about = {"contract": contract().version, "lane": header["lane"], "seed": header["seed"], "reality": entry.reality}
    for key, value in about.items():
        ElementTree.SubElement(properties, "property", name=key, value=str(value))
    suite.extend(tests)
    return suite


def _case(case: Record, cell: Cell) -> ElementTree.Element:
    words = [case["requirement"], *([f"[{case['case']}]"] if case["case"] else [])]
    if case["lane"] != "simulated":
        words.append(f"({case['lane']})")
    test = _test(case, " ".join(words))
    verdict, detail = Verdict(case["verdict"]), str(case["detail"])
    broken = verdict in (Verdict.FAIL, Verdict.VACUOUS)
    if verdict is Verdict.NOT_APPLICABLE:
        _skip(test, f"not applicable: {detail}")
    elif verdict is Verdict.PASS and not cell.saboteurs:
        _skip(test, "unproven: the check passed, but no saboteur is caught by it")
    elif broken and not cell.scored:
        _skip(test, f"not scored, added since contract {contract().version}; {verdict.value}: {detail}")
    elif verdict is Verdict.FAIL and cell.verdict is Verdict.KNOWN_FAILURE:
        _skip(test, f"known failure: {cell.detail}")
    elif broken:
        requirement = cell.requirement
        explained = f"{requirement.id} {requirement.level.value}: {requirement.clause}\nSource: {requirement.source}\n"
        _fail(test, case["failure"] or verdict.value, detail, explained + detail)
    return test


def _kill(kill: Record) -> ElementTree.Element:
    test = _test(kill, f"{kill['requirement']} saboteur {kill['saboteur'].removeprefix(kill['requirement'] + '-')}")
    if kill["killed"]:
        return test
    message = f"the saboteur survived: {kill['sin']}"
    if contract().scores(kill["requirement"]):
        _fail(test, "survived", message, f"{message}\n{kill['detail']}")
    else:
        _skip(test, f"not scored, added since contract {contract().version}; {message}")
    return test


def _test(record: Record, name: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=f"conformance.{record['subject']}", name=_safe(name))


def _skip(test: ElementTree.Element, reason: str) -> None:
    ElementTree.SubElement(test, "skipped", message=_safe(reason))


def _fail(test: ElementTree.Element, kind: str, message: str, text: str) -> None:
    """A crash is an error, of the harness; everything else is a failure, of the backend or of its check."""
    element = ElementTree.SubElement(test, "error" if kind == "crash" else "failure", type=kind, message=_safe(message))
    element.text = _safe(text)


def _safe(text: str) -> str:
    """Return text in which characters that XML cannot hold are written as Python writes them: ``\\x00``."""
    return _NOT_XML.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)
