"""Writes reports where a command was asked to: the folder for people, and single files for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.command_line import UsageError
from conformance.console import write
from conformance.summary import Summary

__all__ = ["machine_readable", "writable_folder", "write_machine_readable", "write_reports"]


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
