"""The analysis as text for people and as one JSON document (``schemas/reality.schema.json``) for programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from conformance.reality import Analysis
    from conformance.reality.judge import ClassVerdict, Method

__all__ = ["VERSION", "as_json", "as_text"]

VERSION: Final = 1
_KINDS: Final = ("real", "partial", "mock", "refusal", "local")


def as_text(analysis: Analysis) -> str:
    """Return one line for each class and method, with the reasons beneath, then the whole."""
    lines: list[str] = []
    for verdict in analysis.classes:
        title = f"class {verdict.name}" if verdict.name else "functions"
        lines.append(f"{verdict.kind:<8} {title}  ({verdict.file}:{verdict.line})")
        for method in verdict.methods:
            lines.append(f"  {method.kind:<8} {method.title}  ({method.file}:{method.line})")
            lines.extend(f"           - {_reason(sign.file, sign.line, sign.text, method)}" for sign in method.signs)
    lines.extend(f"problem  {problem}" for problem in analysis.problems)
    if analysis.left_out:
        lines.append(f"{analysis.left_out} test files were left out.")
    counts = Counter(method.kind for method in analysis.methods)
    lines.append(f"{analysis.kind.upper()}: " + ", ".join(f"{counts[kind]} {kind}" for kind in _KINDS))
    return "\n".join(lines) + "\n"


def _reason(file: str, line: int, text: str, method: Method) -> str:
    if file != method.file:
        return f"{file}, line {line}: {text}"
    return text if line == method.line else f"line {line}: {text}"


def as_json(analysis: Analysis) -> str:
    """Return the document."""
    counts = Counter(method.kind for method in analysis.methods)
    document: dict[str, Any] = {
        "version": VERSION,
        "kind": analysis.kind,
        "counts": {kind: counts[kind] for kind in _KINDS},
        "classes": [_class(verdict) for verdict in analysis.classes],
        "problems": [{"file": one.file, "line": one.line, "text": one.text} for one in analysis.problems],
        "test_files_left_out": analysis.left_out,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _class(verdict: ClassVerdict) -> dict[str, Any]:
    methods = [_method(method) for method in verdict.methods]
    return {"name": verdict.name, "file": verdict.file, "line": verdict.line, "kind": verdict.kind, "methods": methods}


def _method(method: Method) -> dict[str, Any]:
    return {
        "name": method.name,
        "file": method.file,
        "line": method.line,
        "kind": method.kind,
        "inherited": method.inherited,
        "reasons": [
            {"sign": sign.kind, "file": sign.file, "line": sign.line, "text": sign.text} for sign in method.signs
        ],
    }
