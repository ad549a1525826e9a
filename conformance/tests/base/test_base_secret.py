"""A key shows itself only when asked by name."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable

import pytest

from backends.errors import ConfigurationError
from backends.secret import Key

SECRET = "sk-planted-7Hq2"
LEAKS: dict[str, Callable[[Key], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda key: f"{key}",
    "format with a width": lambda key: f"{key:>60}",
    "conversion": lambda key: f"{key!r} {key!s} {key!a}",
    "percent": lambda key: "%s %r" % (key, key),  # noqa: UP031 - this is what is tried
    "str.format": lambda key: "{} {0!r}".replace("{}", "{0}").format(key),
    "in a list": lambda key: str([key]),
    "in a dictionary": lambda key: str({"key": key, key: 1}),
    "pretty printed": lambda key: pprint.pformat({"key": [key]}),
    "dir": lambda key: " ".join(dir(key)),
    "fingerprint": lambda key: key.fingerprint,
    "name": lambda key: key.name,
    "documentation": lambda key: str(key.__doc__),
}


@pytest.mark.parametrize("way", LEAKS)
def test_a_key_does_not_leak(way: str) -> None:
    """No ordinary way of showing a value shows the text, or a part of it."""
    shown = LEAKS[way](Key(SECRET))
    for part in (SECRET, SECRET[3:], "7Hq2", "planted"):
        assert part not in shown


def test_a_key_has_no_dictionary_to_dump() -> None:
    """``vars`` finds nothing; a new attribute cannot be hung on."""
    key = Key(SECRET)
    with pytest.raises(TypeError):
        vars(key)
    with pytest.raises(AttributeError):
        key.note = "x"  # type: ignore[attr-defined]


def test_a_key_inside_a_dataclass_stays_masked() -> None:
    """A generated ``repr`` goes through ours."""

    @dataclasses.dataclass
    class Holder:
        key: Key

    assert SECRET not in repr(Holder(Key(SECRET)))


def test_a_key_cannot_be_pickled_copied_deeply_or_written_as_json() -> None:
    """A stored credential would be one; each way says so without showing it."""
    key = Key(SECRET)
    attempts: list[Callable[[], object]] = [
        lambda p=p: pickle.dumps(key, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    attempts += [lambda: copy.copy(key), lambda: copy.deepcopy({"key": key}), lambda: json.dumps({"key": key})]
    for attempt in attempts:
        with pytest.raises(TypeError) as caught:
            attempt()
        assert SECRET not in str(caught.value)


def test_a_key_does_not_leak_into_logs_or_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    """A log record and an exception that carry a key carry its mask."""
    key = Key(SECRET)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("tests.secret").debug("using %s and %r", key, {"key": key})
    try:
        {}[key]
    except KeyError as error:
        text = "".join(traceback.format_exception(error))
    assert key.fingerprint in caplog.text
    assert SECRET not in caplog.text + text


@pytest.mark.parametrize(
    "text",
    ["", "   ", "\n", "sk-a\nb", "sk-a\rb", "sk-a\x00b", "sk-a\x7f", "sk-ключ", "sk-\u200b", "sk-\udc80", "k" * 16_385],
    ids=ascii,
)
def test_what_cannot_go_into_a_header_is_no_key(text: str) -> None:
    """Refused with a reason that does not quote it."""
    with pytest.raises(ConfigurationError) as caught:
        Key(text)
    if text.strip():
        assert text.strip() not in str(caught.value)


@pytest.mark.parametrize("value", [None, 5, b"sk-bytes", ["sk-list"]])
def test_only_text_is_a_key(value: object) -> None:
    """The type is named, the value is not."""
    with pytest.raises(ConfigurationError, match="must be a string") as caught:
        Key(value)  # type: ignore[arg-type]
    assert "sk-" not in str(caught.value)


def test_keys_compare_by_their_text() -> None:
    """White space around it does not count; the name does not either; text is not a key."""
    assert Key(f" {SECRET}\n") == Key(SECRET, name="main")
    assert hash(Key(SECRET)) == hash(Key(SECRET, name="main"))
    assert Key(SECRET) != Key(SECRET + "x")
    assert Key(SECRET) != SECRET
    assert Key(SECRET, name="main").name == "main"
    assert Key(SECRET).name == Key(SECRET).fingerprint
    assert len(Key(SECRET).fingerprint) == 8
    assert Key(SECRET).reveal() == SECRET
