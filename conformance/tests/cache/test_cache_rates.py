"""The labelled pairs: the file is what its script makes, and the gate keeps the promised rate of false hits."""

from __future__ import annotations

import pytest

from backends.cache.gate import same_content
from benchmarks import semantic_cache, semantic_pairs
from conformance.checks.toy_embedder import bag_of_words

PAIRS = semantic_pairs.read()


def test_the_file_is_what_the_script_makes() -> None:
    assert list(semantic_pairs.pairs()) == PAIRS
    assert len(PAIRS) >= 1_000
    kinds = {pair.kind for pair in PAIRS}
    assert kinds == {"paraphrase", "negation", "number", "unit", "name", "order", "comparison", "topic"}
    assert all(pair.same == (pair.kind == "paraphrase") and pair.one != pair.other for pair in PAIRS)


@pytest.mark.parametrize("threshold", semantic_cache.THRESHOLDS)
def test_false_hits_stay_below_one_in_a_thousand(threshold: float) -> None:
    found = semantic_cache.rates(PAIRS, threshold, same_content, bag_of_words)
    assert found.false_hits <= 0.001, found.false_by_kind


def test_the_embedding_alone_would_not() -> None:
    found = semantic_cache.rates(PAIRS, 0.8, semantic_cache.GATES_COMPARED["no gate"], bag_of_words)
    assert found.false_hits > 0.5


def test_a_gate_that_lets_nothing_through_would_not_do() -> None:
    assert semantic_cache.rates(PAIRS, 0.7, same_content, bag_of_words).hits > 0.3


def test_the_gate_leaves_three_fifths_of_the_paraphrases_to_the_embedding() -> None:
    same = [pair for pair in PAIRS if pair.same]
    assert sum(same_content(pair.one, pair.other) is None for pair in same) >= 0.6 * len(same)


def test_no_two_questions_of_the_file_are_taken_for_one() -> None:
    texts = sorted({pair.one for pair in PAIRS})[:400]
    found, compared = semantic_cache.strangers_that_hit(texts, same_content)
    assert compared == 79_800
    assert found == []
