"""Server hints: every dialect as a table."""

from __future__ import annotations

import time

import pytest

from backends.resilience.hints import read_seconds, retry_after, should_retry

WALL = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def plain(value: object) -> str | None:
    """An identifier for a text, without backslashes: pytest escapes those once more each time it collects."""
    return ascii(value).replace("\\", "/")[:40] if isinstance(value, str) else None


HEADER = [
    ("0", 0.0),
    ("5", 5.0),
    (" 120 ", 120.0),
    ("1.5", 1.5),
    ("1e9", 1e9),
    ("1000000000", 1e9),
    ("1m0.36s", 60.36),
    ("2m59.56s", 179.56),
    ("350ms", 0.35),
    ("6m0s", 360.0),
    ("1h2m3s", 3723.0),
    ("5 seconds", 5.0),
    ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
    ("Tuesday, 14-Nov-23 22:14:20 GMT", 60.0),
    ("Tue, 14 Nov 2023 22:14:20 -0000", 60.0),
    ("Tue, 14 Nov 2023 23:14:20 +0100", 60.0),
    ("2023-11-14T22:14:20Z", 60.0),
    ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ("2015-10-21T07:28:00Z", 0.0),
    ("-5", None),
    ("-1m", None),
    ("+5", None),
    ("nan", None),
    ("inf", None),
    ("-inf", None),
    ("1e999", None),
    ("0x10", None),
    ("1_000", None),
    ("٣", None),
    ("soon", None),
    ("", None),
    ("5, 10", None),
    ("5s later", None),
    ("9" * 10_000, None),
    ("Fri, 99 Foo 99999 99:99:99 GMT", None),
    ("Tue, 14 Nov 20235555555555555 22:14:20 GMT", None),
    ("\x00", None),
]


@pytest.mark.parametrize(("text", "expected"), HEADER, ids=plain)
def test_retry_after_header(text: str, expected: float | None) -> None:
    """Seconds, fractions, durations and dates are read; what makes no sense was not said."""
    assert retry_after({"retry-after": text}, None, wall=WALL) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"), [("1500", 1.5), ("0", 0.0), ("12.5", 0.0125), ("-1", None), ("nan", None), ("1s", None)]
)
def test_retry_after_ms_header(text: str, expected: float | None) -> None:
    """Milliseconds are milliseconds."""
    assert retry_after({"retry-after-ms": text}, None, wall=WALL) == pytest.approx(expected)


MESSAGES = [
    ("Rate limit reached for model x. Please try again in 1m0.36s. Visit the console.", 60.36),
    ("Please try again in 350ms.", 0.35),
    ("Please try again in 7.66s", 7.66),
    ("Quota exceeded.\nPlease retry in 45.837973s.", 45.837973),
    ("Please retry after 26 seconds.", 26.0),
    ("Try again in 5 minutes and 3 seconds!", 303.0),
    ("Try again in 1d2h", 93600.0),
    ("retrying in 2 hours", 7200.0),
    ("Try again in a moment, or try again in 4s", 4.0),
    ("Please try again in a moment.", None),
    ("try again in 5 messages", None),
    ("We will not try again in", None),
    ("used 20s of 30s", None),
    ("x" * 100_000 + "try again in 5s", None),
    ("try again in " + "1s" * 100_000, None),
]


@pytest.mark.parametrize("where", ["error.message", "message", "error", "text"])
@pytest.mark.parametrize(("message", "expected"), MESSAGES[:-1], ids=plain)
def test_message(message: str, expected: float | None, where: str) -> None:
    """The wait is found in the message wherever providers put messages."""
    body: object = {
        "error.message": {"error": {"message": message}},
        "message": {"message": message},
        "error": {"error": message},
        "text": message,
    }[where]
    assert retry_after({}, body, wall=WALL) == pytest.approx(expected)


@pytest.mark.parametrize("unit", ["\u017f", "minute\u017f", "m\u0131nutes", "m\u0130nutes"])
def test_letters_that_only_fold_to_those_of_a_unit_say_nothing(unit: str) -> None:
    """They do not say to come back at once, nor hide what is said elsewhere."""
    body = {"error": {"message": f"try again in 5{unit}, or retry after 7 s"}}
    assert retry_after({}, body, wall=WALL) == 7.0
    assert read_seconds(f"5{unit}") is None


def test_an_endless_message_is_bounded() -> None:
    """Only the beginning is read; the number is what fits in it, and finite."""
    told = retry_after({}, MESSAGES[-1][0], wall=WALL)
    assert told is not None
    assert told < 10_000


def google(delay: object) -> dict[str, object]:
    return {
        "error": {
            "code": 429,
            "message": "Quota exceeded.",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
            ],
        }
    }


@pytest.mark.parametrize(
    ("delay", "expected"), [("45.8379s", 45.8379), ("37s", 37.0), ("0s", 0.0), ("-3s", None), ("3", None), (3, None)]
)
def test_google_retry_info(delay: object, expected: float | None) -> None:
    """The details of the body tell Gemini's wait, in an object or in an array of one."""
    assert retry_after({}, google(delay), wall=WALL) == pytest.approx(expected)
    assert retry_after({}, [google(delay)], wall=WALL) == pytest.approx(expected)


