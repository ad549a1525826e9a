"""What is known of a user's function before it is called. It calls nothing."""

from __future__ import annotations

import inspect
from typing import Any

__all__ = ["is_asynchronous"]


def is_asynchronous(function: Any) -> bool:
    """Say whether calling it makes a coroutine: a coroutine function, or an object whose ``__call__`` is one.

    Whoever is not may still return something to be awaited, and may block: it is called in a thread.
    """
    called = getattr(function, "__call__", None)  # noqa: B004 - the method is looked at, not whether there is one
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
