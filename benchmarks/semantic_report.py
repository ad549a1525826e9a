"""The section of the report on the semantic cache: a pure function of the part's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.formats import duration, number
from benchmarks.markdown import picture, table

__all__ = ["semantic_cache"]


def semantic_cache(result: Mapping[str, Any]) -> list[str]:
    settings, strangers = result["settings"], result["strangers"]
    blocks = [
        f"{settings['pairs']:,} labelled pairs, {settings['same']} of them paraphrases, the others alike but for a negation, "
        "number, unit, name, order, comparison or topic. A pair hits when the cosine reaches the threshold and the gate "
        "lets it pass. The rules of the gates were extended with these pairs in sight: questions of your own may hit less.",
    ]
    for row in result["embedders"]:
        blocks.append(f"### {row['title']}")
        if row["status"] != "measured":
            blocks.append(f"{row['status']}: {row['remark']}".capitalize())
            continue
        if row["versions"]:
            blocks.append(", ".join(f"{name} {version}" for name, version in row["versions"].items()))
        blocks.append(picture(f"semantic_cache_{row['name']}.svg", f"Hits by threshold, {row['title']}"))
        blocks.append(_rates_table(row["rates"]))
        if row.get("held_out"):
            blocks.append(
                f"Held out: {settings['held_out']} pairs by hand, {settings['held_out_same']} of them paraphrases, which no rule "
                "was written for and after which none was changed."
            )
            blocks.append(_rates_table(row["held_out"]))
    blocks.append(
        f"Of {strangers['compared']:,} pairs of different questions the gate `content` alone takes {strangers['hits']} for "
        "the same."
    )
    rows = [
        (f"{one['entries']:,}", f"{one['dimensions']:,}", "yes" if one["numpy"] else "no", duration(one["seconds"]))
        for one in result["lookups"]
    ]
    return [*blocks, "### One search", table(("Entries", "Dimensions", "numpy", "Time, median"), rows)]


def _rates_table(rates: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each threshold, with right and wrong hits for each gate."""
    by_gate: dict[str, dict[float, Mapping[str, Any]]] = {}
    for one in rates:
        by_gate.setdefault(one["gate"], {})[one["threshold"]] = one
    thresholds = list(next(iter(by_gate.values())))
    return table(
        ("Threshold", *(f"{gate}: right, wrong" for gate in by_gate)),
        (
            (
                number(threshold),
                *(f"{row[threshold]['hits']:.1%}, {row[threshold]['false_hits']:.2%}" for row in by_gate.values()),
            )
            for threshold in thresholds
        ),
    )
