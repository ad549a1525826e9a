"""What stands in the place of an answer although the status is 200: a guardrail's refusal, a service's excuse.

Wire facts: a guardrail answers ``Violated policies: ..., please check your input.``; a megaservice hands that on as if the
model had said it. CodeGen and MultimodalQnA put a fixed sentence where a service behind them gave no answer.
"""

from __future__ import annotations

import re
from typing import Final

from backends.errors import ContentFilterError, ServerError

__all__ = ["raise_excuse", "raise_refusal", "violated"]

_REFUSAL: Final = re.compile(r"\s*Violated policies: (.{1,500}?),? please check your input\.\s*", re.DOTALL)
_LONGEST: Final = 600
_EXCUSES: Final = frozenset({"Response Error", "The server failed to generate an answer to your query!"})


def violated(text: str) -> str | None:
    """Return the policies that a text says were violated, None where it is no refusal."""
    found = _REFUSAL.fullmatch(text) if len(text) <= _LONGEST else None
    return found[1] if found is not None else None


def raise_refusal(text: str) -> None:
    """Raise where the whole of a text is a guardrail's refusal.

    Raises:
        ContentFilterError: it is.
    """
    if violated(text) is not None:
        raise ContentFilterError(text.strip(), code="guardrails")


def raise_excuse(text: str) -> None:
    """Raise where the whole of a text is a megaservice's excuse.

    Raises:
        ServerError: it is; a service behind it failed.
    """
    if text in _EXCUSES:
        raise ServerError(f"A service behind this one failed: {text}", status=500, code="no_answer")
