"""The second gate of the semantic cache: do two texts that look alike to an embedding ask for the same?

Encoders put "A beats B" beside "B beats A" and a sentence beside its negation, at 0.83 to 0.99. No threshold tells these
apart, words do. Two gates, both pure:

- :func:`same_content`: what is left of both texts without articles, courtesy and synonyms is equal, word by word, in the
  same order. Right for any language; lets through what differs in form only.
- :func:`same_guards`: whatever turns a meaning round is equal (numbers, units, negations, names, comparisons, roles,
  order, the kind of question); other words may differ, the embedding judges them. For strong encoders and English.

Each returns None for a pass, else the name of what differs. A wrong "differs" costs one call; a wrong pass costs trust.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from backends.cache import vocabulary as words

__all__ = ["GATES", "Gate", "same_content", "same_guards"]

Gate = Callable[[str, str], str | None]
"""Takes two texts; returns None where they ask for the same, else what differs."""

_TOKEN: Final = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d]\w*(?:'\w+)*|[^\w\s]")
_SOFT: Final = frozenset(".,;:?\"'…¿¡")
"""Signs that change nothing; every other sign is a word of its own."""
_ENDS: Final = frozenset(".?!:")
"""After one of these a sentence begins."""
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_OWNER: Final = "'s"
_ENDS_OWNER: Final = words.FUNCTION_WORDS | words.NEGATIONS | {_OWNER}
_BEGIN_PHRASES: Final = frozenset(phrase[0] for phrase, _ in words.SAME_PHRASE)
_REMEMBERED: Final = 2_048


@dataclass(frozen=True, slots=True)
class _Reading:
    """One text, read: its words in normal form, and the words that are written as names."""

    tokens: tuple[str, ...]
    names: frozenset[str]


def same_content(one: str, other: str) -> str | None:
    """Return None when both texts have the same words in the same order, form set aside; else what differs."""
    first, second = _read(one), _read(other)
    if first.tokens == second.tokens:
        return None
    return _guarded(first, second) or "words"


def same_guards(one: str, other: str) -> str | None:
    """Return None when nothing that turns a meaning round differs between both texts; else what does."""
    return _guarded(_read(one), _read(other))


GATES: Final[dict[str, Gate]] = {"content": same_content, "guards": same_guards}


# -- reading a text ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=_REMEMBERED)
def _read(text: str) -> _Reading:
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2018", "'")
    shouted = plain.isupper()
    found: list[str] = []
    names: set[str] = set()
    begins = True
    for match in _TOKEN.finditer(plain):
        word = match.group()
        if word in _SOFT or (word == "!" and not plain[match.end() : match.end() + 1].strip()):
            begins = begins or word in _ENDS
            continue
        if word == "-" and _joins(plain, match.start(), match.end()):
            continue
        low = word.casefold()
        if word[0].isupper() and not shouted:
            if len(word) > 1 and word.isupper() and low in words.FUNCTION_WORDS:
                low = word  # US is not us
            if low != "i" and not (begins and low in words.OPENERS):
                name = low.removesuffix(_OWNER)
                names.add(words.SAME_WORD.get(name, name))
        begins = False
        found.extend(_expanded(low))
    return _Reading(_normal(found), frozenset(names))


def _joins(text: str, start: int, end: int) -> bool:
    """Say whether a hyphen stands between letters; between or before digits it is a sign."""
    return text[max(0, start - 1) : start].isalpha() and text[end : end + 1].isalpha()


def _expanded(token: str) -> tuple[str, ...]:
    """Return one token as the words it stands for."""
    if token[0].isdigit():
        return (token.replace(",", "") if _THOUSANDS.fullmatch(token) else token,)
    if token in words.SHORT_FORMS:
        return words.SHORT_FORMS[token]
    if "'" not in token:
        return (words.NUMBER_WORDS.get(token, token),)
    if token.endswith("n't"):
        return (token[:-3], "not")
    for ending, word in (("'re", "is"), ("'ve", "have"), ("'ll", "will")):
        if token.endswith(ending):
            return (token.removesuffix(ending), word)
    if token.endswith(_OWNER):
        base = token.removesuffix(_OWNER)
        return (base, "is" if base in words.IS_NOT_OWNERSHIP else _OWNER)
    return (words.NUMBER_WORDS.get(token, token),)


def _normal(found: list[str]) -> tuple[str, ...]:
    """Return tokens without form: courtesy and articles gone, synonyms one word, ``X of Y`` turned into ``Y's X``."""
    formal = any(not token[0].isalnum() and token != _OWNER for token in found)
    kept = [token for token in found if token not in words.POLITE] or found
    asked = _without_frame(kept)
    kept = asked if formal or len(asked) == len(kept) else _asked_directly(asked)
    if not _BEGIN_PHRASES.isdisjoint(kept):
        for phrase, meaning in words.SAME_PHRASE:
            kept = _replaced(kept, phrase, meaning)
    kept = [words.SAME_WORD.get(token, token) for token in kept]
    if formal:  # a formula or code: "a" may be a variable, and nothing may move
        return tuple(kept)
    return tuple(_owners_first([token for token in kept if token not in words.ARTICLES] or kept))


