"""How a broken machine is listed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Broken"]


@dataclass(frozen=True, slots=True)
class Broken:
    """A wrong machine and what it is wrong about.

    Attributes:
        machine: name of the machine it pretends to be.
        requirement: id of the requirement that it violates.
        subject: the class, or function.
    """

    machine: str
    requirement: str
    subject: Callable[..., Any]

    @property
    def name(self) -> str:
        """``breaker-wedged-probe`` for the breaker ``WedgedProbe``."""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self.subject.__name__).lower().replace("_", "-")
        return f"{self.machine}-{words}"

    @property
    def sin(self) -> str:
        """The first line of its docstring."""
        return (self.subject.__doc__ or "").strip().split("\n")[0]
