"""Chapter SEC, second part: nothing received is executed, by the text of the sources and by a trap around running calls."""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import os
import pickle
import subprocess
import threading
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from backends import errors
from conformance.check import check
from conformance.checks.sec_native import CASES as NATIVE
from conformance.checks.sec_native import judge_native
from conformance.simulators.faults import Garbage, Status
from conformance.subject import Subject
from conformance.trial import Trial

_SHARED: Final = ("wire", "resilience", "telemetry", "dialects")
"""Packages inside ``backends`` that every provider uses; the others are providers."""
_MODULES: Final = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "jsonpickle", "joblib"})
_BUILTINS: Final = frozenset({"eval", "exec", "compile", "__import__"})
_CALLS: Final = frozenset(
    {"os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "builtins.eval", "builtins.exec", "torch.load"}
)
_PROCESSES: Final = frozenset({"subprocess", "pty", "popen2", "commands"})
_MAY_START_PROCESSES: Final = frozenset({"llvm"})
"""Providers whose purpose is to run generated code in a process of its own."""


def _cases(subject: Subject) -> Iterator[str]:
    yield ""
    if "runs_code" in subject.tags:
        yield from NATIVE


@check("SEC-05", cases=_cases)
async def sec_05(trial: Trial) -> None:
    """Nothing received is unpickled, evaluated or given to a shell; generated code runs in a process of its own, limited."""
    if trial.case:
        await judge_native(trial)
        return
    files = _sources(trial)
    trial.expect(len(files) > 5, f"only {len(files)} source files were found")
    strict = trial.subject.name not in _MAY_START_PROCESSES
    for path in files:
        found = _suspicious(path)
        sins = [sin for sin, process in found if strict or not process]
        trial.expect(not sins, f"{'/'.join(path.parts[-2:])}: {'; '.join(sins)}")
    await _one_of_each(trial)  # what is imported on first use is imported now, outside the trap
    with _trap() as caught, contextlib.suppress(_SprungError):
        await _one_of_each(trial)
    trial.equal(caught, [], "what was called while answers were read")


async def _one_of_each(trial: Trial) -> None:
    """Make a call that succeeds, one that is refused, ones that are lied to, and a stream."""
    backend = await trial.backend(max_retries=0, failure_threshold=1_000_000)
    await trial.call(backend)
    code = "__import__('os').abort()"
    for action in (Status(400, message=code, code=code), Status(500, body=code), Garbage()):
        trial.fault(action, nth=1)
        with contextlib.suppress(errors.BackendError):  # what becomes of these is judged elsewhere
            await trial.call(backend, code)
    if trial.subject.stream is not None:
        await trial.stream(backend, code).collect()


def _sources(trial: Trial) -> list[Path]:
    """Return the files of the subject, of what it shares with others, and of the classes it is made of."""
    import backends

    root = Path(str(backends.__file__)).parent
    files = {*root.glob("*.py")}
    for name in _SHARED:
        files |= {*(root / name).rglob("*.py")}
    for module in trial.subject.sources:
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            files |= {*origin.parent.rglob("*.py")} if origin.name == "__init__.py" else {origin}
    return sorted(files | _of_classes(trial))


def _of_classes(trial: Trial) -> set[Path]:
    kinds = type(trial._make(trial)).__mro__
    return {
        Path(inspect.getsourcefile(kind) or "")
        for kind in kinds
        if kind.__module__.partition(".")[0] not in ("builtins", "typing")
    }


@cache
def _suspicious(path: Path) -> tuple[tuple[str, bool], ...]:
    """Return what a source does that it must not, and whether it is about starting processes."""
    found: list[tuple[str, bool]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            for name in names:
                top = name.partition(".")[0]
                if top in _MODULES or top in _PROCESSES:
                    found.append((f"line {line} imports {top}", top in _PROCESSES))
        elif isinstance(node, ast.Call):
            called = _dotted(node.func)
            if called in _BUILTINS or called in _CALLS:
                found.append((f"line {line} calls {called}", called.startswith("os.")))
            if called.endswith(("create_subprocess_exec", "create_subprocess_shell")) or called.startswith(
                ("os.exec", "os.spawn")
            ):
                found.append((f"line {line} calls {called}", True))
            if any(word.arg == "shell" for word in node.keywords):
                found.append((f"line {line} asks for a shell", False))
    return tuple(found)


def _dotted(node: ast.expr) -> str:
    """Return a dotted name as it is written; whatever is no name in it is a question mark."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


class _SprungError(RuntimeError):
    """The trap was stepped on."""


@contextlib.contextmanager
def _trap() -> Iterator[list[str]]:
    """Refuse, and note, whatever executes data while the block runs; other threads of the process are left alone."""
    caught: list[str] = []
    places: list[tuple[Any, str]] = [
        *((pickle, name) for name in ("load", "loads", "Unpickler")),
        *((builtins, name) for name in ("eval", "exec")),
        *((os, name) for name in ("system", "popen", "posix_spawn")),
        (subprocess, "Popen"),
    ]
    kept = [(module, name, getattr(module, name)) for module, name in places if hasattr(module, name)]
    outside = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    for module, name, original in kept:

        def sprung(
            *arguments: Any, _name: str = f"{module.__name__}.{name}", _original: Any = original, **options: Any
        ) -> Any:
            if threading.get_ident() in outside:
                return _original(*arguments, **options)
            caught.append(_name)
            raise _SprungError(_name)

        setattr(module, name, sprung)
    try:
        yield caught
    finally:
        for module, name, original in kept:
            setattr(module, name, original)
