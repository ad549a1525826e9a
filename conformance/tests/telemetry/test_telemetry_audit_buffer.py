"""Audit lines on their way: what they say, that their order is kept, and when they are in the file."""

from __future__ import annotations

import errno
import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from telemetry_bench import ASKED, answering
from test_telemetry_audit import ended, lines_of

from backends import errors
from backends.telemetry import audit_buffer
from backends.telemetry.audit import AuditLog, verify
from backends.telemetry.audit_line import Lines
from backends.telemetry.events import CallEnded, CallFacts, fields_of
from backends.types import Usage

LONG = 60.0
"""An interval that no test waits for."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def numbers(path: Path) -> list[str]:
    return [line["request_id"] for line in lines_of(path)]


@pytest.mark.parametrize(
    ("tenant", "model", "usage", "cost", "error"),
    [
        (None, None, None, None, None),
        ("acme", "gpt", Usage(7, 5, 12), 0.25, None),
        ('a "quoted"\n', "m\\\ud800ödel", Usage(0, None, 2**70), 1e-7, "ServerError"),
        ("acme", "gpt", Usage(1.5, True, None), 1e300, "X"),  # type: ignore[arg-type]  # what a provider of one's own may give
    ],
)
def test_a_line_says_every_field(tenant: Any, model: Any, usage: Any, cost: Any, error: Any) -> None:
    call = CallFacts("openai", "chat", model, 'id"', "default", "https://x", "low", True, 1_795_000_000.25, tenant)
    outcome = "failure" if error else "success"
    status = 503 if error else None
    event = CallEnded(
        call, outcome, error, None, status, "ab", 2, not error, usage, cost, "m", 'req"1', "stop", 0.125, 0.5, 1.0
    )
    lines = Lines()
    for _ in range(2):
        told = json.loads("{" + lines.members(event, 'ada "x"', 7) + "}")
        head = {"time": "2026-11-18T11:06:40.250000+00:00", "actor": 'ada "x"', "process": 7}
        assert list(told.items()) == list({**head, **fields_of(event)}.items())


def test_times_of_one_second_and_of_others() -> None:
    lines = Lines()
    told = [lines._stamp(at)[17:26] for at in (0.0, 1.5, 1.5000004, 1.9999999, 59.0)]
    assert told == ["00.000000", "01.500000", "01.500000", "02.000000", "59.000000"]


def test_kinds_that_are_remembered_are_bounded() -> None:
    lines = Lines()
    for number in range(3000):
        facts = CallFacts("openai", "chat", f"m{number}", "i", "e", "u", "low", False, 0.0)
        lines._kind(facts)
    assert len(lines._kinds) <= 1024


def test_lines_wait_and_keep_their_order(path: Path) -> None:
    log = AuditLog(path, flush_interval=LONG)
    for number in range(5):
        log(ended(number))
    assert path.read_bytes() == b""
    log.flush()
    assert numbers(path) == ["0", "1", "2", "3", "4"]
    log(ended(5))
    log.close()
    assert numbers(path)[-1] == "5"
    log(ended(6))
    log.close()
    log.close()
    assert numbers(path) == [str(number) for number in range(7)]
    assert verify(path).whole
    assert [thread.name for thread in threading.enumerate() if thread.name == "backends-audit"] == []


def test_a_short_interval_writes_by_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, written = AuditLog(path, flush_interval=1e-6), threading.Event()
    append = log._file.append

    def told(lines: Any) -> None:
        append(lines)
        written.set()

    assert log._buffer is not None
    monkeypatch.setattr(log._buffer, "_write", told)
    log(ended())
    assert written.wait(10.0)
    assert numbers(path) == ["0"]
    log.close()


def test_no_more_than_so_many_wait_and_none_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_buffer, "_MOST", 10)
    log = AuditLog(path, flush_interval=LONG)
    for number in range(25):
        log(ended(number))
    assert numbers(path) == [str(number) for number in range(20)]
    log.close()
    assert numbers(path) == [str(number) for number in range(25)]


def test_many_threads_and_rotation(path: Path) -> None:
    log = AuditLog(path, flush_interval=1e-4, max_bytes=8192)
    threads = [threading.Thread(target=lambda: [log(ended()) for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert len(lines_of(path)) == 400
    assert max(name.stat().st_size for name in path.parent.iterdir()) <= 8192
    assert verify(path).whole


def test_a_log_that_is_forgotten_writes_its_lines(path: Path) -> None:
    log = AuditLog(path, flush_interval=LONG)
    log(ended())
    del log
    gc.collect()
    assert numbers(path) == ["0"]


def test_what_the_end_of_a_process_leaves(path: Path) -> None:
    code = """if True:
        import os, sys
        sys.path[:0] = sys.argv[2:]
        from test_telemetry_audit import AuditLog, ended
        killed = os.fork()
        log = AuditLog(f"{sys.argv[1]}-{'killed' if not killed else 'ended'}", flush_interval=60)
        log(ended())
        if not killed:
            os._exit(0)
        os.waitpid(killed, 0)
        raise SystemExit(3)
    """
    done = subprocess.run([sys.executable, "-c", code, str(path), *map(str, Path(__file__).parents[:2])], timeout=60)
    assert done.returncode == 3
    assert Path(f"{path}-killed").read_bytes() == b""
    assert len(Path(f"{path}-ended").read_bytes().splitlines()) == 1


def test_a_fork_writes_no_line_of_its_parent(path: Path) -> None:
    log = AuditLog(path, flush_interval=LONG)
    log(ended(1))
    child = os.fork()
    if not child:
        log(ended(2))
        log.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    log.close()
    assert numbers(path) == ["2", "1"]
    assert verify(path).whole


async def test_a_full_disk_is_counted_and_fails_no_call(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(path, flush_interval=LONG)
    backend = answering(200, observers=[log])
    write: Callable[[int, bytes], int] = os.write

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    await backend.achat(ASKED)
    monkeypatch.setattr(os, "write", full)
    assert log._buffer is not None
    log._buffer._flush()
    await backend.achat(ASKED)
    assert backend.report()["observers"] == [{"observer": "AuditLog", "failures": 1}]
    with pytest.raises(OSError, match="No space"):
        log.flush()
    await backend.achat(ASKED)
    monkeypatch.setattr(os, "write", write)
    log.close()
    assert len(lines_of(path)) == 1
    assert verify(path).whole


@pytest.mark.parametrize("interval", [0, -1.0, 61, True, "1", float("nan")])
def test_an_impossible_interval_is_refused(path: Path, interval: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="flush_interval"):
        AuditLog(path, flush_interval=interval)
