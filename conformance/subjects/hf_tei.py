"""Hugging Face TEI under the contract; the calls it declares stand in :mod:`conformance.subjects.hf_tei_calls`."""

from __future__ import annotations

from typing import Any, Final

from backends.hf_tei import HFTEI
from conformance.subject import Site, Subject, standard_arguments
from conformance.subjects.hf_tei_calls import DECLARED

__all__ = ["SUBJECT"]


def _make(site: Site, **settings: Any) -> HFTEI:
    return HFTEI(**standard_arguments(site, settings))


SUBJECT: Final = Subject(
    name="hf_tei",
    title="Hugging Face TEI",
    tags=frozenset({"http", "keys", "usage", "embed", "models", "sync"}),
    make=_make,
    call=lambda backend, text, **options: backend.aembed(text, **options),
    call_name="embed",
    call_arguments=lambda text: (text,),
    call_path="*/embed",
    provider="hf_tei",
    declared=DECLARED,
    not_applicable={
        "BAK-08": "a TEI server knows no credit and no quota: its 429 means that all places are taken, which passes",
        "ERR-06": "a TEI server has one model and takes no model's name",
        "SEC-03": "no call of a TEI server has a name in its path",
        "TRK-03": "an embedding has no output tokens; input tokens come in a header and are judged with each declared call",
    },
    refusals=tuple(HFTEI.refusals),
    sources=("backends.hf_tei",),
)
