"""Claude under the contract; the calls it declares stand in :mod:`conformance.subjects.claude_calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.claude import Claude
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.claude_calls import DECLARED, FEATURES
from conformance.subjects.claude_recorded import RECORDED

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> Claude:
    return Claude(**standard_arguments(site, settings))


def _live(environ: Mapping[str, str]) -> Claude:
    return Claude(environ=environ, max_retries=1)


SUBJECT: Final = Subject(
    name="claude",
    title="Claude",
    tags=frozenset(
        {
            "http",
            "cache",
            "cost",
            "keys",
            "key_required",
            "chat",
            "stream",
            "recorded",
            "usage",
            "tools",
            "models",
            "sync",
        }
    ),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="/v1/messages",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="claude",
    declared=DECLARED,
    features=FEATURES,
    recorded=RECORDED,
    refusals=tuple(Claude.refusals),
    sources=("backends.claude",),
    live=Live(variables=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"), make=_live),
    usage_fields=("usage.input_tokens", "usage.output_tokens"),
)
