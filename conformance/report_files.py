"""Writes reports where a command was asked to, the folder for people and single files for other programs, and compares
those that are there with what they should be. What they say is the business of :mod:`conformance.reports`."""

from __future__ import annotations

import argparse
import difflib
from itertools import islice
from pathlib import Path
from typing import Final

from conformance.command_line import UsageError
from conformance.console import write
from conformance.summary import Summary

__all__ = [
    "differing_lines",
    "machine_readable",
    "same",
    "writable_folder",
    "write_machine_readable",
    "write_reports",
]

_MOST_LINES: Final = 20
_LONGEST_LINE: Final = 300


def writable_folder(folder: Path) -> None:
    """Make the folder of the reports, so that one that cannot be written is known before the work is done.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"reports cannot be written to {folder} ({error.strerror}); name another folder with --reports DIR"
        ) from None


def write_reports(summary: Summary, folder: Path) -> None:
    """Write every report into a folder that is there.

    Raises:
        UsageError: one cannot be written.
    """
    from conformance.reports import render

    try:
        for name, text in render(summary).items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(
            f"reports cannot be written to {folder} ({error.strerror}); name another folder with --reports DIR"
        ) from None


def machine_readable(asked: argparse.Namespace) -> list[tuple[str, Path]]:
    """Return the files for other programs that were asked for, by option."""
    return [(f"--{name}", getattr(asked, name)) for name in ("junit", "sarif") if getattr(asked, name) is not None]


def write_machine_readable(summary: Summary, asked: argparse.Namespace) -> None:
    """Write the files for other programs that were asked for.

    Raises:
        UsageError: one cannot be written.
    """
    from conformance.reports import junit, sarif

    writers = {"--junit": junit.render, "--sarif": sarif.render}
    for option, path in machine_readable(asked):
        write(path, writers[option](summary), option)


def same(path: Path, text: str) -> bool:
    """Say whether a report is there and reads as it should.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return path.read_bytes() == text.encode("utf-8")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from None


def differing_lines(path: Path, text: str) -> list[str]:
    """Return the first lines by which a report differs from what it should be, cut to what fits a screen."""
    there = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    lines = difflib.unified_diff(there, text.splitlines(), str(path), "as it should be", n=0, lineterm="")
    return [line[:_LONGEST_LINE] for line in islice(lines, _MOST_LINES)]
