"""What a function's text says of it at first sight: stubs, refusals, and names and words that admit a pretence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final

from conformance.reality.facts import Sign
from conformance.reality.functions import Function
from conformance.reality.tree import FunctionNode, last_name, statements
from conformance.reality.wire import looks_pretended

__all__ = ["is_refusal", "stub", "text_signs"]

_ADMITS: Final = re.compile(
    r"\b(mock(ed)?|fake|dummy|placeholder|simulated|canned)\b.{0,40}\b(response|answer|reply|result|embedding|completion|output"
    r"|data|text|content|message)|\b(not (yet )?implemented|todo: implement)\b",
    re.IGNORECASE,
)
_REFUSES: Final = re.compile(
    r"not (be )?(supported|offered|provided|available)|unsupported|(does|do|can) ?not (support|offer|provide|have)|\b(has|have|offers) no\b"
    r"|no longer|deprecated|retired",
    re.IGNORECASE,
)
_REFUSALS: Final = re.compile(r"^(refuse\w*|\w*(Unsupported|NotSupported)\w*|UnsupportedOperation|_?unsupported\w*)$")
_HOOKS: Final = re.compile(
    r"^a?(on|before|after|handle|close|shutdown|start|stop|setup|teardown|flush|reset|connect|disconnect)(_|$)"
)


def body_of(node: FunctionNode) -> list[ast.stmt]:
    """Return the statements without the docstring."""
    first = node.body[0]
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return node.body[1:] if is_text else node.body


@lru_cache(maxsize=65_536)
def stub(function: Function) -> str:
    """Say why a function is a stub; empty when it is none. Hooks (``on_retry``, ``close``) may do nothing."""
    node = function.node
    if not isinstance(node, FunctionNode):
        return ""
    body = body_of(node)
    if not body or all(isinstance(one, ast.Pass) or _is_ellipsis(one) for one in body):
        return "" if _HOOKS.match(function.name) else "the body is empty"
    raised = _only_raises(body)
    if raised and {_raised(one) for one in raised} == {"NotImplementedError"}:
        return "it only raises NotImplementedError"
    if len(body) != 1:
        return ""
    (only,) = body
    if (
        isinstance(only, ast.Return)
        and (only.value is None or _is_none(only.value))
        and not _HOOKS.match(function.name)
    ):
        return "it only returns None"
    return ""


def is_refusal(function: Function) -> bool:
    """Say whether all that a function does is to refuse the call by name: honest, unlike "not implemented"."""
    node = function.node
    if not isinstance(node, FunctionNode):
        return False
    raised = _only_raises(body_of(node))
    if not raised:
        return False
    if all(_REFUSALS.match(_raised(one)) for one in raised):
        return True
    said = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))
    words = " ".join(one for one in said if one != ast.get_docstring(node, clean=False))
    return all(_raised(one).endswith(("Error", "Exception")) for one in raised) and _REFUSES.search(words) is not None


def _only_raises(body: list[ast.stmt]) -> list[ast.Raise]:
    """Return the raises of a body that does nothing but choose one; none when it does something else, or may end without one."""
    if not body or not isinstance(body[-1], ast.Raise):
        return []
    found: list[ast.Raise] = []
    for one in statements(body):
        if isinstance(one, ast.Raise):
            found.append(one)
        elif not isinstance(one, ast.Delete | ast.If) and not (isinstance(one, ast.Assign) and _is_text(one.value)):
            return []
    return found


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


@lru_cache(maxsize=65_536)
def text_signs(function: Function) -> tuple[Sign, ...]:
    """Return what the text of a function alone says against it."""
    return (*_admission(function), *_dead_statements(function))


def _admission(function: Function) -> Iterator[Sign]:
    """Return where a function's names or words admit that it is a pretence; its documentation is not asked."""
    if looks_pretended(function.name):
        yield _sign(function, function.line, f"its name says so: {function.name}")
        return
    first = function.node.body[0] if isinstance(function.node, FunctionNode) else None
    documentation = first.value if isinstance(first, ast.Expr) else None
    for one in ast.walk(function.node):
        if isinstance(one, ast.Name | ast.Attribute):
            name = one.id if isinstance(one, ast.Name) else one.attr
            if looks_pretended(name):
                yield _sign(function, one.lineno, f"it uses {name}")
                return
        elif isinstance(one, ast.Constant) and one is not documentation and _admits(one.value):
            yield _sign(function, one.lineno, f"it says {str(one.value)[:60]!r}")
            return


def _admits(value: object) -> bool:
    return isinstance(value, str) and _ADMITS.search(value) is not None


def _dead_statements(function: Function) -> Iterator[Sign]:
    """Return statements behind a return, raise, continue or break."""
    for one in ast.walk(function.node):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(one, name, None)
            if not isinstance(block, list):
                continue
            for first, second in pairwise(block):
                ends = isinstance(first, ast.Return | ast.Raise | ast.Continue | ast.Break)
                if ends and not _is_bare_yield(second):
                    yield Sign("dead-code", function.file, second.lineno, "statements that never run")


def _sign(function: Function, line: int, text: str) -> Sign:
    return Sign("pretence", function.file, line, text)


def _is_bare_yield(node: ast.stmt) -> bool:
    """``raise ...`` followed by ``yield`` makes a generator: an idiom, not dead code."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield) and node.value.value is None


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is Ellipsis


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _raised(node: ast.Raise) -> str:
    return last_name(node.exc) if node.exc is not None else ""
