"""What whole and streamed chat answers are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.simulators.generation import Turn
from conformance.simulators.provider import Call

__all__ = ["Said", "calls_of"]


@dataclass(frozen=True, slots=True)
class Said:
    """One choice: the model's turn, the reasoning that is shown before it, and how it ends."""

    index: int
    turn: Turn
    thought: tuple[str, ...]
    thought_tokens: int
    finish: str

    @property
    def count(self) -> int:
        """Tokens of output, hidden reasoning included."""
        return self.turn.count + self.thought_tokens


def calls_of(call: Call, turn: Turn) -> list[dict[str, Any]]:
    """The turn's tool calls; ids carry the nonce."""
    return [
        {
            "id": f"chatcmpl-tool-{call.nonce}{index}",
            "type": "function",
            "function": {"name": use.name, "arguments": use.arguments},
        }
        for index, use in enumerate(turn.tool_uses)
    ]
