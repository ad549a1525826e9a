"""vLLM under the contract; the calls it declares stand in :mod:`conformance.subjects.vllm_calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.vllm import VLLM
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.vllm_calls import DECLARED
from conformance.subjects.vllm_features import FEATURES
from conformance.subjects.vllm_recorded import RECORDED

__all__ = ["SUBJECT"]


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _make(site: Site, **settings: Any) -> VLLM:
    return VLLM(**standard_arguments(site, settings, model="meta-llama/Llama-3.2-3B-Instruct"))


def _live(environ: Mapping[str, str]) -> VLLM:
    return VLLM(environ=environ, model=environ.get("VLLM_MODEL") or None, max_retries=1)


SUBJECT: Final = Subject(
    name="vllm",
    title="vLLM",
    tags=frozenset({"http", "keys", "chat", "stream", "recorded", "usage", "tools", "embed", "models", "sync"}),
    make=_make,
    call=lambda backend, text, **options: backend.achat(_messages(text), **options),
    call_name="chat",
    call_arguments=lambda text: (_messages(text),),
    call_path="*/chat/completions",
    stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
    stream_name="stream_chat",
    provider="vllm",
    declared=DECLARED,
    features=FEATURES,
    recorded=RECORDED,
    refusals=tuple(VLLM.refusals),
    sources=("backends.vllm",),
    live=Live(variables=("VLLM_BASE_URL",), make=_live),
    request_id_field="request_id",
)
