"""Models of the Claude backend: the provider's catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Unpack

from backends.claude.core import ClaudeCore
from backends.claude.failures import raise_inside
from backends.claude.lists import AFTER_LAST, list_pages
from backends.claude.parameters import ClaudeOptions, ListParameters
from backends.claude.values import unix_time
from backends.dialects.openai_common import checked_model, json_object
from backends.operation import Answer, Operation
from backends.parameters import Size
from backends.twins import blocking
from backends.types import Model

__all__ = ["ModelCalls", "ModelListParameters"]

_PATH = "/v1/models"
_MOST_A_PAGE = 1000


class ModelListParameters(ListParameters, total=False):
    """Arguments of ``models``: ``lifecycle`` is up to three of ``active``, ``deprecated`` and ``retired``; the first
    two unless given."""

    lifecycle: Annotated[Sequence[Literal["active", "deprecated", "retired"]] | None, Size(1, 3)]


class ModelCalls(ClaudeCore):
    """Calls under ``/v1/models``."""

    async def amodels(self, **parameters: Unpack[ModelListParameters]) -> tuple[Model, ...]:
        """Return every model the key may use (``GET /v1/models``), over all pages; ``retires`` is the announced date,
        ``YYYY-MM-DD``. ``raw`` has limits and capabilities."""
        options, fields, headers = self._taken(parameters, ModelListParameters, body=False)
        taken = options, {"limit": _MOST_A_PAGE, **fields}, headers
        pages = list_pages(self, "models", _PATH, AFTER_LAST, taken, _model)
        return tuple(await pages.collect())

    async def aget_model(self, model: str, **parameters: Unpack[ClaudeOptions]) -> Model:
        """Return one model (``GET /v1/models/{model}``).

        Raises:
            UnknownModelError: there is no such model; with suggestions.
        """
        options, _, headers = self._taken(parameters, ClaudeOptions, body=False)
        path = f"{_PATH}/{self._segment('model', checked_model(model, 'claude'))}"
        operation = Operation("get_model", _read_model, path, "GET", headers=headers, model=model)
        return await self._perform(operation, options)

    models = blocking(amodels)
    get_model = blocking(aget_model)


def _model(entry: Any) -> Model:
    entry = json_object(entry)
    retires = entry.get("retires_at")
    return Model(
        entry["id"],
        entry,
        created=unix_time(entry.get("created_at")),
        retires=retires[:10] if isinstance(retires, str) else None,
    )


def _read_model(answer: Answer) -> Model:
    raise_inside(answer.data, model=answer.model)
    return _model(answer.data)
