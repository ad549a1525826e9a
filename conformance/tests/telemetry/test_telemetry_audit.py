"""The audit log: appended by many at once, rotated without loss, chained, private, and no call fails because of it."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from telemetry_bench import ANSWER, ASKED, KEY, QUESTION, answering, busy

from backends import errors
from backends.secret import Key
from backends.telemetry import audit
from backends.telemetry.audit import AuditLog, verify
from backends.telemetry.audit_chain import GENESIS, files_of
from backends.telemetry.events import CallEnded, CallFacts, CallStarted

FACTS = CallFacts("openai", "chat", "gpt", "id", "default", "https://x.invalid", "normal", False, 1_795_000_000.25)


def ended(number: int = 0) -> CallEnded:
    call = CallFacts("openai", "chat", "gpt", str(number), "default", "https://x.invalid", "normal", False, 1.795e9)
    return CallEnded(call, "success", None, None, None, None, 1, False, None, None, None, None, None, 0.0, None, 0.1)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for name in files_of(path) for line in name.read_bytes().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


async def test_who_what_when_and_how_it_ended(path: Path) -> None:
    backend = await busy([AuditLog(path, actor=lambda: "ada")])
    lines = lines_of(path)
    assert [line["outcome"] for line in lines] == ["success", "failure", "cancelled", "success"]
    assert [line["number"] for line in lines] == [1, 2, 3, 4]
    assert {line["actor"] for line in lines} == {"ada"}
    assert {line["key"] for line in lines} == {Key(KEY).fingerprint}
    assert lines[0]["time"] == "2026-11-18T11:23:20.000000+00:00"
    assert (lines[0]["input_tokens"], lines[0]["total_tokens"], lines[0]["attempts"]) == (7, 12, 2)
    assert (lines[1]["error"], lines[1]["status"]) == ("InvalidRequestError", 400)
    assert [secret for secret in (KEY, QUESTION, ANSWER) if secret in json.dumps(lines)] == []
    found = verify(path)
    assert (found.whole, found.lines, found.last) == (True, 4, lines[-1]["hash"])
    assert backend.report()["observers"][0]["failures"] == 0


def test_only_ends_are_written(path: Path) -> None:
    AuditLog(path)(CallStarted(FACTS))
    assert path.read_bytes() == b""
    assert path.stat().st_mode & 0o777 == 0o600
    assert verify(path).last == GENESIS


def test_a_second_log_continues_the_chain(path: Path) -> None:
    AuditLog(path)(ended())
    AuditLog(path)(ended())
    assert [line["number"] for line in lines_of(path)] == [1, 2]
    assert verify(path).whole


def test_rotation_loses_nothing(path: Path) -> None:
    log = AuditLog(path, max_bytes=4096)
    for number in range(60):
        log(ended(number))
    files = files_of(path)
    assert len(files) > 5
    assert [name.name for name in files[:2]] == ["audit.jsonl.1", "audit.jsonl.2"]
    assert max(name.stat().st_size for name in files) <= 4096
    assert {name.stat().st_mode & 0o777 for name in files} == {0o600}
    assert [line["request_id"] for line in lines_of(path)] == [str(number) for number in range(60)]
    assert verify(path).whole
    files[1].unlink()
    assert not verify(path).whole


def test_a_log_that_somebody_moved_away_is_begun_anew(path: Path) -> None:
    log = AuditLog(path)
    log(ended(1))
    path.rename(path.with_name("audit.jsonl.1"))
    log(ended(2))
    log.close()
    log(ended(3))
    assert [line["request_id"] for line in lines_of(path)] == ["1", "2", "3"]
    assert verify(path).whole


def test_many_threads_write_whole_lines(path: Path) -> None:
    logs = [AuditLog(path, max_bytes=8192), AuditLog(path, max_bytes=8192)]
    threads = [threading.Thread(target=lambda log=log: [log(ended()) for _ in range(40)]) for log in logs * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines_of(path)) == 160
    assert verify(path).whole


def test_several_processes_and_a_fork_share_one_log(path: Path) -> None:
    code = """if True:
        import os, sys
        sys.path[:0] = sys.argv[2:]
        from test_telemetry_audit import AuditLog, ended
        log = AuditLog(sys.argv[1], max_bytes=8192)
        log(ended())
        child = os.fork()
        for _ in range(30):
            log(ended())
        if child:
            os._exit(os.waitpid(child, 0)[1])
        os._exit(0)
    """
    command = [sys.executable, "-c", code, str(path), *map(str, Path(__file__).parents[:2])]
    started = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=60) for process in started] == [0, 0]
    assert len(lines_of(path)) == 122
    assert len({line["process"] for line in lines_of(path)}) == 4
    assert verify(path).whole


def test_a_broken_line_is_closed_off_and_found(path: Path) -> None:
    AuditLog(path)(ended(1))
    with path.open("ab") as file:
        file.write(b'{"number":2,"half')
    AuditLog(path)(ended(2))
    found = verify(path)
    assert found.problems == ("audit.jsonl line 2: it is no whole line of an audit log",)
    assert json.loads(path.read_bytes().splitlines()[-1])["number"] == 2


async def test_a_full_disk_fails_no_call(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backend = answering(200, observers=[AuditLog(path)])
    await backend.achat(ASKED)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "backends"):
        patch.setattr(audit.os, "write", full)
        for _ in range(3):
            assert (await backend.achat(ASKED)).text
    assert backend.report()["observers"] == [{"observer": "AuditLog", "failures": 3}]
    assert len(caplog.records) == 1
    await backend.achat(ASKED)
    assert [line["number"] for line in lines_of(path)] == [1, 2]
    assert verify(path).whole


def test_half_a_line_on_a_full_disk_is_closed_off(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(path)
    log(ended(1))
    write, left = os.write, [20]

    def filling(descriptor: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= (done := write(descriptor, data[: left[0]]))
        return done

    with monkeypatch.context() as patch:
        patch.setattr(audit.os, "write", filling)
        with pytest.raises(OSError, match="No space"):
            log(ended(2))
    log(ended(3))
    assert [b'"number"' in line for line in path.read_bytes().splitlines()] == [True, True, True]
    assert len(verify(path).problems) == 1
    assert path.read_bytes().endswith(b"}\n")


def test_fsync_waits_for_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(audit.os, "fsync", synced.append)
    AuditLog(path)(ended())
    assert synced == []
    AuditLog(path, fsync=True)(ended())
    assert len(synced) == 1


def test_a_file_that_others_may_read_is_refused(path: Path) -> None:
    path.touch(mode=0o644)
    path.chmod(0o644)
    with pytest.raises(errors.ConfigurationError, match="chmod 600"):
        AuditLog(path)


def test_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(errors.ConfigurationError, match="cannot be opened"):
        AuditLog(path)


@pytest.mark.parametrize("most", [0, 4095, True])
def test_a_tiny_limit_is_refused(path: Path, most: int) -> None:
    with pytest.raises(errors.ConfigurationError, match="max_bytes"):
        AuditLog(path, max_bytes=most)


def test_a_folder_that_is_not_there_shows_at_once(path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="No such file"):
        AuditLog(path / "deeper")


def test_verify_needs_a_log(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        verify(path)


def test_problems_are_bounded_and_an_anchor_must_be_there(path: Path) -> None:
    path.write_bytes(b"nonsense\n" * 500)
    assert len(verify(path).problems) == 100
    path.write_bytes(b"")
    assert not verify(path, anchor="0" * 63 + "1").whole
    assert verify(path, anchor=GENESIS).whole


@pytest.mark.parametrize("place", range(0, 700, 7))
def test_any_changed_byte_is_found(path: Path, place: int) -> None:
    log = AuditLog(path)
    for number in range(2):
        log(ended(number))
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert not verify(path).whole
