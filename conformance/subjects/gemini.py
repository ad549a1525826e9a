"""Gemini under the contract; the calls it declares stand in :mod:`conformance.subjects.gemini_calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.gemini import Gemini
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.gemini_calls import DECLARED
from conformance.subjects.gemini_features import FEATURES
from conformance.subjects.shared_calls import BATCHED

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> Gemini:
    return Gemini(**standard_arguments(site, settings))


def _live(environ: Mapping[str, str]) -> Gemini:
    return Gemini(environ=environ, max_retries=1)


SUBJECT: Final = Subject(
    name="gemini",
    title="Gemini",
    tags=frozenset(
        {
            "http",
            "cache",
            "cost",
            "batch",
            "keys",
            "key_required",
            "chat",
            "stream",
            "usage",
            "tools",
            "embed",
            "models",
            "sync",
        }
    ),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="*:*enerateContent",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="gemini",
    declared=DECLARED,
    batched=BATCHED["gemini"],
    features=FEATURES,
    refusals=tuple(Gemini.refusals),
    sources=("backends.gemini",),
    live=Live(variables=("GOOGLE_API_KEY", "GEMINI_API_KEY"), make=_live),
    usage_fields=("usageMetadata.promptTokenCount", "usageMetadata.candidatesTokenCount"),
    missing_usage="usageMetadata",
)
