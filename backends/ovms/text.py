"""Embeddings, reranking, tokens and models under ``/v3``.

Wire facts: ``docs/model_server_rest_api_embeddings.md``, ``_rerank.md`` and ``_tokenizer.md`` of the server. How many
texts a request may hold is set at the server (500 for embeddings and 100 for reranking by default).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

from backends.dialects.openai_common import json_object
from backends.dialects.openai_server import ModelServer
from backends.operation import EXACT, Answer, CallOptions, Operation
from backends.ovms.failures import raise_inside
from backends.ovms.parameters import EmbedParameters, RerankParameters, TokenizeParameters
from backends.ovms.server import OVMSServer
from backends.ovms.values import Tokens
from backends.parameters import bad_argument, split
from backends.twins import blocking
from backends.types import Embeddings, Ranked, Ranking, Texts, TokenCount
from backends.wire.values import FormatError

__all__ = ["TextCalls"]


class TextCalls(ModelServer, OVMSServer):
    """Calls of models that measure texts, and the list of models."""

    async def aembed(
        self, texts: Texts, *, model: str | None = None, **parameters: Unpack[EmbedParameters]
    ) -> Embeddings:
        """Return one vector per text, in the order of the texts (``POST /v3/embeddings``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        checked = _texts("texts", texts)
        operation, options = self._embedding(checked, model, parameters, EmbedParameters)
        return await self._perform(operation, options)

    async def arerank(
        self, query: str, texts: Sequence[str], *, model: str | None = None, **parameters: Unpack[RerankParameters]
    ) -> Ranking:
        """Return texts by their relevance to a query, the most relevant first (``POST /v3/rerank``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, RerankParameters, self.provider.name)
        if not isinstance(query, str) or not query:
            bad_argument("query must be text and not empty", self.provider.name)
        documents = _texts("texts", texts)
        if isinstance(documents, str):
            bad_argument("texts must be a list of texts", self.provider.name)
        chosen = self._chosen_model(model, "rerank")
        body = {"model": chosen, "query": query, "documents": documents, **fields}
        number = len(documents)
        return await self._perform(
            Operation(
                "rerank",
                lambda answer: _read_ranking(answer, number),
                "/v3/rerank",
                body=body,
                model=chosen,
                cacheable=EXACT,
            ),
            options,
        )

    async def atokenize(
        self, text: Texts, *, model: str | None = None, **parameters: Unpack[TokenizeParameters]
    ) -> Tokens:
        """Return the tokens of a text, or of several, as the model sees them (``POST /v3/tokenize``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, TokenizeParameters, self.provider.name)
        return await self._perform(self._tokens("tokenize", text, model, fields), options)

    async def acount_tokens(
        self, text: str, *, model: str | None = None, **parameters: Unpack[CallOptions]
    ) -> TokenCount:
        """Return how many tokens a text is to the model, special ones included (``POST /v3/tokenize``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, CallOptions, self.provider.name)
        if not isinstance(text, str):
            bad_argument(f"text must be text, not {type(text).__name__}", self.provider.name)
        found = await self._perform(self._tokens("count_tokens", text, model, fields), options)
        return TokenCount(len(found.tokens[0]), estimated=False, method="provider")

    def _tokens(self, name: str, text: Texts, model: str | None, fields: dict[str, Any]) -> Operation[Tokens]:
        checked = _texts("text", text)
        chosen = self._chosen_model(model, "tokenizer")
        number = 1 if isinstance(checked, str) else len(checked)
        body = {"model": chosen, "text": checked, **fields}
        return Operation(name, lambda answer: _read_tokens(answer, number), "/v3/tokenize", body=body, model=chosen)

    embed = blocking(aembed)
    rerank = blocking(arerank)
    tokenize = blocking(atokenize)
    count_tokens = blocking(acount_tokens)


def _texts(name: str, texts: Any) -> str | list[str]:
    """Return one text or several fit for the wire; token ids are not taken by this server."""
    if isinstance(texts, str):
        found: list[str] = [texts]
    elif isinstance(texts, list | tuple) and texts:
        found = list(texts)
    else:
        bad_argument(f"{name} must be text or a list of texts, and not empty", "ovms")
    for place, text in enumerate(found):
        if not isinstance(text, str) or not text:
            where = name if isinstance(texts, str) else f"{name}[{place}]"
            bad_argument(f"{where} must be text and not empty", "ovms")
    return texts if isinstance(texts, str) else found


def _read_ranking(answer: Answer, number: int) -> Ranking:
    data = json_object(answer.data)
    raise_inside(data)
    results = []
    for entry in data["results"]:
        index, score = entry["index"], entry["relevance_score"]
        if type(index) is not int or not 0 <= index < number:
            raise FormatError("a result names no document of the request")
        if type(score) not in (int, float) or not math.isfinite(score):
            raise FormatError("a result has no score")
        document = entry.get("document")
        if isinstance(document, dict):  # Cohere's shape
            document = document.get("text")
        results.append(Ranked(index, float(score), document if isinstance(document, str) else None))
    if len({one.index for one in results}) != len(results):
        raise FormatError("a document was ranked twice")
    ordered = sorted(results, key=lambda one: -(one.score or 0.0))
    return Ranking(**answer.facts(), model=answer.model, results=tuple(ordered))


def _read_tokens(answer: Answer, number: int) -> Tokens:
    data = json_object(answer.data)
    raise_inside(data)
    found = data["tokens"]
    rows = found if found and type(found[0]) is list else [found]
    if len(rows) != number or any(type(token) is not int for row in rows for token in row):
        raise FormatError(f"the tokens of {len(rows)} texts came for {number}, or one is no number")
    return Tokens(**answer.facts(), model=answer.model, tokens=tuple(map(tuple, rows)))
