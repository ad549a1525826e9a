"""The models of a server: which there are, which are loaded, what they can do; copying, deleting, blobs; the version.

Wire facts: ``docs/api.md`` and ``api/types.go`` of the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

from backends.dialects.openai_common import json_object
from backends.ollama.answers import text_in
from backends.ollama.blobs import Blob, FileBody, digest_of
from backends.ollama.names import checked_digest, checked_name
from backends.ollama.parameters import ShowParameters, taken
from backends.ollama.server import OllamaServer
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.parameters import bad_argument
from backends.twins import blocking
from backends.types import Model, Reply
from backends.wire.values import FormatError

__all__ = ["Catalogue", "LoadedModel", "ModelCard"]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory.

    Attributes:
        id: its name.
        size, size_vram: bytes in memory, and those of them on the GPU.
        expires_at: RFC 3339 time at which it will be unloaded.
        context_length: tokens of its context, None when the server does not say.
        raw: the entry untouched.
    """

    id: str
    size: int = 0
    size_vram: int = 0
    expires_at: str | None = None
    context_length: int | None = None
    raw: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard(Reply):
    """What a server knows of one model; everything else is in ``raw``.

    Attributes:
        capabilities: of completion, tools, insert, vision, embedding, thinking, image, audio.
        details: format, family, parameter size, quantization.
        info: ``model_info``: the metadata of the model file.
        context_length: the longest context that the model was made for, None when not stated.
        template, system, parameters, license, modelfile: texts, empty when there is none.
    """

    capabilities: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)
    context_length: int | None = None
    template: str = ""
    system: str = ""
    parameters: str = ""
    license: str = ""
    modelfile: str = ""


class Catalogue(OllamaServer):
    """Looks after the models of a server."""

    async def aversion(self, **parameters: Unpack[CallOptions]) -> str:
        """Return the version of the server; the cheapest way to see whether it is there."""
        options, _ = taken(parameters, CallOptions, body=False)
        return await self._perform(
            Operation("version", _read_version, "/api/version", method="GET", inspect=self._inspect), options
        )

    async def amodels(self, **parameters: Unpack[CallOptions]) -> tuple[Model, ...]:
        """Return the installed models; their names serve as suggestions when a later call names an unknown one."""
        options, _ = taken(parameters, CallOptions, body=False)
        found = await self._perform(
            Operation("models", _read_models, "/api/tags", method="GET", inspect=self._inspect), options
        )
        self._known_models = tuple(model.id for model in found)
        return found

    async def aps(self, **parameters: Unpack[CallOptions]) -> tuple[LoadedModel, ...]:
        """Return the models in memory, the longest-lived first."""
        options, _ = taken(parameters, CallOptions, body=False)
        return await self._perform(
            Operation("ps", _read_loaded, "/api/ps", method="GET", inspect=self._inspect), options
        )

    async def ashow(self, model: str | None = None, **parameters: Unpack[ShowParameters]) -> ModelCard:
        """Return what the server knows of a model.

        Raises:
            UnknownModelError: it is not installed.
        """
        options, fields = taken(parameters, ShowParameters)
        name = self._model(model)
        return await self._perform(
            Operation(
                "show", _read_card, "/api/show", body={"model": name, **fields}, model=name, inspect=self._inspect
            ),
            options,
        )

    async def acopy(self, source: str, destination: str, **parameters: Unpack[CallOptions]) -> Reply:
        """Give a model a second name.

        Raises:
            UnknownModelError: there is no model ``source``.
        """
        options, _ = taken(parameters, CallOptions)
        body = {"source": checked_name(source, "source"), "destination": checked_name(destination, "destination")}
        return await self._perform(
            Operation("copy", _read_nothing, "/api/copy", body=body, model=source, expect="none"), options
        )

    async def adelete(self, model: str, **parameters: Unpack[CallOptions]) -> Reply:
        """Delete a model; its blobs go when no other model uses them.

        It is repeated only where the server cannot have acted: a second try would find the model gone.

        Raises:
            UnknownModelError: it is not installed.
        """
        options, _ = taken(parameters, CallOptions)
        name = checked_name(model)
        return await self._perform(
            Operation(
                "delete",
                _read_nothing,
                "/api/delete",
                method="DELETE",
                body={"model": name},
                model=name,
                expect="none",
                repeat=Repeat.UNPROCESSED,
            ),
            options,
        )

    async def ablob_exists(self, digest: str, **parameters: Unpack[CallOptions]) -> bool:
        """Say whether the server has a blob."""
        options, _ = taken(parameters, CallOptions, body=False)
        return await self._perform(
            Operation(
                "blob_exists",
                lambda answer: answer.status != 404,
                f"/api/blobs/{checked_digest(digest)}",
                method="HEAD",
                expect="none",
                accepted=frozenset({404}),
            ),
            options,
        )

    async def aupload_blob(
        self, content: bytes | Path, digest: str | None = None, **parameters: Unpack[CallOptions]
    ) -> Blob:
        """Send a file that a model will be created from.

        Args:
            content: the bytes, or the path of a file.
            digest: what its digest must be; it is computed in any case.
            **parameters: options of the call.

        Raises:
            InvalidRequestError: the content cannot be read or has another digest.
        """
        options, _ = taken(parameters, CallOptions, body=False)
        if not isinstance(content, bytes | Path):
            bad_argument(f"content must be bytes or a pathlib.Path, not {type(content).__name__}", "ollama")
        found, size = await digest_of(content)
        if digest is not None and checked_digest(digest) != found:
            bad_argument(f"content has the digest {found}, not {digest}", "ollama")
        return await self._perform(
            Operation(
                "upload_blob",
                lambda answer: Blob(**answer.facts(), digest=found, size=size, existed=answer.status != 201),
                f"/api/blobs/{found}",
                body=content if isinstance(content, bytes) else FileBody(content, size),
                expect="none",
            ),
            options,
        )

    version = blocking(aversion)
    models = blocking(amodels)
    ps = blocking(aps)
    show = blocking(ashow)
    copy = blocking(acopy)
    delete = blocking(adelete)
    blob_exists = blocking(ablob_exists)
    upload_blob = blocking(aupload_blob)


