"""The evidence: one append-only JSON-lines stream of what was run and what came of it, and its strict reader.

A header, then one line per subject or client, case and kill, then a footer with counts and a digest of every byte before it.
Whatever is damaged has an error of its own that names file, line and remedy; nothing is repaired or guessed. No line holds a
time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeAlias

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

__all__ = ["VERSION", "Evidence", "EvidenceError", "Record", "parse", "read"]

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

    @property
    def others_taken_over(self) -> int:
        """How many saboteurs this run tried without asking the other checks, whose answer is of an earlier run."""
        return sum("also_from" in kill and "from" not in kill for kill in self.kills)


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

    text = files("conformance").joinpath("schemas/evidence.schema.json").read_text(encoding="utf-8")
    parts = json.loads(text)["$defs"]
    kinds = ("header", "subject", "client", "case", "kill", "machine", "footer")
    by_kind = {kind: Draft202012Validator(_written_out(parts[kind], parts)) for kind in kinds}

    def validate(record: Record) -> Iterable[str]:
        kind = record.get("kind")
        if not isinstance(kind, str) or kind not in by_kind:
            yield f"unknown kind {kind!r}"
            return
        for error in by_kind[kind].iter_errors(record):
            where = "".join(f".{part}" for part in error.absolute_path)
            yield f"{kind}{where}: {error.message[:120]}"

    return validate


def _written_out(schema: Any, parts: Mapping[str, Any]) -> Any:
    """Return a schema with the parts that it refers to in place: following references took half of the time of reading."""
    if isinstance(schema, list):
        return [_written_out(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _written_out(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _written_out(one, parts) for name, one in schema.items()}


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
