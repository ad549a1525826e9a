"""Sources that are damaged, hostile, enormous or elsewhere: a line, and never a traceback; nothing is run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from conformance.command_line import main
from conformance.reality import SourceError, analyse, source

GOOD = "import httpx\nclass B:\n    def chat(self):\n        return httpx.get('/x').json()\n"
HEAD = "class B:\n    def chat(self, m):\n        "
BROKEN = {
    "syntax": (b"def broken(:\n", "line 1: cannot be parsed (invalid syntax)"),
    "encoding": (b"x = '\xff'\n", "not text in its encoding"),
    "unknown encoding": (b"# coding: klingon\nx = 1\n", "not text in its encoding"),
    "null bytes": (b"x = 1\0\n", "cannot be parsed"),
    "parentheses": (b"x = " + b"(" * 5_000 + b")" * 5_000 + b"\n", "cannot be parsed (too many nested parentheses)"),
    "operators": ((HEAD + "return " + "+".join(["m"] * 200_000)).encode(), "cannot be parsed (nested too deeply)"),
    "elif": (
        (HEAD + "if m: pass\n" + "        elif m: pass\n" * 20_000).encode(),
        "cannot be parsed (nested too deeply)",
    ),
    "attributes": ((HEAD + "return m" + ".a" * 200_000).encode(), "cannot be parsed (nested too deeply)"),
    "size": (b"#" * (source.LARGEST + 1), "larger than 2 MiB, not analysed"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_read_is_one_line_and_status_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, says = BROKEN[name]
    path = tmp_path / "file.py"
    path.write_bytes(data)
    assert main(["reality", str(path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"conformance: {path}")
    assert says in err


@pytest.mark.parametrize("name", BROKEN)
def test_in_a_folder_it_is_a_problem_and_the_folder_never_real(name: str, tmp_path: Path) -> None:
    data, says = BROKEN[name]
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_bytes(data)
    analysis = analyse(tmp_path)
    assert analysis.kind == "partial"
    (problem,) = analysis.problems
    assert problem.file == "bad.py"
    assert says in str(problem)


def test_a_folder_of_which_nothing_can_be_read_is_one_line(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.py").write_text("def broken(:\n")
    with pytest.raises(SourceError, match=r"none of the 2 Python files of .* can be read: a\.py, line 1"):
        analyse(tmp_path)


DEEP = {
    "lambdas": HEAD + "return " + "lambda: " * 2_000 + "m\n",
    "calls": HEAD + "return m" + ".a()" * 800 + "\n",
    "operators": HEAD + "return " + "+".join(["m"] * 900) + "\n",
    "elif": HEAD + "if m: pass\n" + "        elif m: pass\n" * 300,
    "a chain of methods": "import httpx\nclass B:\n    def chat(self): return self.m0()\n"
    + "".join(f"    def m{number}(self): return self.m{number + 1}()\n" for number in range(500))
    + "    def m500(self): return httpx.get('/x')\n",
    "a method that calls itself": "class B:\n    def chat(self): return self.embed()\n    def embed(self): return self.chat()\n",
    "a class that inherits from itself": "class B(B):\n    def chat(self): return self.x()\n",
    "classes that inherit from one another": "class B(C):\n    def chat(self): pass\nclass C(B): pass\n",
    "a module that imports itself": "from .file import *\nimport file\nfrom file import B\nclass C(file.C):\n"
    "    def chat(self): return file.file.x()\n",
    "a function that is its own argument": HEAD + "\n        def f(g=lambda: f): return g(g)\n        return f(f)\n",
    "a name that is itself": "import time\nclass B:\n    chat = chat\n    embed = property(chat)\n    time = staticmethod(time.time)\n",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_and_circular_sources_come_to_an_end(name: str, tmp_path: Path) -> None:
    before = sys.getrecursionlimit()
    (tmp_path / "file.py").write_text(DEEP[name])
    assert analyse(tmp_path / "file.py").kind in ("real", "mock", "partial", "absent")
    assert sys.getrecursionlimit() == before


def test_what_is_too_deep_to_follow_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text(DEEP["lambdas"])
    (problem,) = analyse(tmp_path / "file.py").problems
    assert str(problem) == "file.py, line 2: nested too deeply, not analysed"


def test_hostile_source_is_only_read(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "evil.py").write_text(
        f"open({str(mark)!r}, 'w').close()\nimport helper\nclass B:\n    def chat(self):\n        return helper.f()\n"
    )
    (tmp_path / "helper.py").write_text(f"open({str(mark)!r}, 'w').close()\ndef f(): return 1\n")
    assert analyse(tmp_path / "evil.py").kind == "mock"
    assert not mark.exists()
    assert "evil" not in sys.modules


def test_tests_and_hidden_folders_and_environments_are_left_out(tmp_path: Path) -> None:
    fake = "class Fake:\n    def chat(self):\n        return 'Hello!'\n"
    for place in (
        "test_a.py",
        "b_test.py",
        "conftest.py",
        "tests/c.py",
        ".hidden/d.py",
        "venv/e.py",
        "__pycache__/f.py",
    ):
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(fake)
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    with pytest.raises(SourceError, match="holds only 4 test files"):
        analyse(tmp_path)
    (tmp_path / "good.py").write_text(GOOD)
    analysis = analyse(tmp_path)
    assert (analysis.kind, analysis.left_out) == ("real", 4)


def test_too_many_files_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_FILES", 2)
    for number in range(3):
        (tmp_path / f"file{number}.py").write_text(GOOD)
    with pytest.raises(SourceError, match="more than 2 Python files; name a smaller folder"):
        analyse(tmp_path)


def test_neither_file_nor_folder_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        analyse(tmp_path / "pipe.py")
    with pytest.raises(SourceError, match="no Python source"):
        analyse(tmp_path)


def test_a_folder_that_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "good.py").write_text(GOOD)
    monkeypatch.setattr(os, "scandir", refuse)
    assert main(["reality", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"conformance: {tmp_path} cannot be read (Permission denied)\n"


def test_a_folder_inside_that_refuses_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "secret").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    analysis = analyse(tmp_path)
    assert [str(problem) for problem in analysis.problems] == ["secret: cannot be read (Permission denied)"]
    assert analysis.kind == "partial"


def test_a_file_that_refuses_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "bad.py":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(GOOD)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert [str(problem) for problem in analyse(tmp_path).problems] == ["bad.py: cannot be read (Permission denied)"]


def test_odd_file_names_stay_on_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "two\nlines.py").write_text(GOOD)
    (tmp_path / os.fsdecode(b"\xff.py")).write_text(GOOD)
    assert main(["reality", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "two\\nlines.py:2" in out
    assert "\\udcff.py:2" in out
