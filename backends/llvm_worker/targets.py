"""Which machine code is made for: triple, processor, features, and how addresses are formed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import llvmlite.binding as llvm

from backends.llvm_worker.problems import Problem

__all__ = ["describe_host", "describe_target", "known_targets", "machine_for", "start"]

_UNSAID: Final = ("", "unknown-unknown-unknown")
"""A module without a triple; the second is what ``llvmlite.ir`` writes."""
_ARCHITECTURES: Final = (
    *("aarch64", "aarch64_be", "amdgcn", "arm", "armeb", "avr", "bpfeb", "bpfel", "hexagon", "i386", "lanai"),
    *("loongarch32", "loongarch64", "mips", "mips64", "mips64el", "mipsel", "msp430", "nvptx", "nvptx64", "powerpc"),
    *("powerpc64", "powerpc64le", "r600", "riscv32", "riscv64", "s390x", "sparc", "sparcel", "sparcv9", "spirv64"),
    *("thumb", "ve", "wasm32", "wasm64", "x86_64", "xcore"),
)
_IGNORED: Final = re.compile(r"'([^']*)' is not a recognized (processor|feature)")
_started: list[bool] = []


def start() -> None:
    """Make every target of this LLVM known; once per process."""
    if not _started:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        llvm.initialize_native_asmparser()
        _started.append(True)


def machine_for(module: Any, wanted: Mapping[str, Any], opt: int, said: Callable[[], str]) -> Any:
    """Return a target machine for a module, and tell the module which it is.

    Args:
        module: its own triple counts where none is wanted.
        wanted: ``triple``, ``cpu``, ``features``, ``reloc``, ``code_model``, ``abi``; all may be left out.
        opt: 0 to 3, for the generation of code.
        said: what LLVM wrote to its error output since the last question; unknown processors are only told there.

    Raises:
        Problem: there is no such target, processor or feature.
    """
    triple = wanted.get("triple") or (module.triple if module.triple not in _UNSAID else "")
    cpu, features = wanted.get("cpu", ""), wanted.get("features", "")
    if cpu == "host":
        cpu = llvm.get_host_cpu_name()
        features = features or llvm.get_host_cpu_features().flatten()
    said()
    try:
        target = llvm.Target.from_triple(triple) if triple else llvm.Target.from_default_triple()
        machine = target.create_target_machine(
            cpu=cpu,
            features=features,
            opt=opt,
            reloc=wanted.get("reloc", "pic"),
            codemodel=wanted.get("code_model", "default"),
            abiname=wanted.get("abi", ""),
        )
    except RuntimeError as error:
        raise Problem("unknown_target", str(error)) from None
    ignored = _IGNORED.search(said())
    if ignored is not None:
        name, kind = ignored.groups()
        raise Problem(
            "unknown_cpu" if kind == "processor" else "unknown_feature", f"{target.name} has no {kind} {name!r}"
        )
    if wanted.get("triple") or module.triple in _UNSAID or not module.data_layout:
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
    return machine


def describe_target(triple: str) -> dict[str, Any]:
    """Return what is known of a target.

    Raises:
        Problem: there is no such target.
    """
    try:
        target = llvm.Target.from_triple(triple)
        machine = target.create_target_machine()
    except RuntimeError as error:
        raise Problem("unknown_target", str(error)) from None
    return {
        "name": target.name,
        "description": target.description,
        "triple": machine.triple,
        "data_layout": str(machine.target_data),
        "object_format": llvm.get_object_format(triple),
    }


def known_targets() -> list[str]:
    """Return the architectures that this LLVM can make code for; the binding has no list, so each is tried."""
    known = []
    for architecture in _ARCHITECTURES:
        try:
            llvm.Target.from_triple(architecture)
        except RuntimeError:
            continue
        known.append(architecture)
    return known


def describe_host() -> dict[str, Any]:
    """Return what this machine is."""
    features = llvm.get_host_cpu_features()
    return {
        "triple": llvm.get_default_triple(),
        "process_triple": llvm.get_process_triple(),
        "cpu": llvm.get_host_cpu_name(),
        "features": sorted(name for name, there in features.items() if there),
        "object_format": llvm.get_object_format(),
    }
