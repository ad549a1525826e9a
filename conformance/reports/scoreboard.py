"""The scoreboard: every foreign client side by side, requirement by requirement, with the wire log behind each red cell.

A pure function of the evidence files ``scoreboard/*.jsonl`` beside it, one a client. They are committed, because a machine has
not every client and a run of one must not lose the others; the scoreboard is written anew from all of them. Nothing here holds a
time. A wire log may differ between two runs of the same client, so the bytes follow from the files and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance import catalogue
from conformance.evidence import Evidence
from conformance.reports.marks import escaped
from conformance.requirement import Requirement

__all__ = ["MARKS", "Board", "Column", "Red", "board", "render"]

MARKS: Final = {"pass": "✅", "fail": "❌", "vacuous": "⭕", "not_claimed": "·", "unknown": "❔"}
MEANINGS: Final = {
    "pass": "claimed, and held",
    "fail": "claimed, and broken: the number leads to the wire log",
    "vacuous": "the question proved nothing",
    "not_claimed": "not claimed, or not settable: neither red nor green",
    "unknown": "not asked",
}
_SHOWN: Final = 12
"""Lines of a wire log in Markdown; the page has all of them."""


@dataclass(frozen=True, slots=True)
class Column:
    """One client at one provider.

    Attributes:
        client: its record in the evidence.
        verdicts: requirement id -> verdict and detail.
    """

    client: Mapping[str, Any]
    verdicts: Mapping[str, tuple[str, str]]

    def count(self, verdict: str) -> int:
        """Return how many requirements have a verdict."""
        return sum(found == verdict for found, _ in self.verdicts.values())


@dataclass(frozen=True, slots=True)
class Red:
    """One red cell: ``number`` is what the tables show, ``fact`` what the client's source says, ``""`` when nobody looked."""

    number: int
    subject: str
    provider: str
    requirement: Requirement
    detail: str
    wire: tuple[str, ...]
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """All that the scoreboard shows.

    Attributes:
        clients: records by name.
        providers: provider -> its columns, both by name.
        requirements: that anybody was asked about, in the order of the catalogue.
        reds: in the order of provider, requirement, client.
        judges: digests of the code that judged; more than one when some evidence is older.
    """

    clients: tuple[Mapping[str, Any], ...]
    providers: Mapping[str, tuple[Column, ...]]
    requirements: tuple[Requirement, ...]
    reds: tuple[Red, ...]
    judges: Mapping[str, tuple[str, ...]]

    def red(self, subject: str, provider: str, requirement: str) -> int:
        """Return the number of a red cell."""
        return next(
            red.number
            for red in self.reds
            if (red.subject, red.provider, red.requirement.id) == (subject, provider, requirement)
        )


def render(folder: Path, read: Callable[[Path], Evidence]) -> dict[str, str]:
    """Return the scoreboard's files by name; nothing when no client has been judged.

    Args:
        folder: of the reports; the evidence lies in ``scoreboard`` below it.
        read: reads one evidence file.
    """
    from conformance.reports import scoreboard_page

    found = [read(path) for path in sorted(folder.glob("scoreboard/*.jsonl"))]
    if not found:
        return {}
    made = board(found)
    return {"SCOREBOARD.md": _markdown(made), "scoreboard.html": scoreboard_page.render(made)}


def board(evidence: Iterable[Evidence]) -> Board:
    """Return what a number of evidence files say together."""
    found = sorted(evidence, key=lambda one: sorted(one.clients))
    clients = tuple(client for one in found for client in one.clients.values())
    cases = [case for one in found for case in one.cases if case["subject"] in one.clients]
    asked = {case["requirement"] for case in cases}
    requirements = tuple(requirement for requirement in catalogue.load() if requirement.id in asked)
    providers = {
        provider: tuple(_columns(provider, clients, cases)) for provider in sorted({case["case"] for case in cases})
    }
    judges: dict[str, tuple[str, ...]] = {}
    for one in found:
        digest = one.header["sources"]
        judges[digest] = (*judges.get(digest, ()), *one.clients)
    return Board(clients, providers, requirements, tuple(_reds(clients, requirements, cases)), judges)


def _columns(
    provider: str, clients: Iterable[Mapping[str, Any]], cases: Sequence[Mapping[str, Any]]
) -> Iterable[Column]:
    for client in clients:
        own = [case for case in cases if (case["subject"], case["case"]) == (client["subject"], provider)]
        if own:
            yield Column(client, {case["requirement"]: (case["verdict"], case["detail"]) for case in own})


