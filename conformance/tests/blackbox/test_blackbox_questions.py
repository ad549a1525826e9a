"""The questions themselves: the honest client passes each, and each sin is caught by the question it is named for."""

from __future__ import annotations

from typing import Any

import pytest

from conformance import catalogue
from conformance.blackbox.direct import Direct
from conformance.blackbox.examine import examine
from conformance.blackbox.miniature.client import Miniature
from conformance.blackbox.miniature.sins import load as load_sins
from conformance.blackbox.places import PLACES
from conformance.blackbox.question import load
from conformance.virtual_time import VirtualTimeLoop

QUESTIONS = load()
SINS = load_sins()
CASES = [(requirement, sin, kind) for requirement, sins in SINS.items() for sin, kind in sins]


def asked(kind: type[Miniature], requirement: str) -> dict[str, Any]:
    """Put one question to one client of this process, in virtual time."""

    async def start() -> Direct:
        return Direct(kind())

    loop = VirtualTimeLoop()
    try:
        found = loop.run_until_complete(examine("it", start, [PLACES["openai"]], [QUESTIONS[requirement]]))
    finally:
        loop.finish()
    assert not found.notes
    return found.cases[0]


@pytest.mark.parametrize("requirement", sorted(QUESTIONS))
def test_the_honest_client_is_found_honest(requirement: str) -> None:
    record = asked(Miniature, requirement)
    assert (record["verdict"], record["detail"]) == ("pass", "")
    assert record["assertions"] > 0


@pytest.mark.parametrize(("requirement", "sin", "kind"), CASES, ids=[f"{where}: {sin}" for where, sin, _ in CASES])
def test_each_sin_is_caught(requirement: str, sin: str, kind: type[Miniature]) -> None:
    record = asked(kind, requirement)
    assert record["verdict"] == "fail", f"nobody noticed that it {sin}"
    assert record["failure"] in ("assertion", "error", "stuck"), record["detail"]
    assert record["wire"]


def test_every_question_has_a_sin_and_every_black_box_requirement_a_question() -> None:
    assert set(SINS) == set(QUESTIONS)
    assert set(QUESTIONS) == {requirement.id for requirement in catalogue.load() if requirement.black_box}
