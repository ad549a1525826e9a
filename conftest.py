"""What every test of this repository shares: no real network, no real credentials, warnings are errors (see pyproject)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# A search that differs from run to run, or gives up when the machine is busy, is a flaky test.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")

_CREDENTIAL_VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GROQ_API_KEY",
    "GROQ_BASE_URL",
    "GROQ_CUSTOM_HEADERS",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_TOKEN_PATH",
    "HF_TEI_BASE_URL",
    "HF_TGI_BASE_URL",
    "OPEA_API_KEY",
    "OPEA_BASE_URL",
    "OVMS_API_KEY",
    "OVMS_BASE_URL",
    "VLLM_API_KEY",
    "VLLM_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "OLLAMA_HOST",
    "OLLAMA_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_DEFAULT_REGION",
)


@pytest.fixture(autouse=True)
def only_this_machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections to other machines and hide the developer's own credentials, except in the live lane."""
    if request.node.get_closest_marker("live") is not None:
        yield
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"A test tried to reach {address[0]}: only this machine is allowed.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    for variable in {*_CREDENTIAL_VARIABLES, *(name for name in os.environ if name.startswith("OPEA_"))}:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("IPFS_API_CREDENTIALS", str(Path(request.config.rootpath) / "fixtures" / "no-such-file"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield
