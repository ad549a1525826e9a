"""The package's face: lazy names, the registry, and what importing and building do not do."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import backends
from backends import OpenAI, create, errors, names
from backends.openai.catalogue import default_model, explain, known_models


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import backends; print(sorted(set(sys.modules) - before))"
    loaded = run(code)
    assert "backends" in loaded
    for heavy in ("httpx", "aiohttp", "asyncio", "backends.openai", "backends.base", "ssl", "boto3"):
        assert f"'{heavy}'" not in loaded


def test_building_a_backend_loads_no_http_library_and_does_nothing() -> None:
    code = (
        "import sys, threading\n"
        "from backends import OpenAI\n"
        "import backends.openai\n"
        "OpenAI(api_key='sk-x'); OpenAI()\n"
        "print([name for name in ('httpx', 'aiohttp', 'tiktoken', 'openai') if name in sys.modules])\n"
        "print(threading.active_count())\n"
    )
    assert run(code).split("\n")[:2] == ["[]", "1"]


def test_the_face_lists_what_it_has() -> None:
    assert set(backends.__all__) <= set(dir(backends))
    assert backends.Priority.HIGH < backends.Priority.LOW
    assert backends.errors is errors
    with pytest.raises(AttributeError, match="no attribute 'Openai'"):
        backends.Openai  # noqa: B018
    with pytest.raises(ImportError):
        from backends import nothing_like_it  # noqa: F401


def test_backends_are_made_by_their_row_name() -> None:
    assert "openai" in names()
    made = create("openai", None, {"openai_api_key": "sk-x"}, model="gpt-5.5")
    assert isinstance(made, OpenAI)
    assert made.model == "gpt-5.5"
    with pytest.raises(errors.ConfigurationError, match="Unknown backend 'opanai'") as caught:
        create("opanai")
    assert "openai" in caught.value.suggestions
    with pytest.raises(errors.ConfigurationError) as caught:
        create("OpenAI")
    assert caught.value.suggestions[0] == "openai"
    with pytest.raises(errors.ConfigurationError, match="Unknown setting 'max_retry'"):
        create("openai", max_retry=3)


def test_the_catalogue_is_sound() -> None:
    models = known_models()
    for model in models.values():
        if model.retires is not None:
            assert len(model.retires.split("-")) == 3
        if model.replacement is not None:
            assert models[model.replacement].retires is None, model
            assert models[model.replacement].kind == model.kind, model
    for kind in ("chat", "completion", "embedding", "moderation", "image", "speech", "transcription"):
        assert models[default_model(kind)].kind == kind
    assert models["gpt-4o"].retires == "2027-01-14"
    assert models["o3"].retires == "2026-12-11"
    assert models["whisper-1"].retires == "2027-02-26"
    said, nearest = explain("tts-1")
    assert "2027-01-06" in said
    assert "gpt-4o-mini-tts" in nearest or nearest
    assert explain("no such thing at all") == ("", ())
    assert json.dumps(explain("gpt-5.5-pro")[1])
