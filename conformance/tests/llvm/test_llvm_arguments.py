from __future__ import annotations

import array
import json
import math

import numpy
import pytest
from llvm_bench import RAN, SEVEN, VERIFIED, backend_told, framed

from backends import create, errors
from backends.llvm import LLVM, PASSES, kernel
from backends.llvm.values import read_number, told


def test_numbers_pass_exactly():
    entries, buffers, restores = told([5, -(1 << 63), True, None, 0.1, math.inf, -0.0, 1.5e-320])
    assert entries[:4] == [{"int": 5}, {"int": -(1 << 63)}, {"int": 1}, {"null": True}]
    assert [float.fromhex(entry["float"]) for entry in entries[4:]] == [0.1, math.inf, -0.0, 1.5e-320]
    assert math.copysign(1, float.fromhex(entries[6]["float"])) == -1
    assert (buffers, restores) == ((), ())
    assert math.isnan(read_number(told([math.nan])[0][0]))


@pytest.mark.parametrize(
    "value",
    [
        b"\x01\x02\x03\x04",
        bytearray(b"\x01\x02\x03\x04"),
        array.array("d", [1.5, -2.5]),
        array.array("i", []),
        numpy.arange(6, dtype="f4").reshape(2, 3),
        numpy.zeros((0, 3)),
        numpy.array([1.5, 2.5], dtype="f2"),
        numpy.array([True, False]),
        memoryview(array.array("h", [1, -2, 3])),
        memoryview(bytes(12)).cast("i", (3,)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_buffers_come_back_as_what_they_were(value):
    entries, (data,), (restore,) = told([value])
    back = restore(data)
    assert entries == [{"buffer": 0}]
    assert type(back) is type(value)
    assert back is not value
    if isinstance(value, numpy.ndarray):
        assert (back.dtype, back.shape, back.tolist()) == (value.dtype, value.shape, value.tolist())
        back[...] = 1  # it is the caller's to write to
    else:
        assert back == value


def test_half_floats_and_single_values_in_a_memoryview_come_back_as_bytes():
    for view in (memoryview(numpy.array([1.5], dtype="f2")), memoryview(numpy.array(2.5))):
        _, (data,), (restore,) = told([view])
        assert restore(data).tobytes() == view.tobytes()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["text"], "arguments[0]"),
        ([1, [1.0]], "arguments[1]"),
        ([1 << 64], "arguments[0]"),
        ([{"a": 1}], "arguments[0]"),
        ([numpy.array([1.0])[None, ::-1][:, :0:2].T * 1j], "arguments[0]"),
        ([numpy.arange(10)[::2]], "one piece of memory"),
        ([numpy.array([1.0], dtype=">f8")], "no numbers of this machine"),
        ([numpy.zeros(2, dtype=[("a", "i4")])], "no numbers of this machine"),
        ([numpy.array([None], dtype=object)], "arguments[0]"),
        ("ab", "arguments"),
        (b"ab", "arguments"),
        (5, "arguments"),
        ([0] * 256, "no more than 255"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_pass_is_named(arguments, names):
    with pytest.raises(errors.InvalidRequestError) as caught:
        told(arguments)
    assert names in str(caught.value)
    assert caught.value.code == "invalid_argument"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"int": 1.5},
        {"int": True},
        {"int": 1 << 64},
        {"float": 1.5},
        {"float": "0x" + "f" * 100},
        {"float": "much"},
        {"none": False},
        {"int": 1, "float": "0x1p0"},
        {"pointer": 5},
    ],
    ids=str,
)
def test_results_that_are_no_numbers_are_refused(said):
    with pytest.raises(ValueError, match=r"number|hex"):
        read_number(said)


async def test_options_become_fields():
    backend, transport = backend_told(
        framed(
            {**VERIFIED, "ir": "", "size": 0, "triple": "t", "before": VERIFIED["counts"], "after": VERIFIED["counts"]}
        )
    )
    async with backend:
        await backend.aoptimize(
            SEVEN,
            level="Os",
            output="ir",
            name="mine",
            cpu="host",
            features="",
            reloc="static",
            unroll_loops=False,
            passes=("sroa",),
        )
        await backend.alink([SEVEN, b"BC"], level=None)
    optimize, link = transport.headers
    assert optimize == {
        "operation": "optimize",
        "level": "Os",
        "name": "mine",
        "passes": ["sroa"],
        "target": {"cpu": "host", "features": "", "reloc": "static"},
        "tuning": {"unroll_loops": False},
        "output": "ir",
        "modules": [{"ir": SEVEN}],
        "seconds": 600.0,
    }
    assert link["level"] is None
    assert link["modules"] == [{"ir": SEVEN}, {"bitcode": 0}]
    assert transport.requests[1].frame.endswith(b"\nBC")


