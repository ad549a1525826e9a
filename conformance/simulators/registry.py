"""Which providers there are. Modules are imported when first asked for, so one provider costs nothing to the others."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from conformance.simulators.provider import Provider

__all__ = ["NAMES", "load"]

_PACKAGE = "conformance.simulators"
_ROWS = ("openai", "claude", "groq", "gemini", "ollama", "hf_tgi", "hf_tei", "vllm", "ovms", "opea", "s3_kit", "llvm")

NAMES = tuple(name for name in _ROWS if find_spec(f"{_PACKAGE}.{name}") is not None)
"""Row names of the simulated providers; each is a package whose ``PROVIDER`` describes it."""


def load(wanted: Iterable[str | Provider] | None = None) -> tuple[Provider, ...]:
    """The providers of these names (or as given), all of them for None. Raises ``ValueError`` with the nearest name."""
    return tuple(one if isinstance(one, Provider) else _named(one) for one in (NAMES if wanted is None else wanted))


def _named(name: str) -> Provider:
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no simulated provider is called {name!r}{hint}")
    provider = import_module(f"{_PACKAGE}.{name}").PROVIDER
    assert isinstance(provider, Provider)
    return provider
