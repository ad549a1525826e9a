"""Every setting: its promised default, its range, and what is said of a bad value or name."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from backends.cache import Cache
from backends.errors import ConfigurationError
from backends.settings import Settings, nearest

PROMISED: dict[str, Any] = {
    "max_concurrent_requests": 5,
    "adaptive_concurrency": False,
    "max_queue_wait": None,
    "queue_size": 100,
    "overflow": "reject",
    "ageing": 60.0,
    "max_retries": 5,
    "initial_retry_delay": 1.0,
    "backoff_factor": 2.0,
    "max_retry_delay": 16.0,
    "jitter": 0.2,
    "max_retry_after": 60.0,
    "retry_budget": 0.2,
    "retry_reserve": 50.0,
    "deadline": None,
    "failure_threshold": 5,
    "reset_timeout": 30.0,
    "key_strategy": "round_robin",
    "key_weights": None,
    "per_key_limit": None,
    "requests_per_minute": None,
    "tokens_per_minute": None,
    "rate_limit_headers": False,
    "prefix_affinity": None,
    "max_batch_size": 1,
    "batch_timeout": 0.01,
    "max_cost": None,
    "max_cost_per_tenant": None,
    "connect_timeout": 5.0,
    "write_timeout": 60.0,
    "read_timeout": 600.0,
    "first_token_timeout": None,
    "idle_timeout": 60.0,
    "max_response_bytes": 67_108_864,
    "max_event_bytes": 8_388_608,
    "allow_insecure_http": False,
    "verify": True,
    "client_certificate": None,
    "proxy": None,
    "user_agent": None,
    "cache": None,
}
NOTHING = type("Nothing", (), {"__repr__": lambda self: "Nothing()"})()  # its name must not differ between processes
WHOLE = (True, 1.5, "3", math.nan, math.inf, [3])
NUMBER = (True, "1", math.nan, math.inf, -math.inf, [1.0], NOTHING)
BAD: dict[str, tuple[Any, ...]] = {
    "max_concurrent_requests": (None, 0, -1, *WHOLE),
    "adaptive_concurrency": (None, 1, 0, "true"),
    "max_queue_wait": (-0.1, 86_401, *NUMBER),
    "queue_size": (None, -1, *WHOLE),
    "overflow": (None, "", "Reject", "block", 1, ["reject"]),
    "ageing": (0, -1.0, 1e10, *NUMBER),
    "max_retries": (None, -1, 1001, *WHOLE),
    "initial_retry_delay": (None, -0.1, 86_401, *NUMBER),
    "backoff_factor": (None, 0.99, 0, 1001, *NUMBER),
    "max_retry_delay": (None, -1, 86_401, *NUMBER),
    "jitter": (None, -0.01, 1.01, *NUMBER),
    "max_retry_after": (None, -1, 86_401, *NUMBER),
    "retry_budget": (-0.1, 100.5, *NUMBER),
    "retry_reserve": (None, -1, *NUMBER),
    "deadline": (-1, *NUMBER),
    "failure_threshold": (None, 0, -1, *WHOLE),
    "reset_timeout": (None, 0, -1, 1e10, *NUMBER),
    "key_strategy": (None, "", "random", 0),
    "key_weights": (1, "12", [], [0], [-1], [True], ["1"], [math.nan], [math.inf], {"sk": 1}),
    "per_key_limit": (0, -1, *WHOLE),
    "requests_per_minute": (0, -1, *WHOLE),
    "tokens_per_minute": (0, -1, *WHOLE),
    "rate_limit_headers": (None, 1, 0, "true"),
    "prefix_affinity": (0, -1, *WHOLE),
    "max_batch_size": (None, 0, -1, *WHOLE),
    "batch_timeout": (None, -0.01, 3601, *NUMBER),
    "max_cost": (-0.01, *NUMBER),
    "max_cost_per_tenant": (-0.01, *NUMBER),
    "connect_timeout": (0, -1, *NUMBER),
    "write_timeout": (0, -1, *NUMBER),
    "read_timeout": (0, -1, *NUMBER),
    "first_token_timeout": (0, -1, *NUMBER),
    "idle_timeout": (0, -1, *NUMBER),
    "max_response_bytes": (None, 0, -1, *WHOLE),
    "max_event_bytes": (None, 0, -1, *WHOLE),
    "allow_insecure_http": (None, 1, 0, "true"),
    "verify": (None, 1, b"ca.pem", NOTHING),
    "client_certificate": (1, b"c.pem", [], ["a", "b", "c"], [1], True),
    "proxy": ("", "proxy:8080", "socks5://p:1", "https://p:1", "http://", "http://p:1/path", "http://p:no", 1, "env"),
    "cache": (True, 0, "semantic", {}, object),
    "user_agent": (5, b"x", "a\r\nx-evil: 1", "näme", "\x7f", "tab\there"),
}
GOOD: dict[str, tuple[Any, ...]] = {
    "max_concurrent_requests": (1, 10_000),
    "queue_size": (0, 1_000_000),
    "overflow": ("reject", "wait", "drop_lowest"),
    "ageing": (None, 0.5),
    "max_retries": (0, 1000),
    "backoff_factor": (1, 1.0),
    "jitter": (0, 1),
    "retry_budget": (None, 0, 1.0),
    "deadline": (None, 0.001),
    "adaptive_concurrency": (True, False),
    "max_queue_wait": (None, 0, 2.5),
    "key_strategy": ("round_robin", "least_loaded", "weighted", "most_headroom"),
    "key_weights": (None,),
    "requests_per_minute": (None, 1),
    "tokens_per_minute": (None, 1),
    "rate_limit_headers": (True, False),
    "per_key_limit": (None, 1),
    "max_batch_size": (1, 100_000),
    "batch_timeout": (0, 3600),
    "max_cost": (None, 0, 0.5),
    "read_timeout": (None, 0.001),
    "verify": (True, False, "/etc/ssl/ca.pem"),
    "user_agent": (None, "mine/1.0 (x)"),
    "cache": (None, "exact", Cache()),
}
NAMES = tuple(entry.name for entry in dataclasses.fields(Settings))


def test_the_defaults_are_the_promised_ones() -> None:
    """Every field, nothing more, with type and value."""
    assert dataclasses.asdict(Settings()) == PROMISED
    assert {name: type(value) for name, value in dataclasses.asdict(Settings()).items()} == {
        name: type(value) for name, value in PROMISED.items()
    }


def test_every_setting_is_documented_and_tried_here() -> None:
    """A setting nobody describes or tries is one that may be ignored."""
    assert set(BAD) == set(NAMES)
    for name in NAMES:
        assert name in (Settings.__doc__ or ""), name


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in BAD for value in BAD[name]], ids=ascii)
def test_a_bad_value_is_refused_by_name(name: str, value: Any) -> None:
    """The message names the setting, and nothing else goes wrong on the way to it."""
    with pytest.raises(ConfigurationError, match=rf"Setting {name} must be "):
        Settings.of({name: value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in GOOD for value in GOOD[name]], ids=ascii)
def test_a_value_at_the_edge_is_taken(name: str, value: Any) -> None:
    """Edges belong to the range."""
    assert getattr(Settings.of({name: value}), name) == value


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_setting_is_refused_with_the_right_one(name: str) -> None:
    """One letter missing, doubled or in capitals still finds it."""
    for wrong in (name[:-1], name + name[-1], name.replace("_", "")):
        if wrong == name:
            continue
        with pytest.raises(ConfigurationError, match=f"Unknown setting '{wrong}'") as caught:
            Settings.of({wrong: 1})
        assert name in caught.value.suggestions


def test_an_unheard_of_setting_gets_no_suggestion() -> None:
    """A suggestion that is no help is not made."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.of({"qqqq": 1})
    assert caught.value.suggestions == ()


