"""Token counts that are made up: numbers written down, drawn, or counted as words, where the server's belong."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any, Final

from conformance.reality.tree import words
from conformance.reality.values import CLIENT, MADE, STATE, WIRE, Value

__all__ = ["guessed_count"]

_COUNTS: Final = words(
    "prompt_tokens completion_tokens total_tokens input_tokens output_tokens tokens_used token_count promptTokenCount "
    "candidatesTokenCount totalTokenCount prompt_eval_count eval_count inputTokens outputTokens"
)
_HONEST: Final = frozenset({"estimated", "is_estimate", "approximate"})


def guessed_count(fields: Iterable[tuple[Any, ast.expr, Value]]) -> Iterator[tuple[str, ast.expr]]:
    """Return the fields of a dictionary or call that hold made-up token counts; none where they are flagged as estimates.

    Args:
        fields: name, expression and value of each.
    """
    fields = list(fields)
    if any(name in _HONEST for name, _, _ in fields):
        return
    for name, node, value in fields:
        if name in _COUNTS and (
            _is_words(node) or (not value.bits & (WIRE | STATE | CLIENT) and _is_guess(node, value))
        ):
            yield name, node


def _is_guess(node: ast.expr, value: Value) -> bool:
    return bool(value.bits & MADE) or any(isinstance(one, ast.Call) for one in ast.walk(node))


def _is_words(node: ast.expr) -> bool:
    """``len(text.split())`` and ``len(text) // 4``, whoever wrote the text."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "len" and one.args:
            inside = one.args[0]
            if isinstance(inside, ast.Call) and isinstance(inside.func, ast.Attribute) and inside.func.attr == "split":
                return True
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.FloorDiv | ast.Div) and _is_length(one.left):
            return True
    return False


def _is_length(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"
