"""``conformance run --subject`` and the scoreboard: what is written, what is refused, what follows from the evidence alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance import command_blackbox, commands, reports
from conformance.blackbox import roster
from conformance.command_line import main
from conformance.evidence import read
from conformance.evidence_writer import Writer

LIAR = """
import json, sys
for text in sys.stdin:
    line = json.loads(text)
    told = {"text": "sure <b>", "protocol": 1, "name": "liar", "language": "Python"}
    told |= {"versions": {"liar": "1.0"}, "claims": {"openai": ["chat"]}}
    print(json.dumps({"id": line["id"], "ok": told}), flush=True)
    if line["do"] == "close":
        break
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "liar.py").write_text(LIAR)
    return tmp_path


@pytest.fixture
def listed(place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The liar among the subjects that come with the contract."""
    folder = place / "subjects" / "liar"
    folder.mkdir(parents=True)
    (folder / "adapter.py").write_text(LIAR)
    description = {
        "title": '"Liar | 1"',
        "providers": '["openai"]',
        "command": '["{python}", "-S", "{folder}/adapter.py"]',
    }
    (folder / "subject.toml").write_text("\n".join(f"{name} = {value}" for name, value in description.items()))
    monkeypatch.setattr(roster, "FOLDER", folder.parent)
    monkeypatch.setattr(roster.names, "__defaults__", (folder.parent,))
    return "liar"


def run(*arguments: str) -> int:
    return main(["run", "--subject", f"{sys.executable} -S liar.py", *arguments])


def test_a_command_is_judged_and_its_lie_is_told_with_the_wire(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--provider", "openai", "--requirement", "REAL-01", "--requirement", "QUE-01") == 1
    said = capsys.readouterr().out
    assert "FAIL     liar openai REAL-01" in said
    assert "the server has seen no request" in said
    assert "liar: 0 requirements held, 1 broken, 1 not claimed" in said
    evidence = read(Path(".conformance/blackbox/liar.jsonl"))
    assert evidence.header["lane"] == "blackbox"
    assert evidence.header["complete"] is False
    assert evidence.clients["liar"]["versions"] == {"liar": "1.0"}
    case = next(case for case in evidence.cases if case["requirement"] == "REAL-01")
    assert case["wire"][0].startswith('> 1 {"do":"configure"')
    assert "sk-planted" not in Path(".conformance/blackbox/liar.jsonl").read_text()


def test_a_provider_that_it_does_not_claim_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--provider", "groq", "--requirement", "REAL-01") == 1
    assert "liar claims nothing about groq" in capsys.readouterr().out


BAD = {
    "an unknown subject": (
        ["--subject", "opnai_python"],
        "there is no subject 'opnai_python'; did you mean openai_python?",
    ),
    "no provider for a command": (["--subject", sys.executable], "say with --provider NAME what"),
    "an unknown provider": (["--subject", "backends", "--provider", "opnai"], "there is no provider 'opnai'"),
    "a provider that it does not speak to": (
        ["--subject", "openai_python", "--provider", "claude"],
        "cannot be asked about claude; it speaks to openai",
    ),
    "a requirement that is no question": (
        ["--subject", "backends", "--requirement", "LIFE-01"],
        "there is no question 'LIFE-01'",
    ),
    "a backend": (["--subject", "backends", "--backend", "openai"], "--backend is about our own backends"),
    "a provider without a subject": (["--provider", "openai"], "name one with --subject"),
    "a folder as evidence": (["--subject", "backends", "--evidence", "."], "name another --evidence FILE"),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_what_makes_no_sense_is_one_helpful_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster.Listed, "ready", property(lambda self: True))
    assert main(["run", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_a_whole_run_of_a_listed_subject_writes_the_scoreboard(
    listed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {
        name: question
        for name, question in command_blackbox.run_subjects.__globals__["load"]().items()
        if name[:4] == "REAL"
    }
    monkeypatch.setitem(command_blackbox.run_subjects.__globals__, "load", lambda: few)
    assert main(["run", "--subject", listed]) == 1
    assert "Look at reports/SCOREBOARD.md" in capsys.readouterr().out
    assert Path("reports/scoreboard/liar.jsonl").exists()
    assert "| Liar \\| 1 | Python | liar 1.0 | openai | 0 | 3 | 0 |" in Path("reports/SCOREBOARD.md").read_text()


def _evidence(name: str, *cases: dict[str, Any], notes: tuple[str, ...] = (), sources: str = "0" * 16) -> None:
    client = {"kind": "client", "subject": name, "title": name.title(), "language": "Python", "versions": {name: "1.2"}}
    with Writer(
        Path(f"reports/scoreboard/{name}.jsonl"), lane="blackbox", seed=0, complete=True, sources=sources
    ) as writer:
        writer.add({**client, "claims": {"openai": ["chat"]}, "notes": list(notes)})
        for case in cases:
            plain = {"kind": "case", "subject": name, "lane": "blackbox", "case": "openai", "detail": "", "failure": ""}
            writer.add({**plain, "assertions": 1, "requests": 1, **case})


def test_the_scoreboard_follows_from_the_evidence(listed: str) -> None:
    red = {
        "verdict": "fail",
        "failure": "assertion",
        "detail": "waited 0.01 s | <late>",
        "wire": ['> 1 {"do":"chat"}', "server POST <x>"],
    }
    _evidence("beta", {"requirement": "KEY-10", "verdict": "pass"}, {"requirement": "BAK-04", **red})
    _evidence("alpha", {"requirement": "KEY-10", "verdict": "not_claimed"}, notes=("did not exit",), sources="1" * 16)
    commands.write_scoreboard(Path("reports"))
    text, page = Path("reports/SCOREBOARD.md").read_text(), Path("reports/scoreboard.html").read_text()
    assert "| | Alpha | Beta |" in text
    assert "| [KEY-10](#key-10) | · | ✅ |" in text
    assert "| [BAK-04](#bak-04) | ❔ | ❌ [1](#1) |" in text
    assert '<a id="1"></a>**1. BAK-04, beta, openai**: waited 0.01 s \\| &lt;late>' in text
    assert '> 1 {"do":"chat"}' in text
    assert "- **Alpha**: did not exit" in text
    assert "Not all were judged by the same code" in text
    assert 'href="#red-1"' in page
    assert "server POST &lt;x&gt;" in page
    assert "{{" not in page
    assert not set("✅❌⭕❔") & set(page)
    assert (
        'href="#red-1" title="waited 0.01 s | &lt;late&gt;"><svg class="mark" aria-hidden="true"><use href="#mark-fail"/>'
        in page
    )
    assert '<span class="unseen">broken</span> 1</a>' in page
    assert (
        '<th scope="row">Beta <span>openai</span></th><td><span class="chip pass">1<span aria-hidden="true">/' in page
    )
    before = (text, page)
    commands.write_scoreboard(Path("reports"))
    assert before == (Path("reports/SCOREBOARD.md").read_text(), Path("reports/scoreboard.html").read_text())


def test_a_scoreboard_that_is_not_that_of_its_evidence_is_out_of_date(
    listed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "evidence_of", lambda path: None)
    monkeypatch.setattr(commands, "summarise", lambda evidence: None)
    monkeypatch.setattr(commands, "is_stale", lambda evidence: False)
    monkeypatch.setattr(reports, "render", lambda summary: {})
    _evidence("beta", {"requirement": "KEY-10", "verdict": "pass"})
    commands.write_scoreboard(Path("reports"))
    assert main(["report", "--check"]) == 0
    Path("reports/SCOREBOARD.md").write_text("all is well\n")
    assert main(["report", "--check"]) == 1
    assert "Out of date: reports/SCOREBOARD.md" in capsys.readouterr().out


def test_evidence_of_clients_and_of_backends_is_not_mixed_up(listed: str, capsys: pytest.CaptureFixture[str]) -> None:
    _evidence("beta", {"requirement": "KEY-10", "verdict": "pass"})
    assert main(["report", "--evidence", "reports/scoreboard/beta.jsonl"]) == 2
    assert "is evidence of a foreign client" in capsys.readouterr().err


def test_a_damaged_evidence_file_is_named(listed: str, capsys: pytest.CaptureFixture[str]) -> None:
    _evidence("beta", {"requirement": "KEY-10", "verdict": "pass"})
    path = Path("reports/scoreboard/beta.jsonl")
    path.write_text(path.read_text().replace("1.2", "1.3"))
    with pytest.raises(commands.UsageError, match=r"beta\.jsonl: its lines were changed"):
        commands.write_scoreboard(Path("reports"))
    assert json.loads(path.read_text().splitlines()[0])["lane"] == "blackbox"
