"""A trial judges the check as well: vacuous, leaking, stuck and crashing ones are told apart from those that prove something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from backends import errors
from conformance.conduct import CATCHES, Outcome, scrubbed
from conformance.saboteurs import cap
from conformance.simulators.faults import Hang, SlowFirstByte, Status
from conformance.subject import PLANTED_KEY, Site
from conformance.trial import Trial
from conformance.verdict import Verdict, combined

from .parrot import PARROT

Run = Callable[..., Outcome]


def test_a_check_that_asserts_and_talks_passes(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        reply = await trial.call(await trial.backend())
        trial.expect(trial.requests[0].nonce in reply.text, "the nonce")

    assert tried(body) == Outcome(Verdict.PASS, assertions=1, requests=1)


def test_a_check_without_assertions_is_vacuous(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        await trial.call(await trial.backend())

    outcome = tried(body)
    assert (outcome.verdict, outcome.detail) == (Verdict.VACUOUS, "the check asserted nothing")


def test_a_check_without_traffic_is_vacuous_where_traffic_is_due(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        trial.expect(True, "")

    assert tried(body).detail == "no request reached the server"
    assert tried(body, traffic=False).verdict is Verdict.PASS


def test_a_fault_that_never_fired_makes_a_trial_vacuous(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        trial.fault(Status(503), nth=2)
        await trial.call(await trial.backend())
        trial.expect(True, "")

    outcome = tried(body)
    assert outcome.verdict is Verdict.VACUOUS
    assert outcome.detail.startswith("a scripted fault never fired")


def test_a_broken_assertion_fails_with_its_message(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        await trial.call(await trial.backend())
        trial.equal(len(trial.requests), 2, "requests")

    outcome = tried(body)
    assert (outcome.verdict, outcome.kind, outcome.detail) == (
        Verdict.FAIL,
        "assertion",
        "requests: expected 2, got 1",
    )


def test_a_part_that_fails_keeps_no_other_from_being_judged(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        await trial.call(await trial.backend())
        trial.spared["third"] = "there is none"
        for name, good in (("first", True), ("second", False), ("fourth", True)):
            with trial.part(name):
                trial.expect(good, "it is bad")
        trial.conclude()

    outcome = tried(body)
    assert (outcome.verdict, outcome.kind) == (Verdict.FAIL, "assertion")
    assert outcome.detail == "1 of 3 parts. second: it is bad"
    assert outcome.parts == (("first", ""), ("second", "it is bad"), ("fourth", ""))
    assert outcome.spared == (("third", "there is none"),)


def test_an_error_of_the_backend_is_a_finding(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        trial.fault(Status(400))
        await trial.call(await trial.backend())

    outcome = tried(body)
    assert (outcome.verdict, outcome.kind) == (Verdict.FAIL, "error")
    assert outcome.detail.startswith("InvalidRequestError")


def test_an_error_of_the_harness_is_a_crash_and_catches_nothing(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        trial.close_to("no number", 1.0, "")  # type: ignore[arg-type]

    outcome = tried(body)
    assert (outcome.verdict, outcome.kind) == (Verdict.FAIL, "crash")
    assert outcome.kind not in CATCHES


def test_a_saboteur_that_does_not_fit_its_backend_is_caught_by_nobody(tried: Run) -> None:
    """It failed by itself; one that raises on purpose is a finding."""

    def misfit(site: Site, **settings: Any) -> Any:
        backend = PARROT.make(site, **settings)
        cap.drops_headers(object())
        return backend

    async def body(trial: Trial) -> None:
        await trial.call(await trial.backend())

    outcome = tried(body, make=misfit)
    assert (outcome.verdict, outcome.kind) == (Verdict.FAIL, "crash")
    assert "'object' object has no attribute '_answer'" in outcome.detail


def test_a_check_that_hangs_is_stuck_and_is_cleaned_up(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        trial.fault(Hang())
        await trial.call(await trial.backend(read_timeout=None))

    outcome = tried(body)
    assert (outcome.verdict, outcome.kind) == (Verdict.FAIL, "stuck")


def test_what_runs_together_and_never_ends_fails_by_assertion(tried: Run) -> None:
    """After virtual hours, so that no machine is too slow and none too fast for that verdict."""

    async def body(trial: Trial) -> None:
        await trial.outcomes([asyncio.sleep(1.0), asyncio.Event().wait()])

    outcome = tried(body)
    assert (outcome.kind, outcome.detail) == ("assertion", "1 of 2 calls had not ended after two hours")


def test_what_never_comes_to_the_server_fails_by_assertion(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        trial.sim.hold()
        call = trial.spawn(trial.call(await trial.backend(read_timeout=None)))
        await trial.sim.until(held=1)
        await trial.sim.until(held=2, in_flight=1)
        await call

    outcome = tried(body)
    assert outcome.kind == "assertion"
    assert outcome.detail == "within an hour the server should have 2 held, there are 1"


def test_results_come_in_order_or_as_the_first_error(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        assert await trial.results([asyncio.sleep(2.0, "late"), asyncio.sleep(1.0, "early")]) == ["late", "early"]
        backend = await trial.backend(max_retries=0)
        trial.fault(Status(400), nth=2)
        async with trial.raises(errors.InvalidRequestError):
            await trial.results([trial.call(backend), trial.call(backend)])

    assert tried(body).verdict is Verdict.PASS


def test_a_slot_that_nobody_gives_back_is_a_leak(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        backend = await trial.backend()
        await trial.call(backend)
        await backend.endpoint().enter(1)
        trial.expect(True, "")

    outcome = tried(body)
    assert (outcome.kind, outcome.detail) == ("leak", "endpoint default: 1 slots are held by nobody")


def test_a_task_that_survives_close_is_a_leak(tried: Run) -> None:
    kept: list[asyncio.Task[None]] = []

    async def lingering() -> None:
        await asyncio.sleep(1e6)

    async def body(trial: Trial) -> None:
        await trial.call(await trial.backend())
        kept.append(asyncio.get_running_loop().create_task(lingering()))
        trial.expect(True, "")

    outcome = tried(body)
    assert outcome.kind == "leak"
    assert "lingering" in outcome.detail


def test_a_request_still_open_at_the_server_is_a_leak(tried: Run) -> None:
    def make(site: Any, **settings: Any) -> Any:
        backend = PARROT.make(site, **settings)

        async def nothing() -> None:
            return

        backend._close_wire = nothing
        return backend

    async def body(trial: Trial) -> None:
        trial.fault(SlowFirstByte(1e5))
        backend = await trial.backend(read_timeout=None, max_retries=0)
        call = asyncio.get_running_loop().create_task(trial.call(backend))
        await trial.sim.until(seen=1)
        trial.expect(True, "")
        backend.endpoint().leave()
        del call

    assert tried(body, make=make).kind == "leak"


def test_background_work_is_cancelled_at_the_end(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        trial.sim.hold()
        backend = await trial.backend(max_concurrent_requests=1)
        for _ in range(3):
            trial.spawn(trial.call(backend))
        await trial.sim.until(held=1)
        trial.equal(backend.queue_status()["waiting"]["total"], 2, "waiting")

    assert tried(body).verdict is Verdict.PASS


def test_raises_tells_apart_right_wrong_and_none(tried: Run) -> None:
    async def right(trial: Trial) -> None:
        trial.fault(Status(429))
        async with trial.raises(errors.RateLimitError) as caught:
            await trial.call(await trial.backend(max_retries=0))
        trial.equal(caught.error.status, 429, "status")

    async def wrong(trial: Trial) -> None:
        trial.fault(Status(400))
        async with trial.raises(errors.RateLimitError, "a bad call"):
            await trial.call(await trial.backend())

    async def none(trial: Trial) -> None:
        async with trial.raises(errors.RateLimitError, "a good call"):
            await trial.call(await trial.backend())

    assert tried(right).verdict is Verdict.PASS
    assert tried(wrong).detail.startswith("a bad call: RateLimitError should have been raised, not InvalidRequestError")
    assert tried(none).detail == "a good call: RateLimitError should have been raised, nothing was"


def test_the_threaded_side_counts_traffic_and_faults(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        async with trial.threads() as side:
            side.fault(Status(503), nth=1)
            backend = side.backend()
            reply = await side.run(backend.chat, "hello")
            trial.equal(reply.attempts, 2, "attempts")
            trial.equal(len(side.clock.slept), 1, "sleeps")

    assert tried(body) == Outcome(Verdict.PASS, assertions=2, requests=2, threaded=True)


def test_an_unfired_fault_of_the_threaded_side_is_noticed(tried: Run) -> None:
    async def body(trial: Trial) -> None:
        async with trial.threads() as side:
            side.fault(Status(503), nth=9)
            await side.run(side.backend().chat, "hello")
        trial.expect(True, "")

    assert "never fired" in tried(body).detail


def test_the_same_seed_gives_the_same_chance(tried: Run) -> None:
    seen: list[float] = []

    async def body(trial: Trial) -> None:
        seen.append(trial.random.random())
        await trial.call(await trial.backend())
        trial.expect(True, "")

    tried(body)
    tried(body)
    assert seen[0] == seen[1]


def test_details_hold_nothing_that_differs_between_runs_and_no_planted_key() -> None:
    text = f"at 127.0.0.1:43211 {PLANTED_KEY}\n  id 8f14e45f-ceea-467f-a0e6-9d2f61c07b3e in /tmp/x1/y at 0x7f0011223344"
    assert scrubbed(text) == "at 127.0.0.1:<port> <planted key> id <uuid> in <temporary> at 0x<address>"
    assert len(scrubbed("x" * 9_999)) < 600


def test_a_detail_is_text_that_evidence_can_hold() -> None:
    """A backend may quote what is no text; the run that finds it must not end there."""
    assert scrubbed("lone \ud800 surrogate") == "lone \\ud800 surrogate"


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([], Verdict.UNKNOWN),
        ([Verdict.PASS, Verdict.FAIL, Verdict.VACUOUS], Verdict.FAIL),
        ([Verdict.PASS, Verdict.VACUOUS], Verdict.VACUOUS),
        ([Verdict.PASS, Verdict.NOT_APPLICABLE], Verdict.PASS),
        ([Verdict.NOT_APPLICABLE], Verdict.NOT_APPLICABLE),
        ([Verdict.PASS, Verdict.UNPROVEN], Verdict.UNPROVEN),
    ],
)
def test_verdicts_combine_to_the_worst(verdicts: list[Verdict], worst: Verdict) -> None:
    assert combined(verdicts) is worst
