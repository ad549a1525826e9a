"""A source with a sin in it, for the saboteurs of SEC-05; it is never part of a backend otherwise."""

from __future__ import annotations

import pickle
from typing import Any

__all__ = ["Restoring", "copied"]


def copied(data: Any) -> Any:
    """Return a copy."""
    return pickle.loads(pickle.dumps(data))  # noqa: S301 - the sin


class Restoring:
    """Brings answers back that were kept as pickles."""

    def restore(self, kept: bytes) -> Any:
        """Return what was kept."""
        return pickle.loads(kept)  # noqa: S301 - the sin
