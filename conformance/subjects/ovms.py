"""OVMS under the contract; the calls it declares stand in :mod:`conformance.subjects.ovms_calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.ovms import OVMS
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.ovms_calls import DECLARED, FEATURES
from conformance.subjects.ovms_recorded import RECORDED

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> OVMS:
    # The calls of the removed API are judged, too; that they are refused unless allowed is tested by itself.
    return OVMS(**standard_arguments(site, settings, model="llama3", tensorflow_serving=True))


def _live(environ: Mapping[str, str]) -> OVMS:
    return OVMS(environ=environ, model=environ.get("OVMS_MODEL"), max_retries=1)


SUBJECT: Final = Subject(
    name="ovms",
    title="OVMS",
    tags=frozenset({"http", "keys", "chat", "stream", "recorded", "usage", "tools", "embed", "models", "sync"}),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="*/chat/completions",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="ovms",
    declared=DECLARED,
    features=FEATURES,
    recorded=RECORDED,
    refusals=tuple(OVMS.refusals),
    sources=("backends.ovms",),
    live=Live(variables=("OVMS_BASE_URL",), make=_live),
    not_applicable={
        "BAK-08": "the server is one's own and sells nothing: no quota, no spend limit, no 429 and no error codes exist "
        "in its status table (src/http_server.cpp), so there is no answer that could say that one is used up.",
    },
)
