"""The row under the contract: where its real workers take part."""

from __future__ import annotations

import pytest

from backends.llvm import LLVM
from conformance import catalogue, check, subject
from conformance.conduct import conduct
from conformance.runner import Selection, plan
from conformance.verdict import Verdict


def test_only_backends_with_a_server_of_their_own_have_the_lane_real():
    jobs = plan(Selection(lane="real"))
    assert {(job.subject, job.requirement) for job in jobs} >= {("llvm", "CAP-01"), ("llvm", "CAP-02")}
    assert all(subject.load(job.subject).real is not None for job in jobs)


@pytest.mark.parametrize("case", ["optimize to bitcode async", "run a kernel sync"])
def test_a_real_worker_answers_as_the_simulated_one(case: str) -> None:
    found = check.load(["CAP"], "real")["CAP-02"]
    outcome = conduct(subject.load("llvm"), catalogue.find("CAP-02"), found, case=case)
    assert (outcome.verdict, outcome.detail) == (Verdict.PASS, "")
    assert outcome.requests > 0


def test_a_real_worker_that_answers_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from conformance.simulators.llvm import answers

    compiled = answers._compiled

    def with_a_field_too_many(*arguments: object) -> object:
        answer = compiled(*arguments)
        answer.payload["extra"] = 1
        return answer

    monkeypatch.setattr(answers, "_compiled", with_a_field_too_many)
    found = check.load(["CAP"], "real")["CAP-02"]
    outcome = conduct(subject.load("llvm"), catalogue.find("CAP-02"), found, case="verify async")
    assert (outcome.verdict, outcome.kind) == (Verdict.FAIL, "assertion")
    assert "fields of the real answer" in outcome.detail


def test_every_public_call_is_declared_or_refused():
    declared = {name.partition(" ")[0] for name in subject.load("llvm").declared}
    calls = {
        name[1:]
        for name in dir(LLVM)
        if name.startswith("a") and callable(getattr(LLVM, name[1:], None)) and name[1:] not in ("close", "dd_key")
    }
    assert calls - set(LLVM.refusals) == declared
