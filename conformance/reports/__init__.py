"""The reports: each is a pure function of a summary of evidence, the same to the byte for the same evidence.

``REALITY.md`` alone is one of the corpus in ``fixtures/reality`` and of the analyser; without the corpus it is not written.

No report holds a time, a duration, a port or a count that depends on how threads were scheduled.
"""

from __future__ import annotations

from conformance.summary import Summary

__all__ = ["render"]


def render(summary: Summary) -> dict[str, str]:
    """Return every generated file by its name."""
    from conformance.reality.corpus import FOLDER
    from conformance.reports import faults, kill_matrix, page, reality, status, status_json

    corpus = {"REALITY.md": reality.render(FOLDER)} if FOLDER.is_dir() else {}
    return corpus | {
        "API_IMPLEMENTATION_STATUS.md": status.render(summary),
        "status.json": status_json.render(summary),
        "kill_matrix.md": kill_matrix.render(summary),
        "FAULTS.md": faults.render(summary),
        "index.html": page.render(summary),
    }
