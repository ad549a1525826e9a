"""Writes ``scoreboard.html``: the scoreboard as one self-contained page. The template beside this module asks for no network.

Verdicts are drawn, each with a word beside it for who does not see: a page must not depend on a font that has the pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Final

from conformance.reports.scoreboard import MEANINGS, Board, Column, Red
from conformance.requirement import CHAPTERS

__all__ = ["render"]

_WORDS: Final = {
    "pass": "held",
    "fail": "broken",
    "vacuous": "proved nothing",
    "not_claimed": "not claimed",
    "unknown": "not asked",
}


def render(made: Board) -> str:
    """Return the whole page."""
    template = files("conformance").joinpath("reports/scoreboard.template.html").read_text(encoding="utf-8")
    legend = "".join(
        f'<li><span class="chip {verdict}">{_mark(verdict)}</span> {escape(meaning)}</li>'
        for verdict, meaning in MEANINGS.items()
    )
    parts = {
        "legend": legend,
        "clients": "\n".join(_client(made, name) for name in range(len(made.clients))),
        "overview": _overview(made),
        "tables": "\n".join(_table(made, provider) for provider in made.providers),
        "reds": "\n".join(map(_red, made.reds)),
    }
    for name, text in parts.items():
        template = template.replace("{{" + name + "}}", text)
    return template


def _mark(verdict: str) -> str:
    """Return the picture of a verdict, which the template draws once, and its word."""
    return (
        f'<svg class="mark" aria-hidden="true"><use href="#mark-{verdict}"/></svg>'
        f'<span class="unseen">{_WORDS[verdict]}</span>'
    )


def _overview(made: Board) -> str:
    """Return all clients at all providers by chapter: how much of what each claims it holds."""
    asked = {requirement.chapter for requirement in made.requirements}
    chapters = [chapter for chapter in CHAPTERS if chapter in asked]
    head = "".join(f'<th scope="col">{chapter}</th>' for chapter in chapters)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(column.client["title"])} <span>{escape(provider)}</span></th>'
        + "".join(_share(made, column, chapter) for chapter in chapters)
        + "</tr>"
        for provider, columns in made.providers.items()
        for column in columns
    )
    return (
        f'<div class="card"><table class="narrow"><thead><tr><th scope="col">client</th>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _share(made: Board, column: Column, chapter: str) -> str:
    own = [requirement.id for requirement in made.requirements if requirement.chapter == chapter]
    verdicts = [column.verdicts[name][0] for name in own if name in column.verdicts]
    held, claimed = verdicts.count("pass"), len(verdicts) - verdicts.count("not_claimed")
    if not claimed:
        verdict = "not_claimed" if verdicts else "unknown"
        return f'<td><span class="chip {verdict}">{_mark(verdict)}</span></td>'
    verdict = "pass" if held == claimed else "fail"
    return f'<td><span class="chip {verdict}">{held}<span aria-hidden="true">/</span><span class="unseen"> of </span>{claimed}</span></td>'


def _client(made: Board, number: int) -> str:
    client = made.clients[number]
    versions = ", ".join(f"{name} {version}" for name, version in client["versions"].items())
    counts = []
    for provider, columns in made.providers.items():
        for column in columns:
            if column.client["subject"] == client["subject"]:
                broken = column.count("fail") + column.count("vacuous")
                counts.append(f"{escape(provider)}: {column.count('pass')} held, {broken} broken")
    notes = "".join(f'<p class="fail note">{escape(note)}</p>' for note in client["notes"])
    return (
        f'<div class="tile"><b>{escape(client["title"])}</b><span class="quiet">{escape(client["language"])}; '
        f"{escape(versions)}</span><p>{'<br>'.join(counts) or 'not judged'}</p>{notes}</div>"
    )


def _table(made: Board, provider: str) -> str:
    columns = made.providers[provider]
    head = "".join(f'<th scope="col">{escape(column.client["title"])}</th>' for column in columns)
    rows = "\n".join(
        f'<tr><th scope="row" title="{escape(requirement.source)}"><b>{requirement.id}</b> <span>{escape(requirement.clause)}</span></th>'
        + "".join(_cell(made, provider, column, requirement.id) for column in columns)
        + "</tr>"
        for requirement in made.requirements
    )
    return (
        f'<h2>{escape(provider)}</h2><div class="card"><table><thead><tr><th scope="col">requirement</th>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cell(made: Board, provider: str, column: Column, requirement: str) -> str:
    verdict, detail = column.verdicts.get(requirement, ("unknown", ""))
    mark, about = _mark(verdict), escape(detail)
    if verdict in ("fail", "vacuous"):
        number = made.red(column.client["subject"], provider, requirement)
        return f'<td><a class="chip {verdict}" href="#red-{number}" title="{about}">{mark} {number}</a></td>'
    return f'<td><span class="chip {verdict}" title="{about}">{mark}</span></td>'


def _red(red: Red) -> str:
    fact = f"<p>Its source: {escape(red.fact)}.</p>" if red.fact else ""
    return (
        f'<details class="red" id="red-{red.number}"><summary><b>{red.number}</b> {escape(red.requirement.id)} '
        f"<b>{escape(red.subject)}</b> {escape(red.provider)}: {escape(red.detail)}</summary>"
        f'<p class="quiet">{escape(red.requirement.clause)}</p>{fact}<pre>{"".join(_lines(red.wire))}</pre></details>'
    )


def _lines(wire: Iterable[str]) -> Iterable[str]:
    for line in wire:
        kind = {">": "asked", "<": "told"}.get(line[:1], "server")
        yield f'<span class="{kind}">{escape(line)}</span>\n'
