"""``POST /moderations``: thirteen categories, judged by words so that a caller decides what is flagged."""

from __future__ import annotations

from typing import Any

from conformance.simulators.openai.answers.common import model_for
from conformance.simulators.openai.models import ModelKind
from conformance.simulators.provider import Answer, Call

__all__ = ["CATEGORIES", "judge", "moderate"]

CATEGORIES = {
    "harassment": "idiot",
    "harassment/threatening": "hurt you",
    "hate": "hate",
    "hate/threatening": "hate and hurt",
    "illicit": "burglary",
    "illicit/violent": "bomb",
    "self-harm": "self-harm",
    "self-harm/intent": "harm myself",
    "self-harm/instructions": "how to self-harm",
    "sexual": "sexual",
    "sexual/minors": "sexual minor",
    "violence": "kill",
    "violence/graphic": "blood",
}
"""Each category with the words that raise it."""

_ALSO_IMAGES = ("self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "violence", "violence/graphic")


def judge(text: str, *, image: bool = False) -> dict[str, Any]:
    """One result."""
    flags = {name: words in text.lower() for name, words in CATEGORIES.items()}
    applied = {
        name: [*(["text"] if text or not image else []), *(["image"] if image and name in _ALSO_IMAGES else [])]
        for name in CATEGORIES
    }
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": {name: 0.97 if flag else 0.0001 for name, flag in flags.items()},
        "category_applied_input_types": applied,
    }


def moderate(call: Call) -> Answer:
    """One result for a string or a list of parts, one each for a list of strings."""
    model = model_for(call, ModelKind.MODERATION, default="omni-moderation-latest")
    if isinstance(model, Answer):
        return model
    given = call.body["input"]
    if isinstance(given, str):
        results = [judge(given)]
    elif isinstance(given[0], str):
        results = [judge(text) for text in given]
    else:
        text = " ".join(part["text"] for part in given if part["type"] == "text")
        results = [judge(text, image=any(part["type"] == "image_url" for part in given))]
    return Answer(payload={"id": f"modr-{call.nonce}", "model": model.id, "results": results})
