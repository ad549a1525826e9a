"""The catalogue of faults: complete, without a name that means nothing, and each cell with the one end that follows from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from backends import errors
from conformance import subject
from conformance.expectations import expectations_of
from conformance.faults.cells import MISHAPS, cells_of, excuse_of, spared_by, unknown_names
from conformance.faults.fault import MODES, Door, End, Mode, Stage
from conformance.faults.hints import DATE, dated
from conformance.simulators.faults import ACTIONS, Drop, Literal, Status


def end_of(name: str, mishap: str, mode: Mode = Mode.PLAIN) -> End:
    """Return the right end of a cell."""
    found = [
        cell.end for stage in Stage for cell in cells_of(subject.load(name), stage, mode) if cell.mishap.name == mishap
    ]
    assert len(found) == 1, (name, mishap)
    return found[0]


def test_every_mishap_has_a_name_of_its_own_and_exists() -> None:
    assert [name for name, times in Counter(mishap.name for mishap in MISHAPS).items() if times > 1] == []
    assert {mishap.stage for mishap in MISHAPS} == set(Stage)
    for mishap in MISHAPS:
        assert any(mishap.exists(mode) for mode in MODES), mishap.name
        assert mishap.actions or mishap.door is not Door.OPEN, mishap.name
        assert mishap.does, mishap.name
        assert not set(mishap.name) & set("|`"), "names stand in tables"


def test_every_action_that_can_strike_an_exchange_is_used_or_another_chapter_has_it() -> None:
    used = {type(action).__name__ for mishap in MISHAPS for action in mishap.actions}
    # of STR: backpressure, patience, events together; of LIM: what a server says of its limits
    elsewhere = {"LongStream", "SlowFirstByte", "SplitAt", "Headers"}
    assert set(ACTIONS) - used == elsewhere


def test_every_row_with_streams_has_every_mishap_or_a_reason() -> None:
    for name in subject.built():
        tried = subject.load(name)
        for mode in MODES if tried.stream is not None else (Mode.PLAIN,):
            for stage in Stage:
                cells = [cell.mishap.name for cell in cells_of(tried, stage, mode)]
                spared = spared_by(tried, stage, mode)
                there = [mishap.name for mishap in MISHAPS if mishap.stage is stage and mishap.exists(mode)]
                assert sorted([*cells, *spared]) == sorted(there)
                assert all(spared.values())


def test_a_status_means_what_the_providers_tables_say() -> None:
    assert end_of("openai", "status 402").error is errors.AuthenticationError
    assert end_of("gemini", "status 402").error is errors.QuotaExceededError
    assert end_of("openai", "status 429") == End(error=errors.RateLimitError, attempts=2)
    assert end_of("openai", "status 403").error is errors.PermissionDeniedError
    assert end_of("s3_kit", "status 403").error is errors.AuthenticationError, "its body says InvalidAccessKeyId"
    assert end_of("ollama", "status 404").error is errors.UnknownModelError
    assert end_of("openai", "status 599") == End(error=errors.ServerError, attempts=2)
    assert end_of("openai", "status 413") == End(error=errors.InvalidRequestError)


def test_actions_aim_at_the_subjects_own_fields() -> None:
    def actions(name: str, mishap: str, mode: Mode) -> tuple[object, ...]:
        cells = cells_of(subject.load(name), Stage.CONTENT, mode)
        return next(cell.actions for cell in cells if cell.mishap.name == mishap)

    assert actions("claude", "content NaN", Mode.STREAM) == (Literal("delta.text", "NaN"),)
    assert actions("hf_tei", "content missing", Mode.PLAIN) == (Drop("[0]"),)
    assert actions("groq", "count missing", Mode.STREAM) == (Drop("x_groq.usage.completion_tokens"),)


def test_what_is_not_there_says_why() -> None:
    by_name = {mishap.name: mishap for mishap in MISHAPS}
    llvm, openai = subject.load("llvm"), subject.load("openai")
    assert excuse_of(by_name["redirect loop"], Mode.PLAIN, llvm) == llvm.not_applicable["FLT-04"]
    assert excuse_of(by_name["gzip"], Mode.STREAM, llvm) == "LLVM has no streams"
    assert excuse_of(by_name["length too long"], Mode.STREAM, openai) == "it does not exist in a stream call"
    assert excuse_of(by_name["length too long"], Mode.PLAIN, openai) is None


def test_a_name_that_the_catalogue_does_not_have_is_found() -> None:
    stale = replace(expectations_of(subject.load("openai")), ends={"zork": End()}, spared={"gzip plain": "why"})
    assert list(unknown_names(stale)) == ["tells the end of 'zork', which is no mishap"]


@pytest.mark.parametrize(("seconds", "date"), [("5", "00:00:05"), ("-60", "23:59:00")])
def test_dates_are_filled_in_when_they_are_sent(seconds: str, date: str) -> None:
    day = 1_793_491_200.0
    action = dated(Status(503, headers=(("retry-after", DATE + seconds), ("x", "y"))), day)
    assert isinstance(action, Status)
    assert date in action.headers[0][1]
    assert action.headers[1] == ("x", "y")
