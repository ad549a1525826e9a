"""The subjects that come with the contract: their files, the environments that their clients live in, and how those are made.

An environment belongs to what it is made from: the same build commands over the same files share one, and another pin is
another one. It lies in a cache of the user's, never in the repository and never in the interpreter that judges.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = [
    "DescriptionError",
    "Listed",
    "NotReadyError",
    "PreparationError",
    "cache",
    "find",
    "names",
    "prepare",
    "read",
]

FOLDER: Final = Path(__file__).resolve().parent / "subjects"
_DESCRIPTION: Final = "subject.toml"
_MADE: Final = ".made"
"""Written last, so that an environment that was left half made is none."""
_SHOWN: Final = 300


class DescriptionError(Exception):
    """A ``subject.toml`` is damaged; the message names file and field."""


class NotReadyError(Exception):
    """A subject's environment has not been made; the message has the command that makes it."""


class PreparationError(Exception):
    """An environment could not be made; the message has the command that failed and its last words."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One subject as its folder describes it.

    Attributes:
        name: of the folder. title: for people.
        providers: rows that it can be asked about.
        command: starts it; ``build``: commands that make its environment, in order; both with their places still open.
        facts: requirement id -> what the client's source says about it, for whoever wonders at a red cell.
        folder: holds its files. environment: where its client lives; the same for subjects that are made alike.
    """

    name: str
    title: str
    providers: tuple[str, ...]
    command: tuple[str, ...]
    build: tuple[tuple[str, ...], ...]
    facts: Mapping[str, str]
    folder: Path
    environment: Path

    @property
    def ready(self) -> bool:
        """True when it can be started: its environment is whole, or it needs none."""
        return not self.build or (self.environment / _MADE).is_file()

    def started_with(self) -> list[str]:
        """Return the command that starts it.

        Raises:
            NotReadyError: its environment has not been made.
        """
        if not self.ready:
            raise NotReadyError(
                f"{self.name} has no environment yet; make it with `conformance subjects --prepare {self.name}`"
            )
        return self.filled(self.command)

    def filled(self, command: Sequence[str]) -> list[str]:
        """Return a command with its places filled in."""
        places = {"python": sys.executable, "folder": str(self.folder), "environment": str(self.environment)}
        return [re.sub(r"\{(\w+)\}", lambda found: places[found[1]], word) for word in command]


def cache(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of all environments: ``CONFORMANCE_ENVIRONMENTS``, or the user's cache as XDG has it."""
    variables = os.environ if environ is None else environ
    if own := variables.get("CONFORMANCE_ENVIRONMENTS"):
        return Path(own)
    base = variables.get("XDG_CACHE_HOME") or Path(variables.get("HOME") or Path.home()) / ".cache"
    return Path(base) / "conformance" / "environments"


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the subjects in a folder."""
    return sorted(path.parent.name for path in folder.glob(f"*/{_DESCRIPTION}"))


def find(name: str, *, environments: Path | None = None) -> Listed:
    """Return one subject.

    Raises:
        LookupError: there is none of this name.
        DescriptionError: its description is damaged.
    """
    if name not in names():
        raise LookupError(f"no subject is called {name!r}")
    return read(FOLDER / name, environments=environments)


def read(folder: Path, *, environments: Path | None = None) -> Listed:
    """Read the description of a subject.

    Args:
        folder: holds ``subject.toml`` and what it names.
        environments: where environments lie; :func:`cache` by default.

    Raises:
        DescriptionError: it is damaged.
    """
    path = folder / _DESCRIPTION
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DescriptionError(f"{path}: {error}") from None
    title = told.get("title")
    if not isinstance(title, str):
        raise DescriptionError(f"{path}: title must be a text")
    providers, command = (_words(path, told, field) for field in ("providers", "command"))
    lines = told.get("build", [])
    if not isinstance(lines, list):
        raise DescriptionError(f"{path}: build must be a list of commands")
    build = tuple(_words(path, {"build": line}, "build") for line in lines)
    facts = told.get("facts", {})
    if not isinstance(facts, dict) or not all(isinstance(fact, str) for fact in facts.values()):
        raise DescriptionError(f"{path}: facts must be texts by requirement")
    place = (cache() if environments is None else environments) / _fingerprint(folder, build)
    return Listed(folder.name, title, providers, command, build, facts, folder, place)


def _words(path: Path, told: Mapping[str, Any], field: str) -> tuple[str, ...]:
    words = told.get(field)
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise DescriptionError(f"{path}: {field} must be a list of texts")
    for word in words:
        for place in re.findall(r"\{(\w+)\}", word):
            if place not in ("python", "folder", "environment"):
                raise DescriptionError(
                    f"{path}: {field} has no place {{{place}}}; it has python, folder and environment"
                )
    return tuple(words)


def _fingerprint(folder: Path, build: Sequence[Sequence[str]]) -> str:
    """Return a name for what an environment is made from: the interpreter, the commands, and the files that they name."""
    made_from: list[Any] = [list(sys.version_info[:2]), build]
    for word in (word for line in build for word in line if word.startswith("{folder}/")):
        named = folder / word.removeprefix("{folder}/")
        made_from.append(hashlib.sha256(named.read_bytes() if named.is_file() else b"").hexdigest())
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:16]


def prepare(listed: Listed, *, install: Callable[[list[str]], tuple[int, str]] | None = None) -> None:
    """Make the environment of a subject anew; nothing happens when it needs none.

    Args:
        install: runs one command and returns its status and what it printed.

    Raises:
        PreparationError: a command failed; what was half made is removed.
    """
    if not listed.build:
        return
    shutil.rmtree(listed.environment, ignore_errors=True)
    listed.environment.mkdir(parents=True)
    for line in listed.build:
        command = listed.filled(line)
        status, printed = (install or _run)(command)
        if status != 0:
            shutil.rmtree(listed.environment, ignore_errors=True)
            words = " ".join(printed.split())[-_SHOWN:]
            raise PreparationError(
                f"the environment of {listed.name} could not be made: `{' '.join(command)}` ended with status {status}: {words}"
            )
    (listed.environment / _MADE).touch()


def _run(command: list[str]) -> tuple[int, str]:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - the commands are files of the contract
    except OSError as error:
        return 127, f"{Path(command[0]).name}: {error.strerror}"
    return ended.returncode, ended.stdout + ended.stderr
