"""Compiling by real workers."""

from __future__ import annotations

import asyncio

import pytest
from llvm_bench import CALLER, SEVEN, SQUARE

from backends import errors
from backends.llvm import LLVM, PASSES, kernel

BAD_PHI = """
define i32 @f(i1 %c) {
entry:
  br i1 %c, label %one, label %two
one:
  br label %two
two:
  %r = phi i32 [ 1, %entry ]
  ret i32 %r
}
"""


async def test_levels(llvm: LLVM) -> None:
    texts = {}
    for level in ("O0", "O1", "O2", "O3", "Os", "Oz"):
        reply = await llvm.aoptimize(SQUARE, level=level)
        texts[level] = reply.text
        assert ("alloca" in reply.text) is (level == "O0")
        assert reply.before.instructions == 5
        assert reply.after.instructions == (5 if level == "O0" else 2)
    assert "optsize" in texts["Os"]
    assert "minsize" not in texts["Os"]
    assert "minsize" in texts["Oz"]
    assert "optsize" not in texts["O2"]


async def test_a_function_that_says_not_to_optimise_it_stays(llvm: LLVM) -> None:
    marked = SQUARE.replace("(i32 %n) {", "(i32 %n) noinline optnone {")
    for level in ("Os", "Oz", "O3"):
        assert "alloca" in (await llvm.aoptimize(marked, level=level)).text


async def test_loops_become_vectors_unless_told_otherwise(llvm: LLVM) -> None:
    wide = await llvm.aoptimize(kernel("dot"), level="O3", triple="x86_64-unknown-linux-gnu", cpu="x86-64-v3")
    narrow = await llvm.aoptimize(
        kernel("dot"), level="O3", triple="x86_64-unknown-linux-gnu", cpu="x86-64-v3", vectorize_loops=False
    )
    assert "<4 x double>" in wide.text
    assert "x double>" not in narrow.text


async def test_passes_by_name(llvm: LLVM) -> None:
    assert "alloca" not in (await llvm.aoptimize(SQUARE, passes=["sroa"])).text
    assert "alloca" in (await llvm.aoptimize(SQUARE, passes=["simplify_cfg"])).text
    batch = await asyncio.gather(*(llvm.aoptimize(kernel("softmax"), passes=[name]) for name in sorted(PASSES)))
    assert all("softmax_f64" in reply.text for reply in batch), "every pass that is offered exists"


async def test_text_bitcode_and_back(llvm: LLVM) -> None:
    bitcode = (await llvm.aoptimize(SQUARE, level="O0", output="bitcode")).data
    assert bitcode.startswith(b"BC\xc0\xde")
    from_text, from_bitcode = await llvm.aoptimize(SQUARE), await llvm.aoptimize(bitcode)
    assert from_text.text.splitlines()[2:] == from_bitcode.text.splitlines()[2:]
    with pytest.raises(errors.InvalidRequestError, match="cannot be parsed") as caught:
        await llvm.averify(b"not bitcode at all")
    assert caught.value.code == "parse"


async def test_typed_pointers_are_read(llvm: LLVM) -> None:
    reply = await llvm.ainspect("define i32 @f(i32* %p) { %v = load i32, i32* %p\n ret i32 %v }")
    assert reply.function("f").parameters == ("ptr",)


@pytest.mark.parametrize(
    ("module", "code", "words"),
    [
        ("define i32 @f() {\n  retrn i32 7\n}", "parse", "line 2, column 3"),
        ("define i32 @f() { ret double 0.0 }", "parse", "line 1, column 23"),
        ("no module", "parse", "line 1, column 1"),
        (BAD_PHI, "verify", "PHI"),
        (b"BC\xc0\xde rest is nonsense", "parse", ""),
    ],
)
async def test_bad_modules_are_the_callers_fault(llvm: LLVM, module: str, code: str, words: str) -> None:
    for call in (llvm.averify, llvm.aoptimize, llvm.aemit, llvm.ainspect):
        with pytest.raises(errors.InvalidRequestError) as caught:
            await call(module)
        assert (caught.value.code, caught.value.fault, caught.value.attempts) == (code, "caller", 1)
        assert words in caught.value.message
    assert llvm.report()["circuit_breaker"]["failures"] == 0


