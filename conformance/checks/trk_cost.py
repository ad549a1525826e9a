"""Chapter TRK: what calls cost, and budgets."""

from __future__ import annotations

from typing import Any

from backends import errors
from conformance.check import check
from conformance.checks.common import elsewhere, marked
from conformance.costs import Costs
from conformance.expectations import expectations_of
from conformance.simulators.faults import CutBeforeTerminator, Replace, Status
from conformance.trial import Trial

_MILLION = 1_000_000
_EXACT = 1e-12


@check("TRK-08")
async def trk_08(trial: Trial) -> None:
    """A cost is right or None, counted with what is not known, and a budget refuses what it has no room for."""
    costs = expectations_of(trial.subject).costs
    assert isinstance(costs, Costs)
    await _cases(trial, costs)
    await _provenance(trial, costs)
    await _streams(trial, costs)
    await _sums(trial, costs)
    await _budget(trial, costs)


async def _backend(trial: Trial, costs: Costs, **settings: Any) -> Any:
    return await trial.backend(**({} if costs.prices is None else {"prices": costs.prices}), **settings)


async def _cases(trial: Trial, costs: Costs) -> None:
    """Every part is priced once, what is not known is None and a zero is zero."""
    backend = await _backend(trial, costs)
    known, unknown = [], 0
    for case in costs.cases:
        for path, value in case.changes.items():
            trial.fault(Replace(path, value), nth=1)
        reply = await trial.call(backend, "one two three", model=costs.model)
        if case.dollars is None:
            trial.equal(reply.cost, None, f"cost of {case.about}")
            unknown += 1
        else:
            trial.expect(reply.cost is not None, f"no cost of {case.about}")
            trial.close_to(reply.cost, case.dollars, f"cost of {case.about}", _EXACT)
            known.append(case.dollars)
    trial.fault(Replace(costs.model_field, "somebody/new"), nth=1)
    trial.equal((await trial.call(backend, model=costs.model)).cost, None, "cost of a model that nobody priced")
    told = backend.report()["cost"]
    trial.close_to(told["dollars"], sum(known), "dollars in the report", _EXACT)
    trial.equal(told["unknown_requests"], unknown + 1, "requests in the report whose cost is not known")


async def _provenance(trial: Trial, costs: Costs) -> None:
    """Prices carry source and date; a caller's own stand in their place, and a wrong name is refused."""
    backend = await _backend(trial, costs)
    row = backend.prices.find(costs.model)
    trial.expect(row is not None and row.source, "the price has no source")
    trial.expect(row.as_of and row.as_of >= "2026", f"the price has no date: {row.as_of!r}")
    own = await trial.backend(prices={costs.model: {"input": 0.0, "output": 0.0, "request": 0.25}})
    trial.close_to((await trial.call(own, model=costs.model)).cost or 0.0, 0.25, "cost at one's own price", _EXACT)
    for wrong in ({"inputs": 1.0}, {"input": -1.0}, {"input": "1"}):
        with trial.raises(errors.ConfigurationError, f"the price {wrong}"):
            trial.make(prices={costs.model: wrong})


async def _streams(trial: Trial, costs: Costs) -> None:
    """A whole stream costs what its counts say; one that broke off, or was given up, costs what came."""
    backend = await _backend(trial, costs, max_retries=0, failure_threshold=1000)
    whole = await trial.stream(backend, "one two three", model=costs.model).collect()
    trial.expect(whole.cost is not None, "no cost of a whole stream")
    trial.close_to(whole.cost, _plain(costs, whole.usage), "cost of a whole stream", _EXACT)
    trial.fault(CutBeforeTerminator(closing=True), nth=1)
    async with trial.raises(errors.StreamInterruptedError, "a stream without its end") as caught:
        await trial.stream(backend, "one two three", model=costs.model).collect()
    usage = caught.error.usage
    trial.expect(usage is not None and (usage.output_tokens or 0) > 1, f"tokens of a broken stream: {usage}")
    trial.expect((caught.error.cost or 0.0) > 0.0, f"cost of a broken stream: {caught.error.cost}")
    told = backend.report()["cost"]
    trial.close_to(told["dollars"], whole.cost + caught.error.cost, "dollars with a broken stream", _EXACT)
    stream = trial.stream(backend, "one two three", model=costs.model)
    async for chunk in stream:
        if chunk.text:
            break
    await stream.aclose()
    after = backend.report()
    trial.expect(after["cost"]["dollars"] > told["dollars"], "a stream that was given up costs nothing")
    trial.equal(after["cost"]["unknown_requests"], 0, "streams whose cost is not known")
    keys = sum(key["output_tokens"] for key in after["keys"])
    trial.equal(keys, after["tokens"]["output"], "output tokens of the keys and of the total, with broken streams")


