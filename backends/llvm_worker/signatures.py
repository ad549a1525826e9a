"""Between the values of a call and the memory a function is called with: which types can pass, and how.

Integers of 1, 8, 16, 32 and 64 bits, float, double and pointers pass; LLVM's integers have no sign, so an argument may
be given as either, and a result is read as signed (one bit: as 0 or 1).
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backends.llvm_worker.problems import Problem

__all__ = ["Signature", "read_result", "signature_of", "told_arguments"]

_INTEGERS: Final[dict[str, Any]] = {
    "i1": ctypes.c_uint8,
    "i8": ctypes.c_int8,
    "i16": ctypes.c_int16,
    "i32": ctypes.c_int32,
    "i64": ctypes.c_int64,
}
_REALS: Final[dict[str, Any]] = {"float": ctypes.c_float, "double": ctypes.c_double}
_TYPES: Final[dict[str, Any]] = {**_INTEGERS, **_REALS, "ptr": ctypes.c_void_p}


@dataclass(frozen=True, slots=True)
class Signature:
    """The type of a function, by LLVM's names (``double``, ``i64``, ``ptr``); ``void`` is returned by one without."""

    returns: str
    parameters: tuple[str, ...]

    def prototype(self) -> Any:
        """Return the type of the function as ctypes has it."""
        return ctypes.CFUNCTYPE(
            None if self.returns == "void" else _TYPES[self.returns], *(_TYPES[name] for name in self.parameters)
        )


def signature_of(module: Any, name: str) -> Signature:
    """Return the type of a function that a module defines.

    Raises:
        Problem: there is none of this name, or its type cannot be called from here.
    """
    try:
        function = module.get_function(name)
    except NameError:
        function = None
    if function is None or function.is_declaration:
        defined = [one.name for one in module.functions if not one.is_declaration]
        there = ", ".join(f"@{one}" for one in defined[:10]) or "no function"
        raise Problem("missing_symbol", f"the module does not define @{name}; it defines {there}")
    kind = function.global_value_type
    returns = str(kind.get_function_return())
    parameters = tuple(str(one) for one in kind.get_function_parameters())
    strange = [one for one in parameters if one not in _TYPES]
    if returns not in _TYPES and returns != "void":
        strange.append(returns)
    if strange or returns == "ptr" or kind.is_function_vararg:
        what = (
            strange[0] if strange else "a pointer as result" if returns == "ptr" else "a variable number of arguments"
        )
        raise Problem("signature", f"@{name} has the type {kind}; {what[:200]} cannot pass between processes")
    return Signature(returns, parameters)


def told_arguments(signature: Signature, told: Sequence[Mapping[str, Any]], addresses: Sequence[int]) -> list[Any]:
    """Return the arguments to call with.

    Args:
        told: one mapping each: ``{"int": 5}``, ``{"float": "0x1.8p+0"}``, ``{"buffer": 0}``, ``{"null": True}``.
        addresses: where the buffers lie.

    Raises:
        Problem: they do not fit the signature.
    """
    expected = signature.parameters
    if len(told) != len(expected):
        raise Problem("signature", f"the function takes {len(expected)} arguments, {len(told)} were given")
    return [
        _argument(number, kind, one, addresses) for number, (kind, one) in enumerate(zip(expected, told, strict=True))
    ]


def _argument(number: int, kind: str, told: Mapping[str, Any], addresses: Sequence[int]) -> Any:
    ((what, value),) = told.items()
    if kind == "ptr" and what == "buffer":
        return addresses[value]
    if kind == "ptr" and what == "null":
        return None
    if kind in _INTEGERS and what == "int":
        bits = int(kind[1:])
        if not -(1 << bits - 1) <= value < 1 << bits:
            raise Problem("signature", f"arguments[{number}] does not fit into {kind}")
        return value
    if kind in _REALS and what == "float":
        return float.fromhex(value)
    if kind in _REALS and what == "int":
        try:
            return float(value)
        except OverflowError:
            raise Problem("signature", f"arguments[{number}] does not fit into {kind}") from None
    wanted = {"ptr": "a buffer"}.get(kind, "a whole number" if kind in _INTEGERS else "a number")
    raise Problem("signature", f"arguments[{number}] must be {wanted} for {kind}, not {what}")


def read_result(signature: Signature, value: Any) -> dict[str, Any]:
    """Return a result as it is told; a float in hexadecimal, so that no digit and no infinity is lost."""
    if signature.returns == "void":
        return {"none": True}
    if signature.returns in _REALS:
        return {"float": float(value).hex()}
    return {"int": value & 1 if signature.returns == "i1" else value}