async def test_targets(llvm: LLVM) -> None:
    known = (await llvm.atargets()).targets
    assert {"x86_64", "aarch64", "wasm32", "riscv64"} <= set(known)
    target = await llvm.atarget("aarch64-linux-gnu")
    assert (target.name, target.object_format) == ("aarch64", "ELF")
    assert "i64:64" in target.data_layout
    host = await llvm.ahost()
    assert host.cpu
    assert host.triple.count("-") >= 2
    assert host.features == tuple(sorted(host.features))


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        ({"triple": "pdp11-dec-unix"}, "unknown_target", "pdp11"),
        ({"triple": "x86_64-linux-gnu", "cpu": "z80"}, "unknown_cpu", "z80"),
        ({"triple": "x86_64-linux-gnu", "features": "+warp9"}, "unknown_feature", "warp9"),
    ],
)
async def test_what_is_no_target_is_unsupported(llvm: LLVM, options: dict[str, str], code: str, named: str) -> None:
    for call in (llvm.aoptimize, llvm.aemit):
        with pytest.raises(errors.UnsupportedError) as caught:
            await call(SEVEN, **options)
        assert caught.value.code == code
        assert named in caught.value.message
    if code == "unknown_target":
        with pytest.raises(errors.UnsupportedError):
            await llvm.atarget(options["triple"])


async def test_emitting(llvm: LLVM) -> None:
    made = await llvm.aemit(SQUARE, triple="x86_64-unknown-linux-gnu")
    assert made.data.startswith(b"\x7fELF")
    assert {section.name for section in made.sections if section.code} == {".text"}
    assert made.size == len(made.data)
    assert {"parse", "verify", "optimize", "emit"} == set(made.seconds)
    text = (await llvm.aemit(SQUARE, kind="assembly", triple="x86_64-unknown-linux-gnu")).text
    assert "imull" in text
    arm = await llvm.aemit(SQUARE, kind="assembly", triple="aarch64-linux-gnu", level=None)
    assert "mul\tw0" in arm.text
    assert arm.before == arm.after
    assert "optimize" not in arm.seconds
    wasm = await llvm.aemit(SQUARE, triple="wasm32-unknown-unknown")
    assert wasm.data.startswith(b"\0asm")
    assert wasm.sections == ()


async def test_the_modules_own_triple_counts(llvm: LLVM) -> None:
    own = 'target triple = "aarch64-unknown-linux-gnu"\n' + SQUARE
    assert (await llvm.aemit(own)).triple == "aarch64-unknown-linux-gnu"
    assert (await llvm.aemit(own, triple="riscv64-unknown-linux-gnu")).triple == "riscv64-unknown-linux-gnu"
    unsaid = 'target triple = "unknown-unknown-unknown"\n' + SQUARE
    assert (await llvm.aemit(unsaid)).triple == (await llvm.ahost()).triple


async def test_linking(llvm: LLVM) -> None:
    linked = await llvm.alink([CALLER, SQUARE], name="both")
    assert "declare" not in linked.text
    assert "ModuleID = 'both'" in linked.text
    assert linked.before == linked.after
    inlined = await llvm.alink([CALLER, (await llvm.aoptimize(SQUARE, output="bitcode")).data], level="O2")
    assert "call" not in inlined.text
    with pytest.raises(errors.InvalidRequestError, match=r"modules\[1\]") as caught:
        await llvm.alink([SQUARE, SQUARE])
    assert caught.value.code == "link"


async def test_inspecting(llvm: LLVM) -> None:
    module = "%T = type { i32, double }\n@shared = internal global i32 4\n@there = external global %T\n" + CALLER
    reply = await llvm.ainspect(module, name="looked at")
    assert reply.name == "looked at"
    assert [one.name for one in reply.functions] == ["square", "fourth"]
    assert reply.function("fourth").returns == "i32"
    assert [(one.name, one.linkage, one.declaration) for one in reply.globals] == [
        ("shared", "internal", False),
        ("there", "external", True),
    ]
    assert reply.structs == {"T": "%T = type { i32, double }"}


async def test_a_batch_takes_many_and_a_bad_one_fails_alone(llvm: LLVM) -> None:
    modules = [SQUARE.replace("@square", f"@square{number}") for number in range(150)]
    modules[7], modules[70], modules[149] = "no module", "", BAD_PHI
    done = await llvm.abatch(modules, level="O1")
    assert len(list(done)) == 147
    assert {index: error.code for index, error in done.failed.items()} == {
        7: "parse",
        70: "invalid_argument",
        149: "verify",
    }
    assert all(f"@square{number}(" in done.outcomes[number].text for number in (0, 100, 148))
    assert (await llvm.abatch([])).outcomes == ()
    assert llvm.queue_status()["peak_active"] <= 5
    objects = llvm.batch([SQUARE, CALLER], call="emit")
    assert [reply.size > 0 for reply in objects] == [True, True]


async def test_a_batch_that_is_cancelled_leaves_nothing(llvm: LLVM) -> None:
    task = asyncio.create_task(llvm.abatch([kernel("softmax")] * 200))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert llvm.queue_status()["active"] == 0
    assert (await llvm.averify(SEVEN)).counts.functions == 1
