"""The operations of a worker: a header and blobs in, a header and blobs out. It touches no pipe and no process.

Facts: llvmlite 0.50 (LLVM 22.1). Every module is parsed in a context of its own, for a context keeps what it has seen.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import llvmlite.binding as llvm

from backends.llvm_worker.each import Operation, Outcome, each
from backends.llvm_worker.inspection import inspect, sections
from backends.llvm_worker.passes import SPEEDS, counts, optimise
from backends.llvm_worker.problems import Problem
from backends.llvm_worker.signatures import Signature, signature_of
from backends.llvm_worker.targets import describe_host, describe_target, known_targets, machine_for, start

__all__ = ["Built", "Engine"]

Runner = Callable[["Built", Mapping[str, Any], Sequence[bytes]], Outcome]
"""Runs machine code: the code, the request, its buffers."""

_WHERE: Final = re.compile(r"<string>:(\d+):(\d+): error: (.*)")
_LONGEST: Final = 2_000
_MOST_KEPT: Final = 16
_LARGEST_KEPT: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Built:
    """A function as machine code: the object file, its type, and the names that others must define."""

    code: bytes
    signature: Signature
    externals: tuple[str, ...]


class Engine:
    """See the module docstring.

    Args:
        runner: runs machine code; None where that is not offered.
        said: returns what LLVM wrote to its error output since it was last asked.
        now: returns seconds, for durations.
    """

    def __init__(
        self,
        runner: Runner | None = None,
        said: Callable[[], str] = str,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        start()
        self._runner = runner
        self._said = said
        self._now = now
        self._kept: OrderedDict[bytes, Built] = OrderedDict()
        self._operations: dict[str, Operation] = {
            "verify": self._verify,
            "optimize": self._optimize,
            "emit": self._emit,
            "link": self._link,
            "inspect": self._inspect,
            "run": self._run,
            "target": lambda asked, _: ({"target": describe_target(asked["triple"])}, ()),
            "targets": lambda *_: ({"targets": known_targets()}, ()),
            "host": lambda *_: ({"host": describe_host()}, ()),
        }

    @property
    def version(self) -> str:
        """The version of LLVM: ``22.1.0``."""
        return ".".join(map(str, llvm.llvm_version_info))

    def perform(self, asked: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
        """Do what a header asks.

        Raises:
            Problem: it cannot be done; anything else that is raised is a fault of this program.
        """
        operation = self._operations.get(str(asked.get("operation")))
        if operation is None:
            raise Problem("invalid_frame", "there is no such operation")
        return each(operation, asked, blobs) if asked.get("each") else operation(asked, blobs)

    # -- operations ----------------------------------------------------------------------------------------------------

    def _verify(self, asked: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
        phases = _Phases(self._now)
        module = self._parsed(asked, blobs, phases)
        return {"name": module.name, "counts": counts(module), "seconds": phases.seconds}, ()

    def _inspect(self, asked: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
        phases = _Phases(self._now)
        module = self._parsed(asked, blobs, phases)
        return {"name": module.name, "counts": counts(module), "seconds": phases.seconds, "module": inspect(module)}, ()

    def _optimize(self, asked: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
        phases = _Phases(self._now)
        module = self._parsed(asked, blobs, phases)
        before = counts(module)
        self._improved(module, asked, phases)
        return self._module_out(module, asked, phases, before)

    def _link(self, asked: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
        phases = _Phases(self._now)
        context = llvm.create_context()
        first, *others = [self._read(one, blobs, context, phases) for one in asked["modules"]]
        first.name = asked["name"]
        with phases("link"):
            for number, other in enumerate(others, 1):
                try:
                    first.link_in(other)
                except RuntimeError as error:
                    raise Problem("link", f"modules[{number}]: {error}"[:_LONGEST]) from None
        with phases("verify"):
            _check(first)
        before = counts(first)
        if asked.get("level") is not None:
            self._improved(first, asked, phases)
        return self._module_out(first, asked, phases, before)

    def _emit(self, asked: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
        phases = _Phases(self._now)
        module = self._parsed(asked, blobs, phases)
        before = counts(module)
        machine = self._improved(module, asked, phases)
        told = {"name": module.name, "before": before, "after": counts(module), "triple": machine.triple}
        if asked["kind"] == "assembly":
            with phases("emit"):
                text = _emitted(machine.emit_assembly, module)
            return {**told, "assembly": text, "size": len(text.encode()), "seconds": phases.seconds}, ()
        with phases("emit"):
            code = _emitted(machine.emit_object, module)
        # Reading an object file again works for this machine's own format only.
        parts = sections(llvm.ObjectFileRef.from_data(code)) if code.startswith(b"\x7fELF") else []
        return {**told, "sections": parts, "size": len(code), "seconds": phases.seconds}, (code,)

    def _run(self, asked: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
        if self._runner is None:
            raise Problem("invalid_frame", "nothing is run here")
        phases = _Phases(self._now)
        buffers = blobs[len(blobs) - asked["buffers"] :] if asked["buffers"] else ()
        mark = _fingerprint(asked, blobs[: len(blobs) - asked["buffers"]])
        built = self._kept.get(mark)
        compiled = built is None
        if built is None:
            built = self._built(asked, blobs, phases)
            self._keep(mark, built)
        else:
            self._kept.move_to_end(mark)
        told, results = self._runner(built, asked, buffers)
        seconds = {**phases.seconds, **told.pop("seconds")}
        about = {"name": asked["name"], "compiled": compiled, "size": len(built.code), "seconds": seconds}
        return {**about, **told}, results

    def _keep(self, mark: bytes, built: Built) -> None:
        if len(built.code) <= _LARGEST_KEPT:
            self._kept[mark] = built
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def _built(self, asked: Mapping[str, Any], blobs: Sequence[bytes], phases: _Phases) -> Built:
        module = self._parsed(asked, blobs, phases)
        signature = signature_of(module, asked["function"])
        try:
            llvm.check_jit_execution()
        except OSError as error:
            raise Problem("no_executable_memory", str(error)) from None
        here = {**asked.get("target", {}), "triple": llvm.get_process_triple()}
        machine = self._improved(module, {**asked, "target": here}, phases)
        signature_of(module, asked["function"])  # a private function may have been optimised away
        names = (*module.functions, *module.global_variables)
        externals = tuple(one.name for one in names if one.is_declaration and not one.name.startswith("llvm."))
        with phases("emit"):
            return Built(_emitted(machine.emit_object, module), signature, externals)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _parsed(self, asked: Mapping[str, Any], blobs: Sequence[bytes], phases: _Phases) -> Any:
        """Return the one module of a request, verified."""
        module = self._read(asked["modules"][0], blobs, llvm.create_context(), phases)
        module.name = asked["name"]
        with phases("verify"):
            _check(module)
        return module

    def _read(self, told: Mapping[str, Any], blobs: Sequence[bytes], context: Any, phases: _Phases) -> Any:
        with phases("parse"):
            try:
                if "ir" in told:
                    return llvm.parse_assembly(told["ir"], context)
                return llvm.parse_bitcode(blobs[told["bitcode"]], context)
            except RuntimeError as error:
                raise Problem("parse", _parse_complaint(str(error))) from None

    def _improved(self, module: Any, asked: Mapping[str, Any], phases: _Phases) -> Any:
        """Choose the machine and optimise for it; with a level of None only the machine is chosen."""
        level = asked.get("level")
        machine = machine_for(module, asked.get("target", {}), SPEEDS[level or "O2"], self._said)
        if level is not None or asked.get("passes"):
            with phases("optimize"):
                optimise(module, machine, asked)
        return machine

    def _module_out(self, module: Any, asked: Mapping[str, Any], phases: _Phases, before: dict[str, int]) -> Outcome:
        told = {
            "name": module.name,
            "triple": module.triple,
            "before": before,
            "after": counts(module),
            "seconds": phases.seconds,
        }
        if asked.get("output") == "bitcode":
            code: bytes = module.as_bitcode()
            return {**told, "size": len(code)}, (code,)
        text = str(module)
        return {**told, "ir": text, "size": len(text.encode())}, ()


class _Phases:
    """Adds up how long each phase of one request took."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.seconds: dict[str, float] = {}
        self._now = now

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        started = self._now()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + self._now() - started


def _check(module: Any) -> None:
    try:
        module.verify()
    except RuntimeError as error:
        raise Problem("verify", str(error).strip()[:_LONGEST]) from None


def _emitted(emit: Callable[[Any], Any], module: Any) -> Any:
    try:
        return emit(module)
    except RuntimeError as error:
        raise Problem("emit", str(error)[:_LONGEST]) from None


def _parse_complaint(said: str) -> str:
    """Return LLVM's words with the place before them: ``line 3, column 7: expected type``."""
    found = _WHERE.search(said)
    if found is not None:
        line, column, words = found.groups()
        return f"line {line}, column {column}: {words}"[:_LONGEST]
    return " ".join(said.split())[:_LONGEST]


def _fingerprint(asked: Mapping[str, Any], modules: Sequence[bytes]) -> bytes:
    """Return what compiled code depends on, in short."""
    wanted = {name: asked.get(name) for name in ("modules", "function", "level", "passes", "tuning", "target")}
    digest = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode())
    for module in modules:
        digest.update(hashlib.sha256(module).digest())
    return digest.digest()
