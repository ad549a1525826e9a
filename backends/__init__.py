"""Backends for model APIs over one resilience runtime: the public face. Names are loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from backends import errors
    from backends.ollama import Ollama
    from backends.openai import OpenAI
    from backends.registry import create, names
    from backends.s3_kit import S3Kit
    from backends.types import Priority

__all__ = ["Ollama", "OpenAI", "Priority", "S3Kit", "create", "errors", "names"]

_HOMES: Final = {
    "Ollama": "backends.ollama",
    "OpenAI": "backends.openai",
    "Priority": "backends.types",
    "S3Kit": "backends.s3_kit",
    "create": "backends.registry",
    "names": "backends.registry",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is not None:
        value = getattr(importlib.import_module(home), name)
    elif name == "errors":
        value = importlib.import_module("backends.errors")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
