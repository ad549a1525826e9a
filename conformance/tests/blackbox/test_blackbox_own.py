"""Our own backends through their adapter, in this process and in virtual time: the lane and the contract agree about them."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Any

import pytest

from conformance.blackbox.direct import Direct
from conformance.blackbox.examine import examine
from conformance.blackbox.places import PLACES
from conformance.blackbox.process import KIT
from conformance.blackbox.question import load
from conformance.virtual_time import LoopClock, VirtualTimeLoop

ADAPTER = KIT.parent / "subjects" / "backends" / "adapter.py"
ASKED = ("BAK-09", "CAP-01", "CAP-03", "FLT-08", "KEY-05", "QUE-02", "REAL-01", "STR-04")


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    """The adapter, with backends that live in the loop's time."""
    monkeypatch.syspath_prepend(KIT)
    spec = importlib.util.spec_from_file_location("adapter_backends", ADAPTER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class InVirtualTime(module.Backends):
        def made(self, **settings: Any) -> Any:
            return super().made(**settings, clock=LoopClock(asyncio.get_running_loop()))

    return InVirtualTime


@pytest.mark.parametrize("provider", ["openai", "claude", "ollama"])
def test_our_own_backends_hold_what_they_claim(provider: str, kind: type[Any]) -> None:
    async def start() -> Direct:
        return Direct(kind())

    questions = load()
    loop = VirtualTimeLoop()
    try:
        asked = examine("backends", start, [PLACES[provider]], [questions[name] for name in ASKED])
        found = loop.run_until_complete(asked)
    finally:
        loop.finish()
    assert [(case["requirement"], case["verdict"], case["detail"]) for case in found.cases] == [
        (name, "pass", "") for name in ASKED
    ]


def test_every_feature_that_a_question_needs_stands_in_the_protocol() -> None:
    text = (KIT.parent / "PROTOCOL.md").read_text(encoding="utf-8")
    needed = {need for question in load().values() for need in question.needs}
    assert {need for need in needed if f"`{need}`" not in text} == set()
