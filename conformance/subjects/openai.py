"""OpenAI under the contract; the calls it declares stand in :mod:`conformance.subjects.openai_calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.openai import OpenAI
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.openai_calls import DECLARED, FEATURES
from conformance.subjects.openai_recorded import RECORDED
from conformance.subjects.shared_calls import BATCHED

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> OpenAI:
    return OpenAI(**standard_arguments(site, settings))


def _live(environ: Mapping[str, str]) -> OpenAI:
    return OpenAI(environ=environ, max_retries=1)


SUBJECT: Final = Subject(
    name="openai",
    title="OpenAI",
    tags=frozenset(
        {
            "http",
            "cache",
            "keys",
            "cost",
            "key_required",
            "chat",
            "stream",
            "recorded",
            "usage",
            "tools",
            "embed",
            "batch",
            "models",
            "sync",
        }
    ),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="*/chat/completions",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="openai",
    declared=DECLARED,
    batched=BATCHED["openai"],
    features=FEATURES,
    recorded=RECORDED,
    refusals=tuple(OpenAI.refusals),
    sources=("backends.openai",),
    live=Live(variables=("OPENAI_API_KEY",), make=_live),
)