async def test_a_run_is_told_in_full():
    data = array.array("f", [1.0, 2.0])
    backend, transport = backend_told(framed(RAN, data.tobytes()))
    async with backend:
        reply = await backend.arun(SEVEN, "seven", [data, 2, 0.5, None], time_limit=1, memory_limit=1 << 25, level="O3")
    (header,) = transport.headers
    assert reply.buffers == (data,)
    assert {
        name: header[name] for name in ("function", "arguments", "buffers", "blobs", "time_limit", "memory_limit")
    } == {
        "function": "seven",
        "arguments": [{"buffer": 0}, {"int": 2}, {"float": "0x1.0000000000000p-1"}, {"null": True}],
        "buffers": 1,
        "blobs": [8],
        "time_limit": 1,
        "memory_limit": 1 << 25,
    }
    assert header["target"] == {"cpu": "host"}
    assert header["seconds"] == transport.requests[0].seconds == 61


async def test_the_answer_may_take_no_longer_than_the_settings_say():
    for limit, seconds in ((5.0, 5.0), (None, 70.0)):
        backend, transport = backend_told(framed(RAN), read_timeout=limit)
        async with backend:
            await backend.arun(SEVEN, "seven")
            assert transport.requests[0].seconds == seconds
    async with backend_told(framed(VERIFIED), read_timeout=None)[0] as backend:
        assert (await backend.averify(SEVEN)).counts.instructions == 5


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"api_key": "sk-1"}, "api_key"),
        ({"api_keys": ["sk-1"]}, "api_keys"),
        ({"model": "tiny"}, "model"),
        ({"base_url": "http://127.0.0.1"}, "base_url"),
        ({"worker_memory": 1}, "worker_memory"),
        ({"worker_memory": 1e9}, "worker_memory"),
        ({"cache": -1}, "cache"),
        ({"cache": True}, "cache"),
        ({"max_workers": 5}, "max_workers"),
    ],
    ids=str,
)
def test_wrong_settings_are_named(settings, names):
    with pytest.raises(errors.ConfigurationError) as caught:
        LLVM(**settings)
    assert names in str(caught.value)


def test_endpoints_take_no_key_and_no_address_of_processes_here():
    backend = LLVM()
    for given in ({"api_key": "sk-1"}, {"api_keys": ["sk-1"]}, {"base_url": "http://127.0.0.1"}):
        with pytest.raises(errors.ConfigurationError) as caught:
            backend.create_endpoint("other", **given)
        assert next(iter(given))[:7] in str(caught.value)
    backend.create_endpoint("other", max_concurrent_requests=1)
    assert backend.endpoint("other").settings.max_concurrent_requests == 1
    backend.close()


async def test_endpoints_have_addresses_of_their_own_for_a_transport():
    backend, transport = backend_told(framed(VERIFIED), base_url="http://one.example/w")
    backend.create_endpoint("two", "http://two.example/w")
    backend.create_endpoint("three")
    async with backend:
        for name in (None, "two", "three"):
            await backend.averify(SEVEN, endpoint=name)
    assert [request.address[7:10] for request in transport.requests] == ["one", "two", "one"]
    assert not transport.closed, "a transport that was passed in stays its owner's"


def test_it_is_made_by_its_row_name():
    with create("llvm", {}, {"llvm_key": "not read"}) as backend:
        assert isinstance(backend, LLVM)


@pytest.mark.parametrize("name", sorted(LLVM.refusals))
async def test_refusals_say_what_to_use(name):
    backend, transport = backend_told(framed(VERIFIED))
    async with backend:
        with pytest.raises(errors.UnsupportedError, match="LLVM does not offer"):
            await getattr(backend, f"a{name}")([{"role": "user", "content": "hello"}], model="tiny")
    assert transport.requests == []


def test_kernels_are_found_by_name():
    assert LLVM.kernel("dot") == kernel("dot")
    assert "define double @cosine_f64" in kernel("cosine")
    with pytest.raises(errors.InvalidRequestError) as caught:
        kernel("softmx")
    assert caught.value.suggestions == ("softmax",)
    with pytest.raises(errors.InvalidRequestError):
        kernel("../kernels/dot")


async def test_a_wrong_pass_names_the_nearest():
    async with backend_told(framed(VERIFIED))[0] as backend:
        with pytest.raises(errors.InvalidRequestError, match="simplify_cfg"):
            await backend.aoptimize(SEVEN, passes=["simplifycfg"])
    assert "cfg_printer" not in PASSES


def test_numbers_of_numpy_are_numbers():
    entries, buffers, _ = told([numpy.float64(1.5), numpy.float32(0.5), numpy.int64(5), numpy.uint8(3)])
    assert json.loads(json.dumps(entries)) == [
        {"float": "0x1.8000000000000p+0"},
        {"float": "0x1.0000000000000p-1"},
        {"int": 5},
        {"int": 3},
    ]
    assert buffers == ()
