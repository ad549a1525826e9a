"""The number of this process, known without asking the system each time: that costs more than it seems."""

from __future__ import annotations

import os

__all__ = ["number"]

number = os.getpid()
"""To be read as ``process.number``: a fork changes it."""


def _forked() -> None:
    global number
    number = os.getpid()


os.register_at_fork(after_in_child=_forked)
