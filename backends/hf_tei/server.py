"""What a TEI server does with any model: tokens, description, health, metrics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Unpack

from backends.dialects.prometheus import Metric, read_metrics
from backends.hf_tei.core import INFO, TEIServer
from backends.hf_tei.parameters import DecodeParameters, TokenizeParameters, checked_ids, checked_text, checked_texts
from backends.hf_tei.reading import read_texts, read_tokens
from backends.hf_tei.values import ServerInfo, Token
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import bad_argument, split
from backends.twins import blocking
from backends.types import Model, Texts, TokenCount

__all__ = ["ServerCalls"]


class ServerCalls(TEIServer):
    """Calls about tokens and about the server."""

    async def atokenize(self, texts: Texts, **parameters: Unpack[TokenizeParameters]) -> tuple[tuple[Token, ...], ...]:
        """Return the tokens of each text (``POST /tokenize``)."""
        options, fields = split(parameters, TokenizeParameters, self.provider.name)
        items = [checked_text(texts, "texts")] if isinstance(texts, str) else checked_texts(texts, "texts")

        def make(piece: slice) -> Operation[tuple[tuple[Token, ...], ...]]:
            some = items[piece]
            read = partial(read_tokens, number=len(some))
            sent: Any = texts if isinstance(texts, str) else some
            return Operation("tokenize", read, "/tokenize", body={"inputs": sent, **fields})

        return tuple(row for part in await self._parts(make, len(items), options) for row in part)

    async def adecode(
        self, ids: Sequence[int] | Sequence[Sequence[int]], **parameters: Unpack[DecodeParameters]
    ) -> tuple[str, ...]:
        """Return the text of each list of token ids, or of the one that is given (``POST /decode``)."""
        options, fields = split(parameters, DecodeParameters, self.provider.name)
        if not isinstance(ids, list | tuple) or not ids:
            bad_argument("ids must be a list of token ids, or of such lists, and not empty", self.provider.name)
        single = type(ids[0]) is int
        lists = [checked_ids(ids, "ids")] if single else [checked_ids(one, f"ids[{at}]") for at, one in enumerate(ids)]

        def make(piece: slice) -> Operation[tuple[str, ...]]:
            some = lists[piece]
            sent: Any = some[0] if single else some
            return Operation("decode", partial(read_texts, number=len(some)), "/decode", body={"ids": sent, **fields})

        return tuple(text for part in await self._parts(make, len(lists), options) for text in part)

    async def acount_tokens(self, text: str, **parameters: Unpack[TokenizeParameters]) -> TokenCount:
        """Return how many tokens a text is, special ones included unless told otherwise; the server counts."""
        tokens = await self.atokenize(checked_text(text, "text"), **parameters)
        return TokenCount(len(tokens[0]), False, "the server's tokenizer")

    async def ainfo(self, **parameters: Unpack[CallOptions]) -> ServerInfo:
        """Return the model, its kind, the limits and the version (``GET /info``)."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(INFO, options)

    async def amodels(self, **parameters: Unpack[CallOptions]) -> tuple[Model, ...]:
        """Return the one model that the server has, read from ``GET /info``."""
        about = await self.ainfo(**parameters)
        return (Model(about.served_model_name or about.model_id, about.raw),)

    async def ahealth(self, **parameters: Unpack[CallOptions]) -> bool:
        """Return whether the server can infer (``GET /health``): False for its 503.

        Raises:
            TransportError: nobody listens; a server that still loads its model does not.
        """
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        operation = Operation("health", _read_health, "/health", "GET", expect="none", accepted=frozenset({503}))
        return await self._perform(operation, options)

    async def ametrics(self, **parameters: Unpack[CallOptions]) -> tuple[Metric, ...]:
        """Return the server's counters and histograms (``GET /metrics``); their names begin with ``te_``."""
        options, _ = split(parameters, CallOptions, self.provider.name, body=False)
        return await self._perform(Operation("metrics", _read_metrics, "/metrics", "GET", expect="text"), options)

    tokenize = blocking(atokenize)
    decode = blocking(adecode)
    count_tokens = blocking(acount_tokens)
    info = blocking(ainfo)
    models = blocking(amodels)
    health = blocking(ahealth)
    metrics = blocking(ametrics)


def _read_health(answer: Answer) -> bool:
    return answer.status < 300


def _read_metrics(answer: Answer) -> tuple[Metric, ...]:
    return read_metrics(answer.data)
