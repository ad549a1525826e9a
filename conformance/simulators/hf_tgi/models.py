"""What a simulated TGI server holds: its model, its limits, and what it has counted. Rebuilt at reset. No HTTP."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["EPOCH", "VERSION", "Server"]

EPOCH = 1_795_000_000
"""The unix time of everything made here: a rerun gives the same answers."""
VERSION = "3.3.7"


@dataclass(slots=True)
class Server:
    """The state behind one server; limits as the launcher sets them by default."""

    model_id: str = "simulated/tiny-instruct"
    adapters: tuple[str, ...] = ("simulated/lora",)
    max_concurrent_requests: int = 128
    max_best_of: int = 2
    max_stop_sequences: int = 4
    max_top_n_tokens: int = 5
    max_input_tokens: int = 1_024
    max_total_tokens: int = 2_048
    max_client_batch_size: int = 4
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def fingerprint(self) -> str:
        """``system_fingerprint`` of the OpenAI side."""
        return f"{VERSION}-native"
