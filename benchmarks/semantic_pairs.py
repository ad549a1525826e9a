"""Writes ``fixtures/semantic_pairs.jsonl``: pairs of questions, labelled by whether one answer is right for both.

Made from templates and lists, without chance, so that the file is a function of this module. The paraphrases were
written without a look at what the gate knows: many of them a careful gate must miss.

    python -m benchmarks.semantic_pairs        # writes the file anew
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Final

__all__ = ["HELD_OUT", "PATH", "Pair", "pairs", "read"]

PATH: Final = Path(__file__).resolve().parents[1] / "fixtures" / "semantic_pairs.jsonl"
HELD_OUT: Final = PATH.with_name("semantic_pairs_held_out.jsonl")
"""Pairs by hand, written without a look at the word lists of the gate; nothing was changed after they were measured."""

_COUNTRIES: Final = (
    *("France", "Austria", "Australia", "Niger", "Nigeria", "Iran", "Iraq", "Mali", "Malawi", "Slovakia", "Slovenia"),
    *("North Korea", "South Korea", "Guinea", "Guyana", "Dominica"),
)
_CITIES: Final = ("Paris", "London", "Oslo", "Rome", "Lima", "Cairo", "Delhi", "Perth")
_TEAMS: Final = ("Arsenal", "Chelsea", "Ajax", "Porto", "Celtic", "Lyon", "Benfica", "Roma")
_GOODS: Final = ("gold", "silver", "copper", "wheat", "coffee", "sugar", "rice", "cotton")
_ACTIONS: Final = (
    ("reset my password", "password reset"),
    ("cancel my subscription", "subscription cancellation"),
    ("export my data", "data export"),
    ("change my email address", "email address change"),
    ("delete my account", "account deletion"),
    ("upgrade my plan", "plan upgrade"),
    ("install the update", "update installation"),
    ("verify my identity", "identity verification"),
    ("track my order", "order tracking"),
    ("return an item", "item return"),
)
_ASKED: Final = (
    ("How do I {0}?", "How can I {0}"),
    ("How do I {0}?", "how do i {0}"),
    ("How do I {0}?", "Please tell me how to {0}."),
    ("How do I {0}?", "Could you tell me how to {0}?"),
    ("How do I {0}?", "What are the steps to {0}?"),
    ("How do I {0}?", "What is the way to {0}?"),
    ("How do I {0}?", "I want to {0}. What do I do?"),
    ("How do I {0}?", "Help with {1}"),
)
_FACTS: Final = (
    ("What is the capital of {0}?", "What's the capital of {0}?"),
    ("What is the capital of {0}?", "what is {0}'s capital"),
    ("What is the capital of {0}?", "Tell me what the capital of {0} is."),
    ("What is the capital of {0}?", "Which city is the capital of {0}?"),
    ("What is the population of {0}?", "What is {0}'s population?"),
    ("What is the population of {0}?", "How many people live in {0}?"),
)
_TOPICS: Final = (
    *("capital", "population", "area", "currency", "flag", "president", "climate", "highest mountain"),
    *("national anthem", "largest lake"),
)
_CLAIMS: Final = (
    ("safe", "to swim in the {0} river"),
    ("legal", "to fly a drone in {0}"),
    ("possible", "to drive from {0} to the sea"),
    ("necessary", "to have a visa for {0}"),
    ("allowed", "to smoke in restaurants in {0}"),
)
_NEGATED: Final = {
    "safe": "unsafe",
    "legal": "illegal",
    "possible": "impossible",
    "necessary": "unnecessary",
    "allowed": "not allowed",
}
_OPPOSITES: Final = (
    ("cheapest", "most expensive"),
    ("largest", "smallest"),
    ("oldest", "youngest"),
    ("best", "worst"),
    ("first", "last"),
    ("fastest", "slowest"),
)
_ROLES: Final = (
    "Did {0} beat {1}?",
    "How often did {0} lose against {1}?",
    "When did {0} buy a player from {1}?",
    "Is {0} older than {1}?",
)
_WAYS: Final = (
    ("Show flights from {0} to {1}", "Show flights from {1} to {0}"),
    ("Show flights from {0} to {1}", "Show flights to {0} from {1}"),
    ("How far is it from {0} to {1} by train?", "How far is it from {1} to {0} by train?"),
    ("Is {0} north of {1}?", "Is {1} north of {0}?"),
)
_AMOUNTS: Final = (
    "What is {0} percent of 200?",
    "Convert {0} miles to kilometers",
    "Who won the world cup in 19{0}?",
    "Summarize the report in {0} words",
    "What happens at {0} degrees Celsius?",
)
_UNITS: Final = (
    ("Convert {0} miles to kilometers", "Convert {0} kilometers to miles"),
    ("Is {0} degrees Celsius warm?", "Is {0} degrees Fahrenheit warm?"),
    ("What does {0} pounds weigh in kilograms?", "What does {0} kilograms weigh in pounds?"),
    ("How long is {0} hours in minutes?", "How long is {0} minutes in hours?"),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions.

    Attributes:
        kind: what differs: paraphrase, negation, number, unit, name, order, comparison, topic.
        one, other: the texts.
        same: whether an answer to one is an answer to the other.
    """

    kind: str
    one: str
    other: str
    same: bool


