"""The catalogue is consistent with itself, with the official client's lists, and with the simulator."""

from __future__ import annotations

import datetime
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from groq.types.audio import speech_create_params, transcription_create_params
from groq.types.chat import completion_create_params
from groq_bench import MODEL, mocked

from backends import errors
from backends.groq import CATEGORIES, KnownModel, catalogue, known_model
from backends.groq.known_models import default_model, explain, price_facts
from conformance.simulators.groq.models import MODELS

CURRENT = {model.id for model in catalogue()}
ALL = [*catalogue(), *catalogue(retired=True)]


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.id)
def test_an_entry_is_sound(entry: KnownModel) -> None:
    assert known_model(entry.id) is entry
    assert entry.categories
    assert set(entry.categories) <= set(CATEGORIES)
    assert "vision" not in entry.categories or entry.images or entry.off
    assert set(entry.efforts) <= {"none", "default", "low", "medium", "high"}
    if entry.off:
        assert entry.replacement in CURRENT
        replacement = known_model(entry.replacement or "")
        assert replacement is not None
        assert set(entry.categories) & set(replacement.categories)
        if entry.retired is not None:
            assert datetime.date.fromisoformat(entry.retired) < datetime.date(2026, 11, 1)
        assert entry.id in entry.said()
    else:
        assert entry.description
        assert entry.said() == ""
        assert entry.replacement is None
    figures = (entry.prices.input, entry.prices.cached, entry.prices.output)
    assert all(figure is None for figure in figures) or all(figure is not None for figure in figures)


def test_names_are_there_once() -> None:
    names = [model.id for model in ALL]
    assert len(names) == len(set(names)) >= 40


def test_queries() -> None:
    assert [model.id for model in catalogue("vision")] == ["qwen/qwen3.6-27b"]
    assert {model.id for model in catalogue("system")} == {"groq/compound", "groq/compound-mini"}
    assert {model.id for model in catalogue("audio")} == {
        model.id for kind in ("transcription", "speech") for model in catalogue(kind)
    }
    assert not {model.id for model in catalogue(retired=True)} & CURRENT
    backend = mocked({})
    assert backend.catalogue("chat", retired=True) == catalogue("chat", retired=True)
    assert backend.known_model(MODEL) == known_model(MODEL)
    assert backend.known_model("somebody/new") is None
    with pytest.raises(errors.InvalidRequestError, match="category must be one of"):
        backend.catalogue("embedding")
    backend.close()


@pytest.mark.parametrize("kind", ["chat", "transcription", "translation", "speech"])
def test_defaults_run_and_do_it(kind: str) -> None:
    model = known_model(default_model(kind))
    assert model is not None
    assert not model.off
    assert kind in model.categories


def test_prices_are_dated_and_sourced() -> None:
    as_of, source = price_facts()
    assert datetime.date.fromisoformat(as_of) <= datetime.date(2026, 11, 30)
    assert source


def _listed(table: type) -> set[str]:
    names: set[str] = set()
    waiting = [get_type_hints(table)["model"]]
    while waiting:
        hint = waiting.pop()
        if get_origin(hint) is Literal:
            names.update(get_args(hint))
        else:
            waiting.extend(get_args(hint))
    return names


def test_models_of_the_official_client_are_known() -> None:
    heard = _listed(transcription_create_params.TranscriptionCreateParams)
    assert heard == {model.id for model in catalogue("transcription")}
    spoken = _listed(speech_create_params.SpeechCreateParams)
    assert spoken == {model.id for model in catalogue("speech", retired=True)}
    chats = _listed(completion_create_params.CompletionCreateParams) - {"compound-beta", "compound-beta-mini"}
    assert [name for name in sorted(chats) if known_model(name) is None] == []


def test_the_simulator_agrees() -> None:
    for name, simulated in MODELS.items():
        model = known_model(name)
        assert model is not None, name
        assert model.off == simulated.retired
        assert model.context in (None, simulated.size)
        assert tuple(model.efforts) == simulated.efforts or not model.efforts
        assert tuple(model.voices) == simulated.voices


def test_explanations() -> None:
    assert explain("openai/gpt-oss-20") == (
        "",
        ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "openai/gpt-oss-safeguard-20b"),
    )
    said, names = explain("llama-3.1-8b-instant")
    assert "2026-08-16" in said
    assert names == ("openai/gpt-oss-20b",)
    assert explain("team/tuned-1", ["team/tuned-2"])[1] == ("team/tuned-2",)
