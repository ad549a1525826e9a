"""Saboteurs of SEC-05 that run strangers' code where, or as long as, it should not be run."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from conformance.saboteurs import saboteur

_COMPILER = ("llvm",)


@saboteur("SEC-05", "runs code in the caller's own process", subjects=_COMPILER)
def runs_in_process(backend: Any) -> None:
    """It is so much faster."""

    def run(module: str, function: str, arguments: list[int], **options: Any) -> Any:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        compiler = llvm.create_lljit_compiler()
        builder = llvm.JITLibraryBuilder().add_ir(module).add_current_process().export_symbol(function)
        library = builder.link(compiler, "code")
        return SimpleNamespace(value=ctypes.CFUNCTYPE(ctypes.c_int32)(library[function])())

    backend.run = run


def _running_with(backend: Any, limits: dict[str, Any], **changes: Any) -> None:
    """Let every run have these limits instead of those that were asked for."""
    perform = backend._perform

    def spoilt(job: Any, options: Any) -> Any:
        if job.runs_code:
            job = replace(job, header={**job.header, **limits}, **changes)
        return perform(job, options)

    backend._perform = spoilt


@saboteur("SEC-05", "runs code for as long as it likes", subjects=_COMPILER)
def runs_for_ever(backend: Any) -> None:
    """A limit might be too low for somebody."""
    _running_with(backend, {"time_limit": 3600.0}, seconds=None)


@saboteur("SEC-05", "gives code all the memory it asks for", subjects=_COMPILER)
def gives_all_memory(backend: Any) -> None:
    """Memory is cheap."""
    _running_with(backend, {"memory_limit": 1 << 40})
