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
    Requirement(
        "SEC-08",
        Level.MUST,
        "No error shows a credential, whatever failed: not in what it says, holds, or was caused by, not in its pickle, and "
        "not in a local variable of any frame that its traceback leads to.",
        "CWE-209; CWE-532; error trackers that send local variables",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "SEC-09",
        Level.MUST,
        "What a server says of a credential comes to light masked, wherever it says it (message, code, id, header, page, "
        "field, event of a stream) and however: as it is, percent-encoded, in base64, in other letters, split or cut short.",
        "CWE-209; CWE-532; OpenAI's 401 quotes the key it was sent",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "SEC-10",
        Level.MUST,
        "Nobody who watches is told a credential: no log at any level, no warning, no report of the event loop, no observer, "
        "span, measurement, metric, audit log, report or page, nor the record of a simulator.",
        "CWE-532; OWASP logging guidance; OpenTelemetry semantic conventions on sensitive information",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "SEC-11",
        Level.MUST,
        "A credential in the wrong place or form is refused and shown nowhere: not in the error and not in its frames; one in "
        "an address is never sent.",
        "CWE-209; CWE-598; RFC 9110 4.2.4",
        applies_to=frozenset({"keys"}),
        traffic=False,
    ),
    Requirement(
        "SEC-12",
        Level.MUST,
        "A presigned address is a secret, as temporary credentials are: whole only where it is asked for by name, and in no "
        "appearance, log, error or record of what was signed or sent.",
        "S3 user guide, presigned URLs: whoever holds one may use it; CWE-532",
        applies_to=frozenset({"keys", "s3"}),
    ),
)
