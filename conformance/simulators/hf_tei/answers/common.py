"""What several answers share: inputs turned into tokens within the limits, headers, and who may be asked what."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from conformance.simulators.generation import tokenise
from conformance.simulators.hf_tei.errors import empty, invalid
from conformance.simulators.hf_tei.models import PROMPTS, VOCABULARY_SIZE, ModelKind, Server
from conformance.simulators.provider import Answer, Call

__all__ = ["FIRST", "LAST", "Counted", "Serve", "cut", "headers_of", "number_of", "read_inputs", "too_many"]

FIRST, LAST = 101, 102
"""Numbers of the special tokens around every input."""
_SPECIAL = 2

Serve: TypeAlias = Callable[[ModelKind, Call], Answer]
"""A handler that is told which model the server has."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Inputs as words, and how many characters and tokens they were."""

    words: list[list[str]]
    characters: int
    tokens: int


def number_of(server: Server, word: str) -> int:
    """The number of a token; the server remembers it."""
    number = 1_000 + zlib.crc32(word.encode("utf-8", "surrogatepass")) % (VOCABULARY_SIZE - 1_001)
    server.words[number] = word
    return number


def too_many(server: Server, number: int) -> Answer | None:
    """The refusal of a batch that is too large."""
    most = server.max_client_batch_size
    return invalid(f"batch size {number} > maximum allowed batch size {most}") if number > most else None


def cut(server: Server, words: list[str], body: Mapping[str, Any]) -> list[str] | Answer:
    """The words within the limit, or the refusal of too many."""
    most = server.max_input_length - _SPECIAL
    if len(words) <= most:
        return words
    if body.get("truncate") is False:
        return invalid(f"`inputs` must have less than {server.max_input_length} tokens. Given: {len(words) + _SPECIAL}")
    return words[-most:] if (body.get("truncation_direction") or "Right").lower() == "left" else words[:most]


def read_inputs(server: Server, inputs: Any, body: Mapping[str, Any], name: str = "inputs") -> Counted | Answer:
    """Inputs of the embed family as words: one text, one list of ids, or a list of both."""
    if isinstance(inputs, list) and not inputs:
        return empty(name)
    single = isinstance(inputs, str) or isinstance(inputs[0], int)
    items: Sequence[Any] = [inputs] if single else inputs
    refusal = too_many(server, len(items))
    if refusal:
        return refusal
    prompt = PROMPTS.get(body.get("prompt_name") or "", "")
    if body.get("prompt_name") and not prompt:
        known = ", ".join(PROMPTS)
        return invalid(f"`prompt_name` not found: {body['prompt_name']!r} is not one of {known}")
    found: list[list[str]] = []
    characters = 0
    for item in items:
        if item == "":
            return invalid(f"`{name}` cannot be empty")
        characters += len(item) if isinstance(item, str) else 0
        words = (
            tokenise(prompt + item)
            if isinstance(item, str)
            else [server.words.get(number, f"[{number}]") for number in item if number not in (FIRST, LAST)]
        )
        kept = cut(server, words, body)
        if isinstance(kept, Answer):
            return kept
        found.append(kept)
    return Counted(found, characters, sum(len(words) + _SPECIAL for words in found))


def headers_of(call: Call, counted: Counted) -> tuple[tuple[str, str], ...]:
    """Counts, and times in whole milliseconds; the server notes the success."""
    server: Server = call.state
    server.counts.update({"success": 1, "items": len(counted.words), "tokens": counted.tokens})
    queue, inference = int(call.nonce[:1], 16) % 3, 2 + counted.tokens // 16
    return (
        ("x-compute-type", "gpu+optimized"),
        ("x-compute-time", str(1 + queue + inference)),
        ("x-compute-characters", str(counted.characters)),
        ("x-compute-tokens", str(counted.tokens)),
        ("x-total-time", str(1 + queue + inference)),
        ("x-tokenization-time", "1"),
        ("x-queue-time", str(queue)),
        ("x-inference-time", str(inference)),
    )
