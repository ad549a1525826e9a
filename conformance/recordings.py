"""Exchanges recorded from real servers, as data: where they lie and how they are read. It replays nothing itself.

In the repository they lie in ``fixtures/recordings``; an installed package carries a copy beside this module.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

__all__ = ["Exchange", "exchange", "exchanges"]

_HERE: Final = Path(__file__).resolve().parent
_PLACES: Final = (_HERE.parent / "fixtures" / "recordings", _HERE / "recorded")
_DROPPED: Final = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and its answer.

    Attributes:
        name: ``chat_stream``; ``source`` is the file's name.
        method, path: of the request.
        sent: the request's JSON body, or its text or bytes where it was not JSON; None where there was none.
        status, headers, body: of the answer; headers with lower-case names, without those of the transfer.
        pieces: sizes of the pieces in which the body arrived.
        asked: headers of the request, with lower-case names.
    """

    name: str
    source: str
    method: str
    path: str
    sent: Any
    status: int
    headers: dict[str, str]
    body: bytes
    pieces: tuple[int, ...]
    asked: dict[str, str]


@cache
def exchanges() -> dict[str, Exchange]:
    """Return every recorded exchange by ``source/name``; empty where there are none on this machine."""
    folder = next((place for place in _PLACES if place.is_dir()), None)
    found: dict[str, Exchange] = {}
    for path in sorted(folder.glob("*.jsonl")) if folder is not None else ():
        for line in path.read_text(encoding="utf-8").splitlines():
            made = _read(json.loads(line), path.stem)
            found[f"{made.source}/{made.name}"] = made
    return found


def exchange(name: str) -> Exchange:
    """Return one exchange by ``source/name``."""
    return exchanges()[name]


def _json(body: Any) -> Any:
    if isinstance(body, dict):
        return base64.b64decode(body["base64"])
    try:
        return json.loads(body) if isinstance(body, str) else body
    except json.JSONDecodeError:
        return body


def _read(entry: dict[str, Any], source: str) -> Exchange:
    response = entry["response"]
    body = response["body"]
    content = body["text"].encode() if "text" in body else base64.b64decode(body.get("base64", ""))
    return Exchange(
        entry["name"],
        source,
        entry["request"]["method"],
        entry["request"]["path"],
        _json(entry["request"].get("body")),
        response["status"],
        {name.lower(): value for name, value in response["headers"].items() if name.lower() not in _DROPPED},
        content,
        tuple(response.get("chunk_sizes", ())),
        {name.lower(): value for name, value in entry["request"].get("headers", {}).items()},
    )
