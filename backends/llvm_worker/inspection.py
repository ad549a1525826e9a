"""What a module is made of: functions, globals and named types, as plain values."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["inspect", "sections"]

_LONGEST_TYPE: Final = 2_000


def inspect(module: Any) -> dict[str, Any]:
    """Return everything that can be said of a module without running it."""
    return {
        "source_file": module.source_file,
        "triple": module.triple,
        "data_layout": module.data_layout,
        "functions": [_function(one) for one in module.functions],
        "globals": [_global(one) for one in module.global_variables],
        "structs": [{"name": one.name, "type": _text(one)} for one in module.struct_types],
    }


def _function(function: Any) -> dict[str, Any]:
    kind = function.global_value_type
    blocks = list(function.blocks)
    return {
        "name": function.name,
        "type": _text(kind),
        "returns": _text(kind.get_function_return()),
        "parameters": [_text(one) for one in kind.get_function_parameters()],
        "variadic": bool(kind.is_function_vararg),
        "declaration": bool(function.is_declaration),
        "linkage": function.linkage.name,
        "attributes": sorted(one.decode("utf-8", "replace") for one in function.attributes),
        "blocks": len(blocks),
        "instructions": sum(1 for block in blocks for _ in block.instructions),
    }


def _global(variable: Any) -> dict[str, Any]:
    return {
        "name": variable.name,
        "type": _text(variable.global_value_type),
        "declaration": bool(variable.is_declaration),
        "linkage": variable.linkage.name,
    }


def _text(kind: Any) -> str:
    return str(kind)[:_LONGEST_TYPE]


def sections(parsed: Any) -> list[dict[str, Any]]:
    """Return the sections of an object file; the nameless one at its beginning is left out."""
    return [
        {"name": one.name().decode("utf-8", "replace"), "size": one.size(), "code": bool(one.is_text())}
        for one in parsed.sections()
        if one.name()
    ]
