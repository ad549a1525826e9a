"""A report for people: what the tables and the page show, and that the page needs and reaches nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from telemetry_bench import ASKED, KEY, OTHER_KEY, answering, busy

from backends.secret import Key
from backends.telemetry.render import page, text


async def report(**settings: Any) -> dict[str, Any]:
    backend = await busy([print], api_keys=[KEY, OTHER_KEY], **settings)
    backend.create_endpoint("gpu", base_url="https://gpu.example.com", api_key=KEY)
    backend.endpoint("gpu")
    return json.loads(json.dumps(backend.report()))


class Page(HTMLParser):
    """Checks that every element that is opened is closed, and gathers names, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.written: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.written.append(data)


def read(html: str) -> Page:
    found = Page()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


async def test_tables_in_the_terminal() -> None:
    shown = text(await report())
    assert shown.startswith("openai  4 requests in ")
    assert "66.7% succeeded" in shown
    assert re.search(r"^ +successes +2$", shown, re.MULTILINE)
    assert re.search(r"^ +InvalidRequestError +1$", shown, re.MULTILINE)
    assert re.search(rf"^ +{Key(OTHER_KEY).fingerprint} +default +ready ", shown, re.MULTILINE)
    assert re.search(r"^ +gpu +0 +5 +0 +0 +0 +0 +closed +0$", shown, re.MULTILINE)
    assert KEY not in shown
    assert shown.isascii()
    assert not re.search(r" +$", shown, re.MULTILINE)


async def test_columns_stand_below_one_another() -> None:
    shown = text(await report())
    for table in shown.split("\n\n")[1:]:
        rows = [row for row in table.splitlines() if row.startswith("    ")]
        assert len({len(row) for row in rows}) <= 1, table


def test_a_backend_that_did_nothing_has_a_report() -> None:
    shown = text(answering().report())
    assert "nothing finished yet" in shown
    assert "<svg" not in page(answering().report())


async def test_the_page_is_whole_and_reaches_nothing_else() -> None:
    html = page(await report(), await report())
    found = read(html)
    assert {"svg", "table", "style", "details"} <= found.names
    assert found.names.isdisjoint({"script", "link", "img", "iframe"})
    assert [name for name, _ in found.attributes if name in ("src", "href") or name.startswith("on")] == []
    assert "url(" not in html
    assert "http" not in html
    assert KEY not in html
    assert "".join(found.written).count("openai") == 2


async def test_charts_show_the_figures() -> None:
    html = page(await report())
    assert html.count("<figure>") == html.count("<figcaption>") >= 6
    assert '<rect class="successes"' in html
    widths = [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', html)]
    assert max(widths) <= 190.0
    assert "InvalidRequestError" in html


@pytest.mark.parametrize("model", ["<script>alert(1)</script>", 'a"b&c', "m" * 120])
async def test_names_are_text_and_nothing_else(model: str) -> None:
    backend = answering(200)
    await backend.achat(ASKED, model=model)
    found = read(page(backend.report()))
    assert "script" not in found.names
    assert model in found.written


async def test_only_the_greatest_are_drawn_and_all_are_told() -> None:
    backend = answering(200)
    for number in range(12):
        for _ in range(number + 1):
            await backend.achat(ASKED, model=f"model-{number}")
    html = page(backend.report())
    chart = html.partition("Requests by model")[2].partition("</figure>")[0]
    assert re.findall(r"<title>(model-\d+)</title>", chart) == [f"model-{number}" for number in range(11, 3, -1)]
    assert "<td>model-0</td>" in html


async def everything() -> dict[str, Any]:
    """The report of a backend with limits, keys that rest, tenants, a cache, shared wire calls and a budget."""
    backend = answering(
        429,
        200,
        api_keys=[KEY, OTHER_KEY],
        cache="exact",
        adaptive_concurrency=True,
        rate_limit_headers=True,
        requests_per_minute=50,
        tokens_per_minute=5000,
        retry_budget=0.5,
        max_cost=2.0,
        prices={"gpt-test": {"input": 1.0, "output": 2.0}, "gpt-test-2026": {"input": 1.0, "output": 2.0}},
    )
    for _ in range(3):
        await backend.achat(ASKED, tenant="acme", temperature=0, max_tokens=9)
    backend._metrics.shared(6)
    return json.loads(json.dumps(backend.report()))


async def test_limits_keys_cache_batches_and_budgets_are_shown() -> None:
    shown = text(await everything())
    first, second = Key(KEY).fingerprint, Key(OTHER_KEY).fingerprint
    for line in (
        r"default +[1-5] +5 +refused +\d.* 50\.0 +0",
        rf"{second} +default +requests +provider +100 +75 +6\.00 s",
        rf"{first} +default +tokens +declared +[\d,]+ +[\d,]+ +-",
        rf"{first} +default +cooling +[\d.]+ m?s",
        r"the backend +\$1\.7e-05 +\$0\.0000 +\$2\.0000 +\$0\.0000 +0",
        r"default +\$1\.7e-05 +\$0\.0000 +\$2\.0000 +- +-",
        r"exact +2",
        r"1 +6 +6\.0 +6",
        r"acme +1 ",
    ):
        assert re.search(rf"^ +(?:{line})", shown, re.MULTILINE), line
    assert shown.isascii()


async def test_charts_of_limits() -> None:
    html = page(await everything())
    for heading in (
        "Slots of default",
        "Used of the budgets of a minute",
        "Cache",
        "Requests by tenant",
        "Requests by key",
    ):
        assert f"<figcaption>{heading}</figcaption>" in html
    used = html.partition("Used of the budgets")[2].partition("</figure>")[0]
    assert re.findall(r'class="figure"[^>]*>(\d+)%', used)[0] == "25", "the provider says more than the settings"
    assert KEY not in html
