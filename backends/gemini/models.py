"""The catalogue of models of the Gemini backend."""

from __future__ import annotations

from typing import Any, Unpack

from backends.dialects.openai_common import checked_model, json_object
from backends.gemini.catalogue import KNOWN, bare_name
from backends.gemini.core import GeminiCore
from backends.gemini.failures import raise_inside
from backends.gemini.lists import ListParameters, list_pages
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import split
from backends.twins import blocking
from backends.types import Model

__all__ = ["ModelCalls"]


class ModelCalls(GeminiCore):
    """Calls under ``/models``."""

    async def amodels(self, **parameters: Unpack[ListParameters]) -> tuple[Model, ...]:
        """Return every model the key may use (``GET /models``, page by page); ``raw`` has limits and methods.

        Args:
            **parameters: ``limit`` is the page size. Each page is a call of its own.
        """
        options, fields = split(parameters, ListParameters, self.provider.name, body=False)
        return tuple(await list_pages(self, "models", "models", fields, options, _model).collect())

    async def aget_model(self, model: str, **parameters: Unpack[CallOptions]) -> Model:
        """Return one model (``GET /models/{model}``).

        Raises:
            UnknownModelError: there is no such model; with suggestions.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        name = bare_name(checked_model(model, self.provider.name))
        return await self._perform(
            Operation("get_model", _read_model, self._model_path(name), "GET", model=name), options
        )

    models = blocking(amodels)
    get_model = blocking(aget_model)


def _model(entry: dict[str, Any]) -> Model:
    name = bare_name(entry["name"])
    known = KNOWN.get(name)
    return Model(name, entry, retires=known.retires if known is not None else None)


def _read_model(answer: Answer) -> Model:
    raise_inside(answer.data, answer.model)
    return _model(json_object(answer.data))
