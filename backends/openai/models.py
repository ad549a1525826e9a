"""Models and tokens of the OpenAI backend: the provider's catalogue, and counting before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from backends.dialects.openai_common import checked_messages, checked_model, json_object
from backends.dialects.openai_errors import raise_inside
from backends.dialects.openai_files import read_deleted
from backends.dialects.openai_values import Deleted
from backends.openai.core import OpenAICore
from backends.openai.tokens import encoding_name
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import split
from backends.telemetry.tokens import count_messages, count_text
from backends.twins import blocking
from backends.types import Message, Model, TokenCount

__all__ = ["ModelCalls"]


class ModelCalls(OpenAICore):
    """Calls under ``/models``, and token counts."""

    async def amodels(self, **parameters: Unpack[CallOptions]) -> tuple[Model, ...]:
        """Return every model the key may use (``GET /models``); ``retires`` is the announced date, ``YYYY-MM-DD``."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("models", _read_models, "/models", "GET"), options)

    async def aget_model(self, model: str, **parameters: Unpack[CallOptions]) -> Model:
        """Return one model (``GET /models/{model}``).

        Raises:
            UnknownModelError: there is no such model; with suggestions.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        operation = Operation("get_model", _read_model, self._model_path(model), "GET", model=model)
        return await self._perform(operation, options)

    async def adelete_model(self, model: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete a fine-tuned model of one's own (``DELETE /models/{model}``).

        Raises:
            UnknownModelError: there is no such model.
            PermissionDeniedError: it is not one's own.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        operation = Operation("delete_model", read_deleted, self._model_path(model), "DELETE", model=model)
        return await self._perform(operation, options)

    async def acount_tokens(
        self, content: str | Sequence[Message], *, model: str | None = None, download: bool = False
    ) -> TokenCount:
        """Return how many tokens a text or a conversation is, without asking the provider.

        Exact for a text where tiktoken is installed, knows the model, and has its rank file in its cache
        (``TIKTOKEN_CACHE_DIR``, or its default directory); otherwise, and for conversations, whose framing the
        provider does not publish, an estimate that says so. It never fails for a missing file and never fetches one
        unless asked. ``count_input_tokens`` asks the provider instead.

        Args:
            content: a text, or messages.
            model: whose encoding.
            download: let tiktoken fetch a rank file that is not in its cache (from its public address, in a thread).

        Raises:
            InvalidRequestError: the content is neither text nor messages.
        """
        encoding, known = encoding_name(self._chosen_model(model, "chat"))
        if isinstance(content, str):
            return await count_text(content, encoding, known=known, download=download)
        return await count_messages(checked_messages(content, self.provider.name), encoding, download=download)

    models = blocking(amodels)
    get_model = blocking(aget_model)
    delete_model = blocking(adelete_model)
    count_tokens = blocking(acount_tokens)

    def _model_path(self, model: str) -> str:
        return f"/models/{self._segment('model', checked_model(model, self.provider.name))}"


def _model(entry: Any) -> Model:
    entry = json_object(entry)
    return Model(entry["id"], entry, entry.get("owned_by"), entry.get("created"), entry.get("shutdown_date"))


def _read_models(answer: Answer) -> tuple[Model, ...]:
    data = json_object(answer.data)
    raise_inside(data)
    return tuple(_model(entry) for entry in data["data"])


def _read_model(answer: Answer) -> Model:
    raise_inside(answer.data)
    return _model(answer.data)
