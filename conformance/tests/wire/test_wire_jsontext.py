"""JSON at the wire: strict in both directions, with errors that say where."""

from __future__ import annotations

import enum
import json
import sys
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.wire import jsontext
from backends.wire.values import FormatError

COMMA = 2 if sys.version_info >= (3, 13) else 3
"""Where Python finds fault with a comma before a bracket: at the comma, or behind it."""
READ: dict[str, tuple[bytes | str, Any]] = {
    "an object": (b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
    "text": ('"\u00e9"', "é"),
    "escaped surrogates that pair": (b'"\\ud83d\\ude00"', "😀"),
    "a lone surrogate": (b'"\\ud83d"', "\ud83d"),
    "a duplicate key, the last wins": (b'{"a": 1, "a": 2}', {"a": 2}),
    "an integer beyond 64 bits": (b"123456789012345678901234567890", 123456789012345678901234567890),
    "an integer at the limit": (b"9" * 4300, int("9" * 4300)),
    "a negative zero": (b"-0", 0),
    "white space around": (b" \n\t{}\r\n", {}),
    "brackets inside text": (b'"' + b"[" * 1000 + b'"', "[" * 1000),
    "a mark of byte order": (b"\xef\xbb\xbf{}", {}),
    "many brackets side by side": (b"[" + b"[]," * 500 + b"[]]", [[]] * 501),
}
REFUSED: dict[str, tuple[bytes | str, str]] = {
    "nothing": (b"", "not JSON at character 0"),
    "NaN": (b'{"a": NaN}', "JSON holds NaN, which is not a number"),
    "Infinity": (b"[Infinity]", "JSON holds Infinity, which is not a number"),
    "negative Infinity": (b"-Infinity", "JSON holds -Infinity, which is not a number"),
    "an integer of 4301 digits": (b"[" + b"9" * 4301 + b"]", "JSON holds a number that is too long"),
    "an endless integer": (b"1" * 1_000_000, "JSON holds a number that is too long"),
    "not UTF-8": (b'"\xff"', "not UTF-8 text"),
    "surrogates in UTF-8": (b'"\xed\xa0\x80"', "not UTF-8 text"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not UTF-8 text"),
    "cut short": (b'{"a": [1, 2', "not JSON at character 11"),
    "something behind": (b"{} {}", "not JSON at character 3"),
    "single quotes": (b"{'a': 1}", "not JSON at character 1"),
    "a trailing comma": (b"[1,]", f"not JSON at character {COMMA}"),
    "a control character in text": (b'"a\nb"', "not JSON at character 2"),
    "HTML": (b"<html><body>502</body></html>", "not JSON at character 0"),
    "two marks of byte order": (b"\xef\xbb\xbf" * 2 + b"{}", "not JSON at character 0"),
    "too deep": (b"[" * 129 + b"]" * 129, "JSON is nested too deeply"),
    "too deep in objects": (b'{"a":' * 129 + b"1" + b"}" * 129, "JSON is nested too deeply"),
    "far too deep": (b"[" * 1_000_000, "JSON is nested too deeply"),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_read(case: str) -> None:
    """As the standard's text means it."""
    data, expected = READ[case]
    assert jsontext.loads(data) == expected


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    """One class of error, with the place where there is one, and without the content."""
    data, words = REFUSED[case]
    with pytest.raises(FormatError) as caught:
        jsontext.loads(data)
    assert str(caught.value) == words
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("depth", [1, 2, 128])
def test_depth_is_counted_exactly(depth: int) -> None:
    """As many levels as allowed are allowed, in lists, objects and both."""
    for opening, inner, closing in (("[", "1", "]"), ('{"a":', "1", "}"), ('[{"a":', "1", "}]")):
        levels = depth * len([mark for mark in opening if mark in "[{"])
        text = opening * depth + inner + closing * depth
        jsontext.loads(text, max_depth=levels)
        with pytest.raises(FormatError, match="nested too deeply"):
            jsontext.loads(text, max_depth=levels - 1)


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 2


WRITTEN: dict[str, tuple[Any, bytes]] = {
    "compact": ({"a": [1, 2.5, None, True], "b": {}}, b'{"a":[1,2.5,null,true],"b":{}}'),
    "UTF-8": ({"é": "😀\u2028"}, '{"é":"😀\u2028"}'.encode()),
    "a tuple": ((1, (2,)), b"[1,[2]]"),
    "enumerations": ({"c": Colour.RED, "l": Level.LOW, Colour.RED: 1}, b'{"c":"red","l":2,"red":1}'),
    "a large integer": (10**400, b"1" + b"0" * 400),
    "a leaf": ("x", b'"x"'),
    "an enumeration alone": (Level.LOW, b"2"),
    "nothing": (None, b"null"),
}
UNWRITTEN: dict[str, tuple[Any, str]] = {
    "NaN": ({"messages": [{"content": float("nan")}]}, "messages[0].content is not a finite number"),
    "infinity": ([1, [float("inf")]], "[1][0] is not a finite number"),
    "negative infinity": ({"a": {"b": -float("inf")}}, "a.b is not a finite number"),
    "a number for a key": ({"a": [{1: 2}]}, "a[0] has a key that is not a string"),
    "a number for a key within a list": ([0, {1: 2}], "[1] has a key that is not a string"),
    "True for a key": ({True: 1}, "the value has a key that is not a string"),
    "None for a key": ({"a": {None: 1}}, "a has a key that is not a string"),
    "a float for a key": ({"a": ({"b": {1.5: 1}},)}, "a[0].b has a key that is not a string"),
    "NaN for a key": ({float("nan"): 1}, "the value has a key that is not a string"),
    "bytes for a key": ({b"a": 1}, "the value has a key that is not a string"),
    "a key like another as text": ({"1": "a", 1: "b"}, "the value has a key that is not a string"),
    "a lone surrogate": ({"messages": [{"content": "a\ud83d"}]}, "messages[0].content holds a lone surrogate"),
    "a lone surrogate in a key": ({"a": {"\udc80": 1}}, "a has a key that holds a lone surrogate"),
    "bytes": ({"file": b"x"}, "file is a bytes, which JSON does not have"),
    "a set": ({"stop": {"a"}}, "stop is a set, which JSON does not have"),
    "an object": ([object()], "[0] is a object, which JSON does not have"),
    "another mapping": ({"a": types.MappingProxyType({})}, "a is a mappingproxy, which JSON does not have"),
    "a complex number": (1j, "the value is a complex, which JSON does not have"),
    "an integer of 4301 digits": ({"a": [True, 10**4299, 10**4300]}, "a[2] is a number of more than 4300 digits"),
    "a negative one": ({"seed": -(10**4300)}, "seed is a number of more than 4300 digits"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_what_is_written(case: str) -> None:
    """Compact UTF-8."""
    value, expected = WRITTEN[case]
    assert jsontext.dumps(value) == expected


class Fickle(dict[str, Any]):
    """Says another thing each time it is asked."""

    said: float = float("nan")

    def items(self) -> Any:
        item, self.said = self.said, 1.0
        return {"a": item}.items()


def test_what_changes_while_it_is_written_has_no_place_to_name() -> None:
    with pytest.raises(ValueError) as caught:
        jsontext.dumps([Fickle(a=1)])
    assert str(caught.value) == "the value cannot be written as JSON"


@pytest.mark.parametrize("case", UNWRITTEN)
def test_what_cannot_be_written(case: str) -> None:
    """Named by its path, and nothing of its content shown."""
    value, words = UNWRITTEN[case]
    with pytest.raises(ValueError) as caught:
        jsontext.dumps(value)
    assert str(caught.value).startswith(words)
    str(caught.value).encode("utf-8")


def test_what_goes_round_or_too_deep_is_refused() -> None:
    """A list that holds itself, and nesting without end."""
    circle: list[Any] = []
    circle.append(circle)
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for value in (circle, {"a": circle}, deep):
        with pytest.raises(ValueError, match="nested too deeply"):
            jsontext.dumps(value)
    while isinstance(deep, list):  # taken apart by hand: the destructor need not recurse
        deep = deep[0]


@pytest.mark.parametrize("keyed", [False, True], ids=["lists", "objects"])
def test_a_complaint_reaches_five_hundred_levels(keyed: bool) -> None:
    """Deeper than that, it says so: the bound is ours, and does not hang on how deep the interpreter may go."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(10 * usual)
    try:
        value: Any = float("nan")
        for levels in range(1, 502):
            value = {"a": value} if keyed else [value]
            if levels >= 500:
                with pytest.raises(ValueError) as caught:
                    jsontext.dumps(value)
                path = ".".join(["a"] * levels) if keyed else "[0]" * levels
                said = "is not a finite number" if levels == 500 else "is nested too deeply"
                assert str(caught.value) == f"{path} {said}"
    finally:
        sys.setrecursionlimit(usual)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    """The same value, and the same as the standard library reads."""
    data = jsontext.dumps(value)
    assert jsontext.loads(data) == value
    assert json.loads(data) == value


@given(VALUES, st.sampled_from([1, 1.5, True, None]))
def test_a_key_that_is_no_text_is_found_anywhere(value: Any, key: Any) -> None:
    """However deep it is hidden."""
    for hidden in ({key: value}, [value, {key: value}], {"a": value, "b": [[{"c": ({key: 1},)}]]}):
        with pytest.raises(ValueError, match="a key that is not a string"):
            jsontext.dumps(hidden)


@pytest.mark.parametrize("text", ["[[],[]]", '{"a":{},"b":{}}', '[{},{"a":1}]', '{"a":[],"b":[1]}'])
def test_depth_is_not_the_number_of_brackets(text: str) -> None:
    """Two levels are two levels, however often they are opened."""
    jsontext.loads(text, max_depth=2)
    with pytest.raises(FormatError, match="nested too deeply"):
        jsontext.loads(text, max_depth=1)
