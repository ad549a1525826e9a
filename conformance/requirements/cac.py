"""The cache: what is found again, what never is, and that finding it touches nothing else."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

_KEPT: Final = frozenset({"cache"})
_ASKED: Final = frozenset({"cache", "chat"})
"""A question can be put in other words; the text of an embedding cannot."""

REQUIREMENTS: Final = (
    Requirement(
        "CAC-01",
        Level.MUST,
        "With a cache an identical request is answered without the wire, flagged, at cost 0, and takes no slot and no "
        "count of requests; without one nothing is kept.",
        "litellm#39322; litellm#27955; litellm#1783",
        applies_to=_KEPT,
        black_box=True,
    ),
    Requirement(
        "CAC-02",
        Level.MUST,
        "A question in other words hits at or above the threshold and misses below it; threshold 0 is exact only; both "
        "modes agree.",
        "redisvl#649; langchain-redis#98",
        applies_to=_ASKED | {"sync"},
        black_box=True,
    ),
    Requirement(
        "CAC-03",
        Level.MUST,
        "However alike their embeddings are, a question never gets the answer to one that differs by a negation, a "
        "number, a unit, a name, a comparison, or who does what to whom.",
        "GPTCache#694; semantic-router#2691",
        applies_to=_ASKED,
        black_box=True,
    ),
    Requirement(
        "CAC-04",
        Level.MUST,
        "Nothing is shared across models, parameters, system prompts, tools, headers, tenants or endpoints.",
        "litellm#12234; litellm#29086",
        applies_to=_KEPT,
        black_box=True,
    ),
    Requirement(
        "CAC-05",
        Level.MUST,
        "Answers expire; the least recently used make room within the bounds; they can be invalidated, are counted, and "
        "outlive the process in a file whose damage costs a miss.",
        "house rule: bounded state; PLAN: threshold, expiry, management",
        applies_to=_KEPT,
    ),
    Requirement(
        "CAC-06",
        Level.MUST,
        "Errors and streams that did not end well are not kept, nor are answers to requests that ask for chance, unless "
        "that is asked for.",
        "FIELD 16: no partial store",
        applies_to=_KEPT,
        black_box=True,
    ),
    Requirement(
        "CAC-07",
        Level.MUST,
        "Concurrent identical misses make one request; a leader that is cancelled hands over, one that fails fails for "
        "all who waited.",
        "FIELD 16: single flight",
        applies_to=_KEPT,
        black_box=True,
    ),
    Requirement(
        "CAC-08",
        Level.MUST,
        "A kept stream is replayed as a stream: the same chunks, the same reply, no wire and no slot.",
        "FIELD 16: streaming write",
        applies_to=_KEPT | {"stream"},
    ),
    Requirement(
        "CAC-09",
        Level.MUST,
        "An embedder that raises, hangs, answers nonsense or changes its dimension means a miss, never an error.",
        "house rule: a cache never fails a call",
        applies_to=_ASKED,
    ),
    Requirement(
        "CAC-10",
        Level.MUST,
        "Observers are told of a call that the cache answers as of any other: started and ended once, flagged, with no "
        "attempt and at cost 0.",
        "public interface: observers; users of other clients: kept answers are missing from dashboards",
        applies_to=_KEPT,
    ),
)
