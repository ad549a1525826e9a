"""What a thread opens for a task that was cancelled is given back, once, whenever the cancellation comes."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from backends.errors import ConfigurationError
from backends.handover import handed_over
from backends.landing import Landing


class Door:
    """Opens when it is let; remembers who came in and who went out."""

    def __init__(self) -> None:
        self.asked, self.free, self.shut = threading.Event(), threading.Event(), threading.Event()
        self.given_back: list[str] = []

    def open(self) -> str:
        self.asked.set()
        assert self.free.wait(10)
        return "opened"

    def close(self, opened: str) -> None:
        self.given_back.append(opened)
        self.shut.set()


async def asked(door: Door) -> asyncio.Task[str]:
    task = asyncio.create_task(handed_over(door.open, door.close))
    await asyncio.to_thread(door.asked.wait, 10)
    return task


async def test_what_is_opened_belongs_to_the_task() -> None:
    door = Door()
    task = await asked(door)
    door.free.set()
    assert await task == "opened"
    assert door.given_back == []


async def test_what_is_opened_after_the_task_was_cancelled_is_given_back_in_the_thread() -> None:
    door = Door()
    task = await asked(door)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert door.given_back == [], "nobody waited for the thread"
    door.free.set()
    await asyncio.to_thread(door.shut.wait, 10)
    assert door.given_back == ["opened"]


async def test_what_was_opened_when_the_cancellation_came_is_given_back_at_once() -> None:
    door = Door()
    door.free.set()
    ended = asyncio.Event()

    async def run(job: object) -> None:
        await asyncio.to_thread(job)  # type: ignore[arg-type]
        ended.set()
        await asyncio.Event().wait()  # the thread is done, the task has not heard of it

    task = asyncio.create_task(handed_over(door.open, door.close, run))
    await ended.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert door.given_back == ["opened"]


async def test_an_error_of_the_job_is_the_tasks_and_nothing_is_given_back() -> None:
    door = Door()

    def fails() -> str:
        raise ConfigurationError("no such door")

    with pytest.raises(ConfigurationError, match="no such door"):
        await handed_over(fails, door.close)
    assert door.given_back == []


# -- a file that appears when it is whole ------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return [path.suffix for path in folder.iterdir()]


async def test_a_cancelled_task_leaves_no_file_that_a_thread_opens_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, opened = Door(), []
    real = Path.open

    def slowly(path: Path, mode: str) -> object:
        door.open()
        opened.append(real(path, mode))
        return opened[-1]

    monkeypatch.setattr(Path, "open", slowly)
    landing = Landing(tmp_path / "file")
    task = asyncio.create_task(landing.__aenter__())
    await asyncio.to_thread(door.asked.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    door.free.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert [file.closed for file in opened] == [True]
    assert names(tmp_path) == []


async def test_a_task_cancelled_before_its_file_is_named_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def never(job: object) -> None:
        begun.set()
        await asyncio.Event().wait()  # no thread was free

    async def store() -> None:
        async with Landing(tmp_path / "file") as landing:
            await landing.write(b"whole")
            monkeypatch.setattr(asyncio, "to_thread", never)

    task = asyncio.create_task(store())
    await begun.wait()
    assert names(tmp_path) == [".part"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names(tmp_path) == []
