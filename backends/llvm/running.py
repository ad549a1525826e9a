"""LLVM's calls that run a function, and that tell what this machine and this LLVM can do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final, Unpack

from backends.llvm.core import LLVMCore
from backends.llvm.job import Job
from backends.llvm.modules import told_modules
from backends.llvm.options import Module, Options, RunOptions, check_text, module_options
from backends.llvm.reading import read_host, read_ran, read_target, read_targets
from backends.llvm.replies import Host, Ran, Target, Targets
from backends.llvm.values import Argument, told
from backends.parameters import Size, bad_argument, check_argument, split
from backends.twins import blocking

__all__ = ["RunCalls"]

_TIME: Final = 10.0
_MEMORY: Final = 1 << 30
_COMPILING: Final = 60.0
"""Seconds that a worker may take around a run, for starting and for compiling."""


class RunCalls(LLVMCore):
    """See the module docstring."""

    async def arun(
        self, module: Module, function: str, arguments: Sequence[Argument] = (), **options: Unpack[RunOptions]
    ) -> Ran:
        """Compile a module for this machine and call one of its functions, in a process of its own.

        The process is forked for this call from a clean one, so nothing that the function does is left behind; it may
        call the C library (``exp``, ``malloc``, ``printf`` into nowhere). Time and memory are limited. Constructors of
        the module (``llvm.global_ctors``) are not run.

        Args:
            module: IR or bitcode that defines the function; its types decide how arguments pass.
            function: a function of integers up to 64 bits, float, double and pointers.
            arguments: numbers; None for a null pointer; for a pointer anything that holds numbers in one piece of
                memory (bytes, bytearray, ``array.array``, memoryview, numpy). Yours are never written to: what the
                function left in them comes back as ``buffers``.

        Raises:
            InvalidRequestError: the module or an argument does not fit (``parse``, ``verify``, ``signature``), or the
                function did not end well: ``crashed``, ``exited``, ``time_limit``, ``memory_limit``. Never repeated.
            NotFoundError: the module does not define the function, or calls one that nobody defines.
            ConfigurationError: this system lets nobody execute memory.
        """
        called, fields, header = module_options(dict(options), RunOptions)
        check_argument("function", function, Annotated[str, Size(1, 1_000)], "llvm")
        check_text("function", function)
        target = header.get("target", {})
        if "triple" in target:
            bad_argument("triple cannot be used here: code runs on this machine", "llvm")
        modules, blobs = told_modules([module])
        entries, buffers, restores = told(arguments)
        limit = fields.get("time_limit", _TIME)
        asked = {
            "level": "O2",
            **header,
            "target": {"cpu": "host", **target},
            "modules": modules,
            "function": function,
            "arguments": entries,
            "buffers": len(buffers),
            "time_limit": limit,
            "memory_limit": fields.get("memory_limit", _MEMORY),
        }
        read = partial(read_ran, restores=restores, sizes=[len(data) for data in buffers])
        job = Job("run", asked, read, (*blobs, *buffers), limit + _COMPILING, runs_code=True, pure=False)
        return await self._perform(job, called)

    async def atarget(self, triple: str, **options: Unpack[Options]) -> Target:
        """Return what this LLVM knows of a target (``aarch64-linux-gnu``).

        Raises:
            UnsupportedError: it does not know it.
        """
        called = _only_options(options)
        check_argument("triple", triple, Annotated[str, Size(1, 200)], "llvm")
        check_text("triple", triple)
        return await self._perform(Job("target", {"triple": triple}, read_target), called)

    async def atargets(self, **options: Unpack[Options]) -> Targets:
        """Return the architectures that this LLVM can make code for."""
        return await self._perform(Job("targets", {}, read_targets), _only_options(options))

    async def ahost(self, **options: Unpack[Options]) -> Host:
        """Return this machine's triple, processor and features."""
        return await self._perform(Job("host", {}, read_host), _only_options(options))

    run = blocking(arun)
    target = blocking(atarget)
    targets = blocking(atargets)
    host = blocking(ahost)


def _only_options(given: Any) -> Any:
    return split(dict(given), Options, "llvm", body=False)[0]