def pairs() -> Iterator[Pair]:
    """Yield every pair, kind by kind."""
    for (one, other), words in product(_ASKED, _ACTIONS):
        yield Pair("paraphrase", one.format(*words), other.format(*words), True)
    for (one, other), country in product(_FACTS, _COUNTRIES):
        yield Pair("paraphrase", one.format(country), other.format(country), True)
    yield from _opposed()
    yield from _amounts()
    yield from _turned()
    for country in _COUNTRIES:
        for topic, neighbour in zip(_TOPICS, (*_TOPICS[1:], _TOPICS[0]), strict=True):
            yield _differ("topic", "What is the {0} of {1}?", (topic, country), (neighbour, country))
    for (one, _), (other, _) in zip(_ACTIONS, (*_ACTIONS[1:], _ACTIONS[0]), strict=True):
        yield _differ("topic", "How do I {0}?", (one,), (other,))


def _differ(kind: str, template: str, one: tuple[object, ...], other: tuple[object, ...]) -> Pair:
    return Pair(kind, template.format(*one), template.format(*other), False)


def _opposed() -> Iterator[Pair]:
    for (word, rest), country in product(_CLAIMS, _COUNTRIES):
        asked = f"Is it {word} {rest.format(country)}?"
        yield Pair("negation", asked, f"Is it {_NEGATED[word]} {rest.format(country)}?", False)
        yield Pair("negation", asked, f"Isn't it {word} {rest.format(country)}?", False)
    for (one, other), country in product(_OPPOSITES, _COUNTRIES):
        yield _differ("comparison", "What is the {0} hotel in {1}?", (one, country), (other, country))
    for one, other in zip(_GOODS, (*_GOODS[1:], _GOODS[0]), strict=True):
        for more, less in (("more", "less"), ("heavier", "lighter"), ("cheaper", "dearer")):
            yield Pair(
                "comparison", f"Is {one} {more} common than {other}?", f"Is {one} {less} common than {other}?", False
            )
            yield Pair("order", f"Is {one} {more} valued than {other}?", f"Is {other} {more} valued than {one}?", False)


def _amounts() -> Iterator[Pair]:
    for template, amount in product(_AMOUNTS, range(50, 80)):
        yield _differ("number", template, (amount,), (amount + 1,))
    for (one, other), amount in product(_UNITS, range(5, 35)):
        yield Pair("unit", one.format(amount), other.format(amount), False)


def _turned() -> Iterator[Pair]:
    for template, (one, other) in product(_ROLES, zip(_TEAMS, (*_TEAMS[1:], _TEAMS[0]), strict=True)):
        yield _differ("order", template, (one, other), (other, one))
    for (one, turned), (place, goal) in product(_WAYS, zip(_CITIES, (*_CITIES[1:], _CITIES[0]), strict=True)):
        yield Pair("order", one.format(place, goal), turned.format(place, goal), False)
    for country, neighbour in zip(_COUNTRIES, (*_COUNTRIES[1:], _COUNTRIES[0]), strict=True):
        for topic in _TOPICS:
            yield _differ("name", "What is the {0} of {1}?", (topic, country), (topic, neighbour))


def read(path: Path = PATH) -> list[Pair]:
    """Return the pairs of a file."""
    return [Pair(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Write the file."""
    lines = [json.dumps(asdict(pair), ensure_ascii=False) for pair in pairs()]
    PATH.write_text("\n".join([*lines, ""]), encoding="utf-8")
    print(f"{len(lines)} pairs in {PATH.name}")


if __name__ == "__main__":
    main()
