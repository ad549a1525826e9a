"""Embedding at a TEI server: dense, per token, sparse, similarities, and the OpenAI-compatible side.

Wire facts: a dense vector has length 1 unless ``normalize`` is False. Which of the calls a server answers follows from
its one model; the others are refused with 424, which is never repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, Unpack

from backends.batch_plan import BatchPlan, counted_rows, in_field
from backends.dialects.openai_completions import Prompt, checked_prompt
from backends.dialects.openai_embeddings import embed_operation
from backends.hf_tei.core import TEIServer
from backends.hf_tei.parameters import (
    EmbedParameters,
    Inputs,
    OpenAIEmbedParameters,
    TruncationParameters,
    checked_inputs,
    checked_text,
    checked_texts,
)
from backends.hf_tei.reading import (
    joined,
    read_embeddings,
    read_similarities,
    read_sparse,
    read_token_embeddings,
)
from backends.hf_tei.values import Similarities, SparseEmbeddings, TokenEmbeddings
from backends.operation import EXACT, Answer, CallOptions, Operation
from backends.parameters import split
from backends.twins import blocking
from backends.types import Embeddings, Reply

__all__ = ["EmbedCalls"]

R = TypeVar("R", bound=Reply)


class EmbedCalls(TEIServer):
    """Calls that turn texts into vectors, or compare them by their vectors."""

    async def aembed(
        self, texts: Inputs, *, model: str | None = None, **parameters: Unpack[EmbedParameters]
    ) -> Embeddings:
        """Return one vector for each text, in the order of the texts (``POST /embed``).

        More texts than the server takes at once are sent in several requests: at the same time within the limit of
        requests in flight, all or nothing; usage and attempts are summed.

        Args:
            texts: a text, its token ids, or a list of both.
            model: a name for the counters; the server has one model and takes none.
            **parameters: see :class:`backends.hf_tei.parameters.EmbedParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            ContextLengthError: a text is too long and ``truncate=False``.
            UnsupportedError: the server's model does not embed.
            OverloadedError: more requests than the server takes at once; it has no queue for them.
            BackendError: anything else that can happen to a call.
        """
        options, fields = split(parameters, EmbedParameters, self.provider.name)
        return await self._embedded("embed", texts, read_embeddings, model, options, fields)

    async def aembed_all(
        self, texts: Inputs, *, model: str | None = None, **parameters: Unpack[TruncationParameters]
    ) -> TokenEmbeddings:
        """Return one vector for each token of each text, without pooling (``POST /embed_all``); as :meth:`aembed`."""
        options, fields = split(parameters, TruncationParameters, self.provider.name)
        return await self._embedded("embed_all", texts, read_token_embeddings, model, options, fields)

    async def aembed_sparse(
        self, texts: Inputs, *, model: str | None = None, **parameters: Unpack[TruncationParameters]
    ) -> SparseEmbeddings:
        """Return the weights of each text (``POST /embed_sparse``, SPLADE models only); as :meth:`aembed`."""
        options, fields = split(parameters, TruncationParameters, self.provider.name)
        return await self._embedded("embed_sparse", texts, read_sparse, model, options, fields)

    async def _embedded(
        self,
        name: str,
        texts: Inputs,
        read: Callable[[Answer, int], R],
        model: str | None,
        options: CallOptions,
        fields: Mapping[str, Any],
    ) -> R:
        """Perform a call of the embed family."""
        items, listed = checked_inputs(texts, "texts")
        label = self._chosen_model(model, "embedding")

        def make(piece: slice) -> Operation[R]:
            some = items[piece]
            body = {"inputs": some if listed else some[0], **fields}
            plan: BatchPlan[R] = in_field("inputs", some, counted_rows)
            read_all = partial(_read, read, len(some))
            return Operation(name, read_all, f"/{name}", body=body, model=label, cacheable=EXACT, batch=plan)

        return await self._whole(make, len(items), options, "vectors")

    async def asimilarity(
        self,
        sentence: str,
        sentences: Sequence[str],
        *,
        model: str | None = None,
        **parameters: Unpack[TruncationParameters],
    ) -> Similarities:
        """Return the cosine similarity of each sentence to the first (``POST /similarity``).

        The server embeds both sides; :func:`backends.hf_tei.cosine_similarity` compares vectors that are there already.

        Args:
            sentence: what to compare with.
            sentences: a list of at least one; more than the server takes are sent in several requests.
            model: a name for the counters.
            **parameters: see :class:`backends.hf_tei.parameters.TruncationParameters`.
        """
        options, fields = split(parameters, TruncationParameters, self.provider.name)
        source = checked_text(sentence, "sentence")
        others = checked_texts(sentences, "sentences")
        label = self._chosen_model(model, "embedding")

        def make(piece: slice) -> Operation[Similarities]:
            some = others[piece]
            body: dict[str, Any] = {"inputs": {"source_sentence": source, "sentences": some}}
            if fields:
                body["parameters"] = fields
            read = partial(_read, read_similarities, len(some))
            return Operation("similarity", read, "/similarity", body=body, model=label, cacheable=EXACT)

        return await self._whole(make, len(others), options, "scores", beside=1)

    async def aopenai_embed(
        self, texts: Prompt, *, model: str | None = None, **parameters: Unpack[OpenAIEmbedParameters]
    ) -> Embeddings:
        """Return one vector for each text by the OpenAI-compatible side (``POST /v1/embeddings``).

        Vectors travel as base64 of 32-bit numbers, a quarter of the bytes, and the answer names the model and counts
        tokens in its body; what only the server's own route takes (``normalize``, ``truncate``, prompts) is not here.
        Splitting, arguments and errors as for :meth:`aembed`.
        """
        options, fields = split(parameters, OpenAIEmbedParameters, self.provider.name)
        checked_prompt(texts, self.provider.name, name="texts", empty=False)  # this side takes no list of both
        items, listed = checked_inputs(texts, "texts")
        label = self._chosen_model(model, "embedding")

        def make(piece: slice) -> Operation[Embeddings]:
            sent = items[piece] if listed else items[0]
            path = self.dialect_path + "/embeddings"
            return embed_operation(label, sent, fields, provider=self.provider.name, path=path)

        started = self._clock.monotonic()
        parts = await self._parts(make, len(items), options)
        reply = joined(parts, self._clock.monotonic() - started, "vectors", _joined_rows(parts))
        if len(parts) == 1:
            return reply
        usage = {"prompt_tokens": reply.usage.input_tokens, "total_tokens": reply.usage.total_tokens}
        return replace(reply, raw={**parts[0].raw, "data": reply.raw, "usage": usage})

    embed = blocking(aembed)
    embed_all = blocking(aembed_all)
    embed_sparse = blocking(aembed_sparse)
    similarity = blocking(asimilarity)
    openai_embed = blocking(aopenai_embed)


def _joined_rows(parts: Sequence[Embeddings]) -> list[dict[str, Any]]:
    """Return the rows of several answers as those of one, with the numbers of the list given."""
    rows: list[dict[str, Any]] = []
    for part in parts:
        first = len(rows)
        rows += [{**row, "index": first + row.get("index", place)} for place, row in enumerate(part.raw["data"])]
    return rows


def _read(read: Callable[[Answer, int], R], number: int, answer: Answer) -> R:
    return read(answer, number)
