"""Errors and input: every failure typed and explained, every bad argument stopped before the wire."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "ERR-01",
        Level.MUST,
        "Every error status of the provider becomes its class, with the provider's message and code.",
        "providers' error tables (wire sheets)",
        black_box=True,
    ),
    Requirement(
        "ERR-02",
        Level.MUST,
        "A gateway's HTML page, an empty body, a wrong content type, garbage, truncated or deeply nested JSON, an "
        "error or a refusal told with status 200 each give a typed error that says so.",
        "users of other clients: hostile answers",
        black_box=True,
    ),
    Requirement(
        "ERR-03",
        Level.MUST,
        "An answer beyond the size bound and a decompression bomb give a clear error at a bounded cost of memory.",
        "zip bombs; house rule: hostile input",
        applies_to=frozenset({"http"}),
        black_box=True,
    ),
    Requirement(
        "ERR-04",
        Level.MUST,
        "A bad argument raises before anything is sent, and the message names it.",
        "house rule: validation before the wire",
        traffic=False,
    ),
    Requirement(
        "ERR-05",
        Level.MUST,
        "Errors survive pickling, keep their cause and say whose fault they are.",
        "multiprocessing users; house rule: one error tree",
    ),
    Requirement(
        "ERR-06",
        Level.MUST,
        "A model that is unknown or retired gives an error with the nearest names.",
        "providers' model_not_found answers",
        applies_to=frozenset({"models"}),
        black_box=True,
    ),
    Requirement(
        "ERR-07",
        Level.MUST,
        "Non-finite numbers, lone surrogates and empty messages are refused before anything is sent.",
        "RFC 8259 6 and 8.2",
        applies_to=frozenset({"chat"}),
        traffic=False,
    ),
)
