"""What a method's name promises: the words by which a call to a model is known, and those that take it back."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from conformance.reality.tree import words

__all__ = ["is_catalogue", "should_answer", "should_reach"]

_ANSWERING: Final = words(
    "chat complete completion completions embed embedding embeddings generate generation rerank rank transcribe transcription "
    "translate translation speech image images moderate moderation classify infer inference predict prediction score summarize "
    "converse invoke query ask respond tokenize summarise similarity"
)
_ACTING: Final = frozenset({"upload", "download"})
_CATALOGUES: Final = words("models list_models amodels alist_models health ahealth ping aping")
_ABOUT: Final = words(
    "build make parse format read validate check is has supports set to from as with register add configure prepare create "
    "count estimate clear reset close log record on before after print save load show render checked made failed"
)
"""A name that begins with one of these is about such an answer, and need not fetch one."""
_ABOUT_LAST: Final = words(
    "operation body cost price url path params parameters options config settings template format history prompt request id "
    "name type size source reader parser schema model error errors callback handler limit count tokens"
)
"""The same of a name that ends so."""


@lru_cache(maxsize=4096)
def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name that make a promise; none when it is about one."""
    words = [word for word in re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_") if word]
    if not words or words[0] in _ABOUT or (len(words) > 1 and words[-1] in _ABOUT_LAST):
        return ()
    return (*words, words[0].removeprefix("a"))


def should_answer(name: str) -> bool:
    """Say whether a method of this name should return what a server made: ``chat``, ``aembed``, ``generate_image``."""
    return any(word in _ANSWERING for word in _words(name))


def should_reach(name: str) -> bool:
    """Say whether a method of this name should at least ask a server: ``upload``, too."""
    return any(word in _ANSWERING or word in _ACTING for word in _words(name))


def is_catalogue(name: str) -> bool:
    """Say whether a method of this name should say what a server has, or whether it is there."""
    return name in _CATALOGUES
