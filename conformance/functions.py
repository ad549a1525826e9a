"""The functions and methods of analysed source text, and the names of what talks to a server in it.

Reads syntax trees only; what the functions mean is judged in :mod:`conformance.signs`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["Function", "FunctionNode", "collect", "last_name"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_WIRE_MODULES: Final = frozenset(
    [
        "requests",
        "httpx",
        "aiohttp",
        "urllib",
        "urllib3",
        "http",
        "socket",
        "websockets",
        "websocket",
        "grpc",
        "openai",
        "anthropic",
        "groq",
        "ollama",
        "boto3",
        "botocore",
        "aioboto3",
        "google",
        "vertexai",
        "huggingface_hub",
        "text_generation",
        "tritonclient",
        "cohere",
        "mistralai",
        "subprocess",
    ]
)


@dataclass(frozen=True)
class Function:
    """One function or method; ``owner`` is its class, empty for a module's function. Compared by identity of its
    place."""

    name: str
    owner: str
    file: str
    line: int
    node: FunctionNode | ast.Assign
    wire_names: frozenset[str]
    is_property: bool = False

    def __hash__(self) -> int:
        return hash((self.file, self.line, self.owner, self.name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and (self.file, self.line, self.owner, self.name) == (
            other.file, other.line, other.owner, other.name,
        )  # fmt: skip

    @property
    def title(self) -> str:
        """``Class.name``."""
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @property
    def public(self) -> bool:
        """True for what a user calls: a public function, or a public method of a public class that is no property."""
        return not self.owner.startswith("_") and not self.name.startswith("_") and not self.is_property


def collect(trees: Iterable[tuple[str, ast.Module]]) -> list[Function]:
    """Return every function and method of the modules, nested ones within their outer one."""
    found: list[Function] = []
    for file, tree in trees:
        wire_names = frozenset(_wire_names(tree))
        for node in tree.body:
            if isinstance(node, FunctionNode):
                found.append(Function(node.name, "", file, node.lineno, node, wire_names))
            elif isinstance(node, ast.ClassDef):
                found.extend(_methods(node, file, wire_names))
    return found


def _methods(owner: ast.ClassDef, file: str, wire_names: frozenset[str]) -> Iterator[Function]:
    if any(
        last_name(base) in ("Protocol", "TypedDict", "Enum", "StrEnum", "IntEnum", "NamedTuple", "Exception")
        for base in owner.bases
    ):
        return
    for node in owner.body:
        if isinstance(node, FunctionNode):
            marks = {last_name(mark) for mark in node.decorator_list}
            if "abstractmethod" in marks or "overload" in marks:
                continue
            is_property = bool(marks & {"property", "cached_property", "setter"})
            yield Function(node.name, owner.name, file, node.lineno, node, wire_names, is_property)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _makes_twin(node.value):
            yield Function(node.targets[0].id, owner.name, file, node.lineno, node, wire_names)


def _makes_twin(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and last_name(value.func) in ("blocking", "blocking_stream")


def _wire_names(tree: ast.Module) -> Iterator[str]:
    """Names under which a module knows something that talks to a server."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in _WIRE_MODULES:
                    yield alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level and _talks(node.module or ""):
            yield from (alias.asname or alias.name for alias in node.names)


def _talks(module: str) -> bool:
    return module.partition(".")[0] in _WIRE_MODULES and not module.startswith("urllib.parse")


def last_name(node: ast.expr | None) -> str:
    """The last name of a dotted expression, empty for anything else."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
