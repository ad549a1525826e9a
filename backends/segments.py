"""An id that a caller passes, as one segment of a path: checked, bounded, escaped. Nothing here knows a path."""

from __future__ import annotations

from typing import Any, Final

from backends.parameters import bad_argument
from backends.wire.values import segment

__all__ = ["checked_segment"]

_LONGEST: Final = 500


def checked_segment(argument: str, value: Any, provider: str) -> str:
    """Return an id as one escaped path segment.

    Args:
        argument: its name, for the error.
        value: what the caller passed: text of at most 500 characters.
        provider: row name, for the error.

    Raises:
        InvalidRequestError: it is not text, too long, or cannot be a path segment.
    """
    if not isinstance(value, str):
        bad_argument(f"{argument} must be text, not {type(value).__name__}", provider)
    if len(value) > _LONGEST:
        bad_argument(f"{argument} is longer than {_LONGEST} characters", provider)
    try:
        return segment(value)
    except ValueError as error:
        bad_argument(f"{argument}: {error}", provider)
