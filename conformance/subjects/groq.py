"""Groq under the contract; the calls it declares stand in :mod:`conformance.subjects.groq_calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.groq import Groq
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.groq_calls import DECLARED, FEATURES

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> Groq:
    return Groq(**standard_arguments(site, settings, base_url=site.base_url + "/openai/v1"))


def _live(environ: Mapping[str, str]) -> Groq:
    return Groq(environ=environ, max_retries=1)


SUBJECT: Final = Subject(
    name="groq",
    title="Groq",
    tags=frozenset(
        {"http", "cache", "cost", "keys", "key_required", "chat", "stream", "usage", "tools", "models", "sync"}
    ),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="*/chat/completions",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="groq",
    declared=DECLARED,
    features=FEATURES,
    refusals=tuple(Groq.refusals),
    sources=("backends.groq",),
    live=Live(variables=("GROQ_API_KEY",), make=_live),
)
