"""Backends for model APIs over one resilience runtime: the public face. Names are loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from backends import errors
    from backends.claude import Claude
    from backends.gemini import Gemini
    from backends.groq import Groq
    from backends.hf_tei import HFTEI
    from backends.hf_tgi import HFTGI
    from backends.llvm import LLVM
    from backends.multiplexer import ApiKeyMultiplexer
    from backends.ollama import Ollama
    from backends.opea import OPEA
    from backends.openai import OpenAI
    from backends.ovms import OVMS
    from backends.registry import create, names
    from backends.s3_kit import S3Kit
    from backends.types import Priority
    from backends.vllm import VLLM

__all__ = [
    "HFTEI",
    "HFTGI",
    "LLVM",
    "OPEA",
    "OVMS",
    "VLLM",
    "ApiKeyMultiplexer",
    "Claude",
    "Gemini",
    "Groq",
    "Ollama",
    "OpenAI",
    "Priority",
    "S3Kit",
    "create",
    "errors",
    "names",
]

_HOMES: Final = {
    "Claude": "backends.claude",
    "Gemini": "backends.gemini",
    "Groq": "backends.groq",
    "HFTEI": "backends.hf_tei",
    "HFTGI": "backends.hf_tgi",
    "LLVM": "backends.llvm",
    "OPEA": "backends.opea",
    "OVMS": "backends.ovms",
    "Ollama": "backends.ollama",
    "OpenAI": "backends.openai",
    "S3Kit": "backends.s3_kit",
    "VLLM": "backends.vllm",
    "ApiKeyMultiplexer": "backends.multiplexer",
    "Priority": "backends.types",
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
