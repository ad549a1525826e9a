"""The signs by which :mod:`conformance.reality` judges a function: does it touch the wire, and does it pretend?

Reads syntax trees only. Every sign is a plain fact about the text with a reason that a reader can check by looking at
it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

from conformance.functions import Function, FunctionNode, last_name

__all__ = ["Signs", "read_signs"]

N = TypeVar("N", bound=ast.AST)

_WIRE_OBJECTS: Final = re.compile(
    r"client|session|http|transport|connection|channel|stub|wire|s3|bucket|api$|pool$", re.IGNORECASE
)
_WIRE_METHODS: Final = frozenset(
    [
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "request",
        "send",
        "fetch",
        "open",
        "urlopen",
        "create",
        "generate",
        "stream",
        "execute",
        "call",
        "invoke",
        "perform",
        "run",
        "chat",
        "complete",
        "completions",
        "embed",
        "embeddings",
        "upload_file",
        "download_file",
        "put_object",
        "get_object",
        "list_objects_v2",
        "upload_fileobj",
        "download_fileobj",
        "sendall",
        "connect",
        "infer",
    ]
)
_OUR_WIRE: Final = frozenset({"_perform", "_stream", "_send", "_attempt"})
"""How backends of this library reach the wire; the base class is not analysed with each of them."""
_PRETENCE: Final = re.compile(r"mock|fake|dummy|placeholder|simulat|canned|hard_?coded|stubbed", re.IGNORECASE)
_PRETENCE_TEXT: Final = re.compile(
    r"\b(mock(ed)?|fake|dummy|placeholder|simulated|canned)\b.{0,40}\b(response|answer|reply|result|embedding|completion|output|data)"
    r"|\b(not (yet )?implemented|todo: implement)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Signs:
    """What the text of one function shows.

    Attributes:
        wire: it touches the wire itself.
        calls: names of functions and methods it calls or hands on.
        stub: its body does nothing.
        constant: every answer it gives is a constant.
        mocks: it uses mock objects or names itself a pretence.
        refuses: all it does is to raise the declared refusal of this call.
        pretence: reasons, in order.
        twin: the method that this one is made from by ``blocking(...)``.
    """

    wire: bool
    calls: frozenset[str]
    stub: bool
    constant: bool
    mocks: bool
    refuses: bool
    pretence: tuple[str, ...]
    twin: str | None = None


def read_signs(function: Function) -> Signs:
    """Return the signs of one function."""
    node = function.node
    if isinstance(node, ast.Assign):
        assert isinstance(node.value, ast.Call)
        source = node.value.args[0] if node.value.args else None
        twin = source.id if isinstance(source, ast.Name) else None
        return Signs(False, frozenset({twin} if twin else ()), False, False, False, False, (), twin)
    reasons: list[str] = []
    stub = _stub(node)
    if stub:
        reasons.append(stub)
    constant = not stub and _constant(node)
    if constant:
        reasons.append("every answer is a constant")
    mock = _mock(function, node)
    if mock:
        reasons.append(mock)
    reasons.extend(_swallowed(node))
    reasons.extend(_dead(node))
    calls = frozenset(_calls(node))
    wire = any(_is_wire(call, function.wire_names) for call in _each(node, ast.Call))
    return Signs(wire, calls, bool(stub), constant, bool(mock), _refuses(node), tuple(reasons))


def _body(node: FunctionNode) -> list[ast.stmt]:
    body = node.body
    if (
        body
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        return body[1:]
    return body


def _stub(node: FunctionNode) -> str:
    body = _body(node)
    if not body or all(isinstance(one, ast.Pass) or _is_ellipsis(one) for one in body):
        return "the body is empty"
    if len(body) == 1 and isinstance(body[0], ast.Raise) and _raised(body[0]) == "NotImplementedError":
        return "it only raises NotImplementedError"
    if len(body) == 1 and isinstance(body[0], ast.Return) and _is_nothing(body[0].value):
        return "it only returns None"
    return ""


def _refuses(node: FunctionNode) -> bool:
    body = [one for one in _body(node) if not isinstance(one, ast.Delete)]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and _raised(body[0]) in ("refuse", "UnsupportedError")


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is Ellipsis


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _raised(node: ast.Raise) -> str:
    return last_name(node.exc.func if isinstance(node.exc, ast.Call) else node.exc) if node.exc is not None else ""


def _constant(node: FunctionNode) -> bool:
    """Say whether every value returned or yielded is made of literals (or of literals and the function's own
    arguments)."""
    values = [one.value for one in _each(node, ast.Return)] + [one.value for one in _each(node, ast.Yield)]
    given = [value for value in values if not _is_nothing(value)]
    if not given:
        return False
    arguments = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs)} - {
        "self",
        "cls",
    }
    return all(value is not None and _is_literal(value, arguments) for value in given)


def _is_literal(value: ast.expr, arguments: set[str]) -> bool:
    """Constants, containers of them, f-strings over the arguments, and pure built-ins over those."""
    for node in ast.walk(value):
        if isinstance(node, ast.Name):
            if node.id not in arguments and node.id not in (
                "len",
                "str",
                "range",
                "list",
                "dict",
                "int",
                "float",
                "_",
                "i",
            ):
                return False
        elif isinstance(node, ast.Attribute | ast.Await) or (
            isinstance(node, ast.Call) and not isinstance(node.func, ast.Name)
        ):
            return False
    is_bare_argument = isinstance(value, ast.Name)
    return not is_bare_argument


def _mock(function: Function, node: FunctionNode) -> str:
    if _PRETENCE.search(function.name):
        return f"its name says so: {function.name}"
    for child in ast.walk(node):
        if isinstance(child, ast.Name | ast.Attribute):
            name = child.id if isinstance(child, ast.Name) else child.attr
            if _PRETENCE.search(name):
                return f"it uses {name}"
        elif child is not _docstring(node) and isinstance(child, ast.Constant) and _admits(child.value):
            return f"it says {str(child.value)[:60]!r}"
    return ""


def _admits(value: object) -> bool:
    return isinstance(value, str) and _PRETENCE_TEXT.search(value) is not None


def _docstring(node: FunctionNode) -> ast.expr | None:
    first = node.body[0] if node.body else None
    return first.value if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else None


def _swallowed(node: FunctionNode) -> Iterator[str]:
    """Handlers of everything that neither raise nor keep the error: a failure becomes silence or a made-up answer."""
    for handler in _each(node, ast.ExceptHandler):
        kinds = [
            last_name(kind) for kind in (handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type])
        ]
        broad = handler.type is None or any(kind in ("Exception", "BaseException") for kind in kinds)
        if not broad or any(isinstance(one, ast.Raise) for one in ast.walk(handler)):
            continue
        uses = handler.name is not None and any(
            isinstance(one, ast.Name) and one.id == handler.name for body in handler.body for one in ast.walk(body)
        )
        answers = any(isinstance(one, ast.Return) for body in handler.body for one in ast.walk(body))
        if not uses:
            yield f"line {handler.lineno}: every error is swallowed"
        elif answers:
            yield f"line {handler.lineno}: every error becomes an answer"


def _dead(node: FunctionNode) -> Iterator[str]:
    """Branches that cannot run and statements after an end."""
    for child in ast.walk(node):
        if isinstance(child, ast.If | ast.While) and isinstance(child.test, ast.Constant):  # noqa: SIM102 - readable
            if not child.test.value or (isinstance(child, ast.If) and child.orelse):
                yield f"line {child.lineno}: a branch that never runs"
        for name in ("body", "orelse", "finalbody"):
            block = getattr(child, name, None)
            if not isinstance(block, list):
                continue
            for first, second in pairwise(block):
                ends = isinstance(first, ast.Return | ast.Raise | ast.Continue | ast.Break)
                if ends and not _is_bare_yield(second):
                    yield f"line {second.lineno}: statements that never run"


def _is_bare_yield(node: ast.stmt) -> bool:
    """``raise ...`` followed by ``yield`` makes a generator: an idiom, not dead code."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield) and node.value.value is None


def _calls(node: FunctionNode) -> Iterator[str]:
    """Names of what is called, and of own methods that are handed on (``partial(self._send)``)."""
    for child in ast.walk(node):
        if isinstance(child, ast.Call):
            yield last_name(child.func)
        elif (
            isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id in ("self", "cls")
        ):
            yield child.attr


def _is_wire(call: ast.Call, wire_names: frozenset[str]) -> bool:
    target = call.func
    if isinstance(target, ast.Name):
        return target.id in wire_names
    if not isinstance(target, ast.Attribute):
        return False
    if target.attr in _OUR_WIRE:
        return True
    chain = _chain(target.value)
    if chain and chain[0] in wire_names:
        return True
    return target.attr in _WIRE_METHODS and any(
        _WIRE_OBJECTS.search(part) for part in chain if part not in ("self", "cls")
    )


def _chain(node: ast.expr) -> list[str]:
    """``self.client.chat.completions`` as names, outermost first; calls in between are looked through."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Name):
            parts.append(node.id)
            return parts[::-1]
        else:
            return parts[::-1]


def _each(node: FunctionNode, kind: type[N]) -> list[N]:
    return [child for child in ast.walk(node) if isinstance(child, kind)]
