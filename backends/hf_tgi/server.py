"""What a TGI server says of itself: description, health, metrics; and token counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from backends.dialects.prometheus import Metric, read_metrics
from backends.hf_tgi.chat import ChatCalls
from backends.hf_tgi.generation import GenerationCalls
from backends.hf_tgi.reading import read_info
from backends.hf_tgi.values import ServerInfo
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import split
from backends.twins import blocking
from backends.types import Message, TokenCount

__all__ = ["ServerCalls"]


class ServerCalls(GenerationCalls, ChatCalls):
    """Calls about the server; all but token counts are open where a key is asked for."""

    async def ainfo(self, **parameters: Unpack[CallOptions]) -> ServerInfo:
        """Return the model, its limits and the version (``GET /info``)."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("info", read_info, "/info", "GET"), options)

    async def ahealth(self, **parameters: Unpack[CallOptions]) -> bool:
        """Return whether the server can generate (``GET /health``): False for its 503.

        Raises:
            TransportError: nobody listens; a server that still loads its weights does not.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        operation = Operation("health", _read_health, "/health", "GET", expect="none", accepted=frozenset({503}))
        return await self._perform(operation, options)

    async def ametrics(self, **parameters: Unpack[CallOptions]) -> tuple[Metric, ...]:
        """Return the server's counters and histograms (``GET /metrics``); their names begin with ``tgi_``."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("metrics", _read_metrics, "/metrics", "GET", expect="text"), options)

    async def acount_tokens(
        self, content: str | Sequence[Message], *, model: str | None = None, **parameters: Unpack[CallOptions]
    ) -> TokenCount:
        """Return how many tokens a text, or a conversation with its chat template, is; the server counts."""
        if isinstance(content, str):
            number = len(await self.atokenize(content, **parameters))
        else:
            number = len((await self.achat_tokenize(content, model=model, **parameters)).tokens)
        return TokenCount(number, False, "the server's tokenizer")

    info = blocking(ainfo)
    health = blocking(ahealth)
    metrics = blocking(ametrics)
    count_tokens = blocking(acount_tokens)


def _read_health(answer: Answer) -> bool:
    return answer.status < 300


def _read_metrics(answer: Answer) -> tuple[Metric, ...]:
    return read_metrics(answer.data)
