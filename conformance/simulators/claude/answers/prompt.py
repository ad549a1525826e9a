"""How a request reads as a prompt: its text, its tokens, and what of it the prompt cache holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.simulators.generation import count_tokens

__all__ = ["Counted", "counted", "documents_of", "last_text", "text_of"]

_LEAST_CACHED = 1024
_TOKENS_OF_MEDIA = 85


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of a prompt, apart as usage has them; ``ttl`` of what was written."""

    fresh: int
    written: int = 0
    read: int = 0
    ttl: str = "5m"

    @property
    def total(self) -> int:
        """The whole prompt."""
        return self.fresh + self.written + self.read


def text_of(content: Any) -> str:
    """The text in a message's content, whatever its shape, that of documents and tool results included."""
    if isinstance(content, str):
        return content
    return " ".join(_texts(content)) if isinstance(content, list) else ""


def _texts(blocks: list[Any]) -> Iterator[str]:
    for block in blocks:
        source = block.get("source")
        if isinstance(source, dict):
            yield source["data"] if source["type"] == "text" else text_of(source.get("content"))
        for name in ("text", "thinking"):
            if isinstance(block.get(name), str):
                yield block[name]
        if "content" in block:
            yield text_of(block["content"])
        if "input" in block:
            yield json.dumps(block["input"], ensure_ascii=False)


def last_text(messages: list[Any]) -> str:
    """The text of the last turn of the user."""
    return next((text_of(one["content"]) for one in reversed(messages) if one["role"] == "user"), "")


def documents_of(messages: list[Any]) -> list[Mapping[str, Any]]:
    """Every document of the conversation, in order: citations name them by their place."""
    blocks = [block for one in messages if isinstance(one["content"], list) for block in one["content"]]
    return [block for block in blocks if block["type"] == "document"]


def _pieces(body: Mapping[str, Any]) -> Iterator[tuple[str, int, Mapping[str, Any] | None]]:
    """The parts of a prompt in the order of the cache: what each says, its tokens, its breakpoint."""
    for tool in body.get("tools") or ():
        text = json.dumps(tool, sort_keys=True)
        yield text, count_tokens(text), tool.get("cache_control")
    for block in _as_blocks(body.get("system") or ()):
        yield block["text"], count_tokens(block["text"]), block.get("cache_control")
    for message in body["messages"]:
        yield message["role"], 4, None
        for block in _as_blocks(message["content"]):
            media = block["type"] in ("image", "document") and block["source"]["type"] not in ("text", "content")
            tokens = count_tokens(text_of([block])) + _TOKENS_OF_MEDIA * media
            plain = {name: value for name, value in block.items() if name != "cache_control"}
            yield json.dumps(plain, sort_keys=True), tokens, block.get("cache_control")


def _as_blocks(content: Any) -> Sequence[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def counted(body: Mapping[str, Any], cached: set[str]) -> Counted:
    """Count the prompt of a message; digests of prefixes that end at a breakpoint go into ``cached`` and are found again."""
    pieces = list(_pieces(body))
    total = 3 + sum(tokens for _, tokens, _ in pieces)
    marks: list[tuple[str, int, Mapping[str, Any]]] = []
    digest = hashlib.sha256(body["model"].encode())
    so_far = 0
    for index, (text, tokens, mark) in enumerate(pieces):
        digest.update(text.encode("utf-8", "surrogatepass"))
        so_far += tokens
        if index == len(pieces) - 1:
            mark = mark or body.get("cache_control")
        if mark and so_far >= _LEAST_CACHED:
            marks.append((digest.hexdigest(), so_far, mark))
    if not marks:
        return Counted(total)
    read = max((tokens for key, tokens, _ in marks if key in cached), default=0)
    _, whole, mark = marks[-1]
    cached.update(key for key, _, _ in marks)
    return Counted(total - whole, whole - read, read, mark.get("ttl") or "5m")
