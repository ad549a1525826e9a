"""What a reader of the documents has: keys, addresses of services, files in the working directory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from blocks import facts_of

from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.registry import NAMES
from conformance.threads import SimulatorThread

KEYS = {
    "OPENAI_API_KEY": "sk-quickstart-0001",
    "ANTHROPIC_API_KEY": "sk-ant-quickstart-0001",
    "GROQ_API_KEY": "gsk_quickstart0001",
    "GEMINI_API_KEY": "AIza-quickstart-0001",
    "AWS_ACCESS_KEY_ID": "AKIAQUICKSTART0001",
    "AWS_SECRET_ACCESS_KEY": "quickstart-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}
SECOND = "_2"
"""How the document's own variables end: a second key, a second machine."""


@pytest.fixture(scope="module")
def services() -> Iterator[SimulatorThread]:
    thread = SimulatorThread(list(NAMES))
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture
def sim(services: SimulatorThread, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimulatorThread:
    """Fresh services, and what the document tells a reader to have: keys, addresses, files in the working directory."""
    services.tell(services.sim.reset)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name + SECOND, value[:-1] + "2")
    for name in NAMES:
        for variable in facts_of(name).base_url_variables[:1]:
            for ending in ("", SECOND):
                monkeypatch.setenv(variable + ending, services.tell(services.sim.base_url, name))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # what a reader waits for is ready here at once
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(picture("c0ffee00"))
    Path("speech.wav").write_bytes(wave("c0ffee00"))
    Path("report.pdf").write_bytes(b"%PDF-1.7 a few bytes that stand for a report")
    Path("tiny-model").mkdir()
    Path("tiny-model", "config.json").write_text("{}", "utf-8")
    Path("tiny-model", "model.safetensors").write_bytes(bytes(1000))
    return services
