"""Rerankers and classifiers behind a TEI server: ``/rerank`` and ``/predict``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

from backends.batch_plan import BatchPlan, counted_rows, in_field
from backends.hf_tei.core import TEIServer
from backends.hf_tei.parameters import (
    Predictable,
    PredictParameters,
    RerankParameters,
    checked_predictable,
    checked_text,
    checked_texts,
)
from backends.hf_tei.reading import cut_ranking, joined, read_predictions, read_ranking
from backends.hf_tei.values import Predictions
from backends.operation import EXACT, Operation
from backends.parameters import split
from backends.twins import blocking
from backends.types import Ranking

__all__ = ["RankingCalls"]


class RankingCalls(TEIServer):
    """Calls that give scores."""

    async def arerank(
        self, query: str, texts: Sequence[str], *, model: str | None = None, **parameters: Unpack[RerankParameters]
    ) -> Ranking:
        """Return texts by how well they answer a query, the best first (``POST /rerank``).

        Each text is scored by itself, so more of them than the server takes at once are sent in several requests and
        sorted here; ``index`` is always that of the list given.

        Args:
            query: a text.
            texts: a list of at least one.
            model: a name for the counters; the server has one model and takes none.
            **parameters: see :class:`backends.hf_tei.parameters.RerankParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            UnsupportedError: the server's model is no reranker.
            BackendError: anything else that can happen to a call.
        """
        options, fields = split(parameters, RerankParameters, self.provider.name)
        query, texts = checked_text(query, "query"), checked_texts(texts, "texts")
        label = self._chosen_model(model, "rerank")

        def make(piece: slice) -> Operation[Ranking]:
            some = texts[piece]
            read = partial(read_ranking, number=len(some), first=piece.start)
            body = {"query": query, "texts": some, **fields}
            plan: BatchPlan[Ranking] = in_field("texts", some, cut_ranking)
            return Operation("rerank", read, "/rerank", body=body, model=label, cacheable=EXACT, batch=plan)

        started = self._clock.monotonic()
        parts = await self._parts(make, len(texts), options)
        if len(parts) == 1:
            return parts[0]
        reply = joined(parts, self._clock.monotonic() - started, "results")
        results = sorted(reply.results, key=lambda entry: -(entry.score or 0.0))
        return replace(reply, results=tuple(results), raw=_joined_rows(parts))

    async def apredict(
        self, inputs: Predictable, *, model: str | None = None, **parameters: Unpack[PredictParameters]
    ) -> Predictions:
        """Return the labels of texts or pairs of texts, the likeliest first (``POST /predict``).

        Args:
            inputs: a text, a pair of texts as a tuple, or a list of texts and pairs. A list of two texts is two
                inputs, unlike on the wire.
            model: a name for the counters.
            **parameters: see :class:`backends.hf_tei.parameters.PredictParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            UnsupportedError: the server's model is no classifier.
            BackendError: anything else that can happen to a call.
        """
        options, fields = split(parameters, PredictParameters, self.provider.name)
        items, several = checked_predictable(inputs)
        label = self._chosen_model(model, "classification")

        def make(piece: slice) -> Operation[Predictions]:
            some = items[piece]
            sent: Any = some if several else some[0][0] if len(some[0]) == 1 else some[0]
            read = partial(read_predictions, number=len(some), several=several)
            plan: BatchPlan[Predictions] = in_field("inputs", some, counted_rows)
            return Operation(
                "predict", read, "/predict", body={"inputs": sent, **fields}, model=label, cacheable=EXACT, batch=plan
            )

        return await self._whole(make, len(items), options, "rows")

    rerank = blocking(arerank)
    predict = blocking(apredict)


def _joined_rows(parts: Sequence[Ranking]) -> list[dict[str, Any]]:
    """Return the payload of a ranking as it would have come whole: by score, with the numbers of the list given."""
    rows: list[dict[str, Any]] = []
    first = 0
    for part in parts:
        rows += [{**row, "index": first + row["index"]} for row in part.raw]
        first += len(part.raw)
    return sorted(rows, key=lambda row: -row["score"])
