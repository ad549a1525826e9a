"""The list of a stored model's files: what it says, how it is read, and why a bad one is refused. Pure; no I/O.

The JSON Schema of the format is ``manifest.schema.json`` in this package. What comes from a store is not trusted: it is
bounded, checked field by field, and names that lead out of the folder are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from backends.errors import ResponseFormatError
from backends.s3_kit.names import name_conflict, name_problem
from backends.s3_kit.stores import LARGEST_OBJECT
from backends.wire import jsontext
from backends.wire.values import FormatError

__all__ = ["FORMAT", "LARGEST_MANIFEST", "MANIFEST_NAME", "VERSION", "FileFacts", "Manifest"]

FORMAT: Final = "backends-model-manifest"
VERSION: Final = 1
MANIFEST_NAME: Final = ".model-manifest.json"
"""Its key below the prefix of a model."""
LARGEST_MANIFEST: Final = 32 * 1024 * 1024
MOST_FILES: Final = 100_000
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Size in bytes and SHA-256 in lower-case hex of one file."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files of a model by their names relative to its folder, with ``/`` between segments."""

    files: Mapping[str, FileFacts]

    def encode(self) -> bytes:
        """Return the manifest as it is stored; the same files give the same bytes."""
        return jsontext.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "files": {
                    name: {"size": self.files[name].size, "sha256": self.files[name].sha256}
                    for name in sorted(self.files)
                },
            }
        )

    @classmethod
    def decode(cls, data: bytes, *, fold_case: bool = False) -> Manifest:
        """Read a stored manifest.

        Args:
            data: its bytes.
            fold_case: the file system takes ``A`` and ``a`` for the same name.

        Raises:
            ResponseFormatError: it is not one, is of a newer version, or holds a name that may not become a file.
        """
        if len(data) > LARGEST_MANIFEST:
            raise _bad(f"it is larger than {LARGEST_MANIFEST} bytes")
        try:
            document = jsontext.loads(data, max_depth=8)
        except FormatError as error:
            raise _bad(str(error)[:200]) from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise _bad(f"its format is not {FORMAT}")
        version = document.get("version")
        if isinstance(version, bool) or version != VERSION:
            raise _bad(f"its version is not {VERSION}; a newer release of this library may read it")
        if set(document) != {"format", "version", "files"}:
            raise _bad("it has other fields than format, version and files")
        files = document["files"]
        if not isinstance(files, dict) or len(files) > MOST_FILES:
            raise _bad(f"files is not an object of at most {MOST_FILES} entries")
        read = {name: _facts(name, entry) for name, entry in files.items()}
        conflict = name_conflict(read, fold_case=fold_case)
        if conflict is not None:
            raise _bad(f"the name {conflict[:200]!r} cannot exist beside another")
        return cls(read)


def _facts(name: str, entry: Any) -> FileFacts:
    problem = name_problem(name)
    if problem is not None:
        raise _bad(f"the name {name[:200]!r} is refused: {problem}")
    if not isinstance(entry, dict) or set(entry) != {"size", "sha256"}:
        raise _bad(f"the entry of {name[:200]!r} does not have exactly size and sha256")
    size, digest = entry["size"], entry["sha256"]
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= LARGEST_OBJECT:
        raise _bad(f"the size of {name[:200]!r} is not a number of bytes")
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise _bad(f"the sha256 of {name[:200]!r} is not 64 lower-case hex digits")
    return FileFacts(size, digest)


def _bad(why: str) -> ResponseFormatError:
    return ResponseFormatError(f"The model's manifest is refused: {why}.", provider="s3_kit", code="bad_manifest")
