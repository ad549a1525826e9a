"""Model folders on this machine: what is in one, and where a fetched file may go. No file is written here.

Nothing is followed out of a folder: symbolic links are refused where files are written, and refused, followed or left
out, by choice, where they are read.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from backends.errors import InvalidRequestError
from backends.s3_kit.manifest import MANIFEST_NAME, FileFacts
from backends.s3_kit.names import name_conflict, name_problem

__all__ = ["FOLD_CASE", "Symlinks", "facts_of", "place_for", "scan"]

Symlinks = Literal["refuse", "follow", "skip"]
FOLD_CASE: Final = sys.platform in ("darwin", "win32")
"""True where the usual file system takes two names that differ in case for one."""

_PIECE: Final = 1 << 20
_PARTIAL_ENDS: Final = (".partial", ".partial.json")


def scan(folder: Path, symlinks: Symlinks) -> dict[str, Path]:
    """Return the regular files of a folder by their relative names; partial downloads and a manifest are left out.

    Raises:
        InvalidRequestError: it is no folder, or holds a link (``refuse``), something that is neither file nor folder,
            or a name that could not be fetched again.
    """
    if not folder.is_dir():
        raise _bad(f"{folder} is not a folder")
    found: dict[str, Path] = {}
    _walk(folder, "", symlinks, found, ())
    conflict = name_conflict(found, fold_case=False)
    assert conflict is None, "a file system holds a name once"
    return dict(sorted(found.items()))


def _walk(
    folder: Path, prefix: str, symlinks: Symlinks, found: dict[str, Path], above: tuple[tuple[int, int], ...]
) -> None:
    here = os.stat(folder)
    place = (here.st_dev, here.st_ino)
    if place in above:
        raise _bad(f"{folder} links back to a folder that it is in")
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise _bad(f"{folder} cannot be read: {error.strerror}") from None
    for entry in entries:
        name = prefix + entry.name
        if entry.is_symlink():
            if symlinks == "skip":
                continue
            if symlinks == "refuse":
                raise _bad(f"{name} is a symbolic link; pass symlinks='follow' or 'skip'")
        if entry.is_dir():
            _walk(Path(entry.path), name + "/", symlinks, found, (*above, place))
        elif not entry.is_file():
            raise _bad(f"{name} is neither a file nor a folder")
        elif name != MANIFEST_NAME and not (entry.name.startswith(".") and entry.name.endswith(_PARTIAL_ENDS)):
            problem = name_problem(name)
            if problem is not None:
                raise _bad(f"{name!r} cannot be stored: {problem}")
            found[name] = Path(entry.path)


def facts_of(path: Path, check: Callable[[], object]) -> FileFacts | None:
    """Return size and SHA-256 of a regular file, None when there is none; ``check`` is called between pieces and may
    raise."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _bad(f"{path} cannot be read: {error.strerror}") from None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _bad(f"{path} is not a regular file")
        digest, size = hashlib.sha256(), 0
        while piece := file.read(_PIECE):
            check()
            digest.update(piece)
            size += len(piece)
    return FileFacts(size, digest.hexdigest())


def place_for(folder: Path, name: str) -> Path:
    """Return where a file of a model goes, its parents made, after a look at every step on the way.

    Raises:
        InvalidRequestError: the name leads out of the folder, or a step on the way, or what is there, is a symbolic
            link or not what it must be.
    """
    problem = name_problem(name)
    if problem is not None:
        raise _bad(f"{name!r} is refused: {problem}")
    path = folder
    steps = name.split("/")
    for step in steps[:-1]:
        path = path / step
        try:
            path.mkdir(exist_ok=False)
        except FileExistsError:
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise _bad(
                    f"{path} is a link or a file where a folder must be; nothing is written through it"
                ) from None
        except OSError as error:
            raise _bad(f"{path} cannot be made: {error.strerror}") from None
    path = path / steps[-1]
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return path
    if not stat.S_ISREG(mode):
        raise _bad(f"{path} is there and is not a regular file; it is not replaced")
    return path


def _bad(message: str) -> InvalidRequestError:
    return InvalidRequestError(f"{message}.", provider="s3_kit", code="invalid_argument")
