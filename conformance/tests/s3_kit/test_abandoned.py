"""Calls that end while a thread is still at work for them: nothing stays open, nothing is lost, nothing is left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from backends import errors
from backends.s3_kit import S3Kit, uploads
from backends.s3_kit import landing as landing_module
from backends.s3_kit.exchange import Aborted
from backends.s3_kit.file_landing import FileLanding
from backends.s3_kit.sources import Source, open_source
from backends.s3_kit.threads import Threads

from .conftest import MIB

ENOUGH = b"x" * (100 * 1024)
"""More than a download that broke off must have to be continued."""


def nothing() -> None:
    """Of an attempt that is still wanted."""


def nobody_waits() -> None:
    raise Aborted


def landing_in(folder: Path) -> FileLanding:
    return FileLanding(folder / "file", "the object", resume=True)


def left(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """Every partial file that is opened."""
    files: list[IO[bytes]] = []
    real = FileLanding._opened

    def noted(landing: FileLanding) -> IO[bytes]:
        files.append(real(landing))
        return files[-1]

    monkeypatch.setattr(FileLanding, "_opened", noted)
    return files


# -- landings ----------------------------------------------------------------------------------------------------------


def test_a_landing_that_is_closed_during_an_attempt_closes_when_the_attempt_leaves(
    tmp_path: Path, opened: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_module, "_A_MOMENT", 0.0)
    landing = landing_in(tmp_path)
    with landing.attempt(nothing):
        landing.begin('"e"', 200_000)
        landing.write(ENOUGH)
        landing.close()
        assert not opened[0].closed
        landing.write(b"more")
    assert [file.closed for file in opened] == [True]
    assert left(tmp_path) == [".json", ".partial"]
    again = landing_in(tmp_path)
    with again.attempt(nothing):
        assert (again.position, again.etag) == (len(ENOUGH) + 4, '"e"')
    again.close()


def test_closing_waits_for_an_attempt_that_is_about_to_leave(
    tmp_path: Path, opened: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_module, "_A_MOMENT", 10.0)
    landing, leave = landing_in(tmp_path), threading.Event()

    def attempt() -> None:
        with landing.attempt(nothing):
            begun.set()
            leave.wait(10)

    begun, thread = threading.Event(), threading.Thread(target=attempt)
    thread.start()
    begun.wait(10)
    closing = threading.Thread(target=landing.close)
    closing.start()
    leave.set()
    closing.join()
    assert ([file.closed for file in opened], left(tmp_path)) == ([True], [])
    thread.join()


def test_a_closed_landing_opens_for_nobody(tmp_path: Path, opened: list[IO[bytes]]) -> None:
    landing = landing_in(tmp_path)
    landing.close()
    with pytest.raises(errors.ClosedError), landing.attempt(nothing):
        raise AssertionError("it is closed")
    assert (opened, left(tmp_path)) == ([], [])


def test_a_partial_file_outlives_a_call_that_ends_while_it_is_read(tmp_path: Path, opened: list[IO[bytes]]) -> None:
    first = landing_in(tmp_path)
    with first.attempt(nothing):
        first.begin('"e"', None)
        first.write(b"x" * (3 * MIB))
    first.close()
    second = landing_in(tmp_path)
    calls: Iterator[Callable[[], None]] = iter((nothing, nobody_waits))
    with pytest.raises(Aborted), second.attempt(lambda: next(calls)()):
        raise AssertionError("nobody waits for it any more")
    second.close()
    assert left(tmp_path) == [".json", ".partial"]
    third = landing_in(tmp_path)
    with third.attempt(nothing):
        assert (third.position, third.resumed_from, third.continues) == (3 * MIB, 3 * MIB, True)
    third.close()
    assert [file.closed for file in opened] == [True] * 3


async def test_a_download_that_is_cancelled_before_its_file_is_open_leaves_none(
    kit: S3Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[IO[bytes]]
) -> None:
    await kit.aupload("m", b"content")
    asked, free = threading.Event(), threading.Event()
    real = FileLanding._opened

    def slowly(landing: FileLanding) -> IO[bytes]:
        asked.set()
        assert free.wait(10)
        return real(landing)

    monkeypatch.setattr(FileLanding, "_opened", slowly)
    task = asyncio.create_task(kit.adownload("m", tmp_path / "file"))
    await asyncio.to_thread(asked.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    free.set()
    await kit.aclose()
    assert [file.closed for file in opened] == [True]
    assert left(tmp_path) == []


# -- sources -----------------------------------------------------------------------------------------------------------


async def test_an_upload_that_is_cancelled_before_its_file_is_open_closes_it(
    kit: S3Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, free = threading.Event(), threading.Event()
    sources: list[Any] = []

    def slowly(given: Any) -> Source:
        asked.set()
        assert free.wait(10)
        sources.append(open_source(given))
        return sources[-1]

    monkeypatch.setattr(uploads, "open_source", slowly)
    (tmp_path / "file").write_bytes(b"content")
    task = asyncio.create_task(kit.aupload("m", tmp_path / "file"))
    await asyncio.to_thread(asked.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    free.set()
    await kit.aclose()
    assert [source._file.closed for source in sources] == [True]


# -- threads -----------------------------------------------------------------------------------------------------------


class Busy:
    """The threads of a backend, all those for files busy until they are let go."""

    def __init__(self) -> None:
        self.threads, self.free = Threads(), threading.Event()
        self.done: list[str] = []

    async def __aenter__(self) -> Busy:
        begun = threading.Barrier(5)

        def wait() -> None:
            begun.wait(10)
            assert self.free.wait(10)

        self.working = [asyncio.create_task(self.threads.local(wait)) for _ in range(4)]
        await asyncio.to_thread(begun.wait, 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.free.set()
        await asyncio.gather(*self.working)

    async def queued(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not task.done()
        return task

    async def close(self) -> None:
        closing = asyncio.create_task(self.threads.close())
        await asyncio.sleep(0)
        self.free.set()
        await closing


async def test_what_cleans_up_is_done_once_although_the_backend_is_closed_before_its_turn() -> None:
    async with Busy() as busy:
        task = await busy.queued(busy.threads.finally_(lambda: busy.done.append("clean")))
        await busy.close()
        await task
        assert busy.done == ["clean"]
        await busy.threads.finally_(lambda: busy.done.append("late"))
        assert busy.done == ["clean", "late"]


async def test_a_task_that_is_cancelled_while_it_cleans_up_has_cleaned_up() -> None:
    async with Busy() as busy:
        task = await busy.queued(busy.threads.finally_(lambda: busy.done.append("clean")))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert busy.done == []
        await busy.close()
    assert busy.done == ["clean"]


async def test_a_job_that_is_given_up_before_its_turn_is_an_error_and_no_cancellation() -> None:
    async with Busy() as busy:
        task = await busy.queued(busy.threads.local(lambda: busy.done.append("never")))
        await busy.close()
        with pytest.raises(errors.ClosedError):
            await task
    assert busy.done == []