def _without_frame(tokens: list[str]) -> list[str]:
    for _ in range(2):  # a greeting, then a courtesy
        for frame in words.FRAMES:
            if len(tokens) > len(frame) and tokens[0] == frame[0] and tuple(tokens[: len(frame)]) == frame:
                tokens = tokens[len(frame) :]
                break
    return tokens


def _asked_directly(tokens: list[str]) -> list[str]:
    """Write what stood behind "tell me", ``where the station is``, as the question ``where is the station``."""
    if len(tokens) > 2 and tokens[0] in words.INDIRECT and tokens[-1] in ("is", "are"):
        return [tokens[0], tokens[-1], *tokens[1:-1]]
    return tokens


def _replaced(tokens: list[str], phrase: tuple[str, ...], meaning: tuple[str, ...]) -> list[str]:
    if phrase[0] not in tokens:
        return tokens
    size, place = len(phrase), 0
    result: list[str] = []
    while place < len(tokens):
        if tuple(tokens[place : place + size]) == phrase:
            result.extend(meaning)
            place += size
        else:
            result.append(tokens[place])
            place += 1
    return result


def _owners_first(tokens: list[str]) -> list[str]:
    """Write ``capital of south africa`` as ``south africa 's capital``."""
    result: list[str] = []
    place = 0
    while place < len(tokens):
        if tokens[place] == "of" and result and result[-1] not in _ENDS_OWNER:
            end = place + 1
            while end < len(tokens) and tokens[end] not in _ENDS_OWNER:
                end += 1
            owner = tokens[place + 1 : end]
            if owner and (end == len(tokens) or tokens[end] not in ("of", _OWNER)):
                result[-1:] = [*owner, _OWNER, result[-1]]
                place = end
                continue
        result.append(tokens[place])
        place += 1
    return result


# -- what turns a meaning round ----------------------------------------------------------------------------------------


def _guarded(one: _Reading, other: _Reading) -> str | None:
    first, second = one.tokens, other.tokens
    for name, of in _GUARDS:
        if of(first) != of(second):
            return name
    if _negated_form(set(first), set(second)):
        return "negation"
    if not (one.names <= set(second) and other.names <= set(first)):
        return "names"
    shared = set(_content(first)) & set(_content(second))
    if _roles(first, shared) != _roles(second, shared):
        return "roles"
    if _ordered(first, shared) != _ordered(second, shared):
        return "order"
    return None


def _numbers(tokens: tuple[str, ...]) -> list[str]:
    return [token for token in tokens if token[0].isdigit()]


def _signs(tokens: tuple[str, ...]) -> list[str]:
    return [token for token in tokens if not token[0].isalnum() and token != _OWNER]


def _denied(tokens: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each negation with the word of content behind it."""
    found = []
    for place, token in enumerate(tokens):
        if token in words.NEGATIONS:
            behind = next((word for word in tokens[place + 1 :] if word not in words.FUNCTION_WORDS), "")
            found.append((token, behind))
    return found


def _among(known: frozenset[str]) -> Callable[[tuple[str, ...]], Counter[str]]:
    return lambda tokens: Counter(token for token in tokens if token in known)


def _compared(tokens: tuple[str, ...]) -> list[str]:
    """Return what may be comparatives and superlatives that no list knows."""
    endings = ("er", "est") if "than" in tokens else ("est",)
    return [token for token in tokens if token.endswith(endings)]


_GUARDS: Final[tuple[tuple[str, Callable[[tuple[str, ...]], object]], ...]] = (
    ("numbers", _numbers),
    ("signs", _signs),
    ("negation", _denied),
    ("units", _among(words.UNITS)),
    ("comparison", _among(words.POLAR)),
    ("comparison", _compared),
    ("question", _among(words.QUESTIONING)),
)


def _negated_form(first: set[str], second: set[str]) -> bool:
    """Say whether one text has a word and the other the same word with a negative prefix (safe, unsafe)."""
    return any(
        prefix + word in theirs
        for mine, theirs in ((first - second, second - first), (second - first, first - second))
        for word in mine
        for prefix in words.NEGATIVE_PREFIXES
    )


def _content(tokens: tuple[str, ...]) -> list[str]:
    return [token for token in tokens if token not in words.FUNCTION_WORDS and token != _OWNER]


def _roles(tokens: tuple[str, ...], shared: set[str]) -> set[tuple[str, str]]:
    """Return each shared word with the word of direction that stands before it (from paris, to london)."""
    roles: set[tuple[str, str]] = set()
    direction = ""
    for token in tokens:
        if token in words.DIRECTIONS:
            direction = token
        elif token in shared:
            roles.add((direction, token))
            direction = ""
    return roles


def _ordered(tokens: tuple[str, ...], shared: set[str]) -> list[str]:
    return [token for token in tokens if token in shared]
