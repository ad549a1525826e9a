"""Writes the evidence stream, line by line, with a header that names the code and a footer that seals it; reads none."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.evidence import VERSION, Record

__all__ = ["Writer", "encoded", "sources_digest"]


class Writer:
    """Writes one stream, line by line, so that an interrupted run leaves a file that is recognised as damaged.

    Args:
        path: where; its folder is made. What was there is replaced.
        lane, seed, complete, profile: for the header.
        sources: digest of the code; today's unless given.
        surroundings: digest of where it runs, when a later run may take over what this one finds.
        apart: write beside the file and move it there when it is whole: of two runs at once the later one stays, and one that
            is interrupted leaves what was there.

    Raises:
        OSError: the path cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        lane: str,
        seed: int,
        complete: bool,
        sources: str | None = None,
        surroundings: str | None = None,
        profile: str = "quick",
        apart: bool = False,
    ) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if path.exists() and not path.is_file():  # a device or a pipe, which replacing would end
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        self._written = path.with_name(f".{path.name}.{os.getpid()}-{id(self):x}.part") if apart else path
        self._file: BufferedWriter = self._written.open("wb")
        self._digest = hashlib.sha256()
        self._counts = {"case": 0, "kill": 0}
        header = {"kind": "header", "version": VERSION, "lane": lane, "seed": seed, "complete": complete}
        if profile != "quick":
            header["profile"] = profile
        header["sources"] = sources or sources_digest()
        if surroundings is not None:
            header["run"] = _name(header, surroundings)
        self.add(header)

    def add(self, record: Record) -> None:
        """Append one record and flush it."""
        line = encoded(record)
        self._digest.update(line)
        self._file.write(line)
        self._file.flush()
        if record["kind"] in self._counts:
            self._counts[record["kind"]] += 1

    def finish(self) -> None:
        """Write the footer and close."""
        footer = {"kind": "footer", "cases": self._counts["case"], "kills": self._counts["kill"]}
        self._file.write(encoded({**footer, "digest": self._digest.hexdigest()}))
        self._file.close()
        if self._written != self.path:
            self._written.replace(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
            return
        self._file.close()
        if self._written != self.path:
            self._written.unlink(missing_ok=True)


def _name(header: Record, surroundings: str) -> str:
    """Return the name of a run, made of what decides its findings: the code, where it ran, the lane and the seed."""
    parts = [header["sources"], surroundings, header["lane"], str(header["seed"])]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def encoded(record: Record) -> bytes:
    """Return one line of the file."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def sources_digest() -> str:
    """Return a digest of the code that a run judges and is judged by: every module of both packages, reports
    excepted."""
    import backends
    import conformance

    digest = hashlib.sha256()
    for package in (backends, conformance):
        root = Path(next(iter(package.__path__)))
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).as_posix()
            if (
                path.suffix in (".py", ".json")
                and "__pycache__" not in path.parts
                and not inside.startswith("reports/")
            ):
                digest.update(f"{root.name}/{inside}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
