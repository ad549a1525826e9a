"""Planted secrets, and the search for them in everything that somebody could be shown: texts, errors, frames, pickles.

A search that looked at nothing finds nothing, so what was looked at and what was masked are counted by kind. It judges
nothing itself and knows no backend.
"""

from __future__ import annotations

import base64
import pickle
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType, ModuleType
from typing import Any, Final
from urllib.parse import quote

from conformance.subject import PLANTED_KEY

__all__ = ["MASK", "PLANTED", "Exhibits", "forms", "linked"]

PLANTED: Final[Mapping[str, str]] = {
    "key": PLANTED_KEY,
    "second key": "sk-planted+second=93fe1b7a2c5d4806ab1e-conformance",
    "header": "hd-planted-58c0e2d94b7f4a61a3d7-conformance",
    "secret": "se-planted/71d8a4f0c3b94e52b6e9+conformance",
    "token": "st-planted/0a6f3c82e1d74b95c8f2==conformance",
    "userinfo": "ui-planted-c4e9b1a75d3f4860982d-conformance",
    "stray": "sy-planted-2d7be05f91c84a36b0fa-conformance",
}
"""What is planted, by what it stands for: keys, a header's value, the secret half and the token of temporary credentials, the
user part of an address, what a caller put where nothing looks for it. None is a credential of anything."""
MASK: Final = "****"
_PIECE: Final = 16
"""So many letters of a secret in a row are a leak, whole or not."""
_DEPTH: Final = 5
_MOST_FRAMES: Final = 2_000
_HARNESS: Final = ("conformance", "_pytest", "pluggy")
"""Whose frames know the secrets rightfully."""


def forms(secret: str) -> dict[str, str]:
    """Return how a secret may be written, by name: as it is, percent-encoded, in base64 at each place of a group of three."""
    found = {"plain": secret, "percent-encoded": quote(secret, safe="")}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode()).decode()
        found[f"base64 at {before}"] = encoded[(0, 2, 3)[before] : -4]
    return found


def linked(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and every other that it leads to: causes, contexts whether shown or not, and groups."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += (link.__cause__, link.__context__, *getattr(link, "exceptions", ()))


class Exhibits:
    """Everything that was shown, kept and searched at once.

    Args:
        secrets: what must not be found, by name.

    Attributes:
        seen: how many different texts there are, by kind.
        masked: how many of them hold a mask, by kind.
    """

    def __init__(self, secrets: Mapping[str, str] = PLANTED) -> None:
        self._pieces = [
            (f"{name}, {form}", piece)
            for name, secret in secrets.items()
            for form, text in forms(secret).items()
            for piece in sorted(_pieces(text.lower()))
        ]
        self._shown: dict[tuple[str, str], str] = {}
        self.seen: Counter[str] = Counter()
        self.masked: Counter[str] = Counter()

    def show(self, kind: str, value: object, about: str) -> None:
        """Take one text, or bytes, or what anything else looks like; ``about`` says where it came from."""
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        text = value if type(value) is str else repr(value)
        if (kind, text) not in self._shown:
            self._shown[kind, text] = about
            self.seen[kind] += 1
            self.masked[kind] += MASK in text

    def hits(self) -> list[str]:
        """Return where something was found, a line for each secret in each text; holds no secret."""
        whole = "\0".join(text for _, text in self._shown).lower()
        suspects = [(name, piece) for name, piece in self._pieces if piece in whole]
        if not suspects:
            return []
        return [
            f"{kind}: {about}: {name}"
            for (kind, text), about in self._shown.items()
            for name in sorted({name for name, piece in suspects if piece in text.lower()})
        ]

    def holds(self, kind: str, text: str) -> bool:
        """Say whether a text, planted or not, stands in anything of a kind."""
        return any(text in shown for known, shown in self._shown if known == kind)

    def error(self, error: BaseException, about: str) -> None:
        """Search an error through and through: what it says, all that hangs on it, its pickle, and every local variable."""
        self.show("rendering", "".join(traceback.format_exception_only(error)), about)
        for link in linked(error):
            where = f"{about}, {type(link).__name__}"
            self.show("message", f"{link} {link!r} {link.args!r}", where)
            for text in _texts(vars(link), _DEPTH):
                self.show("field", text, where)
            for note in getattr(link, "__notes__", ()):
                self.show("field", note, where)
            for frame, _ in traceback.walk_tb(link.__traceback__):
                self._frame(frame, where)
        self.show("pickle", pickle.dumps(error), about)

    def _frame(self, frame: FrameType, about: str) -> None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in _HARNESS:
            return
        place = f"{about}, {module}.{frame.f_code.co_name}"
        for name, value in list(frame.f_locals.items()):
            self.show("local variable", f"{name} = {_looks(value)}", f"{place}, {name}")


def _looks(value: object) -> str:
    """Return the ``repr`` of something that may be half made."""
    try:
        return repr(value)
    except Exception as problem:  # whatever it is, there is nothing to see
        return f"<{type(value).__name__}, which cannot be shown: {type(problem).__name__}>"


def _pieces(text: str) -> set[str]:
    """Return the beginning, the middle and the end of a text: what is shown of it holds one of them."""
    middle = (len(text) - _PIECE) // 2
    return {text[:_PIECE], text[middle : middle + _PIECE], text[-_PIECE:]}


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Yield every text that hangs on a value, through containers and attributes; what masks itself is not looked into."""
    if isinstance(value, str | bytes):
        yield repr(value)
    elif depth and not isinstance(value, type | ModuleType | FrameType | BaseException):
        for inner in _parts(value):
            yield from _texts(inner, depth - 1)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if MASK in repr(value):
        return ()
    named = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())}
    slots = [getattr(value, name) for name in named if isinstance(name, str) and hasattr(value, name)]
    return [*getattr(value, "__dict__", {}).values(), *slots]
