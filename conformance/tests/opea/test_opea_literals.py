"""Bytes literals are decoded as Python would, and nothing is ever evaluated."""

from __future__ import annotations

import ast
import contextlib
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.opea import answers, events, literals
from backends.opea.literals import is_literal, read_literal
from backends.wire.values import FormatError


@given(st.binary())
def test_every_literal_reads_back(content: bytes) -> None:
    assert read_literal(repr(content)) == content


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_reads_back(text: str) -> None:
    assert read_literal(repr(text.encode())).decode() == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\'")))
def test_what_stands_unescaped_reads_as_it_is(text: str) -> None:
    assert read_literal(f"b'{text}'").decode() == text


@given(st.text(max_size=40))
def test_hostile_literals_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(FormatError, UnicodeEncodeError):
        assert isinstance(read_literal("b'" + text), bytes)


@pytest.mark.parametrize(
    ("literal", "content"),
    [
        ("b''", b""),
        ('b""', b""),
        ("b'Caf\\xc3\\xa9'", "Café".encode()),
        ('b"It\'s"', b"It's"),
        ("b'\\'\"'", b"'\""),
        ("b'a\\n\\r\\t\\\\'", b"a\n\r\t\\"),
        ("b'\\x00\\x7f\\xff'", b"\x00\x7f\xff"),
        ("b'I can't help'", b"I can't help"),  # not what repr would write: a refusal
        ("b'50 \\% of it'", b"50 \\% of it"),
        ("b'\\xZZ'", b"\\xZZ"),
    ],
)
def test_literals(literal: str, content: bytes) -> None:
    assert is_literal(literal)
    assert read_literal(literal) == content


@pytest.mark.parametrize("literal", ["b'", "b'open", 'b"open', "b'open\"", "b\"open'"])
def test_unclosed_literals(literal: str) -> None:
    with pytest.raises(FormatError, match="closing quote"):
        read_literal(literal)


def test_a_long_literal_costs_linear_time() -> None:
    for literal in ("b'" + "\\x41" * 200_000 + "'", "b'" + "\\" * 200_001, "b'" + "a'" * 200_000 + "\\"):
        with contextlib.suppress(FormatError):
            read_literal(literal)


@pytest.mark.parametrize("module", [literals, events, answers])
def test_nothing_is_evaluated(module: object) -> None:
    nodes = list(ast.walk(ast.parse(inspect.getsource(module))))
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    imported = {name.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for name in node.names}
    assert not {"eval", "exec", "compile", "literal_eval", "__import__"} & called
    assert not {"ast", "literal_eval", "pickle", "builtins"} & imported
