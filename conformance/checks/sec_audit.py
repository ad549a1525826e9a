"""Chapter SEC, fourth part: the audit log, judged by its file alone."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, Final

from backends import errors
from backends.telemetry.audit import AuditLog, verify
from backends.telemetry.events import CallEnded, CallFacts
from conformance.check import check
from conformance.checks.common import marked
from conformance.simulators.faults import Status
from conformance.simulators.record import fingerprint
from conformance.subject import PLANTED_KEY
from conformance.trial import Trial

_ACTOR: Final = "the conformance contract"
_NEIGHBOUR: Final = "a neighbour"
_FACTS: Final = CallFacts("nobody", "nothing", None, "", "default", "http://127.0.0.1", "normal", False, 0.0)
_EVENT: Final = CallEnded(
    _FACTS, "success", None, None, None, None, 0, False, None, None, None, None, None, 0.0, None, 0.0
)


class _File:
    """The log's file, read after each step: what stood there before must still stand there, byte for byte."""

    def __init__(self, trial: Trial, path: Path) -> None:
        self._trial = trial
        self._path = path
        self.content = b""

    def line(self, about: str, actor: str = _ACTOR) -> dict[str, Any]:
        """Return the one line that was added since the last look."""
        now = self._path.read_bytes()
        self._trial.expect(now.startswith(self.content), f"what stood in the log was changed by {about}")
        added, self.content = now[len(self.content) :], now
        lines: list[dict[str, Any]] = [json.loads(line) for line in added.splitlines()]
        self._trial.equal([line.get("actor") for line in lines], [actor], f"actors of the lines added by {about}")
        return lines[0]


@check("SEC-06")
async def sec_06(trial: Trial) -> None:
    """The audit log is only ever appended to, and holds no credentials; a fingerprint tells which key was used."""
    with tempfile.TemporaryDirectory() as folder:
        content = await _written(trial, Path(folder, "audit.jsonl"))
    trial.expect(PLANTED_KEY.encode() not in content, "the log holds the key")
    if "keys" in trial.subject.tags:
        trial.expect(fingerprint(PLANTED_KEY).encode() in content, "no line tells which key was used")


@check("SEC-07")
async def sec_07(trial: Trial) -> None:
    """The audit log holds a line for every end of a call and no text of requests or answers, is readable by its owner
    alone, and shows when a line was changed, dropped or moved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.jsonl")
        content = await _written(trial, path)
        trial.expect(b"call-number-" not in content, "the log holds text of a request")
        trial.equal(_mode(path), "0o600", "who may read and write the file")
        _tamper(trial, path)


def _mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


async def _written(trial: Trial, path: Path) -> bytes:
    """Let calls end in every way beside another writer, look at each line, and return the file."""
    log, neighbour = AuditLog(path, actor=_ACTOR), AuditLog(path, actor=_NEIGHBOUR)
    file = _File(trial, path)
    try:
        await _write(trial, log, neighbour, file)
    finally:
        log.close()
        neighbour.close()
    return file.content


async def _write(trial: Trial, log: AuditLog, neighbour: AuditLog, file: _File) -> None:
    backend = await trial.backend(observers=[log], max_retries=1, initial_retry_delay=0.01)
    trial.fault(Status(503), nth=2)
    trial.fault(Status(503), nth=(4, 5))
    lines = []
    for number in range(2):
        reply = await trial.call(backend, marked(number))
        line = file.line("a call that succeeds")
        trial.equal(
            (line["request_id"], line["provider"]), (reply.request_id, trial.subject.name), "what was asked whom"
        )
        counts = (reply.usage.input_tokens, reply.usage.output_tokens, reply.cost)
        trial.equal((line["input_tokens"], line["output_tokens"], line["cost"]), counts, "tokens and cost")
        lines.append(line)
        neighbour(_EVENT)
        file.line("another writer", _NEIGHBOUR)
    async with trial.raises(errors.ServerError) as caught:
        await trial.call(backend, marked(3))
    lines.append(file.line("a call that fails"))
    trial.equal(lines[-1]["request_id"], caught.error.request_id, "the id of a request that failed")
    trial.sim.hold()
    doomed = trial.spawn(trial.call(backend, marked(4)))
    await trial.sim.until(held=1)
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    trial.sim.let_go()
    lines.append(file.line("a call that is cancelled"))
    error = type(caught.error).__name__
    expected = [("success", None, 1), ("success", None, 2), ("failure", error, 2), ("cancelled", None, 1)]
    told = [(line["outcome"], line["error"], line["attempts"]) for line in lines]
    trial.equal(told, expected, "outcome, error and attempts of each call")


def _tamper(trial: Trial, path: Path) -> None:
    """Each way to change a log that is whole must be found."""
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    found = verify(path)
    trial.equal((found.problems, found.lines), ((), len(lines)), "problems and lines of a log that nobody touched")
    changes = {
        "a digit": content.replace(b'"attempts":2', b'"attempts":1'),
        "a line dropped": b"".join(lines[:1] + lines[2:]),
        "two lines exchanged": b"".join([lines[0], lines[2], lines[1], *lines[3:]]),
        "a line written twice": b"".join([*lines, lines[-1]]),
        "half a line": content[:-20],
    }
    for name, changed in changes.items():
        path.write_bytes(changed)
        trial.expect(not verify(path).whole, f"the chain does not show {name}")
    path.write_bytes(b"".join(lines[:-1]))
    trial.expect(verify(path).whole, "a log without its last line is whole by itself")
    trial.expect(not verify(path, anchor=found.last).whole, "the anchor does not show that the last line is gone")
