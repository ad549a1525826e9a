"""Code blocks of the documents, cut out to be run as they stand, and the facts of the providers that they name."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path

from backends import registry as backend_registry
from backends.provider import Provider

ROOT = Path(__file__).resolve().parents[3]
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,3}) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the heading it stands under, and its line in the document."""

    language: str
    text: str
    heading: str
    line: int


def blocks(document: str, language: str = "python") -> list[Block]:
    """Return the blocks of a document in one language, in order."""
    whole = (ROOT / document).read_text("utf-8")
    headings = [(found.start(), found.group(2)) for found in _HEADING.finditer(whole)]
    result = []
    for found in _FENCE.finditer(whole):
        heading = next((text for start, text in reversed(headings) if start < found.start()), "")
        if found.group(1) == language:
            line = whole.count("\n", 0, found.start()) + 2
            result.append(Block(language, found.group(2), heading, line))
    return result


def facts_of(name: str) -> Provider:
    module, kind = backend_registry._HOMES[name]
    provider = getattr(importlib.import_module(module), kind).provider
    assert isinstance(provider, Provider)
    return provider
