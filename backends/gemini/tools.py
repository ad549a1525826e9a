"""Tools on their way to the wire: functions in the common shape, and Gemini's own tools as they are.

Wire facts: functions stand together in one ``{"functionDeclarations": [...]}``; ordinary JSON Schema goes into
``parametersJsonSchema`` (``parameters`` is an OpenAPI subset with upper-case types). There is no ``tool_choice``: the
same is said by ``toolConfig.functionCallingConfig``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from backends.gemini.parts import PROVIDER_NAME
from backends.parameters import bad_argument

__all__ = ["checked_tools", "tool_choice_config"]

_MODES: Final = {"auto": "AUTO", "required": "ANY", "none": "NONE", "validated": "VALIDATED"}


def checked_tools(tools: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return tools fit for the wire.

    Args:
        tools: ``{"type": "function", "function": {"name", "description", "parameters"}}`` (JSON Schema), or Gemini's
            own: ``{"functionDeclarations": [...]}``, ``{"googleSearch": {}}``, ``{"codeExecution": {}}``...

    Raises:
        InvalidRequestError: one is neither; the message names it.
    """
    functions: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    for index, tool in enumerate(tools):
        if "function" in tool or tool.get("type") == "function":
            functions.append(_declaration(tool.get("function"), f"tools[{index}].function"))
        elif not tool or "type" in tool:
            bad_argument(f"tools[{index}] must be a function, or one of Gemini's own tools", PROVIDER_NAME)
        else:
            others.append(tool)
    return [{"functionDeclarations": functions}, *others] if functions else others


def _declaration(function: Any, where: str) -> dict[str, Any]:
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not function["name"]:
        bad_argument(f"{where} must be a mapping with a name", PROVIDER_NAME)
    made = {"name": function["name"]}
    if function.get("description") is not None:
        made["description"] = function["description"]
    schema = function.get("parameters")
    if schema is not None:
        if not isinstance(schema, Mapping):
            bad_argument(f"{where}.parameters must be a JSON Schema", PROVIDER_NAME)
        made["parametersJsonSchema"] = schema
    return made


def tool_choice_config(choice: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``toolConfig`` that says what ``tool_choice`` says.

    Raises:
        InvalidRequestError: it is not one of the words, nor a function by name.
    """
    if isinstance(choice, str):
        if choice not in _MODES:
            bad_argument(f"tool_choice must be one of {', '.join(_MODES)}, or a function", PROVIDER_NAME)
        return {"functionCallingConfig": {"mode": _MODES[choice]}}
    function = choice.get("function")
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name:
        bad_argument("tool_choice must be {'type': 'function', 'function': {'name': ...}}", PROVIDER_NAME)
    return {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}}
