"""What arrived: the request log, with credentials replaced by fingerprints before anything is kept.

The log is bounded in entries and in bytes per entry; no credential is ever stored in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NoReturn

from conformance.simulators.provider import Request

__all__ = ["MASK", "Log", "Seen", "fingerprint", "masked"]

MASK = "****"
_MOST_ENTRIES = 20_000
_MOST_BODY = 1 << 20
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "x-amz-security-token", "cookie"}
)
_SECRET_NAME = re.compile("(^|-)(cookie|credential|password|secret|signature|token)$")
_SECRET_PARAMETERS = re.compile(r"(?i)((?:^|&)(?:key|api_key|api-key|access_token|token)=)([^&]+)")
_SIGNED_PARAMETERS = re.compile(r"(?i)((?:^|&)(?:x-amz-(?:credential|security-token|signature)|signature)=)([^&]+)")
"""Those of a presigned address: whoever holds them may do what they were signed for, so they belong there and are masked."""


def fingerprint(key: str | None) -> str:
    """First eight hex digits of the SHA-256 of a credential, ``""`` for none; the rule of ``backends.secret.Key``."""
    return "" if key is None else hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def masked(request: Request, key: str | None) -> tuple[tuple[str, str], ...]:
    """The headers with every credential replaced by a mask, the caller's own wherever it appears."""
    mark = f"{MASK}:{fingerprint(key)}" if key else MASK
    hidden = []
    for name, value in request.headers:
        if name in _SECRET_HEADERS or _SECRET_NAME.search(name):
            scheme = value.partition(" ")[0] + " " if name.endswith("authorization") and " " in value else ""
            hidden.append((name, scheme + mark))
        else:
            hidden.append((name, value.replace(key, mark) if key else value))
    return tuple(hidden)


@dataclass(slots=True)
class Seen:
    """One request as the server saw it.

    Attributes:
        provider: ``""`` when the path lies under no provider.
        path: raw, below the mount; ``query`` raw with credentials masked.
        key_fingerprint: ``""`` when no key was sent. ``key_in_url``: a credential stood in the query.
        body: at most 1 MiB of it; ``body_length`` and ``body_sha256`` are of the whole.
        json: the decoded body, or None when it is not JSON.
        nonce: what the answer carries. ``index`` counts from 0 since start or reset.
        arrived, ended: loop time when the request was complete, and when its answer was written or given up.
        finished: the whole delivery was handed to the transport. ``aborted``: the client left before that.
        status: of the answer, 0 before there is one or when none was sent.
        problem: why the request was refused, None when its schema, key and path were all right.
        sent: bytes of body written. ``connection`` numbers the connections from 0.
    """

    provider: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    key_fingerprint: str
    key_in_url: bool
    body: bytes = field(repr=False)
    body_length: int
    body_sha256: str
    json: Any
    nonce: str
    index: int
    arrived: float
    connection: int = 0
    ended: float | None = None
    finished: bool = False
    aborted: bool = False
    status: int = 0
    problem: str | None = None
    sent: int = 0

    def header(self, name: str) -> str | None:
        """The first value of a header (name in lower case), or None."""
        return next((value for known, value in self.headers if known == name), None)

    def as_json(self) -> dict[str, Any]:
        """For the control endpoint."""
        data = {name: getattr(self, name) for name in self.__slots__ if name not in ("body", "headers")}
        return {**data, "headers": dict(self.headers), "body": self.body.decode("utf-8", "replace")}


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


class Log:
    """The requests in order of arrival; the oldest are forgotten when there are too many."""

    def __init__(self) -> None:
        self._seen: deque[Seen] = deque(maxlen=_MOST_ENTRIES)
        self.count = 0

    def add(
        self, provider: str, request: Request, key: str | None, nonce: str, arrived: float, connection: int
    ) -> Seen:
        """Record a request that is complete."""
        body = request.body
        try:
            decoded = json.loads(body, parse_constant=_no_constant) if body else None
        except (ValueError, RecursionError):
            decoded = None
        seen = Seen(
            provider=provider,
            method=request.method,
            path=request.path,
            query=_SIGNED_PARAMETERS.sub(rf"\1{MASK}", _SECRET_PARAMETERS.sub(rf"\1{MASK}", request.query)),
            headers=masked(request, key),
            key_fingerprint=fingerprint(key),
            key_in_url=_SECRET_PARAMETERS.search(request.query) is not None,
            body=body[:_MOST_BODY],
            body_length=len(body),
            body_sha256=hashlib.sha256(body).hexdigest(),
            json=decoded,
            nonce=nonce,
            index=self.count,
            arrived=arrived,
            connection=connection,
        )
        self.count += 1
        self._seen.append(seen)
        return seen

    def clear(self) -> None:
        """Forget everything and count from 0 again."""
        self._seen.clear()
        self.count = 0

    def all(self) -> list[Seen]:
        """A copy, oldest first."""
        return list(self._seen)