def test_settings_are_based_on_others() -> None:
    """An endpoint's settings are the backend's, except for what it names; the base is not changed."""
    base = Settings.of({"max_retries": 1, "jitter": 0})
    made = Settings.of({"max_retries": 2}, base)
    assert (made.max_retries, made.jitter) == (2, 0)
    assert base.max_retries == 1
    assert Settings.of({}, base) is base
    assert Settings.of({}) == Settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        base.max_retries = 3  # type: ignore[misc]


def test_nearest_is_bounded() -> None:
    """At most three names, the best first."""
    assert nearest("max_retrys", NAMES)[0] == "max_retries"
    assert len(nearest("timeout", NAMES)) <= 3
    assert nearest("max_retrys", NAMES, most=1) == ("max_retries",)


def test_weights_are_kept_as_numbers() -> None:
    """Whatever sequence they came in."""
    assert Settings.of({"key_strategy": "weighted", "key_weights": [3, 1]}).key_weights == (3.0, 1.0)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"adaptive_concurrency": True, "max_concurrent_requests": 1}, "adaptive_concurrency"),
        ({"max_queue_wait": 5.0, "overflow": "wait"}, "max_queue_wait"),
        ({"key_weights": [1, 2]}, "key_weights"),
        ({"key_weights": [1, 2], "key_strategy": "least_loaded"}, "key_weights"),
    ],
)
def test_settings_that_do_nothing_beside_each_other_are_refused(values: dict[str, Any], named: str) -> None:
    """One of them would be accepted and ignored."""
    with pytest.raises(ConfigurationError, match=f"Setting {named} "):
        Settings.of(values)
