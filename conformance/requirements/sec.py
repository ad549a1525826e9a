"""Security: what an attacker at either end of the wire cannot do."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

__all__ = ["REQUIREMENTS"]

REQUIREMENTS: Final = (
    Requirement(
        "SEC-01",
        Level.MUST,
        "The server's certificate is verified, and a key is not sent in clear text to another machine unless "
        "that was asked for.",
        "RFC 9110 4.3.4",
        applies_to=frozenset({"http"}),
        black_box=True,
        traffic=False,
    ),
    Requirement(
        "SEC-02",
        Level.MUST,
        "Line breaks and control characters in keys, models, ids and headers are refused and never reach the wire.",
        "CWE-113",
        applies_to=frozenset({"http"}),
        black_box=True,
        traffic=False,
    ),
    Requirement(
        "SEC-03",
        Level.MUST,
        "The name of a model or of a key cannot leave its segment of the path.",
        "CWE-22; RFC 3986 3.3",
        applies_to=frozenset({"http"}),
        black_box=True,
    ),
    Requirement(
        "SEC-04",
        Level.MUST,
        "Local paths cannot be escaped through object names or symbolic links, a half-written file never "
        "stands under its final name, and checksums are verified.",
        "CWE-22; CWE-59",
        applies_to=frozenset({"s3"}),
    ),
    Requirement(
        "SEC-05",
        Level.MUST,
        "Nothing received is unpickled, evaluated or given to a shell; generated code runs in a separate "
        "process with limits of time and memory.",
        "CWE-502; CWE-95",
    ),
    Requirement(
        "SEC-06",
        Level.MUST,
        "The audit log is only ever appended to, and holds no credentials.",
        "OWASP logging guidance",
    ),
    Requirement(
        "SEC-07",
        Level.MUST,
        "The audit log holds a line for every end of a call and no text of requests or answers, is readable by its owner "
        "alone, and shows when a line was changed, dropped or moved.",
        "OWASP logging guidance; CWE-532; CWE-778",
    ),
)
