"""Documents found and ranked: retriever, reranker, and the retrieval tool that chains them.

Wire facts: retriever and reranker speak two protocols, which they tell apart by field names: ``input`` (openai) or
``text`` and ``initial_query`` (opea). The answers differ with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal, Unpack

from backends.dialects.openai_common import json_object
from backends.opea.core import Asked, OPEACore
from backends.opea.parameters import RagParameters, RetrieveParameters, for_megaservice
from backends.opea.values import Document, Retrieved
from backends.operation import EXACT, Answer, CallOptions, Operation
from backends.parameters import Between, Size, bad_argument, check_argument, split
from backends.twins import blocking
from backends.types import Ranked, Ranking
from backends.wire.values import FormatError

__all__ = ["RankParameters", "RetrievalCalls"]


class RankParameters(CallOptions, total=False):
    """Arguments of ``rerank``.

    Attributes:
        top_n: how many of the best come back; all unless given.
        form: which of the service's two protocols. ``openai`` gives scores; ``opea`` gives what the service hands to a
            model, the best texts without scores.
    """

    top_n: Annotated[int | None, Between(1)]
    form: Literal["openai", "opea"] | None


class RetrievalCalls(OPEACore):
    """Calls of the retriever, the reranker and the retrieval tool."""

    async def aretrieve(
        self, query: str, embedding: Sequence[float], **parameters: Unpack[RetrieveParameters]
    ) -> Retrieved:
        """Return the stored documents that are nearest to a query (``POST /v1/retrieval``).

        Args:
            query: the text.
            embedding: its vector, from the model that the documents were stored with (``embed``).
            **parameters: see :class:`~backends.opea.parameters.RetrieveParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        options, fields = split(parameters, RetrieveParameters, self.provider.name)
        check_argument("embedding", embedding, Annotated[Sequence[float], Size(1)], self.provider.name)
        form = fields.pop("form", "openai")
        if form == "openai":
            for name in ("constraints", "index_name"):
                if name in fields:
                    bad_argument(f"{name} needs form='opea'", self.provider.name)
        field = "input" if form == "openai" else "text"
        body = {field: self._text("query", query), "embedding": list(embedding), **fields}
        operation = Operation("retrieve", _read_retrieved, "/v1/retrieval", body=body)
        return await self._perform(operation, self._at(options, "retriever"))

    async def arerank(self, query: str, texts: Sequence[str], **parameters: Unpack[RankParameters]) -> Ranking:
        """Return texts in the order of their worth for a query, the best first (``POST /v1/reranking``).

        Args:
            query: the text.
            texts: at least one.
            **parameters: see :class:`RankParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        options, fields = split(parameters, RankParameters, self.provider.name)
        check_argument("texts", texts, Annotated[Sequence[Annotated[str, Size(1)]], Size(1)], self.provider.name)
        field = "input" if fields.get("form", "openai") == "openai" else "initial_query"
        body = {
            field: self._text("query", query),
            "retrieved_docs": [{"text": text} for text in texts],
            "top_n": fields.get("top_n", len(texts)),
        }
        read = partial(_read_ranking, tuple(texts))
        operation = Operation("rerank", read, "/v1/reranking", body=body, cacheable=EXACT)
        return await self._perform(operation, self._at(options, "reranker"))

    async def aretrievaltool(self, messages: Asked, **parameters: Unpack[RagParameters]) -> Retrieved:
        """Embed a question, retrieve and rerank in one call (``POST /v1/retrievaltool``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        options, fields = for_megaservice(parameters, RagParameters)
        body = {"messages": self._asked(messages), **fields}
        operation = Operation("retrievaltool", _read_retrieved, "/v1/retrievaltool", body=body, model="retrievaltool")
        return await self._perform(operation, self._at(options, "retrievaltool"))

    retrieve = blocking(aretrieve)
    rerank = blocking(arerank)
    retrievaltool = blocking(aretrievaltool)


def _read_retrieved(answer: Answer) -> Retrieved:
    """Read documents in any of the shapes that services hand on: with ids, with metadata, as bare texts."""
    data = json_object(answer.data)
    entries = next((data[name] for name in ("retrieved_docs", "reranked_docs", "documents") if name in data), None)
    if not isinstance(entries, list):
        raise FormatError("the answer has no list of documents")
    shared = data.get("metadata") if isinstance(data.get("metadata"), list) else None
    documents = []
    for index, entry in enumerate(entries):
        if isinstance(entry, str):
            documents.append(Document(entry))
            continue
        metadata = entry.get("metadata")
        if metadata is None and shared is not None and len(shared) == len(entries):
            metadata = shared[index]
        documents.append(Document(_text_of(entry), metadata or {}, entry.get("id")))
    return Retrieved(**answer.facts(), documents=tuple(documents))


def _read_ranking(texts: tuple[str, ...], answer: Answer) -> Ranking:
    """Read ranked texts; their places are found by the text, since none come back."""
    data = json_object(answer.data)
    entries = data["reranked_docs"] if "reranked_docs" in data else data["documents"]
    if not isinstance(entries, list):
        raise FormatError("the answer has no list of texts")
    left: list[str | None] = list(texts)
    results = []
    for entry in entries:
        text = entry if isinstance(entry, str) else _text_of(entry)
        if text not in left:
            raise FormatError("a text came back that was not sent")
        index = left.index(text)
        left[index] = None
        results.append(Ranked(index, None if isinstance(entry, str) else _score(entry), text))
    return Ranking(**answer.facts(), results=tuple(results))


def _text_of(entry: dict[str, Any]) -> str:
    text = entry["text"]
    if not isinstance(text, str):
        raise FormatError("a document has no text")
    return text


def _score(entry: dict[str, Any]) -> float | None:
    score = entry.get("score")
    return None if score is None else float(score)
