"""Calls in the log: one record a call and one a repeat, with fields, and silence where logging is not configured."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
from telemetry_bench import ANSWER, ASKED, KEY, QUESTION, answering, busy

from backends import errors
from backends.secret import Key
from backends.telemetry.logs import CallLog


async def test_one_record_a_call_and_a_repeat(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "backends"):
        await busy([CallLog()])
    assert [(record.levelname, record.name) for record in caplog.records] == [
        ("WARNING", "backends.calls"),  # the repeat
        ("INFO", "backends.calls"),
        ("WARNING", "backends.calls"),  # a failure of the caller
        ("INFO", "backends.calls"),  # a cancellation
        ("INFO", "backends.calls"),
    ]
    repeat, done, failed, *_ = caplog.records
    assert vars(repeat)["reason"] == "outage"
    assert vars(repeat)["delay_seconds"] > 0
    assert (vars(done)["input_tokens"], vars(done)["key"], vars(done)["attempts"]) == (7, Key(KEY).fingerprint, 2)
    assert "openai chat: failure (InvalidRequestError 400) after" in failed.getMessage()
    everything = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert [secret for secret in (KEY, QUESTION, ANSWER) if secret in everything] == []


async def test_no_field_takes_the_place_of_a_records_own(monkeypatch: pytest.MonkeyPatch) -> None:
    log, names = CallLog(logging.Logger("mine")), list[set[str]]()
    monkeypatch.setattr(log, "_log", lambda level, words, told, fields: names.append(set(fields)))
    await busy([log])
    own = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
    assert [sorted(own & one) for one in names] == [[]] * 5
    assert all({"request_id", "provider", "key"} <= one for one in names)


async def test_failures_of_the_provider_are_errors(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "backends"), pytest.raises(errors.ServerError):
        await answering(500, max_retries=0, observers=[CallLog()]).achat(ASKED)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_logger_of_ones_own(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mine"):
        await answering(200, observers=[CallLog(logging.getLogger("mine"))]).achat(ASKED)
    assert [record.name for record in caplog.records] == ["mine"]


def test_nothing_is_written_unless_logging_is_configured() -> None:
    code = """if True:
        import httpx
        from backends import OpenAI, errors
        from backends.telemetry.logs import CallLog
        answer = httpx.MockTransport(lambda request: httpx.Response(500))
        with OpenAI(api_key="sk-x", environ={}, transport=answer, max_retries=0, observers=[CallLog()]) as client:
            try:
                client.chat([{"role": "user", "content": "hello"}])
            except errors.ServerError:
                print("failed")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert (done.stdout, done.stderr) == ("failed\n", "")
