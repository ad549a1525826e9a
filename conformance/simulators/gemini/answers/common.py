"""What several answers share: the version and model a path names, token counts, pages, the empty answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from conformance.simulators.gemini.errors import problem_answer
from conformance.simulators.gemini.models import SimulatedModel, find_model
from conformance.simulators.generation import count_tokens
from conformance.simulators.provider import Answer, Call

__all__ = ["absent", "clipped", "given", "model_for", "page", "prompt_details", "texts_of", "version_of"]

_TOKENS_OF = {"IMAGE": 258, "VIDEO": 263, "AUDIO": 32, "DOCUMENT": 258}


def given(payload: Any) -> Answer:
    """A good answer."""
    return Answer(payload=payload, content_type="application/json; charset=UTF-8")


def version_of(call: Call) -> str:
    """The version in the path."""
    steps = call.request.path.split("/")
    return steps[2] if steps[1] == "upload" else steps[1]


def clipped(text: str) -> str:
    """At most two hundred characters of what a client sent."""
    return text if len(text) <= 200 else text[:200] + "…"


def model_for(call: Call, method: str) -> SimulatedModel | Answer:
    """The live model the path names, or the 404 of the real service."""
    name = call.params["model"]
    found = find_model(call.state, name, method, version_of(call))
    if found is not None:
        return found
    message = (
        f"models/{clipped(name)} is not found for API version {version_of(call)}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return problem_answer(404, message)


def absent(kind: str, name: str) -> Answer:
    """The 404 of a file, batch or context that is not there."""
    return problem_answer(404, f"{kind} {clipped(name)} is not found.")


def texts_of(contents: Iterable[Any]) -> list[str]:
    """The texts of contents, in order."""
    return [part["text"] for content in contents for part in content["parts"] if "text" in part]


def prompt_details(contents: Sequence[Any]) -> list[dict[str, Any]]:
    """Tokens of contents by modality: text as it is counted, four for each content, a fixed number for media."""
    counts = {"TEXT": sum(map(count_tokens, texts_of(contents))) + 4 * len(contents)}
    for content in contents:
        for part in content["parts"]:
            media = part.get("inlineData") or part.get("fileData")
            if media is not None:
                kind = str(media.get("mimeType") or "application").partition("/")[0].upper()
                kind = kind if kind in _TOKENS_OF else "DOCUMENT"
                counts[kind] = counts.get(kind, 0) + _TOKENS_OF[kind]
            for used in (part.get("functionCall"), part.get("functionResponse")):
                counts["TEXT"] += count_tokens(str(used)) if used is not None else 0
    return [{"modality": kind, "tokenCount": count} for kind, count in counts.items()]


def page(call: Call, key: str, items: Sequence[dict[str, Any]], usual: int) -> Answer:
    """One page of a list; the token of the next one is left out on the last, and an empty list is left out."""
    query = call.request.parameters
    start = 0
    if "pageToken" in query:
        token = query["pageToken"].removeprefix("from-")
        if not token.isdigit():
            return problem_answer(400, "Invalid page token.")
        start = int(token)
    size = int(query.get("pageSize") or 0) or usual
    payload: dict[str, Any] = {}
    if items[start : start + size]:
        payload[key] = list(items[start : start + size])
    if start + size < len(items):
        payload["nextPageToken"] = f"from-{start + size}"
    return given(payload)
