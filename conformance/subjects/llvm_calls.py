"""The calls that LLVM declares. Every one is made in both modes."""

from __future__ import annotations

import array
from typing import Any, Final

from backends.llvm import kernel
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "module_about"]

_SQUARE: Final = """
define i32 @square(i32 %n) {
entry:
  %kept = alloca i32
  store i32 %n, ptr %kept
  %again = load i32, ptr %kept
  %product = mul i32 %again, %n
  ret i32 %product
}
"""
_CALLER: Final = """
declare i32 @square(i32)

define i32 @fourth_power(i32 %n) {
  %once = call i32 @square(i32 %n)
  %twice = call i32 @square(i32 %once)
  ret i32 %twice
}
"""
_VECTOR: Final = array.array("d", [3.0, 4.0])


def module_about(text: str) -> str:
    """Return a module that says a text as the name of its source, which survives optimising."""
    said = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\{byte:02X}"
        for byte in text.encode("utf-8", "replace")
    )
    return f'source_filename = "{said}"\n{_SQUARE}'


def _bitcode_of(name: str, **options: Any) -> Any:
    """A story: make bitcode of a module, then do something with it."""

    def plan() -> Story:
        made = yield do("optimize", _SQUARE, level="O0", output="bitcode")
        assert made.data.startswith(b"BC\xc0\xde"), "bitcode does not begin as it should"
        return (yield do(name, made.data, **options))

    return plan


def _batch() -> Story:
    done = yield do("batch", [_SQUARE, "", _CALLER], call="verify")
    assert [one.counts.functions for one in done] == [1, 1], "functions of the good modules"
    assert list(done.failed) == [1], "positions of the bad modules"
    return done


# -- judgements --------------------------------------------------------------------------------------------------------


def _judge_verified(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.counts.functions, reply.counts.instructions), (1, 5), "functions and instructions")


