"""Questions to syntax trees that several parts of the analysis ask. Pure functions of what is written."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

__all__ = ["FunctionNode", "assignments", "changed_attributes", "dotted", "last_name", "statements", "words"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_CLOSED: Final = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise, ast.Import, ast.ClassDef)
"""Frequent statements that hold no others, and classes, which are looked into elsewhere."""


def words(text: str) -> frozenset[str]:
    """Return the words of a text: vocabularies read better as prose than as lists."""
    return frozenset(text.split())


def statements(body: Iterable[ast.stmt], *, into_functions: bool = True) -> Iterator[ast.stmt]:
    """Return statements and those inside them, in order; those of classes and, unless asked for, functions stay out."""
    for statement in body:
        yield statement
        if isinstance(statement, _CLOSED) or (isinstance(statement, FunctionNode) and not into_functions):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from statements(getattr(statement, name, ()), into_functions=into_functions)
        for inner in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from statements(inner.body, into_functions=into_functions)


def assignments(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Return the targets of an assignment, each with its value where they can be told apart."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Tuple | ast.List):
                values = statement.value.elts if isinstance(statement.value, ast.Tuple | ast.List) else []
                if len(values) != len(target.elts):
                    values = [statement.value] * len(target.elts)
                yield from zip(target.elts, values, strict=True)
            else:
                yield target, statement.value
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        yield statement.target, statement.value
    elif isinstance(statement, ast.With | ast.AsyncWith):
        yield from ((item.optional_vars, item.context_expr) for item in statement.items if item.optional_vars)
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield statement.target, statement.iter


def changed_attributes(method: FunctionNode) -> set[str]:
    """Return the names of attributes of ``self`` that a method assigns or changes."""
    every = [*method.args.posonlyargs, *method.args.args]
    if not every:
        return set()
    own = every[0].arg
    found: set[str] = set()
    for statement in statements(method.body):
        targets = [target for target, _ in assignments(statement)]
        if isinstance(statement, ast.Expr):
            called = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
            if isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute):
                targets.append(called.func.value)
        for target in targets:
            while isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
                inner: Any = target.value
                if isinstance(target, ast.Attribute) and isinstance(inner, ast.Name) and inner.id == own:
                    found.add(target.attr)
                target = inner
    return found


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` as text, empty when it is anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def last_name(node: ast.expr) -> str:
    """Return the last name of a dotted expression or of what is called, empty for anything else."""
    if isinstance(node, ast.Call | ast.Subscript):
        return last_name(node.func if isinstance(node, ast.Call) else node.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
