"""Events: what observers are told, when, and that nothing they do matters to a call."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import httpx
import pytest
from telemetry_bench import ASKED, KEY, OTHER_KEY, REPLY, answering, busy

from backends import LLVM, OpenAI, errors
from backends.secret import Key
from backends.telemetry import observers as watching
from backends.telemetry.events import AttemptEnded, CallEnded, CallFacts, CallStarted, FirstToken, Interest, fields_of
from backends.telemetry.swift import swift


async def test_every_call_is_told_from_start_to_end() -> None:
    events: list[Any] = []
    backend = await busy([events.append])
    calls = list(dict.fromkeys(event.call for event in events))
    shapes = [[type(event).__name__ for event in events if event.call is call] for call in calls]
    assert shapes == [
        ["CallStarted", "AttemptEnded", "AttemptEnded", "CallEnded"],
        ["CallStarted", "AttemptEnded", "CallEnded"],
        ["CallStarted", "AttemptEnded", "CallEnded"],
        ["CallStarted", "AttemptEnded", "FirstToken", "CallEnded"],
    ]
    ends = [event for event in events if isinstance(event, CallEnded)]
    assert [end.outcome for end in ends] == ["success", "failure", "cancelled", "success"]
    assert [call.stream for call in calls] == [False, False, False, True]
    assert (ends[1].error, ends[1].fault, ends[1].status) == ("InvalidRequestError", "caller", 400)
    assert ends[1].provider_request_id == "req-failed"
    assert ends[0].usage is not None
    assert (ends[0].usage.input_tokens, ends[0].usage.output_tokens) == (7, 5)
    assert (ends[0].model, ends[0].finish_reason, ends[0].provider_request_id) == ("gpt-test-2026", "stop", "req-1")
    assert ends[0].key == Key(KEY).fingerprint
    assert backend.report()["observers"] == [{"observer": "list.append", "failures": 0}]


async def test_attempts_tell_why_and_what_is_next() -> None:
    events: list[Any] = []
    backend = answering(503, 401, 200, api_keys=[KEY, OTHER_KEY], jitter=0.0, observers=[events.append])
    await backend.achat(ASKED, request_id="00000000-0000-0000-0000-000000000007")
    attempts = [event for event in events if isinstance(event, AttemptEnded)]
    told = [(one.number, one.reason, one.error, one.status, one.delay) for one in attempts]
    assert told == [
        (1, "outage", "OverloadedError", 503, 1.0),
        (2, "key refused", "AuthenticationError", 401, 0.0),
        (3, "answered", None, None, None),
    ]
    assert [one.key for one in attempts] == [Key(key).fingerprint for key in (KEY, OTHER_KEY, KEY)]
    start = events[0].call
    assert (start.request_id[-1], start.priority, start.operation, start.model) == ("7", "normal", "chat", "gpt-test")
    assert [one.at - start.at for one in attempts] == [0.0, 1.0, 1.0]
    assert events[-1].total == 1.0


async def test_the_last_failure_has_no_delay() -> None:
    events: list[Any] = []
    with pytest.raises(errors.ServerError):
        await answering(500, max_retries=1, observers=[events.append]).achat(ASKED)
    assert [event.delay is None for event in events if isinstance(event, AttemptEnded)] == [False, True]


async def test_what_never_reached_the_wire_has_no_attempt() -> None:
    events: list[Any] = []
    backend = answering(500, max_retries=0, failure_threshold=1, observers=[events.append])
    for _ in range(2):
        with pytest.raises(errors.BackendError):
            await backend.achat(ASKED)
    last = [event for event in events if event.call is events[-1].call]
    assert [type(event) for event in last] == [CallStarted, CallEnded]
    assert (last[-1].error, last[-1].fault, last[-1].attempts) == ("ServiceUnavailableError", "provider", 0)


async def test_a_stream_tells_its_first_token_and_one_that_is_left_is_cancelled() -> None:
    events: list[Any] = []
    backend = answering(200, observers=[events.append])
    stream = backend.astream_chat(ASKED)
    assert events == [], "nothing happens before the first chunk is asked for"
    await anext(stream)
    await stream.aclose()
    assert [type(event) for event in events] == [CallStarted, AttemptEnded, FirstToken, CallEnded]
    assert (events[-1].outcome, events[-1].first_token) == ("cancelled", 0.0)


def test_an_answer_out_of_a_cache_is_told_as_one() -> None:
    events: list[Any] = []
    code = "define i32 @one() {\n  ret i32 1\n}\n"
    with LLVM(observers=[events.append], cache=10) as backend:
        backend.optimize(code)
        backend.optimize(code)
    ends = [event for event in events if isinstance(event, CallEnded)]
    assert [(end.attempts, end.cached, end.cost) for end in ends] == [(1, False, None), (0, True, 0.0)]
    assert sum(isinstance(event, CallStarted) for event in events) == 2


def test_synchronous_calls_are_told_alike() -> None:
    events: list[Any] = []
    with answering(200, observers=[events.append]) as backend:
        backend.chat(ASKED)
        list(backend.stream_chat(ASKED))
    assert [event.outcome for event in events if isinstance(event, CallEnded)] == ["success", "success"]


async def test_a_failing_observer_is_counted_logged_once_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: object) -> None:
        raise ValueError(f"secret {KEY}")

    events: list[Any] = []
    with caplog.at_level(logging.WARNING, "backends"):
        backend = await busy([broken, events.append])
    assert backend.report()["observers"][0]["failures"] == len(events) == 14
    assert len(caplog.records) == 1
    assert "broken failed with ValueError" in caplog.text
    assert KEY not in caplog.text
    backend.reset_metrics()
    assert [one["failures"] for one in backend.report()["observers"]] == [0, 0]


async def test_a_server_that_quotes_the_key_is_not_believed() -> None:
    def quoting(request: httpx.Request) -> httpx.Response:
        key = request.headers["authorization"]
        return httpx.Response(200, json={**REPLY, "model": f"{key} {'m' * 500}"}, headers={"x-request-id": key})

    events: list[Any] = []
    async with OpenAI(
        api_key=KEY, environ={}, transport=httpx.MockTransport(quoting), observers=[events.append]
    ) as backend:
        await backend.achat(ASKED)
    assert KEY not in repr(events)
    assert events[-1].provider_request_id == f"Bearer {Key(KEY)}"
    assert len(events[-1].model) == 200


def test_without_observers_a_call_is_not_watched() -> None:
    backend = answering()
    assert backend._observers is None
    assert "observers" not in backend.report()


@pytest.mark.parametrize("observers", ["print", 7, [None], [print, "print"]])
def test_what_is_no_observer_is_refused(observers: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"bserver"):
        answering(observers=observers)


async def test_events_are_frozen_and_fields_are_plain() -> None:
    events: list[Any] = []
    await busy([events.append])
    with pytest.raises(dataclasses.FrozenInstanceError):
        events[-1].outcome = "failure"
    fields = fields_of(events[-1])
    assert {type(value) for value in fields.values()} <= {str, int, float, bool, type(None)}
    assert fields["total_tokens"] == 12


class Choosy:
    def __init__(self, interest: Interest) -> None:
        self.interest = interest
        self.told: list[str] = []

    def __call__(self, event: Any) -> None:
        self.told.append(type(event).__name__)


@pytest.mark.parametrize(
    ("interest", "names"),
    [
        (Interest.STARTS, ["CallStarted"] * 4),
        (Interest.FAILED_ATTEMPTS, ["AttemptEnded"] * 2),
        (Interest.OTHER_ATTEMPTS, ["AttemptEnded"] * 3),
        (Interest.FIRST_TOKENS, ["FirstToken"]),
        (Interest.ENDS, ["CallEnded"] * 4),
        (Interest(0), []),
    ],
)
async def test_an_observer_is_told_of_what_interests_it(interest: Interest, names: list[str]) -> None:
    choosy, all_of_it = Choosy(interest), Choosy(Interest.ALL)
    await busy([choosy, all_of_it])
    assert choosy.told == names
    assert len(all_of_it.told) == 14


@pytest.mark.parametrize("kind", [CallFacts, CallStarted, AttemptEnded, FirstToken, CallEnded])
def test_a_value_that_was_made_swiftly_is_the_same(kind: Any) -> None:
    names = [one.name for one in dataclasses.fields(kind)]
    made, plain = swift(kind)(*names), kind(*names)
    assert type(made) is kind
    assert repr(made) == repr(plain)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, names[0], None)
    changed = dataclasses.replace(made, **{names[0]: "other"})
    assert (type(changed), getattr(changed, names[0])) == (kind, "other")
    with pytest.raises(TypeError):
        swift(kind)()


def test_where_a_class_cannot_be_changed_it_makes_its_own() -> None:
    @dataclasses.dataclass(frozen=True)
    class Open:
        name: str

    assert swift(Open)("x") == Open("x")


async def test_texts_without_the_key_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_MOST_TEXTS", 3)
    asked: list[str] = []

    def naming(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["authorization"])
        named = asked[-1] if len(asked) % 3 == 0 else f"model-{len(asked) % 7}"
        return httpx.Response(200, json={**REPLY, "model": named})

    keys = [f"sk-planted-{number}-of-them" for number in range(5)]
    events: list[Any] = []
    async with OpenAI(
        api_keys=keys, environ={}, transport=httpx.MockTransport(naming), observers=[events.append]
    ) as backend:
        for _ in range(40):
            await backend.achat(ASKED)
        assert backend._observers is not None
        kept = backend._observers._innocent
    assert len(kept) <= 3
    assert 1 <= max(map(len, kept.values())) <= 4
    assert not [text for texts in kept.values() for text in texts if "planted" in text]
    assert "planted" not in repr(events)
    assert len({event.model for event in events if isinstance(event, CallEnded)}) > 7
