"""The chain of an audit log: how a line is tied to the one before it, and how a change is found. It writes nothing.

A line is a JSON object that ends in ``"previous"`` and ``"hash"``. The hash is the SHA-256 of the line's own bytes before it,
and those hold the hash of the line before: to change, drop, add or reorder a line means to recompute all that follow. Who
may write the whole file can do that, and can cut off its end; so note the last hash now and then where they cannot
write, and hand it to :func:`verify` as ``anchor``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["GENESIS", "Chain", "Link", "chained", "files_of", "last_link", "verify"]

GENESIS: Final = "0" * 64
"""What the first line of all names as the hash before it."""
_END: Final = re.compile(rb'(\{"number":(\d+),.*"previous":"([0-9a-f]{64})"),"hash":"([0-9a-f]{64})"\}', re.DOTALL)
_TAIL: Final = 65_536
_MOST_PROBLEMS: Final = 100


class Link(NamedTuple):
    """Where a chain has got to: number (from 1) and hash of its last line."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What :func:`verify` found.

    Attributes:
        lines: how many lines were read, over all files of the log.
        last: hash of the last line, to be noted elsewhere as an anchor; :data:`GENESIS` when there is none.
        problems: what is wrong, with file and line; empty when the log is whole. At most a hundred.
    """

    lines: int
    last: str
    problems: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


def chained(members: str, last: Link) -> tuple[bytes, Link]:
    """Return the line that follows ``last``, its line feed included, and the link it makes.

    Args:
        members: what the line says, as ASCII text between the braces of a JSON object.
        last: where the chain has got to.
    """
    number = last.number + 1
    body = f'{{"number":{number},{members},"previous":"{last.hash}"'.encode("ascii")
    digest = hashlib.sha256(body).hexdigest()
    return b'%b,"hash":"%b"}\n' % (body, digest.encode("ascii")), Link(number, digest)


def files_of(path: Path) -> list[Path]:
    """Return the files of a log that exist, oldest first: ``PATH.1``, ``PATH.2`` ..., ``PATH``."""
    numbered = [
        (int(name.suffix[1:]), name) for name in path.parent.glob(f"{path.name}.*") if name.suffix[1:].isdigit()
    ]
    return [name for _, name in sorted(numbered)] + ([path] if path.exists() else [])


def last_link(path: Path) -> tuple[Link, bool]:
    """Return the last readable link of one file, and whether the file ends in the middle of a line."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    for line in reversed(tail.split(b"\n")):
        found = _END.fullmatch(line)
        if found is not None:
            return Link(int(found[2]), found[4].decode()), not tail.endswith(b"\n")
    return Link(0, GENESIS), bool(tail) and not tail.endswith(b"\n")


def verify(path: str | Path, *, anchor: str | None = None) -> Chain:
    """Follow the chain through every file of a log.

    Args:
        path: the log; its older files ``PATH.1`` and so on are read first.
        anchor: a hash noted earlier; that no line has it is a problem.

    Raises:
        OSError: there is no such log, or it cannot be read.
    """
    path = Path(path)
    files = files_of(path)
    if not files:
        raise FileNotFoundError(f"there is no audit log at {path}")
    problems: list[str] = []
    last, lines, anchored = Link(0, GENESIS), 0, anchor in (None, GENESIS)
    for place, line in _lines(files):
        lines += 1
        problem, last = _follow(line, last)
        if problem is not None and len(problems) < _MOST_PROBLEMS:
            problems.append(f"{place}: {problem}")
        anchored = anchored or last.hash == anchor
    if not anchored:
        problems.append(f"no line has the hash {anchor}: the log was cut or rewritten")
    return Chain(lines, last.hash, tuple(problems))


def _lines(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    for name in files:
        with name.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield f"{name.name} line {number}", line


def _follow(line: bytes, last: Link) -> tuple[str | None, Link]:
    """Return what is wrong with a line, None when nothing is, and the link to go on from."""
    found = _END.fullmatch(line.removesuffix(b"\n"))
    if found is None or not line.endswith(b"\n"):
        return "it is no whole line of an audit log", last
    link = Link(int(found[2]), found[4].decode())
    if hashlib.sha256(found[1]).hexdigest() != link.hash:
        return "it was changed after it was written", link
    if found[3].decode() != last.hash or link.number != last.number + 1:
        return f"it is line {link.number} of the log and does not follow line {last.number}", link
    return None, link
