"""The simulated workers over HTTP, through the bridge and by hand; the real engine is behind them."""

from __future__ import annotations

import array
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from llvm_bench import BAD_ADDRESS, SEVEN, SQUARE

from backends import errors
from backends.llvm import LLVM, kernel
from backends.llvm_worker import frames
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Reset, Status
from conformance.subjects.llvm_bridge import Bridge


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(["llvm"]) as simulator:
        yield simulator


@pytest.fixture
async def bridged(sim: Simulator) -> AsyncIterator[LLVM]:
    bridge = Bridge()
    async with LLVM(transport=bridge, base_url=sim.base_url("llvm"), max_retries=1, initial_retry_delay=0.0) as backend:
        yield backend
    await bridge.aclose()


async def test_it_gives_what_llvmlite_gives(sim: Simulator, bridged: LLVM) -> None:
    import llvmlite.binding as binding

    reply = await bridged.aoptimize(SQUARE, level="O2", triple="x86_64-unknown-linux-gnu")
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = binding.parse_assembly(SQUARE, binding.create_context())
    machine = binding.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine(
        reloc="pic", codemodel="default"
    )
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    tuning = binding.create_pipeline_tuning_options(speed_level=2)
    tuning.slp_vectorization = True
    builder = binding.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)
    module.name = f"module-{sim.requests[0].nonce}"
    assert reply.text == str(module)
    emitted = await bridged.aemit(reply.text, triple="x86_64-unknown-linux-gnu", level=None)
    assert emitted.data == machine.emit_object(module)


async def test_answers_carry_the_nonce_and_are_the_same_again(sim: Simulator, bridged: LLVM) -> None:
    first = await bridged.aoptimize(SQUARE)
    assert first.provider_request_id == f"simulated-{sim.requests[0].nonce}"
    assert sim.requests[0].nonce in first.text
    sim.reset()
    again = await bridged.aoptimize(SQUARE)
    assert (again.raw, again.text) == (first.raw, first.text)


async def test_a_run_is_a_real_one(sim: Simulator, bridged: LLVM) -> None:
    data = array.array("d", [1.0, 2.0])
    reply = await bridged.arun(kernel("dot"), "dot_f64", [data, data, 2])
    assert (reply.value, reply.buffers) == (5.0, (data, data))
    with pytest.raises(errors.InvalidRequestError, match="SIGSEGV") as caught:
        await bridged.arun(BAD_ADDRESS, "code")
    assert caught.value.code == "crashed"


async def test_faults_are_what_a_worker_can_suffer(sim: Simulator, bridged: LLVM) -> None:
    sim.script(Fault(Reset("headers"), nth=1), Fault(Status(503), nth=2))
    with pytest.raises(errors.OverloadedError) as caught:
        await bridged.averify(SEVEN)
    assert (caught.value.attempts, sim.unfired()) == (2, [])
    assert (await bridged.averify(SEVEN)).counts.functions == 1
    with pytest.raises(errors.InvalidRequestError) as caught:
        await bridged.averify("no module")
    assert caught.value.code == "parse"


HEADER = {"operation": "verify", "name": "module", "modules": [{"ir": SEVEN}]}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("verify", b"", "a frame"),
        ("verify", b"[]", "a frame"),
        ("verify", frames.join(json.dumps({**HEADER, "blobs": [3]}).encode(), (b"four",)), "a frame"),
        ("verify", json.dumps({**HEADER, "level": "O2"}).encode(), "level: unknown"),
        ("verify", json.dumps({**HEADER, "operation": "emit"}).encode(), "operation"),
        ("verify", json.dumps({**HEADER, "modules": []}).encode(), "modules"),
        ("verify", json.dumps({**HEADER, "modules": [{"ir": ""}]}).encode(), "modules[0]"),
        ("verify", json.dumps({"operation": "verify", "name": "m"}).encode(), "modules: missing"),
        ("optimize", json.dumps({**HEADER, "operation": "optimize", "level": "O9"}).encode(), "level"),
        (
            "optimize",
            json.dumps({**HEADER, "operation": "optimize", "level": "O2", "target": {"cpu": None}}).encode(),
            "target.cpu",
        ),
        ("run", json.dumps({**HEADER, "operation": "run", "function": "f"}).encode(), "missing"),
        ("compile", b"{}", "no POST /compile"),
    ],
)
async def test_the_fields_of_a_frame_are_strict(sim: Simulator, path: str, body: bytes, words: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{sim.base_url('llvm')}/{path}", content=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["code"] == "invalid_frame"
    assert words in answer.json()["error"]["message"]
    assert sim.requests[0].problem is not None or path == "compile"
