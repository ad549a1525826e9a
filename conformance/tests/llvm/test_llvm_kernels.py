"""The kernels that come with the library, against plain Python."""

from __future__ import annotations

import array
import math
import random

import pytest

from backends.llvm import KERNELS, LLVM, kernel

SIZES = (1, 2, 3, 7, 8, 64, 1000)
KINDS = {"f64": ("d", 1e-12), "f32": ("f", 2e-5)}


def vector(kind: str, size: int, seed: int) -> array.array:
    chance = random.Random(seed)
    return array.array(kind, [chance.uniform(-1, 1) for _ in range(size)])


@pytest.mark.parametrize("name", KINDS)
async def test_dot(llvm: LLVM, name: str) -> None:
    kind, tolerance = KINDS[name]
    for size in SIZES:
        x, y = vector(kind, size, size), vector(kind, size, size + 1)
        found = (await llvm.arun(kernel("dot"), f"dot_{name}", [x, y, size])).value
        assert found == pytest.approx(math.fsum(a * b for a, b in zip(x, y, strict=True)), abs=tolerance * size)
    assert (await llvm.arun(kernel("dot"), f"dot_{name}", [b"", b"", 0])).value == 0.0
    assert (await llvm.arun(kernel("dot"), f"dot_{name}", [b"", b"", -1])).value == 0.0


@pytest.mark.parametrize("name", KINDS)
async def test_cosine(llvm: LLVM, name: str) -> None:
    kind, tolerance = KINDS[name]
    for size in SIZES:
        x, y = vector(kind, size, size), vector(kind, size, size + 1)
        reply = await llvm.arun(kernel("cosine"), f"cosine_{name}", [x, y, size])
        dot = math.fsum(a * b for a, b in zip(x, y, strict=True))
        lengths = math.hypot(*x) * math.hypot(*y)
        assert reply.value == pytest.approx(dot / lengths, abs=tolerance * 10)
        assert reply.buffers == (x, y)
    x, none = vector(kind, 9, 1), array.array(kind, bytes(9 * array.array(kind).itemsize))
    for pair, expected in (((x, none), 0.0), ((x, x), 1.0), ((x, array.array(kind, [-a for a in x])), -1.0)):
        found = (await llvm.arun(kernel("cosine"), f"cosine_{name}", [*pair, 9])).value
        assert found == pytest.approx(expected, abs=tolerance * 10)
    assert (await llvm.arun(kernel("cosine"), f"cosine_{name}", [b"", b"", 0])).value == 0.0


@pytest.mark.parametrize("name", KINDS)
async def test_softmax(llvm: LLVM, name: str) -> None:
    kind, tolerance = KINDS[name]
    for size in SIZES:
        x = array.array(kind, [value * 50 for value in vector(kind, size, size)])
        out = array.array(kind, bytes(len(x) * x.itemsize))
        given, found = (await llvm.arun(kernel("softmax"), f"softmax_{name}", [x, out, size])).buffers
        powers = [math.exp(value - max(x)) for value in x]
        expected = [power / math.fsum(powers) for power in powers]
        assert given == x
        assert list(found) == pytest.approx(expected, abs=tolerance * 10)
        assert math.fsum(found) == pytest.approx(1.0, abs=tolerance * 10)
    large = array.array(kind, [1e30, 1e30, -1e30])
    _, found = (
        await llvm.arun(kernel("softmax"), f"softmax_{name}", [large, bytearray(large.itemsize * 3), 3])
    ).buffers
    assert list(array.array(kind, found)) == [0.5, 0.5, 0.0], "no power overflows"
    assert (await llvm.arun(kernel("softmax"), f"softmax_{name}", [b"", b"", 0])).value is None


async def test_every_kernel_is_well_formed_and_becomes_vectors(llvm: LLVM) -> None:
    for name in KERNELS:
        assert (await llvm.averify(kernel(name))).counts.functions == 2
        made = await llvm.aoptimize(kernel(name), level="O3", triple="x86_64-unknown-linux-gnu", cpu="x86-64-v3")
        assert "<4 x double>" in made.text
        assert "<8 x float>" in made.text
