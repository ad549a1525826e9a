"""The pytest plugin: ``pytest -m conformance`` and ``pytest -m live`` run the contract, every requirement an item of
its own.

It adds no item unless ``-m`` asks for one of its markers, and imports nothing heavy before that. Items carry their
evidence on their reports, so it also arrives from the workers of pytest-xdist; the controller writes the stream, in the
order of the plan whoever ran what, and the reports.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.baseline.known import KnownFailure
    from conformance.jobs import Job

_PROPERTY: Final = "conformance_evidence"
_MARKERS: Final = (
    "conformance: the contract over every backend, simulated; writes evidence and reports",
    "live: the contract over real providers with real credentials; opt-in",
    "requirement(id): judges the requirement of this id",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where evidence and reports go, and the switch."""
    group = parser.getgroup("conformance")
    group.addoption(
        "--conformance-evidence", metavar="FILE", help="where evidence is written (default .conformance/evidence.jsonl)"
    )
    group.addoption(
        "--conformance-reports", metavar="DIR", help="where reports are written (default reports/ for a whole run)"
    )
    group.addoption(
        "--conformance-seed", metavar="N", type=int, default=0, help="of every trial's random source (default 0)"
    )
    group.addoption(
        "--conformance-profile",
        choices=("quick", "deep"),
        default="quick",
        help="how long the checks of requirements drive state machines (default quick)",
    )
    parser.addini("conformance", "run the contract when -m asks for it (default on)", type="bool", default=True)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and what collects evidence when the contract was asked for."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if _lanes(config):
        config.pluginmanager.register(_Session(config), "conformance-session")


def _lanes(config: pytest.Config) -> tuple[str, ...]:
    """Return the lanes that ``-m`` asks for: names our marker and does not negate it."""
    expression = str(config.getoption("markexpr", "") or "")
    if not config.getini("conformance"):
        return ()
    asked = [
        lane
        for marker, lane in (("conformance", "simulated"), ("live", "live"))
        if re.search(rf"(?<!not )(?<!not \()\b{marker}\b", " ".join(expression.split()))
    ]
    return tuple(asked)


class ContractFailure(Exception):  # noqa: N818 - a finding, not an error of the program
    """A requirement that does not hold; its text is the whole report."""


class RequirementItem(pytest.Item):
    """Every case of one requirement on one subject, or one saboteur."""

    job: Job
    skip_reason: str | None

    @classmethod
    def of(cls, parent: pytest.Session, job: Job, skip_reason: str | None = None) -> RequirementItem:
        """Return an item for a job."""
        node_id = _node_id(job)
        item: RequirementItem = cls.from_parent(parent, name=node_id.rpartition("::")[2], nodeid=node_id)
        item.job = job
        item.skip_reason = skip_reason
        item.add_marker("live" if job.lane == "live" else "conformance")
        item.add_marker(pytest.mark.requirement(job.requirement))
        return item

    def runtest(self) -> None:
        """Run the job and keep its evidence.

        Raises:
            ContractFailure: a case failed or was vacuous, a saboteur survived, or a known failure no longer fails.
        """
        if self.skip_reason is not None:
            pytest.skip(self.skip_reason)
        from conformance.jobs import run_job

        records = run_job(self.job)
        self.user_properties.append((_PROPERTY, json.dumps(records)))
        problems = [problem for problem in map(_problem, records) if problem]
        if problems:
            self._excuse(records)
            raise ContractFailure("\n".join([_clause(self.job), *problems]))
        if self._known() is not None and self.job.lane == "simulated":
            mended = "it no longer fails: take it out of baseline/known_failures.json"
            raise ContractFailure(f"{_clause(self.job)}\n{mended}")
        reasons = [
            record["detail"] for record in records if record["kind"] == "case" and record["verdict"] == "not_applicable"
        ]
        if len(reasons) == len(records):
            pytest.skip(f"not applicable: {reasons[0]}")

    def _excuse(self, records: list[dict[str, Any]]) -> None:
        """End the item as an expected failure when its requirement is not scored, or its failure is a known one."""
        from conformance.frozen import contract

        if not contract().scores(self.job.requirement):
            pytest.xfail(f"not scored: added since contract {contract().version}")
        known = self._known()
        if known is not None and any(record["verdict"] == "fail" for record in records):
            pytest.xfail(f"{known.reason} ({known.issue})")

    def _known(self) -> KnownFailure | None:
        """Return the known failure that this item may show; a saboteur never has one."""
        from conformance.baseline.known import known_failures

        return None if self.job.saboteur else known_failures().get((self.job.subject, self.job.requirement))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a broken requirement without a traceback through the harness."""
        if isinstance(excinfo.value, ContractFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the item."""
        return Path(__file__), None, self.name


