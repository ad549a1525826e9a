"""The page for Prometheus, read by two parsers; and the dashboard, whose every expression must find something on it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from telemetry_bench import ASKED, KEY, OTHER_KEY, answering, busy

from backends import errors
from backends.dialects.prometheus import Metric, read_metrics
from backends.secret import Key
from backends.telemetry.prometheus import FAMILIES, render


def broken(event: object) -> None:
    raise ValueError


_PAGES: list[str] = []


async def page() -> str:
    """Everything there is to say: two backends, one of them with every kind of trouble. Made once."""
    if not _PAGES:
        _PAGES.append(await _page())
    return _PAGES[0]


async def _page() -> str:
    backend = await busy([broken], api_keys=[KEY, OTHER_KEY], adaptive_concurrency=True, rate_limit_headers=True)
    backend.create_endpoint("gpu", base_url="https://gpu.example.com", api_key=KEY)
    backend.endpoint("gpu")
    other = answering(200)
    await other.achat(ASKED, tenant="acme")
    return render([backend, other])


def value(metrics: tuple[Metric, ...], name: str, **labels: str) -> float:
    (found,) = [one.value for one in metrics if one.name == name and labels.items() <= one.labels.items()]
    return found


async def test_the_figures_are_those_of_the_report() -> None:
    metrics = read_metrics(await page())
    here = {"backend": "openai"}
    assert value(metrics, "backends_requests_total", outcome="success", **here) == 2
    assert value(metrics, "backends_requests_total", outcome="cancelled", **here) == 1
    assert value(metrics, "backends_attempts_total", **here) == 5
    assert value(metrics, "backends_retries_total", reason="503", **here) == 1
    assert value(metrics, "backends_errors_total", error="InvalidRequestError", **here) == 1
    assert value(metrics, "backends_tokens_total", direction="input", **here) == 14
    assert value(metrics, "backends_model_requests_total", model="gpt-test", outcome="failure", **here) == 1
    assert value(metrics, "backends_request_duration_seconds_count", **here) == 2
    assert value(metrics, "backends_breaker_state", state="closed", endpoint="gpu", **here) == 1
    assert value(metrics, "backends_key_requests_total", endpoint="default", key=Key(OTHER_KEY).fingerprint, **here) > 0
    assert value(metrics, "backends_observer_failures_total", observer="broken", **here) == 14
    assert value(metrics, "backends_requests_total", outcome="success", backend="openai#2") == 1


async def test_the_official_parser_reads_the_same() -> None:
    text = await page()
    official = [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    assert official == [(one.name, dict(one.labels), one.value) for one in read_metrics(text)]
    kinds = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert kinds == {name.removesuffix("_total"): kind for name, (kind, _) in FAMILIES.items()}


async def test_no_sample_is_written_twice_and_no_key_shows() -> None:
    text = await page()
    samples = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(samples) == len(set(samples))
    assert KEY not in text
    assert text.endswith("\n")


async def test_names_of_ones_own_are_escaped() -> None:
    name = 'a "quoted" \\ name\nin two lines'
    backend = answering(200)
    await backend.achat(ASKED, model=r"mo\del")
    metrics = read_metrics(render({name: backend}))
    assert {one.labels["backend"] for one in metrics} == {name}
    assert value(metrics, "backends_model_requests_total", model=r"mo\del", outcome="success") == 1


async def test_a_key_that_was_removed_and_came_back_is_added_up() -> None:
    backend = answering(200, api_keys=[KEY, OTHER_KEY])
    for _ in range(2):
        await backend.achat(ASKED)
    fingerprint = Key(KEY).fingerprint
    backend.remove_key(fingerprint)
    backend.add_key(KEY)
    for _ in range(2):
        await backend.achat(ASKED)
    metrics = read_metrics(render([backend]))
    assert value(metrics, "backends_key_requests_total", key=fingerprint) == 2
    assert value(metrics, "backends_key_state", key=fingerprint, state="ready") == 1


async def test_an_open_breaker_shows() -> None:
    backend = answering(500, max_retries=0, failure_threshold=1)
    with pytest.raises(errors.ServerError):
        await backend.achat(ASKED)
    metrics = read_metrics(render([backend]))
    states = {one.labels["state"]: one.value for one in metrics if one.name == "backends_breaker_state"}
    assert states == {"closed": 0, "open": 1, "half_open": 0}
    assert value(metrics, "backends_breaker_opened_total") == 1


def test_nothing_to_report_is_an_empty_page() -> None:
    assert render([]) == ""


# -- the dashboard -----------------------------------------------------------------------------------------------------

DASHBOARD: dict[str, Any] = json.loads(files("backends.telemetry").joinpath("grafana.json").read_text("utf-8"))
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
SELECTOR = re.compile(r"(backends_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')


def test_the_dashboard_is_whole() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers)) > 20
    assert all(panel["title"] for panel in DASHBOARD["panels"])
    used = {name for expression in EXPRESSIONS for name in re.findall(r"backends_\w+", expression)}
    asked = {
        variable["query"]["query"] for variable in DASHBOARD["templating"]["list"] if variable["name"] == "backend"
    }
    assert {re.findall(r"backends_\w+", query)[0] for query in asked} <= FAMILIES.keys()
    assert len(used) > 15


@pytest.mark.parametrize("expression", EXPRESSIONS)
async def test_an_expression_finds_what_it_looks_for(expression: str) -> None:
    metrics = read_metrics(await page())
    selectors = SELECTOR.findall(expression)
    assert len(selectors) == len(re.findall(r"backends_\w+", expression)) > 0
    for name, matchers in selectors:
        named = [one for one in metrics if one.name == name]
        assert named, f"nothing is called {name}"
        for label, how, wanted in MATCHER.findall(matchers):
            pattern = re.escape(wanted) if how == "=" else wanted.replace("$backend", ".*")
            assert [one for one in named if re.fullmatch(pattern, one.labels[label])], f"{name} has no {label} {wanted}"
    grouped = re.findall(r"by \(([^)]*)\)", expression)
    legends = {name.strip() for group in grouped for name in group.split(",")}
    labels = {label for name, _ in selectors for one in metrics if one.name == name for label in one.labels}
    assert legends <= labels
