"""What the commands share: lines for people, evidence read and files written, each trouble one line that says what to do.
It knows no command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from conformance.command_line import UsageError
from conformance.evidence import Evidence, EvidenceError, read
from conformance.evidence_writer import sources_digest

__all__ = ["evidence_of", "is_stale", "named", "say", "warn_if_stale", "writable_file", "write"]


def say(text: str = "") -> None:
    """Print one line."""
    print(text)  # noqa: T201 - this is a command line


def named(names: Sequence[str], most: int) -> str:
    """Return the first of some names on one line, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def evidence_of(path: Path, *, foreign: bool = False) -> Evidence:
    """Read an evidence file of our own backends, or of a foreign client.

    Raises:
        UsageError: it is absent, damaged, or of the other kind.
    """
    try:
        evidence = read(path)
    except EvidenceError as error:
        raise UsageError(str(error)) from None
    if foreign is not (evidence.header["lane"] == "blackbox"):
        whose = (
            "our own backends, not of a foreign client" if foreign else "a foreign client: it is shown by SCOREBOARD.md"
        )
        raise UsageError(f"{path} is evidence of {whose}; name another file")
    return evidence


def is_stale(evidence: Evidence) -> bool:
    """Say whether evidence is of other code than today's."""
    stale: bool = evidence.header["sources"] != sources_digest()
    return stale


def warn_if_stale(evidence: Evidence) -> None:
    """Say on standard error that evidence is of other code than today's, if it is."""
    if is_stale(evidence):
        print(  # noqa: T201 - this is a command line
            "conformance: the evidence is of other code than today's; `conformance run` makes it anew", file=sys.stderr
        )


def writable_file(path: Path, option: str) -> None:
    """Make the folder of a file and the file, so that what cannot be written is known before the work is done.

    Raises:
        UsageError: it cannot be written; ``option`` names it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be written ({error.strerror}); name another file") from None


def write(path: Path, text: str, option: str) -> None:
    """Write a file whole.

    Raises:
        UsageError: it cannot be written; ``option`` names it.
    """
    writable_file(path, option)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be written ({error.strerror}); name another file") from None