def _read_version(answer: Answer) -> str:
    version = json_object(answer.data)["version"]
    if type(version) is not str:
        raise FormatError("version is not text")
    return version


def _read_models(answer: Answer) -> tuple[Model, ...]:
    return tuple(Model(_name_of(entry), entry) for entry in _entries(answer))


def _read_loaded(answer: Answer) -> tuple[LoadedModel, ...]:
    return tuple(
        LoadedModel(
            _name_of(entry),
            _whole(entry.get("size")) or 0,
            _whole(entry.get("size_vram")) or 0,
            text_in(entry, "expires_at") or None,
            _whole(entry.get("context_length")),
            entry,
        )
        for entry in _entries(answer)
    )


def _entries(answer: Answer) -> list[Any]:
    entries = json_object(answer.data)["models"]
    if entries is None:
        return []  # an empty list of Go
    if type(entries) is not list:
        raise FormatError("models is not a list")
    return entries


def _name_of(entry: Any) -> str:
    name = text_in(entry, "name") or text_in(entry, "model")
    if not name:
        raise FormatError("a model has no name")
    return name


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _read_card(answer: Answer) -> ModelCard:
    data = json_object(answer.data)
    info, details = data.get("model_info"), data.get("details")
    info = info if type(info) is dict else {}
    capabilities = data.get("capabilities")
    return ModelCard(
        **answer.facts(),
        model=answer.model,
        capabilities=tuple(str(one) for one in capabilities) if type(capabilities) is list else (),
        details=details if type(details) is dict else {},
        info=info,
        context_length=_whole(info.get(f"{info.get('general.architecture')}.context_length")),
        template=text_in(data, "template"),
        system=text_in(data, "system"),
        parameters=text_in(data, "parameters"),
        license=text_in(data, "license"),
        modelfile=text_in(data, "modelfile"),
    )


def _read_nothing(answer: Answer) -> Reply:
    return Reply(**answer.facts(), model=answer.model)
