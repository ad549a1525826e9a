"""How events of Groq's streams become bytes: bare ``data:`` lines for chunks, a name only on an error."""

from __future__ import annotations

from conformance.simulators.openai.framing import named as frame

__all__ = ["frame"]
