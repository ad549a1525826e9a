"""What calls of other libraries and of the language itself give, by their names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from conformance.reality.classes import Class
from conformance.reality.facts import Bound, Instance
from conformance.reality.tree import words
from conformance.reality.values import (
    CLIENT,
    EMPTY,
    FILE,
    HASH,
    LIKELY,
    MADE,
    PRETEND,
    RANDOM,
    STATE,
    WIRE,
    Value,
    combine,
    join,
    of,
    without,
)
from conformance.reality.wire import Role, looks_like_client, role

if TYPE_CHECKING:
    from conformance.reality.arguments import Arguments
    from conformance.reality.callees import Callees

__all__ = ["called_outside"]

_SAYS_ITSELF: Final = frozenset(
    {"echo", "printf", "cat", "sleep", "true", "false", "yes", "date", "hostname", "whoami"}
)
_TRUTHS: Final = frozenset(f"builtins.{name}" for name in ("isinstance", "issubclass", "hasattr", "callable", "print"))
_CALLERS: Final = words(
    "run_in_executor to_thread submit map starmap filter reduce run run_sync call_soon call_later call_soon_threadsafe apply "
    "apply_async Thread Process Timer create_task ensure_future run_coroutine_threadsafe gather wait_for"
)
"""Functions that call what they are given."""
_KEEPS: Final = words("insert upsert execute executemany insert_all upsert_all dump save write")
"""Functions that put what they are given somewhere else."""
_ANSWERS_REQUESTS: Final = ("handle_request", "handle_async_request", "send", "urlopen")


def called_outside(calls: Callees, name: str, arguments: Arguments, node: ast.Call | None) -> Value:
    """Return what calling a name of another library gives, and note what that does."""
    if name.rpartition(".")[2] in _KEEPS and arguments.has(WIRE):
        calls.delivers = True
    if name in calls.module.exchanged:
        return of(PRETEND | MADE)
    if name in ("time.sleep", "asyncio.sleep"):
        calls.sleeps = True
        return of(EMPTY)
    if name in ("functools.partial", "functools.partialmethod") and arguments.positional:
        return combine(arguments.every, things=True)
    return _by_role(calls, name, arguments, node)


def _by_role(calls: Callees, name: str, arguments: Arguments, node: ast.Call | None) -> Value:
    kind = role(name)
    if kind is Role.EXCHANGE:
        return (
            _ran(calls, arguments)
            if name.startswith("subprocess.") and _says_itself(node)
            else calls.exchange(arguments)
        )
    if kind in (Role.CLIENT, Role.CONNECT):
        if name == "subprocess.Popen" and _says_itself(node):
            return _ran(calls, arguments)
        if kind is Role.CONNECT:
            calls.exchange(arguments)
        return _client(calls, arguments)
    if kind is Role.PRETENCE:
        return of(PRETEND | MADE)
    if kind is Role.FILE or name == "builtins.open":
        return of(FILE)
    if kind is Role.RANDOM:
        return combine([of(RANDOM), *arguments.every])
    if kind is Role.HASH or name == "builtins.hash":
        return combine([of(HASH), *arguments.every])
    if name in _TRUTHS:
        return of(EMPTY)
    return _computed(calls, name, arguments, known=kind is not Role.UNKNOWN or name.startswith("builtins."))


def _computed(calls: Callees, name: str, arguments: Arguments, *, known: bool) -> Value:
    last = name.rpartition(".")[2]
    parts = [*arguments.every, calls.hand_out(arguments, to_caller=not known or last in _CALLERS)]
    calls.delivers = calls.delivers or (arguments.has(WIRE) and not known)
    if not arguments.every and not looks_like_client(last):
        return of(EMPTY) if name.startswith("builtins.") else of(0 if known else STATE)
    if known:
        return combine(parts, things=True)
    if looks_like_client(last):
        return of(CLIENT)  # of a library that nobody has told us about
    if not last[:1].isupper() and not last.startswith(("wrap", "make", "build", "create")):
        parts = [without(part, CLIENT | LIKELY) for part in parts]
    return combine([*parts, of(STATE)], things=True)


def _client(calls: Callees, arguments: Arguments) -> Value:
    """A client is no better than the transport it is given."""
    ways = {CLIENT}
    for value in arguments.every:
        pretended = {bool(way & PRETEND) for way in value.ways}
        for thing in value.things:
            if isinstance(thing, Instance):
                pretended = {_answers_itself(calls, thing.kind)} | (
                    pretended if value.bits & (CLIENT | LIKELY) else set()
                )
        if True in pretended:
            ways = {PRETEND | MADE} if False not in pretended else {PRETEND | MADE, CLIENT}
            break
    return join(of(way) for way in ways)


def _answers_itself(calls: Callees, kind: Class) -> bool:
    """Say whether a transport of this program answers requests without asking anybody."""
    for name in _ANSWERS_REQUESTS:
        if any(name in one.methods for one in kind.line_up):
            found = calls.engine.attribute(kind, name, calls.asker)
            things = found.things if found is not None else ()
            keys = [calls.engine.context(thing.function, kind) for thing in things if isinstance(thing, Bound)]
            return bool(keys) and not any(calls.engine.summary(key, calls.asker).reaches for key in keys)
    return False


def _ran(calls: Callees, arguments: Arguments) -> Value:
    """A process that says what it was told to say."""
    del calls
    return combine([of(MADE), *arguments.every])


def _says_itself(node: ast.Call | None) -> bool:
    if node is None or not node.args:
        return False
    command = node.args[0]
    if isinstance(command, ast.List | ast.Tuple) and command.elts:
        command = command.elts[0]
    if not isinstance(command, ast.Constant) or not isinstance(command.value, str) or not command.value.split():
        return False
    return command.value.split()[0].rpartition("/")[2] in _SAYS_ITSELF