def _judge_optimized(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("alloca" not in reply.text and "mul i32" in reply.text, "the module was not optimised")
    trial.equal((reply.before.instructions, reply.after.instructions), (5, 2), "instructions before and after")
    trial.equal(reply.size, len(reply.text.encode()), "size")
    trial.expect("optimize" in reply.seconds and "parse" in reply.seconds, f"phases: {sorted(reply.seconds)}")


def _judge_small(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("minsize" in reply.text and "optsize" in reply.text, "the functions are not marked for size")


def _judge_untouched(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("alloca" in reply.text, "level O0 did not keep the memory of a variable")


def _judge_passes(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("alloca" not in reply.text, "the pass sroa did not run")


def _judge_bitcode(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.data.startswith(b"BC\xc0\xde") and not reply.text, "no bitcode came back")
    trial.equal(reply.size, len(reply.data), "size")


def _judge_linked(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("@square(" in reply.text and "@fourth_power(" in reply.text, "a function is missing")
    trial.expect("declare" not in reply.text, "a declaration was not resolved")


def _judge_object(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.data.startswith(b"\x7fELF"), "no object file of the format that was asked for")
    trial.equal(reply.size, len(reply.data), "size")
    trial.expect(any(section.code and section.size for section in reply.sections), f"sections: {reply.sections}")
    trial.equal(reply.triple, "x86_64-unknown-linux-gnu", "triple")


def _judge_assembly(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("square" in reply.text and "ret" in reply.text, "no assembly came back")
    trial.equal(reply.triple, "aarch64-unknown-linux-gnu", "triple")


def _judge_inspected(trial: Trial, reply: Any, seen: Seen) -> None:
    caller, called = reply.function("fourth_power"), reply.function("square")
    trial.equal(
        (caller.declaration, caller.returns, caller.parameters),
        (False, "i32", ("i32",)),
        "the function that is defined",
    )
    trial.equal((called.declaration, called.instructions), (True, 0), "the function that is declared")


def _judge_ran(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.value, reply.buffers), (49, ()), "result and buffers")


def _judge_kernel(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.value, 25.0, "dot product")
    trial.equal(reply.buffers, (_VECTOR, _VECTOR), "buffers that came back")


def _judge_changed(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.value, None, "result of a function without one")
    given, made = reply.buffers
    trial.equal(given, _VECTOR, "the buffer that was read")
    trial.close_to(sum(made), 1.0, "sum of the shares", 1e-12)


def _judge_host(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.triple and reply.cpu, "nothing is said of the machine")


def _judge_target(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.name, reply.object_format), ("wasm32", "Wasm"), "the target")


def _judge_targets(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect({"x86_64", "aarch64"} <= set(reply.targets), f"targets: {reply.targets}")


_LINUX: Final = {"triple": "x86_64-unknown-linux-gnu"}

DECLARED: Final[dict[str, CallCase]] = {
    "verify": once("POST */verify", "verify", _SQUARE, whole_json=True, judge=_judge_verified),
    "verify bitcode": story("POST */verify", _bitcode_of("verify"), judge=_judge_verified),
    "inspect": once("POST */inspect", "inspect", _CALLER, whole_json=True, judge=_judge_inspected),
    "optimize": once(
        "POST */optimize",
        "optimize",
        _SQUARE,
        options={"level": "O2", "name": "squares"},
        sends={"operation": "optimize", "level": "O2", "name": "squares", "modules": [{"ir": _SQUARE}]},
        whole_json=True,
        judge=_judge_optimized,
    ),
    "optimize for size": once(
        "POST */optimize", "optimize", _SQUARE, options={"level": "Oz"}, whole_json=True, judge=_judge_small
    ),
    "optimize not at all": once(
        "POST */optimize", "optimize", _SQUARE, options={"level": "O0"}, whole_json=True, judge=_judge_untouched
    ),
    "optimize by passes": once(
        "POST */optimize",
        "optimize",
        _SQUARE,
        options={"passes": ["sroa", "instruction_combine"]},
        sends={"passes": ["sroa", "instruction_combine"]},
        whole_json=True,
        judge=_judge_passes,
    ),
    "optimize for a processor": once(
        "POST */optimize",
        "optimize",
        _SQUARE,
        options={**_LINUX, "cpu": "x86-64-v3", "features": "-avx2", "vectorize_loops": False, "inline_threshold": 10},
        sends={
            "target": {**_LINUX, "cpu": "x86-64-v3", "features": "-avx2"},
            "tuning": {"vectorize_loops": False, "inline_threshold": 10},
        },
        whole_json=True,
        judge=_judge_optimized,
    ),
    "optimize to bitcode": once(
        "POST */optimize", "optimize", _SQUARE, options={"output": "bitcode"}, judge=_judge_bitcode
    ),
    "link": once(
        "POST */link", "link", [_SQUARE, _CALLER], sends={"level": None}, whole_json=True, judge=_judge_linked
    ),
    "emit an object": once(
        "POST */emit", "emit", _SQUARE, options={**_LINUX, "reloc": "static", "level": "O1"}, judge=_judge_object
    ),
    "emit assembly": once(
        "POST */emit",
        "emit",
        _SQUARE,
        options={"kind": "assembly", "triple": "aarch64-unknown-linux-gnu", "level": None},
        sends={"kind": "assembly", "level": None, "target": {"triple": "aarch64-unknown-linux-gnu"}},
        whole_json=True,
        judge=_judge_assembly,
    ),
    "run": once(
        "POST */run",
        "run",
        _SQUARE,
        "square",
        [7],
        options={"time_limit": 5.0},
        sends={"function": "square", "arguments": [{"int": 7}], "buffers": 0, "time_limit": 5.0},
        whole_json=True,
        judge=_judge_ran,
    ),
    "run a kernel": once("POST */run", "run", kernel("dot"), "dot_f64", [_VECTOR, _VECTOR, 2], judge=_judge_kernel),
    "run and change a buffer": once(
        "POST */run",
        "run",
        kernel("softmax"),
        "softmax_f64",
        [_VECTOR, array.array("d", [0.0, 0.0]), 2],
        judge=_judge_changed,
    ),
    "batch": story("POST */verify", _batch, nonce=False),
    "target": once("POST */target", "target", "wasm32-unknown-unknown", whole_json=True, judge=_judge_target),
    "targets": once("POST */targets", "targets", whole_json=True, judge=_judge_targets),
    "host": once("POST */host", "host", whole_json=True, judge=_judge_host),
}
