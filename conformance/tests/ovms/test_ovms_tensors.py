"""Tensors of every datatype, made of everything that holds numbers, with numpy and without."""

from __future__ import annotations

import math
import pickle
import struct
import subprocess
import sys
from array import array
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovms_bench import SAMPLES

from backends import errors
from backends.ovms import Tensor, tensor
from backends.ovms.batching import split_reply, stack
from backends.ovms.datatypes import DATATYPES, elements, pack, prefixed, unpack
from backends.ovms.values import InferReply
from backends.wire.values import FormatError

TEXT = "w" if sys.version_info >= (3, 13) else "u"
"""Type code of an array of characters."""
NUMPY = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "u2", "UINT32": "u4", "UINT64": "u8", "INT8": "i1", "INT16": "i2",
    "INT32": "i4", "INT64": "i8", "FP16": "f2", "FP32": "f4", "FP64": "f8",
}  # fmt: skip


def test_every_datatype_has_a_sample() -> None:
    assert set(SAMPLES) == set(DATATYPES)


@pytest.mark.parametrize("datatype", DATATYPES)
def test_there_and_back(datatype: str) -> None:
    made = tensor("x", [SAMPLES[datatype]], datatype)
    assert (made.shape, made.values) == ((1, 2), tuple(SAMPLES[datatype]))
    assert made.nested() == [SAMPLES[datatype]]
    again = Tensor("x", datatype, (2,), made.content)
    assert again.values == made.values
    assert pickle.loads(pickle.dumps(again)) == again
    with pytest.raises(AttributeError):
        made.name = "y"  # type: ignore[misc]


@pytest.mark.parametrize("datatype", NUMPY)
def test_numpy_in_and_out(datatype: str) -> None:
    array_ = numpy.array([SAMPLES[datatype]], dtype=NUMPY[datatype])
    made = tensor("x", array_)
    assert (made.datatype, made.shape) == (datatype, (1, 2))
    assert made.numpy().dtype == array_.dtype
    assert (made.numpy() == array_).all()
    assert tensor("x", numpy.asfortranarray(array_.T)).values == made.values
    assert tensor("x", array_.astype(array_.dtype.newbyteorder(">"))) == made
    assert tensor("x", array_[:, ::-1]).values == made.values[::-1]


def test_numpy_of_texts_and_half_floats() -> None:
    for data in (numpy.array(["a", "é"]), numpy.array([b"a", "é"], dtype=object), numpy.array([b"a", "é".encode()])):
        made = tensor("x", data)
        assert (made.datatype, made.values, made.texts) == ("BYTES", (b"a", "é".encode()), ("a", "é"))
    assert made.numpy().tolist() == [b"a", "é".encode()]
    wide = tensor("x", numpy.array([1.5, -2.0], dtype="f4"), "BF16")
    assert wide.content == bytes.fromhex("c03f00c0")
    assert wide.numpy().tolist() == [1.5, -2.0]
    assert tensor("x", numpy.float32(2.5)).shape == ()
    with pytest.raises(errors.InvalidRequestError, match="complex64"):
        tensor("x", numpy.array([1j], dtype="c8"))


def test_numpy_is_never_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    made = tensor("x", [1.0, 2.0])
    assert made.values == (1.0, 2.0)
    with pytest.raises(errors.ConfigurationError, match="numpy is not installed"):
        made.numpy()


def test_numpy_is_not_imported_by_us() -> None:
    code = (
        "import sys; from backends.ovms import OVMS, tensor; OVMS(environ={}); "
        "tensor('x', [1.0]).nested(); print('numpy' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("data", "datatype", "shape", "expected"),
    [
        ([True, False], None, None, ("BOOL", (2,))),
        ([1, 2, 3], None, None, ("INT64", (3,))),
        ([1, 2.5], None, None, ("FP32", (2,))),
        (["a", b"b"], None, None, ("BYTES", (2,))),
        ("one text", None, None, ("BYTES", (1,))),
        (b"\x89PNG", None, None, ("BYTES", (1,))),
        (2.5, None, None, ("FP32", ())),
        ([1, 2, 3, 4], "INT32", [2, 2], ("INT32", (2, 2))),
        ([[1], [2]], "UINT8", None, ("UINT8", (2, 1))),
        (array("i", [1, 2]), None, None, ("INT32", (2,))),
        (array("d", [1.0]), None, None, ("FP64", (1,))),
        (array("B", [1]), "FP32", None, ("FP32", (1,))),
        (b"\x01\x02", "UINT8", (2, 1), ("UINT8", (2, 1))),
        (bytearray(4), "FP32", (1,), ("FP32", (1,))),
        ([[], []], "FP32", None, ("FP32", (2, 0))),
        ([], "BYTES", None, ("BYTES", (0,))),
    ],
)
def test_what_becomes_of_data(data: Any, datatype: str | None, shape: Any, expected: Any) -> None:
    made = tensor("x", data, datatype, shape)
    assert (made.datatype, made.shape) == expected
    assert made.nested() is not None


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ([[1, 2], [3]], {}, "ragged"),
        ([[1], 2], {}, "ragged"),
        ([1, [2]], {}, "ragged"),
        ([1, "a"], {}, "mixes int, str"),
        ([], {}, "needs a datatype"),
        ([300], {"datatype": "UINT8"}, "range of UINT8"),
        ([1e39], {"datatype": "FP32"}, "range of FP32"),
        ([1e39], {"datatype": "BF16"}, "range of BF16"),
        ([1.5], {"datatype": "INT32"}, "holds a float, which is no INT32"),
        ([True], {"datatype": "INT32"}, "holds a bool"),
        ([1], {"datatype": "BOOL"}, "holds a int"),
        ([1], {"datatype": "BYTES"}, "holds a int"),
        ([1], {"datatype": "FLOAT"}, "datatype must be one of"),
        ([1, 2], {"shape": [3]}, "has 2 elements where the shape [3] has 3"),
        ([1, 2], {"shape": [-2]}, "axis whose size"),
        ([1, 2], {"shape": "2"}, "shape must be a list"),
        (b"\x00" * 5, {"datatype": "FP32", "shape": [1]}, "no whole number of FP32"),
        (b"\x00" * 4, {"datatype": "FP32"}, "needs a shape"),
        (array(TEXT, "a"), {}, "has no datatype"),
        ({1: 2}, {}, "mixes dict"),
        (None, {}, "mixes NoneType"),
        (["\ud83d"], {}, "lone surrogate"),
    ],
)
def test_what_is_refused(data: Any, options: Any, said: str) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        tensor("weights", data, **options)
    assert said in str(caught.value)
    assert caught.value.code == "invalid_argument"