def _reds(
    clients: Iterable[Mapping[str, Any]], requirements: Sequence[Requirement], cases: Iterable[Mapping[str, Any]]
) -> Iterable[Red]:
    facts = {client["subject"]: client.get("facts", {}) for client in clients}
    place = {requirement.id: number for number, requirement in enumerate(requirements)}
    red = [case for case in cases if case["verdict"] in ("fail", "vacuous")]
    red.sort(key=lambda case: (case["case"], place[case["requirement"]], case["subject"]))
    for number, case in enumerate(red, 1):
        requirement = requirements[place[case["requirement"]]]
        wire, fact = tuple(case.get("wire", ())), facts[case["subject"]].get(requirement.id, "")
        yield Red(number, case["subject"], case["case"], requirement, case["detail"], wire, fact)


def _markdown(made: Board) -> str:
    lines = [
        "# Scoreboard",
        "",
        "Clients judged at the wire alone: each is a program that makes its calls on request, at simulated providers that fail",
        "on purpose. A cell says what was seen, not what is documented. Written by `conformance run --subject NAME`; never",
        "edited by hand. Every red cell has its wire log below, and in `scoreboard.html` in full.",
        "",
        " ".join(f"{mark} {MEANINGS[verdict]}." for verdict, mark in MARKS.items()),
        "",
        "## Clients",
        "",
        "| client | language | versions | provider | held | broken | not claimed |",
        "|---|---|---|---|---|---|---|",
        *_summary(made),
    ]
    notes = [f"- **{client['title']}**: {escaped(note)}" for client in made.clients for note in client["notes"]]
    lines += ["", *notes] if notes else []
    if len(made.judges) > 1:
        lines += ["", "Not all were judged by the same code; compare with care:", ""]
        lines += [f"- `{digest}`: {', '.join(names)}" for digest, names in sorted(made.judges.items())]
    for provider, columns in made.providers.items():
        lines += ["", f"## {provider}", "", *_table(made, provider, columns)]
    lines += ["", "## Requirements", "", "| | clause |", "|---|---|"]
    lines += [
        f'| <a id="{requirement.id.lower()}"></a>{requirement.id} | {escaped(requirement.clause)} |'
        for requirement in made.requirements
    ]
    if made.reds:
        lines += ["", "## Red cells", ""]
        for red in made.reds:
            lines += _red_cell(red)
    return "\n".join(lines).rstrip() + "\n"


def _summary(made: Board) -> Iterable[str]:
    for client in made.clients:
        versions = ", ".join(f"{name} {version}" for name, version in client["versions"].items())
        own = [
            (provider, column)
            for provider, columns in made.providers.items()
            for column in columns
            if column.client["subject"] == client["subject"]
        ]
        start = f"| {escaped(client['title'])} | {escaped(client['language'])} | {escaped(versions)} |"
        if not own:
            yield f"{start} | ❔ | | |"
        for provider, column in own:
            counts = [column.count(verdict) for verdict in ("pass", "fail", "not_claimed")]
            counts[1] += column.count("vacuous")
            yield f"{start} {provider} | " + " | ".join(map(str, counts)) + " |"


def _table(made: Board, provider: str, columns: Sequence[Column]) -> Iterable[str]:
    yield "| | " + " | ".join(escaped(column.client["title"]) for column in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for requirement in made.requirements:
        cells = [_cell(made, provider, column, requirement.id) for column in columns]
        yield f"| [{requirement.id}](#{requirement.id.lower()}) | " + " | ".join(cells) + " |"


def _cell(made: Board, provider: str, column: Column, requirement: str) -> str:
    verdict, _ = column.verdicts.get(requirement, ("unknown", ""))
    if verdict not in ("fail", "vacuous"):
        return MARKS[verdict]
    number = made.red(column.client["subject"], provider, requirement)
    return f"{MARKS[verdict]} [{number}](#{number})"


def _red_cell(red: Red) -> Iterable[str]:
    yield f'<a id="{red.number}"></a>**{red.number}. {red.requirement.id}, {red.subject}, {red.provider}**: {escaped(red.detail)}'
    yield ""
    if red.fact:
        yield f"Its source: {escaped(red.fact)}."
        yield ""
    if red.wire:
        left_out = len(red.wire) - _SHOWN
        yield "<details><summary>wire</summary>"
        yield ""
        yield "```text"
        if left_out > 0:
            yield f"({left_out} lines before)"
        yield from (line.replace("```", "'''") for line in red.wire[-_SHOWN:])
        yield "```"
        yield ""
        yield "</details>"
        yield ""
