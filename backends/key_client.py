"""The calls of a backend, bound to one of its keys. It chooses no key and makes no call of its own."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

from backends.base import Backend

__all__ = ["KeyClient"]


class KeyClient:
    """The calls of a backend, all of which go with one key; made by :meth:`ApiKeyMultiplexer.key_client`."""

    __slots__ = ("_backend", "_name")

    def __init__(self, backend: Backend, name: str) -> None:
        self._backend = backend
        self._name = name

    def __getattr__(self, call: str) -> Callable[..., Any]:
        """Return a call of the backend, bound to the key.

        Raises:
            AttributeError: the backend has no such call.
        """
        method = getattr(self._backend, call)
        if call.startswith("_") or not callable(method) or not _takes_options(method):
            raise AttributeError(f"{call} is no call that goes with a key; ask the backend itself")

        def bound(*arguments: Any, **options: Any) -> Any:
            return method(*arguments, **{**options, "use_key": self._name})

        return bound

    def __repr__(self) -> str:
        return f"KeyClient({self._backend.provider.name!r}, {self._name!r})"


def _takes_options(method: Callable[..., Any]) -> bool:
    return any(entry.kind is Parameter.VAR_KEYWORD for entry in signature(method).parameters.values())
