"""The labelled corpus: sound, never imported, and judged well enough."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.command_line import main
from conformance.reality import analyse
from conformance.reality.corpus import FOLDER, LEAST, Case, CorpusError, Judgement, figures, judgements, labels
from conformance.reports import reality


@pytest.fixture(scope="module")
def found() -> tuple[Judgement, ...]:
    return judgements(FOLDER)


@pytest.mark.parametrize("methods", [True, False], ids=["methods", "classes"])
def test_precision_and_recall_suffice(found: tuple[Judgement, ...], methods: bool) -> None:
    measured = figures(one for one in found if bool(one.method) is methods)
    assert measured.suffices, [(one.case.file, one.title, one.found) for one in found if not one.is_right]
    assert min(measured.precision, measured.recall) >= LEAST


def test_the_corpus_is_large_and_even_and_part_of_it_is_held_out() -> None:
    cases = labels(FOLDER)
    assert len(cases) >= 48
    kinds = [case.verdict for case in cases]
    assert 0.4 < kinds.count("real") / len(kinds) < 0.6
    assert kinds.count("partial") >= 10
    assert sum(case.held_out for case in cases) >= 12
    assert {"refusal", "local"} < {kind for case in cases for kind in case.methods.values()}


def test_every_file_is_labelled_and_every_public_method_of_its_class() -> None:
    cases = labels(FOLDER)
    assert sorted(case.file for case in cases) == sorted(path.name for path in FOLDER.glob("*.py"))
    for case in cases:
        tree = ast.parse((FOLDER / case.file).read_bytes())
        (node,) = (one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == case.name)
        functions = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
        public = {one.name for one in functions if not one.name.startswith("_")}
        assert public <= set(case.methods), case.file


def test_the_verdicts_follow_from_the_methods() -> None:
    for case in labels(FOLDER):
        kinds = set(case.methods.values()) - {"local", "refusal"}
        assert case.verdict == (kinds.pop() if len(kinds) == 1 else "partial"), case.file


def test_the_readme_says_what_each_shows() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for case in labels(FOLDER):
        shows = ast.get_docstring(ast.parse((FOLDER / case.file).read_bytes()))
        assert shows is not None
        mark = "held out" if case.held_out else ""
        assert f"| `{case.file}` | `{case.name}` | {case.verdict} | {mark} | {shows} |" in text


def test_neighbours_change_nothing(found: tuple[Judgement, ...]) -> None:
    """The folder analysed as one program gives each class the verdict that it has alone."""
    together = {(verdict.file, verdict.name): verdict.kind for verdict in analyse(FOLDER).classes}
    for one in found:
        if not one.method and one.found != "absent":
            assert together[one.case.file, one.case.name] == one.found


def test_nothing_of_it_is_imported(found: tuple[Judgement, ...]) -> None:
    assert found
    assert not {Path(case.file).stem for case in labels(FOLDER)} & set(sys.modules)


def test_what_is_said_does_not_depend_on_hashing() -> None:
    """Values are sets, and sets have no order: neither verdicts nor text may follow from it."""
    command = "import sys; from conformance.command_line import main; main(['reality', sys.argv[1], '--json'])"
    said = {
        subprocess.run(
            [sys.executable, "-c", command, str(FOLDER)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(FOLDER.parents[1])},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_figures_count_what_is_not_real() -> None:
    case = Case("a.py", "A", "mock", {}, held_out=False)
    pairs = [("mock", "mock"), ("mock", "partial"), ("partial", "real"), ("real", "mock"), ("refusal", "local")]
    measured = figures(Judgement(case, "m", label, says) for label, says in pairs)
    assert (measured.judged, measured.not_real, measured.accused, measured.rightly, measured.exact) == (5, 3, 3, 2, 1)
    assert measured.precision == measured.recall == pytest.approx(2 / 3)
    assert not measured.suffices
    assert figures([]).suffices


def test_the_report_is_a_function_of_the_corpus() -> None:
    text = reality.render(FOLDER)
    assert text == reality.render(FOLDER)
    assert text.startswith("# Reality: how often the static analysis errs\n")
    assert "| methods | held out |" in text


def _corpus(folder: Path, methods: dict[str, str], **changes: Any) -> Path:
    (folder / "one.py").write_text(
        "import httpx\nclass One:\n    def chat(self, m):\n        return httpx.post(m).json()\n"
    )
    entry = {"file": "one.py", "class": "One", "verdict": "real", "methods": methods} | changes
    (folder / "labels.json").write_text(json.dumps({"version": 1, "classes": [entry]}))
    return folder


def test_misses_are_listed_and_are_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _corpus(tmp_path, {"chat": "mock", "embed": "local"}, verdict="mock")
    assert main(["reality", str(folder), "--corpus"]) == 1
    out = capsys.readouterr().out
    assert "| one.py | One.chat | mock | real | - | no |" in out
    assert "| one.py | One.embed | local | absent | - | no |" in out


def test_our_own_corpus_is_judged_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reality", "--corpus"]) == 0
    assert capsys.readouterr().out == reality.render(FOLDER)


DAMAGED = {
    "is not valid JSON": "{",
    "is not of version 1": "[]",
    "has an entry without": '{"version": 1, "classes": [{"file": "one.py"}]}',
    "which is not there": '{"version": 1, "classes": [{"file": "../x.py", "class": "X", "verdict": "real", "methods": {}}]}',
    "has an unknown label": '{"version": 1, "classes": [{"file": "one.py", "class": "One", "verdict": "fine", "methods": {}}]}',
}


@pytest.mark.parametrize("says", DAMAGED)
def test_damaged_labels_are_one_line(tmp_path: Path, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    _corpus(tmp_path, {})
    (tmp_path / "labels.json").write_text(DAMAGED[says])
    with pytest.raises(CorpusError, match=says):
        labels(tmp_path)
    assert main(["reality", str(tmp_path), "--corpus"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_labels_of_a_broken_file_are_one_line(tmp_path: Path) -> None:
    _corpus(tmp_path, {"chat": "real"})
    (tmp_path / "one.py").write_text("def broken(:\n")
    with pytest.raises(CorpusError, match="cannot be parsed"):
        judgements(tmp_path)
