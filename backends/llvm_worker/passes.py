"""Optimisation with LLVM's new pass manager: whole pipelines by level, or passes by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import llvmlite.binding as llvm

__all__ = ["SPEEDS", "counts", "optimise"]

SPEEDS: Final = {"O0": 0, "O1": 1, "O2": 2, "O3": 3, "Os": 2, "Oz": 2}
"""Level -> speed level of the pipeline. The size levels are level 2 over functions that are marked for size."""
_MARKS: Final = {"Os": ("optsize",), "Oz": ("optsize", "minsize")}
_TUNING: Final = {
    "vectorize_loops": "loop_vectorization",
    "vectorize_slp": "slp_vectorization",
    "unroll_loops": "loop_unrolling",
    "interleave_loops": "loop_interleaving",
    "inline_threshold": "inlining_threshold",
}


def optimise(module: Any, machine: Any, asked: Mapping[str, Any]) -> None:
    """Change a module in place.

    Args:
        asked: ``level``, ``passes`` (names, instead of the level's pipeline), ``tuning``.
    """
    level = asked.get("level") or "O2"
    for function in module.functions:
        # A function that says not to optimise it must not be marked for size as well: LLVM's verifier refuses both.
        if not function.is_declaration and b"optnone" not in b" ".join(function.attributes):
            for mark in _MARKS.get(level, ()):
                function.add_function_attribute(mark)
    options = llvm.create_pipeline_tuning_options(speed_level=SPEEDS[level])
    # What a compiler does at its -O2, and llvmlite does not unless told.
    options.slp_vectorization = level in ("O2", "O3", "Os")
    for name, value in asked.get("tuning", {}).items():
        setattr(options, _TUNING[name], value)
    builder = llvm.create_pass_builder(machine, options)
    if asked.get("passes"):
        manager = llvm.create_new_module_pass_manager()
        for name in asked["passes"]:
            getattr(manager, f"add_{name}_pass")()
    else:
        manager = builder.getModulePassManager()
    manager.run(module, builder)


def counts(module: Any) -> dict[str, int]:
    """Return how many functions with a body, blocks and instructions a module has."""
    functions = blocks = instructions = 0
    for function in module.functions:
        if not function.is_declaration:
            functions += 1
            for block in function.blocks:
                blocks += 1
                instructions += sum(1 for _ in block.instructions)
    return {"functions": functions, "blocks": blocks, "instructions": instructions}
