# ruff: noqa: N818 - the errors are named after the damage that they report
"""One error for every way in which an evidence file can be damaged; messages are one line and say what to do."""

from __future__ import annotations

__all__ = [
    "BrokenLine",
    "Contradiction",
    "CountMismatch",
    "DigestMismatch",
    "EmptyEvidence",
    "EvidenceError",
    "MissingEvidence",
    "MissingFooter",
    "MissingHeader",
    "NotText",
    "TooLarge",
    "TrailingLines",
    "TruncatedLine",
    "UnknownVersion",
    "WrongShape",
]


class EvidenceError(ValueError):
    """An evidence file that cannot be used; the message is one line and says what to do."""


class MissingEvidence(EvidenceError):
    """There is no such file, or it cannot be read."""


class EmptyEvidence(EvidenceError):
    """The file holds nothing."""


class TooLarge(EvidenceError):
    """The file is larger than any run makes."""


class NotText(EvidenceError):
    """The file is not UTF-8."""


class TruncatedLine(EvidenceError):
    """The last line has no end: the run was interrupted while it was written."""


class BrokenLine(EvidenceError):
    """A line is not a JSON object."""


class WrongShape(EvidenceError):
    """A line is not what the schema allows."""


class UnknownVersion(EvidenceError):
    """The header names a version that this reader does not know."""


class MissingHeader(EvidenceError):
    """The first line is no header, or a header stands elsewhere."""


class MissingFooter(EvidenceError):
    """The last line is no footer: the run did not come to its end."""


class TrailingLines(EvidenceError):
    """Lines follow the footer."""


class CountMismatch(EvidenceError):
    """The footer counts other numbers of lines than there are."""


class DigestMismatch(EvidenceError):
    """The lines are not those that the footer was written for: the file was edited."""


class Contradiction(EvidenceError):
    """Two lines say different things of the same case, kill or subject."""
