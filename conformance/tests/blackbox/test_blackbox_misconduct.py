"""Subjects that crash, are silent, babble, lie or never end: each is told as what it is, and stops nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.blackbox.conversation import Patience
from conformance.blackbox.examine import Examination, examine
from conformance.blackbox.places import PLACES
from conformance.blackbox.process import Process
from conformance.blackbox.question import load

PATIENCE = Patience(hello=5.0, answer=0.4, pulse=5.0, end=0.2)
PROGRAM = """
import json, sys, time
HELLO = {"protocol": 1, "name": "it", "language": "Python", "versions": {}, "claims": {"openai": ["chat"]}}
def say(**line):
    print(json.dumps(line), flush=True)
for text in sys.stdin:
    line = json.loads(text)
    do, id = line["do"], line["id"]
    SIN
    if do == "hello":
        say(id=id, ok=HELLO)
    elif do == "chat":
        say(id=id, ok={"text": "I am glad to help you with that."})
    else:
        say(id=id, ok={})
    if do == "close":
        break
"""


class Subject:
    """Starts a program as often as it is asked to, and counts."""

    def __init__(self, folder: Path, sin: str) -> None:
        self.path = folder / "subject.py"
        self.path.write_text(PROGRAM.replace("SIN", sin))
        self.starts = 0

    async def __call__(self) -> Process:
        self.starts += 1
        return await Process.start([sys.executable, "-S", "-E", str(self.path)])


async def asked(start: Any, *requirements: str, patience: Patience = PATIENCE) -> Examination:
    questions = load()
    return await examine("it", start, [PLACES["openai"]], [questions[name] for name in requirements], patience=patience)


BROKEN = {
    "crashes": ("if do == 'chat': sys.exit('out of cheese')", "subject crashed: exit 1; stderr: out of cheese"),
    "is killed": ("if do == 'chat': import os; os.kill(os.getpid(), 9)", "subject crashed: exit -9"),
    "writes garbage": ("if do == 'chat': print('Loading model...', flush=True)", "babbles: a line on standard output is not JSON"),
    "floods": ("if do == 'chat': sys.stdout.write('x' * (1 << 21)); sys.stdout.flush()", "babbles: a line on standard output is longer"),
    "answers nobody": ("if do == 'chat': say(id=id + 7, ok={})", "answers what was not asked"),
    "streams a chat": ("if do == 'chat': say(id=id, event={'text': 'a'})", "babbles: an event too many for chat"),
    "answers in another shape": ("if do == 'chat': say(id=id, ok={'text': 7})", "breaks the protocol: .text: 7 is not of type 'string'"),
    "has no id": ("if do == 'chat': say(ok={})", "breaks the protocol: the line: 'id' is a required property"),
    "shuts its mouth": ("if do == 'chat': import os; os.close(1); time.sleep(60)", "subject closed its standard output and went on"),
    "does not answer a call": ("if do == 'chat': continue", "chat did not end within 0.4 s"),
    "lies": ("pass", "an answer came back, but the server has seen no request"),
}  # fmt: skip


@pytest.mark.parametrize(("sin", "words"), BROKEN.values(), ids=BROKEN)
async def test_it_is_told_as_what_it_is(sin: str, words: str, tmp_path: Path) -> None:
    (case,) = (await asked(Subject(tmp_path, sin), "REAL-01")).cases
    assert case["verdict"] == "fail"
    assert words in case["detail"]
    assert any("chat" in line for line in case["wire"])


async def test_it_stops_nothing(tmp_path: Path) -> None:
    subject = Subject(tmp_path, BROKEN["crashes"][0])
    found = await asked(subject, "REAL-01", "QUE-01", "REAL-02")
    assert [case["verdict"] for case in found.cases] == ["fail", "not_claimed", "fail"]
    assert found.cases[1]["detail"] == "does not claim limit"
    assert subject.starts == 2


async def test_a_subject_that_says_nothing_is_waited_for_no_longer_than_is_reasonable(tmp_path: Path) -> None:
    found = await asked(Subject(tmp_path, "continue"), "REAL-01", patience=Patience(hello=0.3))
    assert (found.who, found.cases, found.notes) == (None, [], ["subject is silent: no line within 0.3 s"])


async def test_a_subject_that_cannot_start_ends_its_own_examination() -> None:
    async def start() -> Process:
        return await Process.start(["/nonexistent/client"])

    found = await asked(start, "REAL-01")
    assert found.notes == ["subject cannot be started: client: No such file or directory"]


async def test_a_subject_that_speaks_another_protocol_is_not_listened_to(tmp_path: Path) -> None:
    found = await asked(Subject(tmp_path, "HELLO['protocol'] = 2"), "REAL-01")
    assert found.notes == ["subject breaks the protocol: .protocol: 1 was expected in the answer to hello"]


@pytest.mark.parametrize(
    ("sin", "note"),
    [
        ("if do == 'close': say(id=id, ok={}); time.sleep(60)", "did not exit within 0.2 s after close: killed"),
        ("if do == 'close': say(id=id, ok={}); sys.exit(4)", "exited with status 4 after close"),
        ("if do == 'close': continue", "close did not end within 0.4 s"),
    ],
)
async def test_how_it_ends_is_noted(sin: str, note: str, tmp_path: Path) -> None:
    assert (await asked(Subject(tmp_path, sin), "QUE-01")).notes == [note]


ADAPTER = """
import sys
from speak import serve
class Chatty:
    def hello(self):
        print("hello from a client that prints")
        return {"name": "chatty", "language": "Python", "versions": {}, "claims": {"openai": ["chat"]}}
    def configure(self, settings):
        sys.stdout.write("configured\\n")
        return ["deadline"]
    def chat(self, call):
        print(input() if False else "chatting", flush=True)
        raise KeyError("no such thing")
    def explain(self, error):
        raise TypeError("cannot explain")
    def close(self):
        return None
serve(Chatty())
"""


async def test_what_a_client_prints_does_not_disturb_its_adapter(tmp_path: Path) -> None:
    path = tmp_path / "adapter.py"
    path.write_text(ADAPTER)

    async def start() -> Process:
        return await Process.start([sys.executable, "-S", str(path)])

    found = await asked(start, "REAL-02", patience=Patience(end=5.0))
    (case,) = found.cases
    assert case["detail"] == (
        "a call that must succeed failed: other: 'no such thing' (not explained: TypeError: cannot explain)"
    )
    assert found.notes == []
