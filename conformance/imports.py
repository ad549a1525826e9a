"""Which modules of a few packages a module may run, by its source text alone: nothing is imported.

Followed are all import statements, wherever they stand, the packages around a module, and names of modules in strings (code for
another process, homes of names that are loaded when first used). A module that imports what no text tells, or reads the source
of others, *may run anything*: it counts as needing every module there is. The exceptions are *doors*: modules that load what
their caller names, so that the caller's own needs tell.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

__all__ = ["Modules"]

_LOADERS: Final = frozenset({"import_module", "__import__", "find_spec", "run_module", "run_path"})
_SEARCHES: Final = frozenset({"iter_modules", "walk_packages", "getsource", "getsourcefile", "getsourcelines"})


@dataclass(frozen=True, slots=True)
class _Text:
    """What the source of a module says.

    Attributes:
        imports: dotted names, each of a module or of something in one.
        mentions: names below a package of ours that stand in strings.
        open: it may run anything.
    """

    imports: frozenset[str]
    mentions: frozenset[str]
    open: bool


class Modules:
    """The modules below some packages, as they are when this is made.

    Args:
        packages: folders of top-level packages.
        left_out: parts of paths, relative to the folder of a package, that hold no module of interest (``tests``).
        doors: modules that load what their caller names.
        readers: modules that load or read what no text tells, but only of one package: module -> package.
    """

    def __init__(
        self,
        packages: Iterable[Path],
        left_out: Iterable[str] = (),
        doors: Iterable[str] = (),
        readers: Mapping[str, str] | None = None,
    ) -> None:
        self._readers = dict(readers or {})
        self._doors = frozenset(doors)
        self._paths: dict[str, Path] = {}
        folders = tuple(packages)
        self._tops = frozenset(folder.name for folder in folders)
        for package in folders:
            for path in package.rglob("*.py"):
                parts = path.relative_to(package).with_suffix("").parts
                if not {*parts} & {*left_out}:
                    self._paths[".".join((package.name, *parts)).removesuffix(".__init__")] = path
        self._contents = {name: path.read_bytes() for name, path in self._paths.items()}
        self._closures: dict[str, frozenset[str]] = {}
        self._digests: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    @cache  # noqa: B019 - there are few of them, and each lives as long as it is asked
    def beneath(self, package: str) -> tuple[str, ...]:
        """Return a package and the modules in it, or the one module of that name."""
        return tuple(sorted(name for name in self._paths if name == package or name.startswith(f"{package}.")))

    @cache  # noqa: B019 - as above
    def mentioning(self, package: str, text: str) -> tuple[str, ...]:
        """Return the modules of a package in whose source a text stands."""
        return tuple(name for name in self.beneath(package) if text.encode() in self._contents[name])

    def closure(self, name: str) -> frozenset[str]:
        """Return the modules that a module may run, itself included.

        Raises:
            LookupError: there is none of this name.
        """
        found = self._closures.get(name)
        if found is None:
            found = self._closures[name] = self._closed(name)
        return found

    def digest(self, name: str) -> str:
        """Return a digest of everything that a module may run; it changes whenever any of that does.

        Raises:
            LookupError: there is none of this name.
        """
        found = self._digests.get(name)
        if found is None:
            whole = hashlib.sha256()
            for one in sorted(self.closure(name)):
                whole.update(f"{one} {self.own_digest(one)} ".encode())
            found = self._digests[name] = whole.hexdigest()
        return found

    @cache  # noqa: B019 - as above
    def own_digest(self, name: str) -> str:
        """Return a digest of the source of one module."""
        return hashlib.sha256(self._contents[name]).hexdigest()

    def _closed(self, name: str) -> frozenset[str]:
        if name not in self._paths:
            raise LookupError(f"there is no module {name}")
        found, waiting = {name}, [name]
        while waiting:
            needs = self._needs(waiting.pop())
            if needs is None:
                return frozenset(self._paths)
            new = needs - found
            found |= new
            waiting.extend(new)
        return frozenset(found)

    @cache  # noqa: B019 - as above
    def _needs(self, name: str) -> frozenset[str] | None:
        """Return the modules that a module asks for itself; None when it may ask for any."""
        text = self._text(name)
        if text.open and name not in self._readers:
            return None
        needs = [
            self.beneath(self._readers[name]) if text.open else (),
            *map(self._resolved, text.imports),
            *map(self._nearest, text.mentions),
        ]
        return frozenset(_around(name)).union(*needs)

    def _text(self, name: str) -> _Text:
        is_package = self._paths[name].name == "__init__.py"
        package = name if is_package else name.rpartition(".")[0]
        return _read(self._contents[name], package, self._tops, name in self._doors)

    def _resolved(self, name: str) -> set[str]:
        """Return the modules behind an imported dotted name: a module, or one that has the name, and where it has it from."""
        if name in self._paths:
            return {name}
        home, _, last = name.rpartition(".")
        found = self._nearest(home)
        if home in self._doors and home in self._paths:
            found |= self._promised_home(home, last)
        return found

    def _nearest(self, name: str) -> set[str]:
        while name and name not in self._paths:
            name = name.rpartition(".")[0]
        return {name} if name else set()

    def _promised_home(self, door: str, name: str) -> set[str]:
        """Return where a door says, to type checkers, that a name comes from."""
        for known, home in self._promises(door):
            if name in (known, "*"):
                return self._nearest(home)
        return set()

    @cache  # noqa: B019 - as above
    def _promises(self, door: str) -> tuple[tuple[str, str], ...]:
        """Return the names that a door promises to type checkers, each with the dotted name behind it."""
        tree = ast.parse(self._contents[door])
        promised = _promised(tree)
        return tuple(
            (alias.asname or alias.name, f"{node.module}.{alias.name}")
            for node in ast.walk(tree)
            if id(node) in promised and isinstance(node, ast.ImportFrom)
            for alias in node.names
        )


@lru_cache(maxsize=4_096)
def _read(content: bytes, package: str, tops: frozenset[str], is_door: bool) -> _Text:
    """Return what a source says.

    Args:
        package: the module itself if it is a package, else the one it is in.
        tops: top-level packages that are ours.
        is_door: only what is imported counts, and not what type checkers are told.
    """
    tree = ast.parse(content)
    mentioned = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(tops)))})(?:\.\w+)+")
    skipped = _promised(tree) if is_door else set()
    imports: set[str] = set()
    mentions: set[str] = set()
    is_open = False
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))  # a text that stands for itself is documentation: nothing runs it
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports.update(name for name in _imported(node, package) if name.partition(".")[0] in tops)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_door:
            mentions.update(mentioned.findall(node.value))
        elif isinstance(node, ast.Call) and not is_door:
            is_open = is_open or _may_load_anything(node, tops)
    return _Text(frozenset(imports), frozenset(mentions), is_open)


def _may_load_anything(call: ast.Call, tops: frozenset[str]) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in _SEARCHES:
        return True
    if name not in _LOADERS or not call.args:
        return False
    start = _beginning(call.args[0])
    return start is None or start in tops


def _around(name: str) -> Iterator[str]:
    """The packages that are run before a module."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    start = node.module or ""
    if node.level:
        parts = package.split(".")
        start = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])
    yield from (f"{start}.{alias.name}" for alias in node.names)


def _promised(tree: ast.Module) -> set[int]:
    """Return the identities of what stands under ``if TYPE_CHECKING``."""
    blocks = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    return {id(inner) for block in blocks for statement in block.body for inner in ast.walk(statement)}


def _beginning(node: ast.expr) -> str | None:
    """Return the first name of a dotted name that is written down, wholly or at its beginning; None when it is computed.

    A whole name below a package of ours is followed as any other string, so it comes back empty.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "" if "." in node.value else node.value
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        first, dot, _ = str(node.values[0].value).partition(".")
        return first if dot else None
    return None