def _plain(costs: Costs, usage: Any) -> float:
    """Return the price of a text answer: no sound, no pictures, nothing written; reasoning at the price of output unless
    the prices say otherwise."""
    fresh, cached, out = costs.rates
    reasoning = (costs.prices or {}).get(costs.model, {}).get("reasoning", out)
    hit, thoughts = usage.cached_tokens or 0, usage.reasoning_tokens or 0
    given = (usage.input_tokens - hit) * fresh + hit * cached
    return float(given + (usage.output_tokens - thoughts) * out + thoughts * reasoning) / _MILLION


async def _sums(trial: Trial, costs: Costs) -> None:
    """Models, endpoints and keys add up to the total, an error costs nothing, and a reset forgets."""
    backend = await _backend(trial, costs, max_retries=0)
    other = await trial.another_simulator()
    backend.create_endpoint("other", **elsewhere(trial, other))
    trial.fault(Status(404), nth=1)
    await trial.outcomes([trial.call(backend, model=costs.model)])
    paid = [await trial.call(backend, marked(number), model=costs.model) for number in range(2)]
    paid.append(await trial.call(backend, model=costs.model, endpoint="other"))
    trial.fault(Replace(costs.model_field, "somebody/new"), nth=1)
    await trial.call(backend, model=costs.model)
    report = backend.report()
    total = sum(reply.cost for reply in paid)
    endpoints = report["endpoints"].values()
    parts = {
        "total": [(report["cost"]["dollars"], report["cost"]["unknown_requests"])],
        "models": [(row["cost"], row["unknown_costs"]) for row in report["models"].values()],
        "endpoints": [(row["counters"]["cost"], row["counters"]["unknown_costs"]) for row in endpoints],
        "keys": [(key["cost"], key["unknown_costs"]) for row in endpoints for key in row["keys"]],
    }
    for name, rows in parts.items():
        trial.close_to(sum(dollars for dollars, _ in rows), total, f"dollars by {name}", _EXACT)
        trial.equal(sum(unknown for _, unknown in rows), 1, f"unknown costs by {name}")
    backend.reset_metrics()
    after = backend.report()["cost"]
    trial.equal((after["dollars"], after["unknown_requests"]), (0.0, 0), "cost after the reset")


async def _budget(trial: Trial, costs: Costs) -> None:
    """A call that could pass the budget is refused before the wire; calls in flight are reckoned with."""
    free = await _backend(trial, costs, max_cost=1000.0)
    trial.sim.hold()
    flying = trial.spawn(trial.call(free, model=costs.model, **costs.bound))
    await trial.sim.until(held=1)
    most = free.report()["cost"]["budget"]["reserved"]
    trial.expect(most > 0.0, "nothing is set aside for a call in flight")
    trial.sim.let_go()
    one = (await flying).cost
    trial.expect(0.0 < one <= most, f"a call cost {one} and {most} were set aside for it")
    tight = await _backend(trial, costs, max_cost=most * 1.5)
    trial.sim.hold()
    seen = len(trial.requests)
    first = trial.spawn(trial.call(tight, model=costs.model, **costs.bound))
    await trial.sim.until(held=1)
    async with trial.raises(errors.BudgetExceededError, "a call beside one that may use the budget up") as caught:
        await trial.call(tight, model=costs.model, **costs.bound)
    trial.expect("max_cost" in caught.error.message, "the error does not name the budget")
    trial.sim.let_go()
    paid = (await first).cost
    trial.equal(len(trial.requests) - seen, 1, "requests at the server with room for one")
    state = tight.report()["cost"]["budget"]
    trial.close_to(state["spent"], paid, "dollars spent of the budget", _EXACT)
    trial.close_to(state["reserved"], 0.0, "dollars set aside when nothing flies", _EXACT)
    spent = await _backend(trial, costs, max_cost=paid / 2)
    async with trial.raises(errors.BudgetExceededError, "a call with less left than it may cost"):
        await trial.call(spent, model=costs.model, **costs.bound)
