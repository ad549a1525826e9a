"""Faults: every mishap of one catalogue, on every backend, plain and as a stream, with the one end that is right for each."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "FLT-01",
        Level.MUST,
        "A connection that is refused, not taken, reset, closed or silent before an answer ends each in its own error, told "
        "apart from the others, and is tried again.",
        "RFC 9110 9.2.2; httpx-aiohttp 0.2.0 reports a server that hung up as a connect timeout",
        black_box=True,
    ),
    Requirement(
        "FLT-02",
        Level.MUST,
        "Every error status with the provider's own body, a gateway's page or no body ends in exactly one class, and is "
        "repeated or not as that class demands.",
        "providers' error tables (wire sheets); RFC 9110 15",
        black_box=True,
    ),
    Requirement(
        "FLT-03",
        Level.MUST,
        "Every dialect in which a server says when to come back is obeyed exactly; nonsense counts as not said; a wait that "
        "is too long ends the call at once.",
        "RFC 9110 10.2.3; google.rpc.RetryInfo; openai-python retry-after-ms",
        black_box=True,
    ),
    Requirement(
        "FLT-04",
        Level.MUST,
        "A head that is cut, silent, slow without end, flooded, malformed or points elsewhere ends in its one error within "
        "the deadline; early answers and many fields are harmless.",
        "RFC 9112 2 to 6; RFC 9110 15.2 and 15.4; slow loris",
        black_box=True,
    ),
    Requirement(
        "FLT-05",
        Level.MUST,
        "A body whose length, chunks or coding lie, or that is too large, ends in its one error; one that is honest in any "
        "coding that was offered is read.",
        "RFC 9112 6 and 8; RFC 9110 8.4; zip bombs",
        black_box=True,
    ),
    Requirement(
        "FLT-06",
        Level.MUST,
        "A well-framed answer that is none ends in its one error and is not repeated; one that is merely odd is read, and no "
        "absurd count in it is believed.",
        "RFC 8259 4 to 9; servers that tell an error with status 200",
        black_box=True,
    ),
    Requirement(
        "FLT-07",
        Level.MUST,
        "A stream that dies before its first content is begun again; one that dies behind it is not, and its error carries "
        "what came.",
        "WHATWG HTML 9.2; house rule: replay safety",
        applies_to=frozenset({"stream"}),
        black_box=True,
    ),
    Requirement(
        "FLT-08",
        Level.MUST,
        "Whatever happens to a kept connection between two calls, the second is answered by its own answer.",
        "RFC 9112 9.3 and 9.5; response queue poisoning",
        black_box=True,
    ),
    Requirement(
        "FLT-09",
        Level.MUST,
        "After one mishap of every family nothing is left: no slot, place in the queue, key in flight, task or connection, "
        "and no memory; every request is counted once; the next call is answered.",
        "house rule: bounded state",
    ),
)
