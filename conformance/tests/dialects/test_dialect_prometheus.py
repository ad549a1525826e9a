"""The reader of metrics that several servers share."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.dialects.prometheus import Metric, read_metrics
from backends.wire.values import FormatError

TEXT = """# HELP tgi_request_count requests
# TYPE tgi_request_count counter
tgi_request_count 12
tgi_request_failure{err="validation"} 3 1795000000000

tgi_request_duration_bucket{le="0.5"} 7
tgi_request_duration_bucket{le="+Inf",quote="a \\"b\\" \\\\ c\\nd",} 9.5e1
tgi_queue_size NaN
up{ job = "x" } -Inf
total_total{a="b"} 1 # {trace="x"} 0.5
# EOF
"""


def test_every_form_of_a_line() -> None:
    read = read_metrics(TEXT)
    assert read[:4] == (
        Metric("tgi_request_count", {}, 12.0),
        Metric("tgi_request_failure", {"err": "validation"}, 3.0),
        Metric("tgi_request_duration_bucket", {"le": "0.5"}, 7.0),
        Metric("tgi_request_duration_bucket", {"le": "+Inf", "quote": 'a "b" \\ c\nd'}, 95.0),
    )
    assert math.isnan(read[4].value)
    assert read[5:] == (Metric("up", {"job": "x"}, -math.inf), Metric("total_total", {"a": "b"}, 1.0))
    assert read_metrics(TEXT.replace("\n", "\r\n"))[:4] == read[:4]
    assert read_metrics("") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 1\nb", "line 2 of the metrics has no number"),
        ("a one", "no number"),
        ("a 1 2 3", "no number"),
        ("a 0x10", "no number"),
        ("{} 1", "no name"),
        ("<html>", "no name"),
        ('a{b="c" 1', "broken labels"),
        ('a{b="c"d="e"} 1', "broken labels"),
        ("a{b=c} 1", "broken labels"),
        ("a" * 70_000 + " 1", "too large at line 1"),
        ("a{" + ",".join(f'l{number}="v"' for number in range(200)) + "} 1", "too many labels"),
    ],
)
def test_what_is_not_a_metric(text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_metrics(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    read: tuple[Metric, ...] = ()
    with contextlib.suppress(FormatError):
        read = read_metrics(text)
    assert all(metric.name for metric in read)


@given(
    st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), st.text(max_size=20), max_size=4),
    st.floats(allow_nan=False),
)
def test_what_is_written_is_read(labels: dict[str, str], value: float) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

    inside = ",".join(f'{name}="{escaped(text)}"' for name, text in labels.items())
    number = repr(value).replace("inf", "Inf")
    assert read_metrics(f"m{{{inside}}} {number}") == (Metric("m", labels, value),)


def test_the_text_format_of_prometheus() -> None:
    text = (
        "# HELP a_total Counts.\n# TYPE a_total counter\n"
        'a_total{path="C:\\\\dir\\\\",say="\\"hi\\"\\n",} 1027 1395066363000\n'
        "plain 1.5e-3\n\n"
        'b_bucket { le = "+Inf" , x="a,b={}" } +Inf\n'
        "nan_value NaN\r\n"
    )
    first, plain, bucket, nan = read_metrics(text)
    assert first == Metric("a_total", {"path": "C:\\dir\\", "say": '"hi"\n'}, 1027.0)
    assert plain == Metric("plain", {}, 0.0015)
    assert (bucket.labels, bucket.value) == ({"le": "+Inf", "x": "a,b={}"}, float("inf"))
    assert (nan.name, nan.value != nan.value) == ("nan_value", True)
    assert read_metrics("") == ()


@pytest.mark.parametrize("line", ["a", "a b", "1a 2", 'a{x="1" 2', "a{x=1} 2", 'a{x="1";y="2"} 2', "<html>", "a{} x"])
def test_lines_that_are_no_metrics(line: str) -> None:
    with pytest.raises(FormatError, match="metric"):
        read_metrics(f"good 1\n{line}\n")


def test_hostile_lines_take_no_time() -> None:
    many = 200_000
    for line in (
        "a" + " " * many,
        "a" + " " * many + "{",
        "a{" + "} " * many,
        'a{x="' + "\\" * many,
        "a 1" + " " * many + "z",
    ):
        with pytest.raises(FormatError):
            read_metrics(line)
