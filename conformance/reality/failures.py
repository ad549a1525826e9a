"""What becomes of failures: which handlers hide them, and on which side of a test of the status an answer stands."""

from __future__ import annotations

import ast
import re
from enum import Enum
from typing import Final

from conformance.reality.annotations import says_truth
from conformance.reality.functions import Function
from conformance.reality.tree import FunctionNode, last_name, words

__all__ = ["Handled", "Side", "catches_requests", "judge_handler", "side_of", "suppresses"]


class Handled(Enum):
    """What a handler makes of a failed request."""

    HONESTLY = "it is raised, kept, or an answer to the question whether somebody is there"
    SWALLOWED = "silence"
    ANSWERED = "an answer"


class Side(Enum):
    """What is known of the status in the body of a test."""

    ACCEPTED = "the server has answered"
    REFUSED = "the server has refused"


_EVERYTHING: Final = frozenset({"Exception", "BaseException"})
_OF_WIRES: Final = re.compile(
    r"(RequestException|HTTPError|HTTPStatusError|ClientError|TransportError|NetworkError|OpenAIError|AnthropicError|GroqError"
    r"|API\w*Error|RpcError|URLError|ConnectionError|Timeout\w*|ResponseError|BotoCoreError|OSError|WebSocketException"
    r"|ConnectError|RequestError|SubprocessError|CalledProcessError)$"
)
_ASKS_WHETHER: Final = re.compile(
    r"^_?a?(is|has|can|exists?|available|alive|ready|reachable|health\w*|ping|check|test|supports?|verify|validate)(_|$)"
)
_TELLS: Final = words("debug info warning warn error exception critical log print print_exc format_exc")
_STATUS: Final = frozenset({"status_code", "status", "code", "returncode"})
_GOOD: Final = frozenset({"ok", "is_success"})
_BAD: Final = frozenset({"is_error", "is_client_error", "is_server_error"})


def judge_handler(handler: ast.ExceptHandler, function: Function, *, in_loop: bool) -> Handled:
    """Say what a handler around a request makes of its failure.

    Args:
        function: around it.
        in_loop: the request is repeated.
    """
    if any(isinstance(one, ast.Raise) for one in _walk(handler.body)):
        return Handled.HONESTLY
    answers = [one for one in _walk(handler.body) if isinstance(one, ast.Return | ast.Yield)]
    if answers and _asks_whether(function) and all(_is_truth(one.value) for one in answers):
        return Handled.HONESTLY
    if _uses(handler):
        return Handled.ANSWERED if answers else Handled.HONESTLY
    if not answers and in_loop and _raises_later(function, handler):
        return Handled.HONESTLY
    if any(not _is_nothing(one.value) for one in answers):
        return Handled.ANSWERED
    return Handled.SWALLOWED


def catches_requests(handler: ast.ExceptHandler) -> bool:
    """Say whether a handler is for everything, or for failed requests; ``except KeyError`` is for something else."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = [last_name(kind) for kind in kinds]
    return any(name in _EVERYTHING or _OF_WIRES.search(name) for name in names)


def _walk(body: list[ast.stmt]) -> list[ast.AST]:
    return [one for statement in body for one in ast.walk(statement)]


def _asks_whether(function: Function) -> bool:
    node = function.node
    return _ASKS_WHETHER.match(function.name) is not None or (
        isinstance(node, FunctionNode) and says_truth(node.returns)
    )


def _is_truth(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, bool)


def _is_nothing(value: ast.expr | None) -> bool:
    if isinstance(value, ast.List | ast.Tuple):
        return not value.elts
    if isinstance(value, ast.Dict):
        return not value.keys
    return value is None or (isinstance(value, ast.Constant) and not value.value)


def _uses(handler: ast.ExceptHandler) -> bool:
    """Say whether the caught error goes anywhere but into a log."""
    if handler.name is None:
        return False
    told = {
        id(inner)
        for one in _walk(handler.body)
        if isinstance(one, ast.Call) and last_name(one.func) in _TELLS
        for inner in ast.walk(one)
    }
    return any(
        isinstance(one, ast.Name) and one.id == handler.name and id(one) not in told for one in _walk(handler.body)
    )


def _raises_later(function: Function, handler: ast.ExceptHandler) -> bool:
    last = max((one.lineno for one in handler.body), default=handler.lineno)
    return any(isinstance(one, ast.Raise) and one.lineno > last for one in ast.walk(function.node))


def suppresses(context: ast.expr) -> bool:
    """Say whether a context manager is ``contextlib.suppress`` of everything or of failed requests."""
    if not isinstance(context, ast.Call) or last_name(context.func) != "suppress":
        return False
    return any(last_name(kind) in _EVERYTHING or _OF_WIRES.search(last_name(kind)) for kind in context.args)


def side_of(test: ast.expr) -> Side | None:
    """Say on which side of the server's decision the body of a test stands; None when the test is about something else.

    A test for one particular status (``== 404``) is about something else: it means something.
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = side_of(test.operand)
        return {Side.ACCEPTED: Side.REFUSED, Side.REFUSED: Side.ACCEPTED}.get(inner) if inner is not None else None
    if isinstance(test, ast.Attribute) and test.attr in _GOOD | _BAD:
        return Side.ACCEPTED if test.attr in _GOOD else Side.REFUSED
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.left, ast.Attribute):
        return None
    return _side_of_status(test) if test.left.attr in _STATUS else None


def _side_of_status(test: ast.Compare) -> Side | None:
    operator, right = test.ops[0], test.comparators[0]
    numbers = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
    codes = [one.value for one in numbers if isinstance(one, ast.Constant) and isinstance(one.value, int)]
    if not codes:
        return None
    good = all(200 <= code < 300 or code == 0 for code in codes)
    if isinstance(operator, ast.Eq | ast.In):
        return Side.ACCEPTED if good else None
    if isinstance(operator, ast.NotEq | ast.NotIn):
        return Side.REFUSED if good else None
    if isinstance(operator, ast.Lt | ast.LtE):
        return Side.ACCEPTED
    return Side.REFUSED if codes[0] >= 299 else None
