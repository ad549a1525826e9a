"""Ollama under the contract; the calls it declares stand in :mod:`conformance.subjects.ollama_calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.ollama import Ollama
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.ollama_calls import DECLARED, FEATURES

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> Ollama:
    return Ollama(**standard_arguments(site, settings, model="llama3.2"))


def _live(environ: Mapping[str, str]) -> Ollama:
    return Ollama(environ=environ, model=environ.get("OLLAMA_MODEL") or "llama3.2", max_retries=1)


SUBJECT: Final = Subject(
    name="ollama",
    title="Ollama",
    tags=frozenset({"http", "keys", "chat", "stream", "usage", "tools", "embed", "models", "sync"}),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="*/api/chat",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="ollama",
    declared=DECLARED,
    features=FEATURES,
    refusals=tuple(Ollama.refusals),
    sources=("backends.ollama",),
    live=Live(variables=("OLLAMA_HOST",), make=_live),
    usage_fields=("prompt_eval_count", "eval_count"),
    missing_usage=None,
)
