"""Statements that choose and repeat: what is true in which branch, and what becomes of failures."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from conformance.reality.arguments import Arguments
from conformance.reality.calls import Calls
from conformance.reality.engine import Engine
from conformance.reality.facts import Answer, Instance, Key
from conformance.reality.failures import Handled, Side, catches_requests, judge_handler, side_of, suppresses
from conformance.reality.tree import last_name
from conformance.reality.values import ERROR, NOTHING, STATE, WIRE, Value, join, of

__all__ = ["Branches", "Names"]

Names = dict[str, Value]


class Branches(Calls):
    """Runs blocks of statements; what the names may be is followed from branch to branch."""

    handlers: ClassVar[dict[type[ast.stmt], Callable[[Any, Any], None]]] = {}
    """What runs each kind of statement."""

    def __init__(self, engine: Engine, key: Key, asker: Key | None = None, around: Branches | None = None) -> None:
        super().__init__(engine, key, asker, around)
        self.ended = False
        """Nothing can run here any more: returned, raised or left the loop."""
        self.answers: list[Answer] = []
        self.failing = 0
        """In how many blocks we are that run only when the server has failed or refused."""
        self.excused = 0
        """In how many blocks we are that run only when nothing was asked for."""
        self._left: list[list[Names]] = []
        self._again: list[list[Names]] = []

    # -- blocks --------------------------------------------------------------------------------------------------------

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Run statements until one ends."""
        refused = 0
        for statement in body:
            if self.ended:
                break
            handle = self.handlers.get(type(statement))
            if handle is not None:
                handle(self, statement)
            if isinstance(statement, ast.If) and not self.ended and _leaves_the_rest_refused(statement):
                refused += 1
                self.failing += 1
        self.failing -= refused

    def _branch(self, names: Names, body: Sequence[ast.stmt]) -> Names | None:
        """Run a block from a state and return the state after it; None when it does not come to its end."""
        self.names, self.ended = dict(names), False
        self.block(body)
        return None if self.ended else self.names

    def _meet(self, *after: Names | None) -> None:
        """Go on from wherever branches ended."""
        open_ends = [names for names in after if names is not None]
        self.ended = not open_ends
        if not open_ends:
            return
        if len(open_ends) == 1:
            self.names = open_ends[0]
            return
        merged = dict(open_ends[0])
        for names in open_ends[1:]:
            for name, value in names.items():
                known = merged.get(name)
                merged[name] = value if known is None or known is value else join((known, value))
        self.names = merged

    # -- choices and loops ---------------------------------------------------------------------------------------------

    def run_if(self, node: ast.If) -> None:
        """Run a choice: both branches, unless it is known which one never runs."""
        self.value(node.test)
        known = self.module.constant_truth(node.test, self.key.owner or self.function.owner, self.engine.heirs)
        if known is not None:
            self._only(node, node.body if known else node.orelse, node.orelse if known else node.body)
            return
        side = side_of(node.test)
        start = self.names
        self.failing += side is Side.REFUSED
        excused = self._asks_for_nothing(node.test)
        self.excused += excused
        first = self._branch(start, node.body)
        self.excused -= excused
        self.failing += (side is Side.ACCEPTED) - (side is Side.REFUSED)
        second = self._branch(start, node.orelse)
        self.failing -= side is Side.ACCEPTED
        self._meet(first, second)

    def _asks_for_nothing(self, test: ast.expr) -> bool:
        """``not texts``, ``len(texts) == 0``: what comes of an empty question says nothing about the answers."""
        given: ast.expr | None = None
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            given = test.operand
        elif isinstance(test, ast.Compare) and isinstance(test.left, ast.Call) and test.left.args:
            right = test.comparators[0]
            if last_name(test.left) == "len" and isinstance(right, ast.Constant) and right.value == 0:
                given = test.left.args[0]
        if not isinstance(given, ast.Name):
            return False
        return any(param.function == self.function.number for param in self.value(given).params)

    def _only(self, node: ast.If, runs: Sequence[ast.stmt], never: Sequence[ast.stmt]) -> None:
        if never and (isinstance(node.test, ast.Constant) or _answers_or_asks(never)):
            self.sign("dead-code", never[0].lineno, "a branch that never runs")
        self.block(runs)

    def run_while(self, node: ast.While) -> None:
        """Run a loop."""
        self.value(node.test)
        known = self.module.constant_truth(node.test, self.key.owner or self.function.owner, self.engine.heirs)
        if known is False:
            self.sign("dead-code", node.body[0].lineno, "a branch that never runs")
            self.block(node.orelse)
            return
        self._loop(node.body, node.orelse, lambda: None, endless=known is True)

    def run_for(self, node: ast.For | ast.AsyncFor) -> None:
        """Run a loop over something."""
        each = self.each_of(self.value(node.iter))
        self._loop(node.body, node.orelse, lambda: self.bind(node.target, each), endless=False)

    def _loop(
        self, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], begin: Callable[[], None], *, endless: bool
    ) -> None:
        start = self.names
        self._left.append([])
        for _ in range(2):
            self._again.append([])
            self.names = dict(start)
            begin()
            after = self._branch(self.names, body)
            self._meet(start, after, *self._again.pop())
            start = self.names
        left = self._left.pop()
        if endless:
            self._meet(*left)
            return
        self.block(orelse)
        self._meet(None if self.ended else self.names, *left)

    def run_break(self, node: ast.Break) -> None:
        """Leave a loop."""
        del node
        if self._left:
            self._left[-1].append(dict(self.names))
        self.ended = True

    def run_continue(self, node: ast.Continue) -> None:
        """Begin a loop again."""
        del node
        if self._again:
            self._again[-1].append(dict(self.names))
        self.ended = True

    def run_match(self, node: ast.Match) -> None:
        """Run a choice between patterns."""
        subject = self.value(node.subject)
        start, ends = self.names, []
        for case in node.cases:
            self.names = dict(start)
            for one in ast.walk(case.pattern):
                name = getattr(one, "name", None) or getattr(one, "rest", None)
                if isinstance(name, str):
                    self.names[name] = subject
            ends.append(self._branch(self.names, case.body))
        whole = any(
            isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
            for case in node.cases
        )
        self._meet(*ends, None if whole else start)

    # -- failures ------------------------------------------------------------------------------------------------------

    def run_try(self, node: ast.Try) -> None:
        """Run a block, its handlers from anywhere inside it, and what follows in any case."""
        start, before = dict(self.names), self.touched
        body = self._branch(start, node.body)
        asked = self.touched > before
        reached = self.names
        self._meet(start, reached)
        handled_from = self.names
        ends = []
        if body is not None:
            ends.append(self._branch(body, node.orelse))
        for handler in node.handlers:
            ends.append(self._handler(handler, handled_from, asked))
        self._meet(*ends)
        ended = self.ended
        if node.finalbody:
            self.ended = False
            if ended:
                self._meet(handled_from)
            if asked and any(isinstance(one, ast.Return) for one in node.finalbody):
                self.sign("swallowed-error", node.finalbody[0].lineno, "a return in finally swallows every error")
            self.block(node.finalbody)
            self.ended = self.ended or ended

    def _handler(self, handler: ast.ExceptHandler, names: Names, asked: bool) -> Names | None:
        names = dict(names)
        asked = asked and catches_requests(handler)
        if handler.name is not None:
            names[handler.name] = of(ERROR if asked else STATE)
        before = len(self.answers)
        self.failing += asked
        after = self._branch(names, handler.body)
        self.failing -= asked
        if asked:
            found = judge_handler(handler, self.function, in_loop=bool(self._left))
            again = all(_may_be_the_servers(answer) for answer in self.answers[before:])
            if found is Handled.SWALLOWED:
                self.sign("swallowed-error", handler.lineno, "every error is swallowed")
            elif found is Handled.ANSWERED and not again:
                self.sign("error-answer", handler.lineno, "every error becomes an answer")
        return after

    def run_with(self, node: ast.With | ast.AsyncWith) -> None:
        """Run a block inside context managers; some of them silence errors."""
        before = self.touched
        hushed = 0
        for item in node.items:
            found = self._entered(self.value(item.context_expr))
            hushed = hushed or (item.context_expr.lineno if suppresses(item.context_expr) else 0)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, found)
        start = self.names
        self.block(node.body)
        if hushed:
            if self.touched > before:
                self.sign("swallowed-error", hushed, "every error is swallowed")
            self._meet(start, None if self.ended else self.names)

    def _entered(self, value: Value) -> Value:
        """What ``with`` binds: the object itself unless its class says otherwise."""
        found = []
        for thing in value.things:
            if isinstance(thing, Instance):
                for name in ("__enter__", "__aenter__"):
                    if any(name in one.methods for one in thing.kind.line_up):
                        enter = self.engine.attribute(thing.kind, name, self.asker)
                        found.append(self.apply(enter, Arguments()) if enter is not None else NOTHING)
        return join(found) if any(one.ways for one in found) else value


def _may_be_the_servers(answer: Answer) -> bool:
    return not answer.ways or any(way & (WIRE | STATE) for way in answer.ways)


def _leaves_the_rest_refused(node: ast.If) -> bool:
    """``if answer.ok: return ...``: what follows runs only when the server has refused."""
    leaves = isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
    return leaves and not node.orelse and side_of(node.test) is Side.ACCEPTED


def _answers_or_asks(body: Sequence[ast.stmt]) -> bool:
    return any(
        isinstance(one, ast.Return | ast.Yield | ast.YieldFrom) for statement in body for one in ast.walk(statement)
    )