def test_a_name_is_needed_and_a_raw_tensor_must_be_consistent() -> None:
    with pytest.raises(errors.InvalidRequestError, match="name"):
        tensor("", [1])
    with pytest.raises(ValueError, match="does not know"):
        Tensor("x", "FP8", (1,), b"\0")
    with pytest.raises(ValueError, match="axes"):
        Tensor("x", "UINT8", (1,) * 65, b"\0")
    with pytest.raises(ValueError, match="more elements"):
        Tensor("x", "UINT8", (2**30, 2**30), b"\0")
    with pytest.raises(ValueError, match="within the length"):
        Tensor("x", "BYTES", (1,), b"\0\0")
    with pytest.raises(ValueError, match="names an element of 9 bytes where 1 are left"):
        Tensor("x", "BYTES", (1,), b"\x09\0\0\0a")
    with pytest.raises(ValueError, match="not BYTES"):
        _ = tensor("x", [1]).texts
    assert Tensor("x", "FP32", (2**39, 0), b"").nested() == []


def test_bf16_rounds_to_the_nearest_even_and_keeps_nan() -> None:
    cases = {1.0: 0x3F80, 1.00390625: 0x3F80, 1.01171875: 0x3F82, -0.0: 0x8000, math.inf: 0x7F80, 3.4e38: 0x7F80}
    for value, expected in cases.items():
        assert struct.unpack("<H", pack("BF16", [value])) == (expected,)
    assert math.isnan(unpack("BF16", pack("BF16", [math.nan]))[0])


@given(st.lists(st.binary(max_size=20)))
def test_prefixed_elements_come_back(contents: list[bytes]) -> None:
    assert list(elements(prefixed(contents))) == contents


@given(st.binary(max_size=40))
def test_any_bytes_are_elements_or_an_error(content: bytes) -> None:
    try:
        found = list(elements(content))
    except ValueError:
        return
    assert prefixed(found) == content


@pytest.mark.parametrize("datatype", DATATYPES)
def test_batches_stack_and_come_apart(datatype: str) -> None:
    one, two = SAMPLES[datatype]
    parts = [tensor("x", [[one, two]], datatype), tensor("x", [[two, two], [one, one]], datatype)]
    (whole,), rows = stack([[part] for part in parts])
    assert (whole.shape, rows) == ((3, 2), (1, 2))
    assert whole.nested() == [[one, two], [two, two], [one, one]]
    replies = split_reply(InferReply(outputs=(whole,), id="r"), rows)
    assert [reply.output("x") for reply in replies] == parts
    assert [reply.id for reply in replies] == ["r", "r"]


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ([], "not empty"),
        ([{}], "requests[0] must not be empty"),
        (
            [{"x": [[1.0]]}, {"x": [[1.0, 2.0]]}],
            "requests[1], input x, has the shape [1, 2] where the first has [1, 1]",
        ),
        ([{"x": [[1.0]]}, {"x": [[1]]}], "requests[1], input x, is INT64 where the first is FP32"),
        ([{"x": [[1.0]]}, {"y": [[1.0]]}], "requests[1] has the inputs y where the first has x"),
        ([{"x": [[1.0]]}, {"x": 1.0}], "requests[1], input x, has no axis"),
        ([{"x": [1.0], "y": [1.0, 2.0]}], "requests[0] must have the same number of rows in every input"),
        ([{"x": [1.0]}, {"x": tensor("x", [], "FP32")}], "requests[1] must have the same number of rows"),
        ([{"x": [1.0]}, 5], "requests[1] must be a mapping"),
    ],
)
def test_a_batch_that_does_not_fit_is_named(requests: Any, said: str) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        stack(requests)
    assert said in str(caught.value)


def test_a_batch_answer_of_the_wrong_size() -> None:
    for shape in ((2, 1), ()):
        reply = InferReply(outputs=(tensor("y", [1.0] * math.prod(shape), shape=shape),))
        with pytest.raises(FormatError, match="for 3 rows"):
            split_reply(reply, (1, 2))


def test_outputs_by_name() -> None:
    one, two = tensor("a", [1]), tensor("b", [2])
    assert InferReply(outputs=(one,)).output() == one
    assert InferReply(outputs=(one, two)).output("b") == two
    with pytest.raises(LookupError, match="a, b"):
        InferReply(outputs=(one, two)).output()
    with pytest.raises(LookupError, match="no output 'c'"):
        InferReply(outputs=(one, two)).output("c")
