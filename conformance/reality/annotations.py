"""What annotations say: analysed classes, clients of servers, or plain data."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from conformance.reality.classes import Class
from conformance.reality.facts import Instance
from conformance.reality.functions import External
from conformance.reality.module import Module
from conformance.reality.tree import words
from conformance.reality.values import CLIENT, LIKELY, Value, combine, of
from conformance.reality.wire import is_client_type, is_likely_name, is_likely_type

__all__ = ["annotation_value", "says_truth"]

_PLAIN: Final = words(
    "str int float bool bytes bytearray list dict tuple set frozenset None NoneType Sequence Mapping Iterable Path object "
    "complex datetime timedelta Literal"
)
_TRANSPARENT: Final = frozenset({"Optional", "Union", "Annotated", "Final", "ClassVar", "Type", "type", "Awaitable"})


def annotation_value(module: Module, node: ast.expr | None, name: str, given: Value) -> Value:
    """Return a value that was handed in under a name, with what its annotation adds.

    Args:
        module: where the annotation stands.
        given: the value without it.
    """
    kinds, client, plain = _read(module, node) if node is not None else (frozenset(), False, False)
    if kinds:
        protocols = [kind for kind in kinds if kind.kind == "protocol"]
        named = any(is_likely_type(kind.name) for kind in protocols) or (protocols and is_likely_name(name))
        extra = of(LIKELY) if named else of(0)
        return combine([given, extra])._replace(
            things=given.things | frozenset(Instance(kind) for kind in kinds if kind.kind != "protocol")
        )
    if client:
        return combine([given, of(CLIENT)])
    if not plain and is_likely_name(name):
        return combine([given, of(LIKELY)])
    return given


@lru_cache(maxsize=65_536)
def _read(module: Module, node: ast.expr) -> tuple[frozenset[Class], bool, bool]:
    """Return the analysed classes that are named, whether a client's type is, and whether all the names are plain data."""
    kinds: set[Class] = set()
    client, plain = False, True
    for leaf in _leaves(node):
        meaning = module.meaning_of(leaf)
        if isinstance(meaning, Class):
            kinds.add(meaning)
            plain = False
        elif isinstance(meaning, External):
            last = meaning.name.rpartition(".")[2]
            client = client or is_client_type(meaning.name)
            plain = plain and last in _PLAIN
    return frozenset(kinds), client, plain


def _leaves(node: Any) -> Iterator[ast.expr]:
    if isinstance(node, ast.Name | ast.Attribute):
        yield node
    elif isinstance(node, ast.BinOp):
        yield from _leaves(node.left)
        yield from _leaves(node.right)
    elif isinstance(node, ast.Subscript):
        last = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        if last not in _TRANSPARENT:
            yield node.value
        if last not in ("Callable", "Literal"):
            yield from _leaves(node.slice)
    elif isinstance(node, ast.Tuple | ast.List):
        for inner in node.elts:
            yield from _leaves(inner)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            yield from _leaves(ast.parse(node.value, mode="eval").body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return


def says_truth(node: ast.expr | None) -> bool:
    """Say whether an annotation is ``bool``."""
    return isinstance(node, ast.Name) and node.id == "bool"
