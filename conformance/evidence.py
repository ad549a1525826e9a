"""The evidence: one append-only JSON-lines stream of what was run and what came of it, and its strict reader.

A header, then one line per subject or client, case and kill, then a footer with counts and a digest of every byte before it.
Whatever is damaged has an error of its own that names file, line and remedy; nothing is repaired or guessed. No line holds a
time.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from conformance.damage import (
    BrokenLine,
    Contradiction,
    CountMismatch,
    DigestMismatch,
    EmptyEvidence,
    EvidenceError,
    MissingEvidence,
    MissingFooter,
    MissingHeader,
    NotText,
    TooLarge,
    TrailingLines,
    TruncatedLine,
    UnknownVersion,
    WrongShape,
)

__all__ = ["VERSION", "Evidence", "EvidenceError", "Writer", "parse", "read", "sources_digest"]

Record: TypeAlias = dict[str, Any]
VERSION: Final = 1
_LARGEST: Final = 256 * 1024 * 1024
_AGAIN: Final = "run `conformance run` again"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A whole, undamaged evidence stream.

    Attributes:
        header: lane, seed, whether the run was complete, digest of the code, and the name of the run if others may take over
            what it found.
        subjects: by row name.
        cases, kills, machines: in the order of the file, duplicates dropped. ``machines`` were driven by themselves.
        clients: foreign clients of the lane blackbox, by name.
    """

    header: Record
    subjects: dict[str, Record] = field(default_factory=dict)
    cases: tuple[Record, ...] = ()
    kills: tuple[Record, ...] = ()
    machines: tuple[Record, ...] = ()
    clients: dict[str, Record] = field(default_factory=dict)

    @property
    def taken_over(self) -> int:
        """How many cases and saboteurs were not tried by this run, but taken over from an earlier one."""
        return sum("from" in record for record in (*self.cases, *self.kills))


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


def read(path: Path) -> Evidence:
    """Read an evidence file.

    Raises:
        EvidenceError: it is absent or damaged; which subclass says how.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise TooLarge(f"{path} is larger than {_LARGEST >> 20} MiB; {_AGAIN}")
        data = path.read_bytes()
    except FileNotFoundError:
        raise MissingEvidence(f"{path} does not exist; run `conformance run` first") from None
    except OSError as error:
        raise MissingEvidence(f"{path} cannot be read ({error.strerror}); name another file with --evidence") from None
    return parse(data, str(path))


def parse(data: bytes, name: str = "evidence") -> Evidence:
    """Read the bytes of an evidence file; ``name`` is used in messages.

    Raises:
        EvidenceError: the bytes are damaged.
    """
    if not data.strip():
        raise EmptyEvidence(f"{name} is empty; {_AGAIN}")
    records = _records(data, name)
    header, footer = records[0], records[-1]
    for number, record in enumerate(records[1:-1], 2):
        if record["kind"] == "header":
            raise MissingHeader(f"{name}, line {number}: a second header; two runs were joined, {_AGAIN}")
        if record["kind"] == "footer":
            raise TrailingLines(f"{name}, line {number + 1}: lines follow the footer; {_AGAIN}")
    body = records[1:-1]
    _check_footer(data, body, footer, name)
    return _gathered(header, body, name)


def _records(data: bytes, name: str) -> list[Record]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotText(f"{name}, line {line}: not UTF-8 text; {_AGAIN}") from None
    if not text.endswith("\n"):
        raise TruncatedLine(f"{name}, line {text.count(chr(10)) + 1}: the last line was cut off; {_AGAIN}")
    records = [_record(line, number, name) for number, line in enumerate(text.split("\n")[:-1], 1)]
    if records[0].get("kind") != "header":
        raise MissingHeader(f"{name}, line 1: no header; this is not an evidence file, or its beginning is lost")
    version = records[0].get("version")
    if version != VERSION:
        raise UnknownVersion(f"{name}: written in version {version!r}, this program reads {VERSION}; {_AGAIN}")
    validate = _validators()
    for number, record in enumerate(records, 1):
        wrong = next(iter(validate(record)), None)
        if wrong is not None:
            raise WrongShape(f"{name}, line {number}: {wrong}; {_AGAIN}")
    if records[-1]["kind"] != "footer":
        raise MissingFooter(f"{name}: no footer, so the run did not end; {_AGAIN}")
    return records


def _record(line: str, number: int, name: str) -> Record:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise BrokenLine(f"{name}, line {number}: not JSON; {_AGAIN}") from None
    if not isinstance(record, dict):
        raise BrokenLine(f"{name}, line {number}: not a JSON object; {_AGAIN}")
    return record


@cache
def _validators() -> Any:
    """Return a function from a record to what is wrong with it, by the schema of its own kind (short messages)."""
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        raise EvidenceError(
            "evidence is checked with jsonschema; run `pip install backends-conformance[conformance]`"
        ) from None

    schema = json.loads(files("conformance").joinpath("schemas/evidence.schema.json").read_text(encoding="utf-8"))
    by_kind = {
        kind: Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]})
        for kind in ("header", "subject", "client", "case", "kill", "machine", "footer")
    }

    def validate(record: Record) -> Iterable[str]:
        kind = record.get("kind")
        if not isinstance(kind, str) or kind not in by_kind:
            yield f"unknown kind {kind!r}"
            return
        for error in by_kind[kind].iter_errors(record):
            where = "".join(f".{part}" for part in error.absolute_path)
            yield f"{kind}{where}: {error.message[:120]}"

    return validate


def _check_footer(data: bytes, body: list[Record], footer: Record, name: str) -> None:
    for kind, counted in (("case", footer["cases"]), ("kill", footer["kills"])):
        found = sum(record["kind"] == kind for record in body)
        if found != counted:
            raise CountMismatch(f"{name}: the footer counts {counted} {kind} lines, there are {found}; {_AGAIN}")
    before = data[: data.rstrip(b"\n").rfind(b"\n") + 1]
    if hashlib.sha256(before).hexdigest() != footer["digest"]:
        raise DigestMismatch(f"{name}: its lines were changed after the run; {_AGAIN}")


_IDENTITY: Final = {
    "subject": ("subject",),
    "client": ("subject",),
    "case": ("subject", "requirement", "lane", "case"),
    "kill": ("saboteur", "subject"),
    "machine": ("machine",),
}


def _gathered(header: Record, body: list[Record], name: str) -> Evidence:
    seen: dict[tuple[Any, ...], Record] = {}
    for record in body:
        kind = record["kind"]
        identity = (kind, *(record[part] for part in _IDENTITY[kind]))
        known = seen.setdefault(identity, record)
        if known != record:
            raise Contradiction(
                f"{name}: two lines contradict each other about {' '.join(filter(None, identity))}; {_AGAIN}"
            )
    return Evidence(
        header,
        {record["subject"]: record for record in seen.values() if record["kind"] == "subject"},
        tuple(record for record in seen.values() if record["kind"] == "case"),
        tuple(record for record in seen.values() if record["kind"] == "kill"),
        tuple(record for record in seen.values() if record["kind"] == "machine"),
        {record["subject"]: record for record in seen.values() if record["kind"] == "client"},
    )


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
