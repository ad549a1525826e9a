"""The arguments of LLVM's calls: one table each, checked before anything is sent (:mod:`backends.parameters`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias, TypedDict

from backends.operation import CallOptions
from backends.parameters import Between, Size, bad_argument, check_argument, split
from backends.settings import nearest
from backends.types import Priority

__all__ = [
    "PASSES",
    "EmitOptions",
    "InspectOptions",
    "Level",
    "LinkOptions",
    "Module",
    "OptimizeOptions",
    "Options",
    "RunOptions",
    "module_options",
]

Module: TypeAlias = str | bytes
"""A module as LLVM IR text or as bitcode."""
Level: TypeAlias = Literal["O0", "O1", "O2", "O3", "Os", "Oz"]

PASSES: Final = frozenset(
    [
        *("aa_eval", "aggressive_dce", "aggressive_instcombine", "always_inliner", "argument_promotion"),
        *("break_critical_edges", "constant_merge", "dead_arg_elimination", "dead_code_elimination"),
        *("dead_store_elimination", "global_dead_code_eliminate", "global_opt", "instruction_combine"),
        *("instruction_namer", "internalize", "ipsccp", "jump_threading", "lcssa", "loop_deletion", "loop_extract"),
        *("loop_rotate", "loop_simplify", "loop_strength_reduce", "loop_unroll", "loop_unroll_and_jam"),
        *("lower_atomic", "lower_invoke", "lower_switch", "mem_copy_opt", "merge_functions", "new_gvn"),
        *("partial_inliner", "post_order_function_attributes", "reassociate", "register_to_memory"),
        *("rpo_function_attrs", "sccp", "simplify_cfg", "sinking", "sroa", "strip_dead_debug_info"),
        *("strip_dead_prototype", "strip_debug_declare", "strip_non_debug_symbols", "strip_symbols"),
        *("tail_call_elimination", "unify_function_exit_nodes"),
    ]
)
"""Passes by the names that llvmlite has for them; those that print or draw are left out."""

_TARGET: Final = ("triple", "cpu", "features", "reloc", "code_model", "abi")
_TUNING: Final = ("vectorize_loops", "vectorize_slp", "unroll_loops", "interleave_loops", "inline_threshold")
_Name: TypeAlias = Annotated[str, Size(1, 200)]


class Options(TypedDict, total=False):
    """Arguments that every call takes besides its own; see :class:`backends.operation.CallOptions`."""

    priority: Priority
    endpoint: str | None
    deadline: float | None
    tenant: str | None
    request_id: str | None


class InspectOptions(Options, total=False):
    """Arguments of verify and inspect.

    Attributes:
        name: what the module calls itself; 1 to 200 characters.
    """

    name: _Name


class _TargetOptions(InspectOptions, total=False):
    """What machine code is made for.

    Attributes:
        triple: ``aarch64-linux-gnu``; the module's own, else this machine's, when not given.
        cpu: a processor of the target (``znver4``), or ``host``; empty is the target's plainest.
        features: ``+avx2,-sse4a``; those of the host for the processor ``host``.
        reloc: how code refers to addresses.
        code_model: how far apart code and data may be.
        abi: for targets that have several (``lp64d`` on RISC-V).
    """

    triple: _Name
    cpu: Annotated[str, Size(0, 200)]
    features: Annotated[str, Size(0, 8_000)]
    reloc: Literal["default", "static", "pic", "dynamicnopic"]
    code_model: Literal["default", "small", "kernel", "medium", "large"]
    abi: Annotated[str, Size(0, 200)]


class _TuningOptions(_TargetOptions, total=False):
    """What changes a level's pipeline.

    Attributes:
        passes: run these, in order, instead of the level's own; names from :data:`PASSES`.
        vectorize_loops, vectorize_slp, unroll_loops, interleave_loops: switch a part on or off.
        inline_threshold: how much code a call may be replaced by; larger inlines more.
    """

    passes: Sequence[str]
    vectorize_loops: bool
    vectorize_slp: bool
    unroll_loops: bool
    interleave_loops: bool
    inline_threshold: Annotated[int, Between(0, 1_000_000)]


class OptimizeOptions(_TuningOptions, total=False):
    """Arguments of optimize.

    Attributes:
        level: ``O0`` to ``O3``, ``Os``, ``Oz``; O2 when not given.
        output: what comes back, ``ir`` (text) unless given.
    """

    level: Level
    output: Literal["ir", "bitcode"]


class LinkOptions(_TuningOptions, total=False):
    """Arguments of link.

    Attributes:
        level: optimise what was linked; not at all when not given.
        output: what comes back, ``ir`` (text) unless given.
    """

    level: Level | None
    output: Literal["ir", "bitcode"]


class EmitOptions(_TuningOptions, total=False):
    """Arguments of emit.

    Attributes:
        kind: what to make, ``object`` unless given.
        level: optimise before; None leaves the IR as it is. O2 when not given.
    """

    kind: Literal["object", "assembly"]
    level: Level | None


class RunOptions(_TuningOptions, total=False):
    """Arguments of run. ``cpu`` is ``host`` unless given; the triple is always this machine's.

    Attributes:
        level: optimise before. O2 when not given.
        time_limit: seconds that linking and the function may take; 10 when not given.
        memory_limit: bytes that the function may use besides its buffers; 1 GiB when not given.
    """

    level: Level
    time_limit: Annotated[float, Between(0.001, 3_600)]
    memory_limit: Annotated[int, Between(16 << 20, 1 << 40)]


def module_options(
    given: dict[str, Any], table: type, provider: str = "llvm"
) -> tuple[CallOptions, dict[str, Any], dict[str, Any]]:
    """Check the arguments of a call on modules; return its options, its own fields, and the rest as a header has it.

    Raises:
        InvalidRequestError: one is unknown, of the wrong type or out of range; the message names it.
    """
    level_is_off = "level" in given and given["level"] is None
    options, fields = split(given, table, provider, body=False)
    for name in ("name", *_TARGET):
        if name in fields:
            check_text(name, fields[name])
    for index, name in enumerate(fields.get("passes", ())):
        check_argument(f"passes[{index}]", name, str, provider)
        if name not in PASSES:
            hint = nearest(name, PASSES)
            bad_argument(
                f"passes[{index}]: there is no pass {name[:60]!r}; the nearest are {', '.join(hint)}", provider
            )
    header: dict[str, Any] = {"name": fields.pop("name", "module")}
    target = {name: fields.pop(name) for name in _TARGET if name in fields}
    tuning = {name: fields.pop(name) for name in _TUNING if name in fields}
    if "passes" in fields:
        header["passes"] = list(fields.pop("passes"))
    if level_is_off:
        header["level"] = None
    elif "level" in fields:
        header["level"] = fields.pop("level")
    if target:
        header["target"] = target
    if tuning:
        header["tuning"] = tuning
    return options, fields, header


def check_text(name: str, value: str) -> None:
    """Refuse control characters and what is no text in a short argument.

    Raises:
        InvalidRequestError: there are some; the message names the argument.
    """
    if not value.isprintable():
        bad_argument(f"{name} holds characters that do not belong there", "llvm")
