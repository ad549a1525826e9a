"""What answers of this service say besides the dialect: its request id, the tools it ran, what the answer cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from backends.groq.prices import chat_cost
from backends.types import ChatReply, Reply

__all__ = ["executed_tools", "request_id", "with_facts"]

R = TypeVar("R", bound=ChatReply)


def request_id(raw: Any) -> str | None:
    """Return ``x_groq.id`` of a payload."""
    extra = raw.get("x_groq") if isinstance(raw, Mapping) else None
    found = extra.get("id") if isinstance(extra, Mapping) else None
    return found[:200] if isinstance(found, str) and found else None


def with_facts(reply: R, tier: str | None = None) -> R:
    """Return a chat reply with its cost (``tier`` is the service tier asked for), and with the service's request id
    where no header brought one."""
    return replace(
        reply, cost=chat_cost(reply, tier), provider_request_id=reply.provider_request_id or request_id(reply.raw)
    )


def executed_tools(reply: Reply) -> tuple[Any, ...]:
    """Return what the service ran itself for a chat reply (searches, code), untouched, in order."""
    raw = reply.raw if isinstance(reply.raw, Mapping) else {}
    choices = raw.get("choices")
    found: list[Any] = []
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, Mapping) else None
        ran = message.get("executed_tools") if isinstance(message, Mapping) else None
        found.extend(ran if isinstance(ran, list) else ())
    return tuple(found)
