"""What a simulated model says: deterministic text, tool calls and JSON, each carrying the request's nonce.

Shared by every provider that chats. A word of the prompt can ask for something special, in any client and language:
``sim:refuse`` (the model declines), ``sim:filter`` (content filter), ``sim:bad_arguments`` (a tool call whose arguments
are not JSON), ``sim:text`` (an answer in words although tools are there), ``sim:long`` (some two hundred words),
``sim:short`` (three words), ``sim:empty`` (an answer without a word).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Finish", "Tool", "ToolUse", "Turn", "Wish", "count_tokens", "generate", "numeral", "sample", "tokenise"]

_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
_DIRECTIVE = re.compile(r"\bsim:([a-z_]+)")
_SAMPLE_DEPTH = 12


class Finish(StrEnum):
    """Why the model stopped, in words no provider uses, so that each maps it on purpose."""

    END = "end"
    STOP_SEQUENCE = "stop sequence"
    LIMIT = "limit"
    TOOLS = "tools"
    FILTER = "filter"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool on offer: its name and the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]
    free_text: bool = False
    """The tool takes text instead of JSON arguments."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool; ``arguments`` is JSON text (or not, if the prompt asked for that)."""

    name: str
    arguments: str
    free_text: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of the model.

    Attributes:
        prompt: the last user text; ``all_text`` is everything the directives are looked for in when given.
        nonce: appears first in the text, or in every string of JSON.
        limit: most tokens of output, None for no limit.
        force: None lets the model decide, ``""`` means any tool, a name means that tool.
        answered: the last message is a tool's result, so the model answers in words.
        schema: JSON schema of the answer; ``{}`` means any JSON object.
        variant: tells several answers to one request apart.
    """

    prompt: str
    nonce: str
    limit: int | None = None
    stops: Sequence[str] = ()
    tools: Sequence[Tool] = ()
    force: str | None = None
    parallel: bool = True
    answered: bool = False
    schema: Mapping[str, Any] | None = None
    variant: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model said, in tokens that join to the text."""

    tokens: tuple[str, ...]
    finish: Finish
    tool_uses: tuple[ToolUse, ...] = ()
    stop_sequence: str | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.tokens)

    @property
    def count(self) -> int:
        """Tokens of output, those of tool calls included."""
        return len(self.tokens) + sum(len(tokenise(use.name + use.arguments)) for use in self.tool_uses)


def tokenise(text: str) -> list[str]:
    """Pieces that join to ``text``; a stand-in for every provider's tokeniser."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """How many pieces ``text`` has."""
    return len(_TOKEN.findall(text))


def numeral(nonce: str) -> float:
    """The nonce as a number, for answers that hold nothing but numbers: too small to change what they mean (below 1e-7),
    and exact, so that its text is the same wherever it is written."""
    return int(nonce, 16) * 2.0**-64


def generate(wish: Wish) -> Turn:
    """The model's turn."""
    directives = set(_DIRECTIVE.findall(wish.prompt))
    if "refuse" in directives:
        return Turn(tuple(tokenise(f"{wish.nonce} I cannot help with that.")), Finish.REFUSAL)
    uses = _tool_uses(wish, directives)
    if uses:
        return Turn((), Finish.TOOLS, uses)
    if wish.schema is not None:
        text = json.dumps(sample(wish.schema or _ANY_OBJECT, wish.nonce), ensure_ascii=False)
    elif "empty" in directives:
        text = ""
    elif "short" in directives:
        text = f"{wish.nonce} naïve 🙂"
    else:
        echo = " ".join(wish.prompt.split())[:160]
        text = f"{wish.nonce} is what the simulated model says to “{echo}” - naïve ☃ and 🙂."
        if wish.variant:
            text += f" Take {wish.variant}."
        if "long" in directives:
            text += " One more sentence of filling." * 40
    text, found = _cut_at_stop(text, wish.stops)
    tokens = tuple(tokenise(text))
    if wish.limit is not None and len(tokens) > wish.limit:
        return Turn(tokens[: wish.limit], Finish.LIMIT)
    if "filter" in directives:
        return Turn(tokens[: max(1, len(tokens) // 2)], Finish.FILTER)
    return Turn(tokens, Finish.STOP_SEQUENCE if found else Finish.END, stop_sequence=found)


_ANY_OBJECT: Mapping[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}


def _tool_uses(wish: Wish, directives: set[str]) -> tuple[ToolUse, ...]:
    free = wish.force is None
    if not wish.tools or (free and (wish.answered or "text" in directives)):
        return ()
    if wish.force:
        chosen = [tool for tool in wish.tools if tool.name == wish.force]
    else:
        chosen = list(wish.tools[: 2 if wish.parallel else 1])
    return tuple(ToolUse(tool.name, _arguments(tool, wish, directives), tool.free_text) for tool in chosen)


def _arguments(tool: Tool, wish: Wish, directives: set[str]) -> str:
    if tool.free_text:
        return f"{wish.nonce} {tool.name}"
    arguments = json.dumps(sample(tool.schema or {"type": "object"}, wish.nonce), ensure_ascii=False)
    return arguments[:-1] if "bad_arguments" in directives else arguments


def _cut_at_stop(text: str, stops: Sequence[str]) -> tuple[str, str | None]:
    found = [(text.index(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, None
    where, stop = min(found)
    return text[:where], stop


def sample(schema: Any, nonce: str, root: Any = None, depth: int = 0) -> Any:
    """A value the JSON schema allows, its strings holding the nonce and its free numbers derived from it."""
    root = schema if root is None else root
    if not isinstance(schema, Mapping) or depth > _SAMPLE_DEPTH:
        return nonce
    if "$ref" in schema:
        return sample(_resolve(root, str(schema["$ref"])), nonce, root, depth + 1)
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return schema["enum"][0]
    for group in ("anyOf", "oneOf", "allOf"):
        if schema.get(group):
            return sample(schema[group][0], nonce, root, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties = schema.get("properties", {})
            wanted = properties if depth < 4 else {name: properties[name] for name in schema.get("required", ())}
            return {name: sample(inner, nonce, root, depth + 1) for name, inner in wanted.items()}
        case "array":
            count = max(int(schema.get("minItems", 1)), 1 if depth < 6 else 0)
            return [sample(schema.get("items", {}), nonce, root, depth + 1) for _ in range(count)]
        case "integer" | "number":
            low, high = schema.get("minimum", 0), schema.get("maximum", 0xFFFF)
            return int(low + int(nonce, 16) % max(1, int(high - low) + 1))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return nonce[: schema.get("maxLength", len(nonce))].ljust(schema.get("minLength", 0), "x")


def _resolve(root: Any, reference: str) -> Any:
    found = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = found.get(step, {}) if isinstance(found, Mapping) else {}
    return found