def _node_id(job: Job) -> str:
    return f"conformance::{job.lane}[{job.subject}-{job.saboteur or job.requirement}]"


def _problem(record: dict[str, Any]) -> str | None:
    if record["kind"] == "kill":
        return None if record["killed"] else f"the saboteur survived ({record['sin']}): {record['detail']}"
    if record["verdict"] in ("pass", "not_applicable"):
        return None
    case = f"[{record['case']}] " if record["case"] else ""
    return f"{record['verdict']}: {case}{record['detail']}"


def _clause(job: Job) -> str:
    from conformance import catalogue

    requirement = catalogue.find(job.requirement)
    return f"{requirement.id} {requirement.level.value}: {requirement.clause}"


class _Session:
    """Adds the items, gathers what they found, and writes it at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._found: dict[str, list[dict[str, Any]]] = {}
        self._seed = int(config.getoption("--conformance-seed"))
        self._profile = str(config.getoption("--conformance-profile"))
        self._check_places()
        self._note = ""

    def _check_places(self) -> None:
        """Refuse at the beginning what could not be written at the end."""
        for option in ("--conformance-evidence", "--conformance-reports"):
            given = self._config.getoption(option)
            if given is None:
                continue
            folder = Path(given) if option.endswith("reports") else Path(given).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise pytest.UsageError(
                    f"{option} {given} cannot be written ({error.strerror}); name another place"
                ) from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the contract's items before ``-m`` and ``-k`` choose among all."""
        items.extend(RequirementItem.of(session, job, reason) for job, reason in self._jobs())

    def _jobs(self) -> Iterable[tuple[Job, str | None]]:
        from conformance import check, subject
        from conformance.jobs import Job
        from conformance.live import missing_variables
        from conformance.runner import Selection, plan

        lanes = _lanes(self._config)
        if "simulated" in lanes:
            yield from ((job, None) for job in plan(Selection(seed=self._seed, profile=self._profile)))
        if "live" in lanes:
            live = check.load(lane="live")
            for name in subject.built():
                missing = missing_variables(subject.load(name))
                yield from ((Job(name, requirement, "live", self._seed), missing) for requirement in live)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the evidence that a report carries."""
        for name, value in report.user_properties:
            if name == _PROPERTY and report.when == "call":
                self._found[report.nodeid] = json.loads(str(value))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the evidence stream, and the reports for a whole simulated run."""
        if hasattr(self._config, "workerinput") or not self._found:
            return  # a worker's findings are written by the controller
        self._note = self._write()

    def _write(self) -> str:
        from conformance.claims import subject_record
        from conformance.command_line import EVIDENCE, REPORTS
        from conformance.evidence import read
        from conformance.evidence_writer import Writer
        from conformance.reports import render
        from conformance.summary import summarise

        root = self._config.rootpath
        evidence = Path(self._config.getoption("--conformance-evidence") or root / EVIDENCE)
        # Planned anew: the controller of pytest-xdist collects nothing, and other plugins may change the order of items.
        planned = [_node_id(job) for job, _ in self._jobs()]
        records = [record for node_id in planned for record in self._found.get(node_id, ())]
        lanes = {record["lane"] for record in records if record["kind"] == "case"}
        complete = len(planned) == len(self._found) and lanes == {"simulated"}
        lane = "live" if lanes == {"live"} else "simulated"
        with Writer(evidence, lane=lane, seed=self._seed, complete=complete, profile=self._profile) as writer:
            for record in (*map(subject_record, sorted({record["subject"] for record in records})), *records):
                writer.add(record)
        given = self._config.getoption("--conformance-reports")
        if given is None and not complete:
            return f"conformance: look at the evidence: {evidence} (a partial run leaves {REPORTS}/ as it is)"
        folder = Path(given or root / REPORTS)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in render(summarise(read(evidence))).items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        page, status = folder / "index.html", folder / "API_IMPLEMENTATION_STATUS.md"
        return f"conformance: look at {page} or {status}; evidence: {evidence}"

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where to look."""
        if self._note:
            terminalreporter.write_line(self._note)
