"""The backends by their row names. Nothing of a provider is imported before its backend is asked for."""

from __future__ import annotations

import importlib
from typing import Any, Final

from backends.base import Backend
from backends.discretion import discreet
from backends.errors import ConfigurationError
from backends.settings import nearest

__all__ = ["create", "names"]

_HOMES: Final = {
    "claude": ("backends.claude", "Claude"),
    "gemini": ("backends.gemini", "Gemini"),
    "groq": ("backends.groq", "Groq"),
    "hf_tei": ("backends.hf_tei", "HFTEI"),
    "hf_tgi": ("backends.hf_tgi", "HFTGI"),
    "llvm": ("backends.llvm", "LLVM"),
    "ollama": ("backends.ollama", "Ollama"),
    "openai": ("backends.openai", "OpenAI"),
    "opea": ("backends.opea", "OPEA"),
    "ovms": ("backends.ovms", "OVMS"),
    "s3_kit": ("backends.s3_kit", "S3Kit"),
    "vllm": ("backends.vllm", "VLLM"),
}


def names() -> tuple[str, ...]:
    """Return the row names that :func:`create` takes, sorted."""
    return tuple(sorted(_HOMES))


@discreet
def create(name: str, *arguments: Any, **options: Any) -> Backend:
    """Return a new backend by its row name; the other arguments are those of its class.

    Raises:
        ConfigurationError: there is no such backend, with the nearest names; or one of its arguments is wrong.
    """
    found = _HOMES.get(name) if isinstance(name, str) else None
    if found is None:
        wanted = nearest(str(name).lower().replace("-", "_"), _HOMES)
        raise ConfigurationError(
            f"Unknown backend {str(name)[:100]!r}; there are: {', '.join(names())}.", suggestions=wanted
        )
    module, kind = found
    made: Backend = getattr(importlib.import_module(module), kind)(*arguments, **options)
    return made