def limits(requests: str, tokens: str, left_requests: str | None, left_tokens: str | None) -> dict[str, str]:
    headers = {"x-ratelimit-reset-requests": requests, "x-ratelimit-reset-tokens": tokens}
    if left_requests is not None:
        headers["x-ratelimit-remaining-requests"] = left_requests
    if left_tokens is not None:
        headers["x-ratelimit-remaining-tokens"] = left_tokens
    return headers


RESETS = [
    (limits("2m59.56s", "7.66s", "14370", "0"), 429, 7.66),
    (limits("2m59.56s", "7.66s", "0", "5000"), 429, 179.56),
    (limits("2m59.56s", "7.66s", "0", "0"), 429, 179.56),
    (limits("12ms", "6m0s", "10", "10"), 429, 360.0),
    (limits("12ms", "6m0s", None, None), 429, 360.0),
    (limits("12ms", "6m0s", None, "0"), None, 360.0),
    (limits("2m59.56s", "7.66s", "10", "10"), None, 179.56),
    (limits("2m59.56s", "7.66s", "10", "10"), 500, None),
    (limits("2m59.56s", "7.66s", "10", "0"), 503, 7.66),
    (limits("never", "7.66s", "0", "9"), 429, 7.66),
    ({"anthropic-ratelimit-requests-reset": "2023-11-14T22:14:20Z"}, 429, 60.0),
    (
        {
            "anthropic-ratelimit-requests-reset": "2023-11-14T23:13:20Z",
            "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-output-tokens-reset": "2023-11-14T22:13:50Z",
            "anthropic-ratelimit-output-tokens-remaining": "0",
        },
        429,
        30.0,
    ),
    ({"anthropic-ratelimit-tokens-reset": "2020-01-01T00:00:00Z"}, 429, 0.0),
    ({"x-ratelimit-remaining-requests": "0"}, 429, None),
]


@pytest.mark.parametrize(("headers", "status", "expected"), RESETS)
def test_reset_headers(headers: dict[str, str], status: int | None, expected: float | None) -> None:
    """What is used up counts; when nothing is, the later reset does, and only where a limit was the trouble."""
    assert retry_after(headers, None, wall=WALL, status=status) == pytest.approx(expected)


def test_precedence() -> None:
    """Milliseconds, then the header, then the body's details, its message, and the resets last."""
    body = google("3s")
    body["error"]["message"] = "try again in 4s"  # type: ignore[index]
    headers = {"retry-after-ms": "1000", "retry-after": "2", "x-ratelimit-reset-requests": "5s"}
    found = [retry_after(headers, body, wall=WALL)]
    del headers["retry-after-ms"]
    found.append(retry_after(headers, body, wall=WALL))
    del headers["retry-after"]
    found.append(retry_after(headers, body, wall=WALL))
    del body["error"]["details"]  # type: ignore[attr-defined]
    found.append(retry_after(headers, body, wall=WALL))
    found.append(retry_after(headers, None, wall=WALL))
    assert found == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_nonsense_falls_through() -> None:
    """A broken statement does not hide a sound one."""
    headers = {"retry-after-ms": "-7", "retry-after": "soon"}
    assert retry_after(headers, {"error": {"message": "try again in 4s"}}, wall=WALL) == 4.0


@pytest.mark.parametrize(
    "body", [None, [], {}, [[]], "", b"try again in 5s", 5, {"error": None}, {"error": {"details": [None, 3]}}]
)
def test_bodies_that_say_nothing(body: object) -> None:
    """Any body is taken; one without a hint gives none."""
    assert retry_after({}, body, wall=WALL) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-should-retry": "true"}, True),
        ({"x-should-retry": "False "}, False),
        ({"x-should-retry": "1"}, None),
        ({"x-should-retry": ""}, None),
        ({}, None),
    ],
)
def test_should_retry(headers: dict[str, str], expected: bool | None) -> None:
    """Only a clear word is an order."""
    assert should_retry(headers) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2m59.56S", 179.56),
        ("7.66s", 7.66),
        ("12MS", 0.012),
        ("3µs", 3e-6),
        ("3", 3.0),
        ("soon", None),
        ("", None),
        ("1" * 500, None),
    ],
)
def test_plain_seconds(text: str, expected: float | None) -> None:
    assert read_seconds(text) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("text", ["2023-11-14T22:14:20", "Tue, 14 Nov 2023 22:14:20"])
def test_a_time_without_a_zone_is_of_utc(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the client is."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert retry_after({"retry-after": text}, None, wall=WALL) == 60.0
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("length", "expected"), [(128, 5.0), (129, None)])
def test_a_value_is_read_up_to_its_bound(length: int, expected: float | None) -> None:
    assert read_seconds("5".rjust(length)) == expected


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [(20, 20.0), (20.5, 20.5), (0, 0.0), (-1, None), (True, None), ("20", None), (float("inf"), None), (None, None)],
)
def test_the_time_that_a_model_takes_to_load(estimate: object, expected: float | None) -> None:
    """Hugging Face tells it beside the error."""
    assert retry_after({}, {"error": "Model x is loading", "estimated_time": estimate}, wall=WALL) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), (" TRUE ", True), ("False", False), ("maybe", None), ("", None)]
)
def test_what_the_server_orders(text: str, expected: bool | None) -> None:
    assert should_retry({"x-should-retry": text}) is expected
    assert should_retry({}) is None
