"""One operation on each of several callers' modules: every module has a result of its own, good or bad. No LLVM here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from backends.llvm_worker.frames import MOST_MODULES, ON_ONE_MODULE
from backends.llvm_worker.problems import Problem

__all__ = ["Operation", "Outcome", "each"]

Outcome: TypeAlias = tuple[dict[str, Any], tuple[bytes, ...]]
"""Fields of the answer, and the blobs behind it."""
Operation: TypeAlias = Callable[[Mapping[str, Any], Sequence[bytes]], Outcome]


def each(operation: Operation, asked: Mapping[str, Any], blobs: Sequence[bytes]) -> Outcome:
    """Do with each module what a header asks of all; a result says what the answer to its module alone would have said.

    Raises:
        Problem: there are too many, or this operation is not one on a single module.
    """
    modules = asked["modules"]
    if asked["operation"] not in ON_ONE_MODULE or len(modules) > MOST_MODULES:
        names = ", ".join(sorted(ON_ONE_MODULE))
        raise Problem("invalid_frame", f"each stands with {names}, and with {MOST_MODULES} modules at most")
    results: list[dict[str, Any]] = []
    behind: list[bytes] = []
    for module in modules:
        made: Sequence[bytes] = ()
        try:
            told, made = operation({**asked, "modules": [module]}, blobs)
            result = {"status": 200, **told}
        except Problem as problem:
            result = problem.told()
        except Exception as error:  # a fault of this program over one module is not the others'
            result = Problem("internal", f"{type(error).__name__}: {error}"[:1000]).told()
        if made:
            result["blobs"] = [len(blob) for blob in made]
        results.append(result)
        behind += made
    return {"results": results}, tuple(behind)
