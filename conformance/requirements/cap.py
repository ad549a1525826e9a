"""Capabilities: one case for every call that a provider declares."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "CAP-01",
        Level.MUST,
        "The request on the wire is what the provider's own schema and client send.",
        "providers' API references and official clients (wire sheets)",
        black_box=True,
    ),
    Requirement(
        "CAP-02",
        Level.MUST,
        "The reply is read in full: nothing is dropped, raw is untouched, unknown fields are tolerated.",
        "providers' API references (wire sheets)",
        black_box=True,
    ),
    Requirement(
        "CAP-03",
        Level.MUST,
        "A call that the provider does not have raises UnsupportedError before anything is sent.",
        "house rule: capabilities are claims",
        black_box=True,
        traffic=False,
    ),
    Requirement(
        "CAP-04",
        Level.MUST,
        "System prompts, multimodal input, tools, JSON schema, seed, stop, penalties and logit bias reach the "
        "wire where the provider has them.",
        "providers' API references (wire sheets)",
        applies_to=frozenset({"chat"}),
        black_box=True,
    ),
    Requirement(
        "CAP-05",
        Level.MUST,
        "Exchanges recorded from a real server of the dialect are sent as they were and read in full, streams at "
        "many splits of their bytes.",
        "recordings of vLLM 0.32.0 and KServe 0.21.0, 2026-11-21 (fixtures/recordings)",
        applies_to=frozenset({"recorded"}),
    ),
)
