"""The evidence stream: what is written is read back, and every kind of damage has an error that says what to do."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance import damage, evidence
from conformance.evidence import parse, read
from conformance.evidence_writer import Writer, encoded

from . import golden

Lines = list[dict[str, Any]]


def _lines() -> Lines:
    return [json.loads(line) for line in golden.EVIDENCE.read_text(encoding="utf-8").splitlines()]


def _sealed(lines: Lines) -> bytes:
    """The lines as a file with a footer that fits them."""
    body = b"".join(encoded(line) for line in lines[:-1])
    footer = {**lines[-1], "digest": hashlib.sha256(body).hexdigest()}
    for kind in ("case", "kill"):
        footer[f"{kind}s"] = sum(line.get("kind") == kind for line in lines[1:-1])
    return body + encoded(footer)


def test_what_is_written_is_read() -> None:
    found = read(golden.EVIDENCE)
    assert found.header["complete"] is True
    assert list(found.subjects) == ["openai"]
    assert [*found.cases, *found.kills] == list(golden.RECORDS)


def test_the_schema_is_one_and_every_line_obeys_it() -> None:
    schema = json.loads(files("conformance").joinpath("schemas/evidence.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for line in _lines():
        jsonschema.validate(line, schema)


def test_an_identical_duplicate_is_harmless() -> None:
    lines = _lines()
    lines.insert(3, lines[2])
    assert parse(_sealed(lines)).cases == read(golden.EVIDENCE).cases


def _changed(change: Callable[[Lines], object]) -> bytes:
    lines = _lines()
    change(lines)
    return _sealed(lines)


def _raw() -> bytes:
    return golden.EVIDENCE.read_bytes()


def _contradiction(lines: Lines) -> None:
    lines.insert(3, {**lines[2], "verdict": "vacuous"})


def _late_header(lines: Lines) -> None:
    lines.insert(4, lines[0])


def _early_footer(lines: Lines) -> None:
    lines.insert(4, lines[-1])


DAMAGE = {
    "empty": (lambda: b"", damage.EmptyEvidence),
    "blank": (lambda: b"\n\n", damage.EmptyEvidence),
    "not text": (lambda: b"\xff\xfe" + _raw(), damage.NotText),
    "cut inside the last line": (lambda: _raw()[:-20], damage.TruncatedLine),
    "cut at a line's end": (lambda: _raw()[: _raw().rstrip().rfind(b"\n") + 1], damage.MissingFooter),
    "a line of garbage": (lambda: _raw().replace(b"\n", b"\n{oops\n", 1), damage.BrokenLine),
    "a line that is a list": (lambda: _raw().replace(b"\n", b"\n[1]\n", 1), damage.BrokenLine),
    "deep nesting": (lambda: _raw().replace(b"\n", b"\n" + b"[" * 100_000 + b"\n", 1), damage.BrokenLine),
    "no header": (lambda: _changed(lambda lines: lines.pop(0)), damage.MissingHeader),
    "a second header": (lambda: _changed(_late_header), damage.MissingHeader),
    "another version": (lambda: _changed(lambda lines: lines[0].update(version=2)), damage.UnknownVersion),
    "no version": (lambda: _changed(lambda lines: lines[0].pop("version")), damage.UnknownVersion),
    "an unknown kind": (lambda: _changed(lambda lines: lines[2].update(kind="rumour")), damage.WrongShape),
    "a kind that is no text": (lambda: _changed(lambda lines: lines[2].update(kind=7)), damage.WrongShape),
    "an unknown verdict": (lambda: _changed(lambda lines: lines[2].update(verdict="green")), damage.WrongShape),
    "a field too many": (lambda: _changed(lambda lines: lines[2].update(when="today")), damage.WrongShape),
    "a field missing": (lambda: _changed(lambda lines: lines[2].pop("detail")), damage.WrongShape),
    "a negative count": (lambda: _changed(lambda lines: lines[2].update(requests=-1)), damage.WrongShape),
    "an early footer": (lambda: _changed(_early_footer), damage.TrailingLines),
    "a lost case": (lambda: b"\n".join(_raw().split(b"\n")[:2] + _raw().split(b"\n")[3:]), damage.CountMismatch),
    "a changed word": (lambda: _raw().replace(b'"vacuous"', b'"pass"', 1), damage.DigestMismatch),
    "a contradiction": (lambda: _changed(_contradiction), damage.Contradiction),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_every_damage_has_its_error(name: str) -> None:
    make, expected = DAMAGE[name]
    with pytest.raises(damage.EvidenceError) as caught:
        parse(make(), "the file")
    assert type(caught.value) is expected
    assert str(caught.value).startswith("the file")
    assert "\n" not in str(caught.value)


def test_an_absent_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(damage.MissingEvidence, match="run `conformance run` first"):
        read(tmp_path / "nothing.jsonl")
    with pytest.raises(damage.MissingEvidence, match="cannot be read"):
        read(tmp_path)


def test_a_huge_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_LARGEST", 10)
    with pytest.raises(damage.TooLarge):
        read(golden.EVIDENCE)


def test_every_error_of_the_list_is_shown_to_occur() -> None:
    shown = {expected for _, expected in DAMAGE.values()} | {damage.MissingEvidence, damage.TooLarge}
    assert shown == set(damage.EvidenceError.__subclasses__())


def test_an_interrupted_run_leaves_a_file_known_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    writer = Writer(path, lane="simulated", seed=0, complete=True)
    writer.add(golden.RECORDS[0])
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    with pytest.raises(damage.MissingFooter):
        read(path)


def test_two_runs_at_once_do_not_meet_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_bytes(golden.EVIDENCE.read_bytes())
    old = path.read_bytes()
    first, second = (
        Writer(path, lane="blackbox", seed=seed, complete=True, sources="0" * 16, apart=True) for seed in (1, 2)
    )
    assert path.read_bytes() == old
    first.finish()
    assert read(path).header["seed"] == 1
    second.finish()
    assert read(path).header["seed"] == 2
    with pytest.raises(KeyError), Writer(path, lane="blackbox", seed=3, complete=True, apart=True):
        raise KeyError
    assert read(path).header["seed"] == 2
    assert list(tmp_path.glob("*.part")) == []
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize("apart", [False, True])
def test_a_device_or_a_pipe_is_left_as_it_is(tmp_path: Path, apart: bool) -> None:
    """Moving a file over ``/dev/null`` would end it for every program of the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not a regular file"):
        Writer(pipe, lane="simulated", seed=0, complete=False, apart=apart)
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
