"""OPEA under the contract; the calls it declares stand in :mod:`conformance.subjects.opea_calls`.

The representative call is the text generation service's chat, which has usage, whole and streamed; the megaservices are
proven call by call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.opea import OPEA
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.opea_calls import DECLARED, FEATURES

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> OPEA:
    return OPEA(**standard_arguments(site, settings))


def _live(environ: Mapping[str, str]) -> OPEA:
    return OPEA(environ=environ, max_retries=1)


SUBJECT: Final = Subject(
    name="opea",
    title="OPEA",
    tags=frozenset({"http", "keys", "chat", "stream", "usage", "embed", "sync"}),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="*/chat/completions",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="opea",
    declared=DECLARED,
    features=FEATURES,
    refusals=tuple(OPEA.refusals),
    sources=("backends.opea",),
    live=Live(variables=("OPEA_BASE_URL", "OPEA_LLM_URL"), make=_live),
    not_applicable={
        "ERR-06": "a deployment serves the model that it was started with; a caller's name chooses nothing, so none is unknown",
        "SEC-03": "every path is fixed: no name of a model, file or user stands in one",
    },
)
