"""Writes ``scoreboard.html``: the scoreboard as one self-contained page. The template beside this module asks for no network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files

from conformance.reports.scoreboard import MARKS, MEANINGS, Board, Column, Red

__all__ = ["render"]


def render(made: Board) -> str:
    """Return the whole page."""
    template = files("conformance").joinpath("reports/scoreboard.template.html").read_text(encoding="utf-8")
    legend = "".join(
        f'<li><span class="chip {verdict}">{mark}</span> {escape(MEANINGS[verdict])}</li>'
        for verdict, mark in MARKS.items()
    )
    parts = {
        "legend": legend,
        "clients": "\n".join(_client(made, name) for name in range(len(made.clients))),
        "tables": "\n".join(_table(made, provider) for provider in made.providers),
        "reds": "\n".join(map(_red, made.reds)),
    }
    for name, text in parts.items():
        template = template.replace("{{" + name + "}}", text)
    return template


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
    head = "".join(f"<th>{escape(column.client['title'])}</th>" for column in columns)
    rows = "\n".join(
        f'<tr><th title="{escape(requirement.source)}"><b>{requirement.id}</b> <span>{escape(requirement.clause)}</span></th>'
        + "".join(_cell(made, provider, column, requirement.id) for column in columns)
        + "</tr>"
        for requirement in made.requirements
    )
    return (
        f'<h2>{escape(provider)}</h2><div class="card"><table><thead><tr><th>requirement</th>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cell(made: Board, provider: str, column: Column, requirement: str) -> str:
    verdict, detail = column.verdicts.get(requirement, ("unknown", ""))
    mark, about = MARKS[verdict], escape(detail)
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
