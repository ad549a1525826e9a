"""What a line of the audit log says of one finished call, as the text of a JSON object's members.

It writes every field of :func:`~backends.telemetry.events.fields_of` in that order, but with what many calls share
written once: this is most of what an audited call costs. It opens no file and knows nothing of the chain.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final

from backends.telemetry.events import CallEnded, CallFacts
from backends.types import Usage

__all__ = ["Lines"]

_NO_USAGE: Final = Usage()
_MOST_KINDS: Final = 1024
"""Kinds of calls that are remembered."""
_MICROSECONDS: Final = 1_000_000


class Lines:
    """Writes lines; one an audit log. Threads may share it: at worst something is written out twice."""

    __slots__ = ("_kinds", "_second")

    def __init__(self) -> None:
        self._kinds: dict[tuple[Any, ...], str] = {}
        self._second = (0, "")

    def members(self, event: CallEnded, actor: str, process: int) -> str:
        """Return the members of a line's object, from ``time`` to the last figure, without braces."""
        call, usage = event.call, event.usage or _NO_USAGE
        return (
            f'"time":"{self._stamp(call.at)}","actor":{_quoted(actor)},"process":{process},'
            f'"request_id":{_quoted(call.request_id)},{self._kind(call)},"key":{_name(event.key)},'
            f'"outcome":"{event.outcome}","error":{_name(event.error)},"status":{_value(event.status)},'
            f'"attempts":{event.attempts},"cached":{"true" if event.cached else "false"},'
            f'"input_tokens":{_value(usage.input_tokens)},"output_tokens":{_value(usage.output_tokens)},'
            f'"total_tokens":{_value(usage.total_tokens)},"cost":{_value(event.cost)},'
            f'"provider_request_id":{_name(event.provider_request_id)},"queued_seconds":{_value(event.queued)},'
            f'"first_token_seconds":{_value(event.first_token)},"total_seconds":{_value(event.total)}'
        )

    def _kind(self, call: CallFacts) -> str:
        """Return the members that say what kind of call it was."""
        kind = (call.provider, call.operation, call.model, call.endpoint, call.tenant, call.priority, call.stream)
        found = self._kinds.get(kind)
        if found is None:
            names = ("provider", "operation", "model", "endpoint", "tenant", "priority", "stream")
            found = ",".join(f'"{name}":{_value(value)}' for name, value in zip(names, kind, strict=True))
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            self._kinds[kind] = found
        return found

    def _stamp(self, at: float) -> str:
        """Return unix seconds as ISO 8601 in UTC with microseconds."""
        second, rest = divmod(round(at * _MICROSECONDS), _MICROSECONDS)
        known, text = self._second
        if known != second or not text:
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = (second, text)
        return f"{text}.{rest:06d}+00:00"


def _name(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def _value(value: Any) -> str:
    kind = type(value)
    if kind is int or (kind is float and math.isfinite(value)):
        return repr(value)
    return "null" if value is None else json.dumps(value)
