"""``conformance run --subject``: foreign clients judged at the wire alone, their evidence and the scoreboard.

The evidence of a subject that comes with the contract is one file, ``reports/scoreboard/NAME.jsonl``, committed because not every
machine has every client; a run of a part of the questions, or of a command, leaves it alone and writes beside the other evidence.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance import catalogue
from conformance.blackbox import roster
from conformance.blackbox.conversation import Channel
from conformance.blackbox.examine import Examination, examine
from conformance.blackbox.places import PLACES, Place
from conformance.blackbox.process import Process
from conformance.blackbox.question import Question, load
from conformance.command_line import EVIDENCE, REPORTS, UsageError, one_of
from conformance.console import evidence_of, say
from conformance.evidence import Evidence
from conformance.evidence_writer import Writer
from conformance.progress import Progress

__all__ = ["foreign_evidence", "run_subjects", "write_scoreboard"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One subject to be judged."""

    name: str
    title: str
    command: list[str]
    path: tuple[Path, ...]
    places: list[Place]
    evidence: Path
    complete: bool
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Step:
    """For progress: a question that has ended."""

    title: str


def run_subjects(asked: argparse.Namespace) -> int:
    """Judge every subject that was asked for; status 1 when any breaks what it claims."""
    for option in ("backend", "junit", "sarif", "no_saboteurs"):
        if getattr(asked, option):
            raise UsageError(f"--{option.replace('_', '-')} is about our own backends; leave it out with --subject")
    ids = list(load())
    wanted = [one_of("question", name, ids) for name in asked.requirement] or ids
    questions = [load()[name] for name in dict.fromkeys(wanted)]
    folder: Path = asked.reports or REPORTS
    subjects = [_asked(text, asked, folder) for text in dict.fromkeys(asked.subject)]
    status = 0
    for subject in subjects:
        status |= _judge(subject, questions)
    if any(subject.complete for subject in subjects):
        write_scoreboard(folder)
        say(f"Look at {folder / 'SCOREBOARD.md'} or {folder / 'scoreboard.html'}")
    return status


def _asked(text: str, asked: argparse.Namespace, folder: Path) -> _Asked:
    providers = [one_of("provider", name, PLACES) for name in asked.provider]
    if text in roster.names():
        return _listed(text, providers, asked, folder)
    command = shlex.split(text)
    if not command or shutil.which(command[0]) is None:
        one_of("subject", text, roster.names())
        raise AssertionError("a subject that is known was found before")
    if not providers:
        raise UsageError(f"say with --provider NAME what {command[0]} is to be asked about: {', '.join(PLACES)}")
    # A command is started elsewhere: what it names here has to be found from there.
    placed = [str(Path(word).absolute()) if Path(word).is_file() else word for word in command]
    name = Path(placed[-1]).stem
    places = [PLACES[provider] for provider in providers]
    return _Asked(name, text[:100], placed, (), places, _evidence(asked, name), False)


def _listed(name: str, providers: Sequence[str], asked: argparse.Namespace, folder: Path) -> _Asked:
    try:
        listed = roster.find(name)
        command = listed.started_with()
    except (roster.DescriptionError, roster.NotReadyError) as error:
        raise UsageError(str(error)) from None
    for provider in providers:
        if provider not in listed.providers:
            raise UsageError(f"{name} cannot be asked about {provider}; it speaks to {', '.join(listed.providers)}")
    complete = not asked.requirement and not providers and asked.evidence == EVIDENCE
    evidence = folder / "scoreboard" / f"{name}.jsonl" if complete else _evidence(asked, name)
    # A subject that runs in the judge's interpreter finds what the judge finds; any other has its own environment.
    path = (Path(__file__).resolve().parent.parent,) if listed.command[0] == "{python}" else ()
    places = [PLACES[provider] for provider in providers or listed.providers]
    return _Asked(name, listed.title, command, path, places, evidence, complete, listed.facts)


def _evidence(asked: argparse.Namespace, name: str) -> Path:
    evidence: Path = asked.evidence
    return evidence if evidence != EVIDENCE else evidence.parent / "blackbox" / f"{name}.jsonl"


def _judge(subject: _Asked, questions: Sequence[Question]) -> int:
    try:
        writer = Writer(subject.evidence, lane="blackbox", seed=0, complete=subject.complete, apart=True)
    except OSError as error:
        raise UsageError(
            f"evidence cannot be written to {subject.evidence} ({error.strerror}); name another --evidence FILE"
        ) from None

    async def start() -> Channel:
        return await Process.start(subject.command, path=subject.path)

    with writer, Progress(len(questions) * len(subject.places)) as progress:

        def ended(record: dict[str, Any]) -> None:
            progress.ended(_Step(f"{subject.name} {record['case']} {record['requirement']}"), record)

        found = asyncio.run(examine(subject.name, start, subject.places, questions, ended=ended))
        writer.add(_client(subject, found))
        for record in found.cases:
            writer.add(record)
    return _conclude(subject, found)


def _client(subject: _Asked, found: Examination) -> dict[str, Any]:
    broken = {record["requirement"] for record in found.cases if record["verdict"] == "fail"}
    who = found.who or {"language": "", "versions": {}, "claims": {}}
    return {
        "kind": "client",
        "subject": subject.name,
        "title": subject.title,
        "language": who["language"],
        "versions": dict(sorted(who["versions"].items())),
        "claims": {name: sorted(claims) for name, claims in sorted(who["claims"].items())},
        "notes": found.notes,
        "facts": {name: fact for name, fact in sorted(subject.facts.items()) if name in broken},
    }


def _conclude(subject: _Asked, found: Examination) -> int:
    broken = [record for record in found.cases if record["verdict"] in ("fail", "vacuous")]
    for record in broken:
        clause = catalogue.find(record["requirement"]).clause
        say(f"{record['verdict'].upper():<8} {subject.name} {record['case']} {record['requirement']}: {clause}")
        say(f"         {record['detail']}")
        for line in record.get("wire", ())[-6:]:
            say(f"           {line[:160]}")
    for note in found.notes:
        say(f"NOTE     {subject.name}: {note}")
    unasked = [place.provider for place in subject.places if found.who and place.provider not in found.who["claims"]]
    for provider in unasked:
        say(f"NOTE     {subject.name} claims nothing about {provider}")
    held = sum(record["verdict"] == "pass" for record in found.cases)
    silent = sum(record["verdict"] == "not_claimed" for record in found.cases)
    say(
        f"{subject.name}: {held} requirements held, {len(broken)} broken, {silent} not claimed. Evidence: {subject.evidence}"
    )
    return 1 if broken or found.who is None or unasked else 0


def foreign_evidence(path: Path) -> Evidence:
    """Read the evidence of a foreign client; raises what :func:`evidence_of` raises."""
    return evidence_of(path, foreign=True)


def write_scoreboard(folder: Path) -> None:
    """Rewrite the scoreboard from all evidence in its folder.

    Raises:
        UsageError: an evidence file is damaged, or the folder cannot be written.
    """
    from conformance.reports import scoreboard

    try:
        for name, text in scoreboard.render(folder, foreign_evidence).items():
            apart = folder / f".{name}.{os.getpid()}.part"
            apart.write_text(text, encoding="utf-8", newline="\n")
            apart.replace(folder / name)
    except OSError as error:
        raise UsageError(
            f"reports cannot be written to {folder} ({error.strerror}); name another folder with --reports DIR"
        ) from None
