"""Hugging Face TGI under the contract; the calls it declares stand in :mod:`conformance.subjects.hf_tgi_calls`.

The representative call is chat, which is what the chapters ask about messages, tools and schemas of; the server's own
generation is among the declared calls, and its stream is tried at every byte in the tests of the backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.hf_tgi import HFTGI
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.hf_tgi_calls import DECLARED, FEATURES

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> HFTGI:
    return HFTGI(**standard_arguments(site, settings))


def _live(environ: Mapping[str, str]) -> HFTGI:
    return HFTGI(environ=environ, max_retries=1)


SUBJECT: Final = Subject(
    name="hf_tgi",
    title="Hugging Face TGI",
    tags=frozenset({"http", "keys", "chat", "stream", "usage", "tools", "models", "sync"}),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="*/v1/chat/completions",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="hf_tgi",
    declared=DECLARED,
    features=FEATURES,
    not_applicable={
        "BAK-08": "a TGI server knows no credit and no quota: its 429 means that all places are taken, which passes",
        "ERR-06": "a TGI server has one model and knows no unknown one: any other name is taken for an adapter of it",
        "SEC-03": "no call of a TGI server has a name in its path: it has one model, and adapters are named in the body",
    },
    refusals=tuple(HFTGI.refusals),
    sources=("backends.hf_tgi",),
    live=Live(variables=("HF_TGI_BASE_URL",), make=_live),
)
