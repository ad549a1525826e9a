"""The arithmetic of prices: every token once, None for what is not known, and the vendors' tables as they stand."""

from __future__ import annotations

import datetime
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backends
from backends.groq.prices import price_table
from backends.operation import SoFar
from backends.resilience.purse import Purse
from backends.telemetry.bounds import most_cost
from backends.telemetry.broken_off import estimated_prompt, usage_so_far
from backends.telemetry.price_tables import given_prices, vendor_prices
from backends.telemetry.prices import ANY_MODEL, ModelPrices, PriceTable, Rates, Terms, cost_of
from backends.types import Usage

FLAT = Rates(
    **{entry.name: 3.0 for entry in fields(Rates) if entry.name not in ("request", "image", "second", "character")}
)
FILES = sorted(Path(backends.__file__).parent.glob("*/prices.json"))


def row(rates: Rates, **facts: Any) -> ModelPrices:
    return ModelPrices("m", rates, "a test", "2026-11", **facts)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Counts that do not contradict each other, with every detail contained in its main count."""
    parts = [draw(st.integers(0, 10**6)) for _ in range(7)]
    cached, write, hour, fresh, thoughts, spoken, said = parts
    return Usage(
        cached + write + hour + fresh,
        thoughts + spoken + said,
        cached_tokens=cached,
        cache_write_tokens=write + hour,
        cache_write_1h_tokens=hour,
        reasoning_tokens=thoughts,
        audio_tokens=spoken,
        audio_output_tokens=spoken,
    )


@given(usages())
def test_at_one_price_for_all_kinds_every_token_is_charged_once(usage: Usage) -> None:
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    expected = (usage.input_tokens + usage.output_tokens) * 3.0 / 1e6
    assert cost_of(row(FLAT), usage) == pytest.approx(expected, rel=1e-12)


@given(usages(), st.sampled_from(["cached_input", "cache_write_1h", "reasoning", "audio_output"]))
def test_a_kind_without_a_price_gives_none_unless_there_is_none_of_it(usage: Usage, name: str) -> None:
    used = {
        "cached_input": usage.cached_tokens,
        "cache_write_1h": usage.cache_write_1h_tokens,
        "reasoning": 0,  # charged as output, of which it is a part
        "audio_output": usage.audio_output_tokens,
    }[name]
    cost = cost_of(row(replace(FLAT, **{name: None})), usage)
    assert (cost is None) == bool(used)


@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(5),
        Usage(None, 5),
        Usage(5, 5, cached_tokens=6),
        Usage(5, 5, cache_write_tokens=1, cache_write_1h_tokens=2),
        Usage(5, 5, reasoning_tokens=6),
        Usage(5, 5, audio_tokens=3),
        Usage(5, 5, audio_tokens=3, audio_output_tokens=4),
        Usage(5, 5, cached_tokens=2, audio_tokens=2, audio_output_tokens=0),
        Usage(5, 5, cached_tokens=2, image_tokens=2),
    ],
)
def test_counts_that_are_missing_or_at_odds_give_none(usage: Usage) -> None:
    assert cost_of(row(FLAT), usage) is None


def test_a_free_model_costs_nothing_and_says_so() -> None:
    assert cost_of(row(Rates(input=0.0, output=0.0)), Usage(10, 10)) == 0.0
    assert cost_of(row(FLAT), Usage(0, 0)) == 0.0


def test_tiers_steps_and_units() -> None:
    plain = Rates(input=1.0, output=2.0)
    long = Rates(input=2.0, output=3.0)
    stepped = row(plain, tiers={"flex": 0.5}, steps=((200, long), (400, FLAT)))
    assert cost_of(stepped, Usage(200, 0)) == pytest.approx(200e-6)
    assert cost_of(stepped, Usage(201, 1)) == pytest.approx((402 + 3) / 1e6)
    assert cost_of(stepped, Usage(401, 0)) == pytest.approx(401 * 3 / 1e6)
    assert cost_of(stepped, Usage(None, 5)) is None
    assert cost_of(stepped, Usage(100, 0), Terms(tier="flex")) == pytest.approx(50e-6)
    assert cost_of(stepped, Usage(100, 0), Terms(tier="turbo")) is None
    heard = row(Rates(second=0.01, request=0.5))
    assert cost_of(heard, Usage(), Terms(units={"second": 30.0})) == pytest.approx(0.8)
    assert cost_of(row(Rates(character=0.1)), Usage(), Terms(units={"second": 30.0})) is None
    assert cost_of(row(plain), Usage(10, None), Terms(generates=False)) == pytest.approx(1e-5)
    assert cost_of(row(plain), Usage(1, 1), Terms(unpriced=True)) is None
    assert cost_of(row(Rates()), Usage(1, 1)) is None
    assert cost_of(None, Usage(1, 1)) is None


def test_approximate_prices_are_for_plans_only() -> None:
    rough = row(FLAT, approximate=True)
    assert cost_of(rough, Usage(1, 1)) is None
    assert cost_of(rough, Usage(1, 1), plan=True) == pytest.approx(6e-6)


def test_names_are_looked_up_as_they_are() -> None:
    table = given_prices({"m": {"input": 1, "aliases": ["m-2026-01-01"]}, ANY_MODEL: {"input": 9}})
    names = ("m", "m-2026-01-01", "m-2026-02-02", None)
    assert [found.model for name in names if (found := table.find(name))] == ["m", "m", ANY_MODEL, ANY_MODEL]
    assert PriceTable().find("m") is None
    under = table.under(given_prices({"m": {"input": 5}}))
    assert [found.rates.input for name in names[:2] if (found := under.find(name))] == [5.0, 1.0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_every_price_of_a_vendor_has_its_source_and_date(path: Path) -> None:
    table = vendor_prices(path.parent.name)
    rows = json.loads(path.read_text(encoding="utf-8"))["models"]
    assert len(table) == sum(1 + len(row.get("aliases", ())) for row in rows)
    for name in table.models:
        _sourced(table.find(name))


def test_the_catalogue_of_groq_is_sourced_alike() -> None:
    table = price_table()
    for name in table.models:
        _sourced(table.find(name))


def _sourced(found: ModelPrices | None) -> None:
    assert found is not None
    assert found.source
    assert found.source != "given by the caller"
    assert found.as_of is not None
    date = found.as_of if len(found.as_of) == 10 else f"{found.as_of}-01"
    assert datetime.date.fromisoformat(date) <= datetime.date(2026, 11, 30)


def test_claudes_cache_prices_are_the_published_factors() -> None:
    table = vendor_prices("claude")
    for name in table.models:
        rates = table.find(name).rates  # type: ignore[union-attr]  # every model of a table is found
        assert rates.input is not None
        factors = (1.25, 2.0, 0.1)
        for rate, factor in zip((rates.cache_write, rates.cache_write_1h, rates.cached_input), factors, strict=True):
            assert rate == pytest.approx(rates.input * factor)


def test_openais_long_contexts_and_written_caches_are_the_published_factors() -> None:
    """GPT-5.6: a written token is 1.25 of an input token, beyond 272,000 input is twice and output 1.5 times as dear."""
    table = vendor_prices("openai")
    for name in ("gpt-5.6-luna", "gpt-5.6-terra", "gpt-5.6-sol"):
        found = table.find(name)
        assert found is not None
        short, long = found.rates_for(272_000), found.rates_for(272_001)
        assert short is not None
        assert long is not None
        assert short.cache_write == pytest.approx((short.input or 0.0) * 1.25)
        assert (long.input, long.cached_input, long.cache_write, long.output) == pytest.approx(
            (2 * short.input, 2 * short.cached_input, 2 * short.cache_write, 1.5 * short.output)  # type: ignore[operator]
        )
    assert table.find("gpt-6-luna") is None, "no list that was read has a price of it"


def test_a_vendor_without_a_list_has_an_empty_table() -> None:
    assert len(vendor_prices("ollama")) == 0


# -- what broke off, and what may come ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        ({"messages": [{"role": "user", "content": "12345678"}]}, 3),
        ({"prompt": "1234"}, 1),
        ({"prompt": [1, 2, 3]}, 3),
        ({"contents": [{"parts": [{"text": "1234"}]}], "systemInstruction": {"parts": [{"text": "1234"}]}}, 2),
        ({"messages": [{"content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, None),
        ({"messages": [{"role": "user", "content": "look", "images": ["aGk="]}]}, None),
        ({"contents": [{"parts": [{"inlineData": {"data": "aGk="}}]}]}, None),
        ({"model": "m"}, None),
        ({}, None),
    ],
)
def test_the_prompt_is_estimated_where_it_is_text(asked: dict[str, Any], tokens: int | None) -> None:
    assert estimated_prompt(asked) == tokens


def test_a_nest_of_lists_is_not_followed_for_ever() -> None:
    deep: Any = "x"
    for _ in range(1000):
        deep = [deep]
    assert estimated_prompt({"messages": deep}) is None


def test_what_the_provider_counted_is_kept_and_the_rest_is_marked() -> None:
    asked = {"prompt": "12345678"}
    told = Usage(7, 1, 8)
    assert usage_so_far(SoFar("words" * 4, told, counted=True), asked) == told
    guessed = usage_so_far(SoFar("words" * 4, told), asked)
    assert guessed == Usage(7, 5, 12, estimated=True)
    blind = usage_so_far(SoFar("1234"), asked)
    assert blind == Usage(2, 1, 3, estimated=True)
    assert usage_so_far(SoFar("1234"), {}) == Usage(None, 1, None, estimated=True)


def test_the_most_a_call_can_cost() -> None:
    prices = row(Rates(input=1.0, cache_write_1h=2.0, output=10.0))
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1000}
    most = most_cost(prices, asked)
    assert most is not None
    assert 0.01 < most < 0.02
    assert most_cost(prices, {**asked, "n": 3}) == pytest.approx(most + 0.02, abs=1e-4)
    assert most_cost(row(prices.rates, tiers={"priority": 2.0}), asked) == pytest.approx(2 * most)
    for unbounded in ({"messages": asked["messages"]}, {**asked, "service_tier": "priority"}, {"max_tokens": 5}):
        assert most_cost(prices, unbounded) is None
    inner = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"maxOutputTokens": 1000}}
    assert most_cost(prices, inner) == pytest.approx(most, abs=1e-3)
    assert most_cost(None, asked) is None
    assert most_cost(row(Rates(input=1.0)), asked) is None


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1)), max_size=50), st.floats(0, 50))
def test_a_purse_is_never_passed_by_calls_with_a_bound(calls: list[tuple[float, float]], limit: float) -> None:
    """However calls overlap: all that are admitted start, then all end at a share of their bound."""
    purse = Purse(limit)
    flying = []
    for most, share in calls:
        if purse.admits(most):
            purse.reserve(most)
            flying.append((most, share))
        elif flying:
            ended, part = flying.pop(0)
            purse.settle(ended, ended * part)
        assert purse.spent + purse.reserved <= limit * (1 + 1e-9) + 1e-9
    for most, share in flying:
        purse.settle(most, most * share)
    assert purse.spent <= limit * (1 + 1e-9) + 1e-9
    assert purse.reserved == pytest.approx(0.0, abs=1e-9)


def test_a_call_without_a_bound_gives_back_nothing_of_what_others_set_aside() -> None:
    purse = Purse(5.0)
    purse.reserve(2.0)
    purse.reserve(None)
    purse.settle(None, 1.0)
    assert purse.status() == {"max_cost": 5.0, "spent": 1.0, "reserved": 2.0}


def test_a_purse_after_a_fork_remembers_what_was_spent() -> None:
    purse = Purse(5.0)
    purse.reserve(2.0)
    purse.settle(None, 1.0)
    child = purse.renewed()
    assert child.status() == {"max_cost": 5.0, "spent": 1.0, "reserved": 0.0}
