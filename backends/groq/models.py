"""Models of the Groq backend: what the key may use, what the catalogue knows, token counts and cost before a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.dialects.openai_common import checked_messages, checked_model
from backends.dialects.openai_server import ModelServer
from backends.groq import known_models as known
from backends.groq.core import GroqCore
from backends.groq.known_models import KnownModel
from backends.groq.prices import CostEstimate, estimate
from backends.parameters import bad_argument
from backends.telemetry.tokens import count_messages, count_text
from backends.twins import blocking
from backends.types import Message, TokenCount

__all__ = ["ModelCalls"]


class ModelCalls(ModelServer, GroqCore):
    """Calls under ``/models``, and what needs no call."""

    async def acount_tokens(
        self, content: str | Sequence[Message], *, model: str | None = None, download: bool = False
    ) -> TokenCount:
        """Return how many tokens a text or a conversation is, without asking the service, which cannot be asked.

        Exact for a text and a gpt-oss model where tiktoken is installed and has the rank file of o200k in its cache
        (``TIKTOKEN_CACHE_DIR``, or its default directory). Otherwise, for other models and for conversations an
        estimate that says so. It never fetches a file unless asked.

        Args:
            content: a text, or messages.
            model: whose encoding.
            download: let tiktoken fetch a rank file that is not in its cache (from its public address, in a thread).

        Raises:
            InvalidRequestError: the content is neither text nor messages, or the model does not chat.
        """
        name = self._chosen_model(model, "chat")
        if isinstance(content, str):
            exact = name.startswith("openai/gpt-oss-")
            return await count_text(content, "o200k_harmony", known=exact, download=download)
        messages = checked_messages(content, self.provider.name)
        return await count_messages(messages, "o200k_harmony", download=download)

    count_tokens = blocking(acount_tokens)

    def catalogue(self, category: str | None = None, *, retired: bool = False) -> tuple[KnownModel, ...]:
        """Return the models that this library knows, without asking the service; see
        :func:`backends.groq.known_models.catalogue`.

        Raises:
            InvalidRequestError: there is no such category.
        """
        try:
            return known.catalogue(category, retired=retired)
        except ValueError as error:
            bad_argument(str(error), self.provider.name)

    def known_model(self, model: str) -> KnownModel | None:
        """Return what this library knows of a model, None where it knows nothing."""
        return known.known_model(checked_model(model, self.provider.name))

    def estimate_cost(
        self,
        model: str | None = None,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cached_tokens: int = 0,
        seconds: float | None = None,
        characters: int | None = None,
    ) -> CostEstimate:
        """Return what a call would cost by the dated price table, in US dollars.

        Args:
            model: whose prices; the default of the kind when not given.
            input_tokens, output_tokens: of a chat, both are needed; ``count_tokens`` gives the first.
            cached_tokens: how many of the input tokens the service has in its prompt cache.
            seconds: of a sound that is transcribed or translated, instead of tokens.
            characters: that are spoken, instead of tokens.

        Returns:
            The estimate; its ``dollars`` are None where a price is not known.

        Raises:
            InvalidRequestError: a number is negative or not one, or it is not said what is to be reckoned.
        """
        counts: dict[str, Any] = {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "cached_tokens": cached_tokens,
            "seconds": seconds,
            "characters": characters,
        }
        for name, value in counts.items():
            kinds = (int, float) if name == "seconds" else (int,)
            if value is not None and (isinstance(value, bool) or not isinstance(value, kinds) or not value >= 0):
                bad_argument(f"{name} must be a number of at least 0", self.provider.name)
        tokens = input_tokens is not None or output_tokens is not None
        if tokens + (seconds is not None) + (characters is not None) != 1:
            bad_argument("pass either input_tokens and output_tokens, or seconds, or characters", self.provider.name)
        if tokens and (input_tokens is None or output_tokens is None or cached_tokens > input_tokens):
            bad_argument(
                "input_tokens and output_tokens are both needed, and hold the cached_tokens", self.provider.name
            )
        kind = "transcription" if seconds is not None else "speech" if characters is not None else "chat"
        return estimate(self._chosen_model(model, kind), **counts)
