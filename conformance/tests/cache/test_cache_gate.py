"""The second gate: what it tells apart, what it takes for the same, and that nothing breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.cache.gate import same_content, same_guards
from conformance.checks.cac import REVERSALS

SAME = (
    ("What is the capital of France?", "Please tell me: what's France's capital?"),
    ("What is the capital of South Africa?", "what is South Africa's capital"),
    ("How do I reset my password?", "How can I reset my password"),
    ("Show me two red cars", "Could you give me 2 red cars"),
    ("It isn't 1,000 dollars", "It is not 1000 dollars"),
    ("HELLO THERE", "hello there"),
    ("Hello!", "hello"),
    ("who\u2019s the writer", "who is the author"),
    ("Where is the nearest station?", "Could you tell me where the nearest station is?"),
    ("What are the rules of chess?", "I want to know what the rules of chess are"),
    ("How do I renew a passport?", "What are the steps to renew a passport?"),
    ("How can I renew a passport?", "What is the way to renew a passport?"),
)
DIFFERENT = {
    ("Is it safe to mix them?", "Is it unsafe to mix them?"): "negation",
    ("Why is the sky green?", "Why isn't the sky green?"): "negation",
    ("5 apples", "6 apples"): "numbers",
    ("3 km", "3 miles"): "units",
    ("What is -5 squared?", "What is 5 squared?"): "signs",
    ("(1 + 2) * 3", "1 + 2 * 3"): "signs",
    ("the best car", "the worst car"): "comparison",
    ("Weather in Paris", "Weather in London"): "names",
    ("dog bites man", "man bites dog"): "order",
    ("from Oslo to Rome", "from Rome to Oslo"): "roles",
    ("daughter of the king", "king of the daughter"): "order",
    ("Who wrote it?", "When was it?"): "question",
}
ONLY_WORDS = (
    ("What is the population of France?", "What is the area of France?"),
    ("cup of tea", "tea cup"),
    ("What is the best way to renew a passport?", "What is the way to renew a passport?"),
    ("Tell me what the capital is not", "Tell me what the capital is"),
    ("Tell me who the owner was", "Tell me who the owner is"),
    ("Tell me why the dog is", "Tell me where the dog is"),
    ("Tell me about US law", "Tell me about us law"),
    ("\u4f60\u597d\u5417", "\u4f60\u597d"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_form_does_not_matter(one: str, other: str) -> None:
    assert same_content(one, other) is None
    assert same_content(other, one) is None


@pytest.mark.parametrize(("texts", "what"), DIFFERENT.items())
def test_what_turns_a_meaning_round_is_named(texts: tuple[str, str], what: str) -> None:
    for gate in (same_content, same_guards):
        assert gate(*texts) is not None
        assert gate(*reversed(texts)) is not None
    if what != "question":
        assert same_guards(*texts) == what


@pytest.mark.parametrize("texts", ONLY_WORDS)
def test_other_words_are_another_question(texts: tuple[str, str]) -> None:
    assert same_content(*texts) is not None


@pytest.mark.parametrize("texts", REVERSALS)
def test_the_reversals_of_the_contract_fail_both_gates(texts: tuple[str, str]) -> None:
    assert same_content(*texts) is not None
    assert same_guards(*texts) is not None


def test_guards_leave_other_words_to_the_embedding() -> None:
    assert same_guards("What is the population of France?", "What is the headcount of France?") is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    for gate in (same_content, same_guards):
        assert gate(one, one) is None
        assert (gate(one, other) is None) == (gate(other, one) is None)
