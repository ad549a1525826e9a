"""Finds and reads Python source. Whatever cannot be read or parsed becomes one line that says so; nothing is imported or run."""

from __future__ import annotations

import ast
import hashlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path
from typing import Final, TypeAlias

__all__ = ["LARGEST", "Found", "Problem", "Source", "SourceError", "Trees", "python_files", "read", "shown"]

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of a file that is analysed; sources of this size are generated, and parsing takes hundreds of times their memory."""
MOST_FILES: Final = 5_000
Trees: TypeAlias = dict[bytes, ast.Module]
"""What has been parsed, by a digest of its content."""
_ENDINGS: Final = (".py", ".pyw")


class SourceError(ValueError):
    """There is nothing that could be analysed; the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that was not analysed, or not whole.

    Attributes:
        file, line: where; the line is None when it is the whole file.
        text: what is wrong.
        fatal: nothing of the file was analysed.
    """

    file: str
    line: int | None
    text: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.file}{'' if self.line is None else f', line {self.line}'}: {self.text}"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A parsed file.

    Attributes:
        file: as shown to people.
        module: its dotted name.
        base: the folder from which that name counts.
        package: the file is an ``__init__.py``.
    """

    file: str
    module: str
    base: Path
    package: bool
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a path.

    Attributes:
        files: sorted.
        tests: number of test files left out.
        problems: folders that cannot be read.
    """

    files: tuple[Path, ...]
    tests: int = 0
    problems: tuple[Problem, ...] = ()


def python_files(path: Path) -> Found:
    """Return the Python files of a file or folder.

    Hidden folders, virtual environments and ``__pycache__`` are left out, and so are tests: test doubles belong there.

    Raises:
        SourceError: there is nothing of that name, it is no Python source, holds none, or holds too many files.
        OSError: it cannot be looked at.
    """
    if not path.exists():
        raise SourceError(f"{path} does not exist; name a Python file or a folder")
    if path.is_file():
        if path.suffix not in _ENDINGS:
            raise SourceError(f"{path} holds no Python source; name a Python file or a folder")
        return Found((path,))
    if not path.is_dir():
        raise SourceError(f"{path} is neither a file nor a folder; name a Python file or a folder")
    files: list[Path] = []
    problems: list[Problem] = []
    tests = 0
    for file, is_test in _walk(path, problems):
        tests += is_test
        if not is_test:
            files.append(file)
        if len(files) > MOST_FILES:
            raise SourceError(f"{path} holds more than {MOST_FILES} Python files; name a smaller folder")
    if not files:
        only = f"only {tests} test files" if tests else "no Python source"
        raise SourceError(f"{path} holds {only}; name a Python file or a folder")
    return Found(tuple(sorted(files)), tests, tuple(problems))


def _walk(root: Path, problems: list[Problem]) -> Iterator[tuple[Path, bool]]:
    def refused(error: OSError) -> None:
        where = Path(str(error.filename))
        if where == root:
            raise error
        problems.append(Problem(shown(where.relative_to(root)), None, f"cannot be read ({error.strerror})"))

    for folder, folders, files in os.walk(root, onerror=refused):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not _is_aside(here / name))
        inside = here.relative_to(root).parts
        for name in files:
            if name.endswith(_ENDINGS) and (here / name).is_file():
                yield here / name, _is_test(name, inside)


def _is_aside(folder: Path) -> bool:
    return folder.name == "__pycache__" or (folder / "pyvenv.cfg").exists()


def _is_test(name: str, folders: tuple[str, ...]) -> bool:
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py" or "tests" in folders


def shown(path: Path) -> str:
    """Return a path as text that is one line and can be printed anywhere."""
    text = path.as_posix()
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def _module_name(path: Path) -> tuple[str, Path]:
    """Return the dotted name of a file and the folder from which it counts, by the ``__init__.py`` beside and above it."""
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        parts.append(folder.name)
        folder = folder.parent
    return ".".join(reversed(parts)), folder


def read(path: Path, file: str, trees: Trees | None = None) -> Source | Problem:
    """Parse a file; what prevents that is returned as a problem.

    Args:
        file: the name to show.
        trees: what has been parsed already; what is parsed now is added. None keeps nothing.
    """
    try:
        if path.stat().st_size > LARGEST:
            return Problem(file, None, f"larger than {LARGEST >> 20} MiB, not analysed", fatal=True)
        data = path.read_bytes()
    except OSError as error:
        return Problem(file, None, f"cannot be read ({error.strerror})", fatal=True)
    digest = hashlib.sha256(data).digest()
    tree = trees.get(digest) if trees is not None else None
    if tree is None:
        found = _parsed(data, file)
        if isinstance(found, Problem):
            return found
        tree = found
        if trees is not None:
            trees[digest] = tree
    name, base = _module_name(path.resolve())
    return Source(file, name, base, path.stem == "__init__", tree)


def _parsed(data: bytes, file: str) -> ast.Module | Problem:
    try:
        text = decode_source(data)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return Problem(file, None, "not text in its encoding (UTF-8 unless it names another)", fatal=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in strings, on standard error
            return ast.parse(text, filename=file)
    except SyntaxError as error:
        return Problem(file, error.lineno, f"cannot be parsed ({error.msg})", fatal=True)
    except ValueError:
        return Problem(file, None, "cannot be parsed (it holds null bytes)", fatal=True)
    except (RecursionError, MemoryError):
        return Problem(file, None, "cannot be parsed (nested too deeply)", fatal=True)
