"""Reality: the answers are the server's, not made up here."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "REAL-01",
        Level.MUST,
        "The answer carries the nonce that the server put into it for this request.",
        "users of other clients: mock backends reported as real",
        black_box=True,
    ),
    Requirement(
        "REAL-02",
        Level.MUST,
        "Every declared call, made once, is seen at the server on its declared route.",
        "moto's coverage counts names; ours counts traffic",
        black_box=True,
    ),
    Requirement(
        "REAL-03",
        Level.MUST,
        "Static analysis of the source finds every public call reaching the wire, with no stub, constant "
        "answer, mock or swallowed error.",
        "users of other clients: hand-ticked status tables",
        traffic=False,
    ),
    Requirement(
        "REAL-04",
        Level.MUST,
        "When the provider's answer, usage or error changes, ours changes with it.",
        "users of other clients: constant answers",
        black_box=True,
    ),
)
