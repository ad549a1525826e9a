"""What several answers share: prompts out of messages, guardrails, ids, what the model says, a megaservice's answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from conformance.simulators.generation import Turn, Wish, generate
from conformance.simulators.openai.models import EPOCH
from conformance.simulators.provider import Answer, Call

__all__ = ["document_id", "prompt_of", "refusal_for", "said", "streams", "whole"]

_POLICIES = {"unsafe": "Violent Crimes", "unsafe_quote": 'a user\'s "weapons"'}
_DIRECTIVE = re.compile(r"\bsim:(unsafe\w*)")


def prompt_of(messages: Any) -> str:
    """One prompt out of a question or a conversation, as ``handle_message`` of the framework makes it.

    Raises:
        ValueError: a message has a role that megaservices do not know.
    """
    if isinstance(messages, str):
        return messages
    system, lines = "", []
    for message in messages:
        role, content = message["role"], message["content"]
        if isinstance(content, list):
            content = "\n".join(part["text"] for part in content if part["type"] == "text")
        if role == "system":
            system = content
        elif role in ("user", "assistant"):
            lines.append(f"{role}: {content}")
        else:
            raise ValueError(f"Unknown role: {role}")
    return "\n".join([system, *lines] if system else lines)


def refusal_for(text: str) -> str | None:
    """The sentence of a guardrail that does not like a text."""
    found = _DIRECTIVE.search(text)
    policies = _POLICIES.get(found[1]) if found else None
    return f"Violated policies: {policies}, please check your input." if policies else None


def said(call: Call, prompt: str, limit: int | None = None) -> Turn:
    """What the model says to a prompt."""
    return generate(Wish(prompt, call.nonce, limit=limit or call.body.get("max_tokens") or 1024))


def streams(body: Mapping[str, Any], *, default: bool) -> bool:
    """Whether a stream is wanted; a megaservice's own default is yes."""
    wanted = body.get("stream")
    return default if wanted is None else bool(wanted)


def document_id(call: Call) -> str:
    """The ``id`` of a document object: 32 hex digits."""
    return (call.nonce * 4)[:32]


def whole(call: Call, service: str, text: str, **choice: Any) -> Answer:
    """A megaservice's answer in one piece: usage is always zero, the reason always ``stop``."""
    audio = choice.pop("audio", None)
    made = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "audio": audio},
        "finish_reason": "stop",
        "metadata": choice.pop("metadata", None),
    }
    usage = {"prompt_tokens": 0, "total_tokens": 0, "completion_tokens": 0}
    head = {"id": f"chatcmpl-{call.nonce}", "object": "chat.completion", "created": EPOCH, "model": service}
    return Answer(payload={**head, "choices": [made], "usage": usage})
