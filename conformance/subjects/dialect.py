"""The subject of a server of the OpenAI dialect that adds nothing of its own: its calls are those of its groups.

A provider with calls, errors or refusals of its own has modules of its own beside this one, as every row has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.dialects.openai_server import DialectServer, ModelServer
from conformance.expectations import Expectations, NamedCall
from conformance.subject import CallCase, Site, Subject, standard_arguments
from conformance.subjects import openai_calls, openai_expected
from conformance.subjects.stories import once

__all__ = ["dialect_subject"]

_SHARED: Final = ("chat", "stream_chat", "complete", "stream_complete", "models")
_FEATURES: Final = ("system prompt", "tools", "JSON schema", "seed", "stop", "penalties", "logit bias", "sampling")
_TAGS: Final = frozenset({"http", "keys", "chat", "stream", "usage", "tools", "sync"})


def dialect_subject(kind: type[DialectServer], *, chat_model: str, embedding_model: str | None = None) -> Subject:
    """Return the subject of a backend that inherits its calls from :mod:`backends.dialects.openai_server`.

    Args:
        kind: the backend's class; it has chat.
        chat_model: a model of its simulator that chats; the backend's own model under the contract.
        embedding_model: one that embeds, where the backend embeds.
    """
    provider = kind.provider
    declared: dict[str, CallCase] = {name: openai_calls.DECLARED[name] for name in _SHARED if hasattr(kind, name)}
    if embedding_model is not None:
        texts = ["one", "two"]
        options = {"model": embedding_model}
        declared["embed"] = once(
            "POST */embeddings", "embed", texts, options=options, sends={"input": texts}, whole_json=True
        )
    if "models" in declared:
        declared["get_model"] = once("GET */models/*", "get_model", chat_model, nonce=False)
    has = {"key_required": provider.key_required, "embed": "embed" in declared, "models": "models" in declared}

    def make(site: Site, **settings: Any) -> DialectServer:
        return kind(**standard_arguments(site, settings, model=chat_model))

    return Subject(
        name=provider.name,
        title=provider.title,
        tags=_TAGS | {tag for tag, present in has.items() if present},
        make=make,
        call=lambda backend, text, **options: backend.achat(_messages(text), **options),
        call_name="chat",
        call_arguments=lambda text: (_messages(text),),
        call_path="*/chat/completions",
        stream=lambda backend, text, **options: backend.astream_chat(_messages(text), **options),
        stream_name="stream_chat",
        provider=provider.name,
        declared=declared,
        features={name: openai_calls.FEATURES[name] for name in _FEATURES},
        not_applicable=_excused(kind.refusals),
        refusals=tuple(kind.refusals),
        sources=(kind.__module__, "backends.dialects.openai_server"),
        expected=_expected(kind, chat_model),
    )


def _expected(kind: type[DialectServer], chat_model: str) -> Expectations:
    """Return what holds of every server of the dialect; paths and names need the list of models."""
    lists_models = issubclass(kind, ModelServer)
    return Expectations(
        errors=openai_expected.ERRORS,
        bad_calls=openai_expected.BAD_CHATS,
        unsayable=openai_expected.UNSAYABLE,
        injections=(lambda backend, text: backend.achat(_messages("hello"), model=text),),
        named_calls=(NamedCall("/v1/models/", lambda backend, name: backend.aget_model(name)),) if lists_models else (),
        models=((chat_model + "x", chat_model),) if lists_models else (),
        warm=(lambda backend: backend.amodels()) if lists_models else None,
    )


def _excused(refusals: Mapping[str, str]) -> dict[str, str]:
    return {} if refusals else {"CAP-03": "it promises nothing beyond the groups of calls that it inherits"}


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]
