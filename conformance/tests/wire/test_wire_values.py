"""The small values of the wire: segments that stay segments, headers that stay headers, nothing secret shown."""

from __future__ import annotations

import dataclasses
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_bench import plain

from backends.wire.values import Failure, Limits, Timeouts, WireError, WireRequest, check_header, segment


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50))
def test_a_segment_stays_one(text: str) -> None:
    """Whatever it holds, it is one part of the path and reads back as it was; or it is refused."""
    try:
        escaped = segment(text)
    except ValueError:
        assert text in (".", "..") or any(ord(character) < 32 or ord(character) == 127 for character in text)
        return
    parts = urlsplit(f"https://host.invalid/v1/models/{escaped}")
    assert (parts.hostname, parts.query, parts.fragment) == ("host.invalid", "", "")
    assert parts.path.split("/")[3:] == [escaped]
    assert unquote(escaped) == text


@pytest.mark.parametrize("text", ["", ".", "..", "a\nb", "\x00", "a\x7f", "\ud800"], ids=plain)
def test_what_is_no_segment(text: str) -> None:
    """Refused without being quoted."""
    with pytest.raises(ValueError) as caught:
        segment(text)
    if text.isascii():
        assert str(caught.value) == "a path segment is empty, a dot segment, or holds control characters"


@pytest.mark.parametrize(
    "text", ["../../admin", "a/b", "a?b=c", "a#b", "a%2fb", "a b", "..%2f", "a\\b", "@host"], ids=plain
)
def test_what_would_escape_is_escaped(text: str) -> None:
    """Nothing of it means anything in a path."""
    escaped = segment(text)
    assert not set(escaped) & set("/?# \\@")
    assert unquote(escaped) == text


@pytest.mark.parametrize(
    ("name", "value"),
    [("x-a", "sk\r\nx: 1"), ("x-a", "sk\n"), ("x-a", "sk\r"), ("x-a", "sk\0"), ("x-a", "sk€"), ("x a", "sk"), ("x:a", "sk"),
     ("", "sk"), ("x\n", "sk"), ("ünter", "sk"), ("-", "sk"), ("_", "sk")],
    ids=plain,
)  # fmt: skip
def test_a_bad_header_is_refused_without_its_value(name: str, value: str) -> None:
    """The name may be shown, the value is not."""
    with pytest.raises(ValueError) as caught:
        check_header(name, value)
    held = "characters that are not latin-1" if "€" in value else "a line break"
    assert str(caught.value) == (
        f"the value of header x-a holds {held}"
        if name == "x-a"
        else "a header name holds characters that are not allowed"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-Title", "Zoë"), ("x_under", ""), ("A", "a\tb"), ("x-1", "b" * 5000), ("-x_", "XML")],
    ids=lambda value: plain(value)[:40],
)
def test_a_good_header_passes(name: str, value: str) -> None:
    """Latin-1 is what a header may hold."""
    assert check_header(name, value) is None


def test_nothing_secret_is_shown() -> None:
    """Headers and body do not appear in the request's ``repr``; an error holds a name, a word and a flag."""
    request = WireRequest("POST", "https://h.invalid/", (("authorization", "sk-planted"),), b"sk-planted", Timeouts())
    assert "sk-planted" not in repr(request)
    error = WireError(Failure.CONNECT, "refused", sent=False)
    assert vars(error) == {"failure": Failure.CONNECT, "message": "refused", "sent": False}


def test_the_values_are_frozen_and_bounded_by_default() -> None:
    """No limit is missing."""
    for value in (Timeouts(), Limits()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, 1)
        assert all(limit is not None and limit > 0 for limit in dataclasses.astuple(value))
    assert dataclasses.astuple(Timeouts()) == (5.0, 60.0, 600.0, 60.0)
    assert dataclasses.astuple(Limits()) == (67_108_864, 8_388_608, 128, 200)
