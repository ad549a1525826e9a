"""The search for planted secrets finds what it is for, in every place and form, and what is committed holds none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from conformance.checks.mishaps import FIELDS, HARMLESS, OF_FAULTS, SLOW, STREAMED, WHOLE
from conformance.conduct import Outcome, scrubbed
from conformance.jobs import Job, run_job
from conformance.judge import CheckFailed
from conformance.planted import MASK, PLANTED, Exhibits, forms
from conformance.simulators.faults import ACTIONS

ROOT = Path(__file__).resolve().parents[3]
SECRET = PLANTED["key"]
COMMITTED = ("reports", "fixtures", "benchmarks/results", ".ci", "*.md", "*.toml", "*.ini")
WRITTEN = [(name, form) for name, secret in PLANTED.items() for form in forms(secret)]


def raised(place: str) -> BaseException:
    """Return an error that shows a secret in one place."""

    class Attached:
        def __init__(self) -> None:
            self.request = {"headers": [("authorization", f"Bearer {SECRET}".encode())]}

    error: BaseException = ValueError(f"refused: {SECRET}" if place == "its message" else "refused")
    if place == "what caused it":
        error.__cause__ = KeyError(SECRET)
    if place == "what it came under, not shown":
        error.__context__ = KeyError(SECRET)
        error.__suppress_context__ = True
    if place == "something that hangs on it":
        error.response = Attached()  # type: ignore[attr-defined]
    if place == "a note":
        error.add_note(SECRET)
    if place == "an error of a group":
        error = ExceptionGroup("two", [KeyError(SECRET)])
    return error


PLACES = (
    "its message",
    "what caused it",
    "what it came under, not shown",
    "something that hangs on it",
    "a note",
    "an error of a group",
)


@pytest.mark.parametrize("place", PLACES)
def test_an_error_is_searched_through_and_through(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is, it is found."""
    monkeypatch.setattr("pickle.dumps", lambda error: b"")  # what is local cannot be pickled, and is no matter here
    exhibits = Exhibits()
    exhibits.error(raised(place), place)
    assert exhibits.hits()
    clean = Exhibits()
    clean.error(raised("nowhere"), place)
    assert not clean.hits()


VALUES: dict[str, Any] = {"text": SECRET, "bytes": [(b"x", SECRET.encode())], "deep": {"deep": [{"er": (SECRET,)}]}}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize(("module", "is_searched"), [("somewhere.else", True), ("conformance.somewhere", False)])
def test_local_variables_are_searched(kind: str, module: str, is_searched: bool) -> None:
    """Those of every frame outside the harness, at any depth of what ``repr`` shows."""

    def fails(kind: str) -> None:
        held = VALUES[kind]
        raise LookupError(f"nothing to do with it: {len(held)}")

    exhibits = Exhibits()
    try:
        FunctionType(fails.__code__, {**fails.__globals__, "__name__": module}, "fails")(kind)
    except LookupError as error:
        exhibits.error(error, "a call")
    assert bool(exhibits.hits()) is is_searched


@pytest.mark.parametrize(("name", "form"), WRITTEN, ids=[f"{name}, {form}" for name, form in WRITTEN])
def test_every_form_is_found(name: str, form: str) -> None:
    """Whole, in capitals, and the first half of it; told by name, never by itself."""
    written = forms(PLANTED[name])[form]
    for text in (f"<{written}>", written.upper(), f"cut {written[: len(written) // 2]}"):
        exhibits = Exhibits()
        exhibits.show("log", text, "a record")
        hits = exhibits.hits()
        assert f"log: a record: {name}, {form}" in hits
        assert not any(written in hit for hit in hits)


def test_masks_are_counted() -> None:
    """By kind, each text once."""
    exhibits = Exhibits()
    for text in (f"Key({MASK}:12345678)", f"Key({MASK}:12345678)", "nothing"):
        exhibits.show("log", text, "a record")
    assert (exhibits.seen["log"], exhibits.masked["log"], exhibits.hits()) == (2, 1, [])


def test_no_action_of_the_simulators_is_forgotten() -> None:
    """A new one must be put into a table of mishaps, or be declared harmless."""
    tried = {type(action).__name__ for action in (*WHOLE, *SLOW, *STREAMED)} | {kind.__name__ for kind in FIELDS}
    assert tried | HARMLESS | OF_FAULTS == set(ACTIONS)
    assert not tried & (HARMLESS | OF_FAULTS)


def committed() -> Iterator[Path]:
    """Every file of the repository that is read by people or machines rather than run."""
    for pattern in COMMITTED:
        for path in sorted(ROOT.glob(pattern)):
            yield from (inner for inner in path.rglob("*") if inner.is_file()) if path.is_dir() else (path,)


def test_nothing_committed_holds_a_planted_secret() -> None:
    """Reports, fixtures, results and documents; the search sees them, for it finds what does stand there."""
    exhibits = Exhibits()
    whole = ""
    for path in committed():
        text = path.read_bytes().decode("latin-1")
        exhibits.show("file", text, str(path.relative_to(ROOT)))
        whole += text if path.suffix == ".md" else ""
    assert exhibits.seen["file"] > 100
    assert exhibits.hits() == []
    assert "KEY-10" in whole


def test_evidence_of_a_leak_does_not_leak() -> None:
    """What a run with planted keys writes of a backend that shows them, and of a good one."""
    exhibits = Exhibits()
    for saboteur in ("SEC-11-quotes_a_bad_key", "SEC-11-says_what_it_was_given", ""):
        for record in run_job(Job("openai", saboteur[:6] or "SEC-11", saboteur=saboteur)):
            exhibits.show("evidence", json.dumps(record), saboteur)
            assert record.get("killed") or record.get("verdict") == "pass", record
    assert exhibits.seen["evidence"] >= 3
    assert exhibits.hits() == []


def test_what_a_check_quotes_is_scrubbed(tried: Callable[..., Outcome]) -> None:
    """Every planted secret in every form, cut short or not, in the one line that evidence keeps."""

    quoted = ""

    async def quotes(trial: Any) -> None:
        trial.expect(True, "")
        raise CheckFailed(f"got {quoted!r}")

    for name, secret in PLANTED.items():
        for text in (*forms(secret).values(), secret[: len(secret) // 2]):
            quoted = text
            detail = tried(quotes, traffic=False).detail
            exhibits = Exhibits()
            exhibits.show("evidence", detail, name)
            assert (detail, exhibits.hits()) == (f"got '<planted {name}>'", [])
    assert scrubbed("sk-planted and nothing else") == "sk-planted and nothing else"
