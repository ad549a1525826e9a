"""Grammars: what an answer must follow. OpenAI's ``response_format`` is brought into the server's shape.

Wire facts: a bare ``json_object`` does not exist here, every JSON grammar has a schema. The server makes a state machine
of it, so the answer cannot break it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.parameters import bad_argument

__all__ = ["Grammar", "checked_grammar", "response_grammar"]

_PROVIDER: Final = "hf_tgi"

Grammar = Mapping[str, Any]
"""``{"type": "json", "value": schema}``, ``{"type": "regex", "value": pattern}`` or
``{"type": "json_schema", "value": {"name": ..., "schema": schema}}``."""


def checked_grammar(grammar: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a grammar fit for the wire; ``name`` is the argument's.

    Raises:
        InvalidRequestError: it has another shape.
    """
    kind, value = grammar.get("type"), grammar.get("value")
    unknown = sorted(map(str, grammar.keys() - {"type", "value"}))
    if unknown:
        bad_argument(f"{name} has unknown fields: {', '.join(unknown)[:100]}", _PROVIDER)
    if kind in ("json", "json_object"):
        if not isinstance(value, Mapping) or not value:
            bad_argument(f"{name}.value must be the JSON Schema of the answer", _PROVIDER)
    elif kind == "json_schema":
        if not isinstance(value, Mapping) or not isinstance(value.get("schema"), Mapping):
            bad_argument(f"{name}.value must be a mapping with a schema", _PROVIDER)
    elif kind == "regex":
        if not isinstance(value, str) or not value:
            bad_argument(f"{name}.value must be a pattern that is not empty", _PROVIDER)
    else:
        bad_argument(f"{name}.type must be one of json, json_object, json_schema, regex", _PROVIDER)
    return {"type": kind, "value": value}


def response_grammar(wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the grammar of a ``response_format`` in OpenAI's words or the server's own, None for plain text.

    Raises:
        InvalidRequestError: it has another shape, or asks for any JSON, which this server cannot do.
    """
    kind = wanted.get("type")
    if kind == "text":
        return None
    if kind == "json_schema" and "json_schema" in wanted:
        inner = wanted["json_schema"]
        if not isinstance(inner, Mapping):
            bad_argument("response_format.json_schema must be a mapping", _PROVIDER)
        value = {name: inner[name] for name in ("name", "schema") if name in inner}
        return checked_grammar({"type": "json_schema", "value": value}, "response_format")
    if kind == "json_object" and "value" not in wanted:
        bad_argument(
            "response_format of type json_object needs a schema at this server: {'type': 'json_object', 'value': schema}",
            _PROVIDER,
        )
    return checked_grammar(wanted, "response_format")
