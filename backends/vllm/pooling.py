"""Embedding, pooling, classification, scoring and reranking of the vLLM backend, for servers whose model pools.

Wire facts: ``vllm/entrypoints/pooling`` of the server, and recordings of 0.32.0. A server offers only the routes that its
model can do; scores and rankings also come from plain embedding models, as cosines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal, TypeVar, Unpack

from backends.batch_plan import in_field, listed
from backends.dialects.openai_common import checked_messages
from backends.dialects.openai_completions import Prompt, checked_prompt
from backends.dialects.openai_embeddings import cut_numbered, read_embeddings
from backends.operation import EXACT, Answer, CallOptions, Operation
from backends.parameters import Between, bad_argument, split
from backends.twins import blocking
from backends.types import Embeddings, Message, Ranking
from backends.vllm.core import VLLMServer
from backends.vllm.parameters import Served, TemplateParameters
from backends.vllm.pooled import read_classes, read_pooled, read_ranking, read_scores
from backends.vllm.rules import unrefused
from backends.vllm.values import Labelled, Pooled, Scores

__all__ = [
    "Content",
    "EmbedParameters",
    "PoolParameters",
    "PoolingCalls",
    "RerankParameters",
    "ScoreParameters",
    "TaskParameters",
]

T = TypeVar("T")
Content = Prompt | Sequence[Message]
"""A text, several, token ids; or one conversation, for models that read messages (images among them)."""
Item = str | Mapping[str, Any]
"""A text, or ``{"content": [parts]}`` for models that read images."""


class ScoreParameters(Served, total=False):
    """Arguments of ``score``.

    Attributes:
        truncate_prompt_tokens: keep so many tokens of each pair, -1 for as many as fit.
        truncation_side: where it is cut.
        use_activation: whether numbers pass through the model's last function; the model decides unless given.
    """

    truncate_prompt_tokens: Annotated[int | None, Between(-1)]
    truncation_side: Literal["left", "right"] | None
    use_activation: bool | None


class RerankParameters(ScoreParameters, total=False):
    """Arguments of ``rerank``: ``top_n`` returns only the best so many, 0 all."""

    top_n: Annotated[int | None, Between(0)]


class PoolParameters(ScoreParameters, TemplateParameters, total=False):
    """Arguments of ``classify``, and of ``pool`` besides ``task``.

    Attributes:
        add_special_tokens: whether the tokenizer adds its own.
        media_io_kwargs: for reading media, by kind.
    """

    add_special_tokens: bool | None
    media_io_kwargs: Mapping[str, Any] | None


class TaskParameters(PoolParameters, total=False):
    """Arguments of ``pool``.

    Attributes:
        dimensions: length of the vectors, where the model can shorten them.
        task: ``embed``, ``classify``, ``token_embed``, ``token_classify`` or a plugin's; the model decides unless
            given.
    """

    dimensions: Annotated[int | None, Between(1)]
    task: str | None


class EmbedParameters(PoolParameters, total=False):
    """Arguments of ``embed``.

    Attributes:
        dimensions: length of the vectors; refused unless the model can shorten them.
        encoding_format: how vectors travel; ``base64`` unless given. The result is the same.
    """

    dimensions: Annotated[int | None, Between(1)]
    encoding_format: Literal["float", "base64"] | None


class PoolingCalls(VLLMServer):
    """Calls that turn text into numbers."""

    async def aembed(
        self, texts: Content, *, model: str | None = None, **parameters: Unpack[EmbedParameters]
    ) -> Embeddings:
        """Return one vector per text, in the order of the texts (``POST /v1/embeddings``).

        Args:
            texts: a text, several, token ids; or one conversation, which gives one vector.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: see :class:`EmbedParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            ContextLengthError: a text is longer than the model takes and was not to be cut.
        """
        operation, options = self._pooling(
            ("embed", self.dialect_path + "/embeddings"),
            texts,
            model,
            parameters,
            EmbedParameters,
            read_embeddings,
            encoding_format="base64",
        )
        if isinstance(operation.body, Mapping) and "input" in operation.body:  # a conversation is one input by itself
            operation = replace(operation, batch=in_field("input", listed(texts), cut_numbered))
        return await self._perform(operation, options)

    async def apool(self, texts: Content, *, model: str | None = None, **parameters: Unpack[TaskParameters]) -> Pooled:
        """Return what the model makes of each input, whatever its kind (``POST /pooling``).

        Args:
            texts: a text, several, token ids; or one conversation.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: see :class:`TaskParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        operation, options = self._pooling(("pool", "/pooling"), texts, model, parameters, TaskParameters, read_pooled)
        return await self._perform(operation, options)

    async def aclassify(
        self, texts: Content, *, model: str | None = None, **parameters: Unpack[PoolParameters]
    ) -> Labelled:
        """Return the class of each input (``POST /classify``).

        Args:
            texts: a text, several, token ids; or one conversation.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: see :class:`PoolParameters`; ``use_activation=False`` gives the bare logits.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        operation, options = self._pooling(
            ("classify", "/classify"), texts, model, parameters, PoolParameters, read_classes
        )
        return await self._perform(operation, options)

    async def ascore(
        self,
        text_1: Item | Sequence[Item],
        text_2: Item | Sequence[Item],
        *,
        model: str | None = None,
        **parameters: Unpack[ScoreParameters],
    ) -> Scores:
        """Return how well each pair of texts fits (``POST /score``).

        Args:
            text_1: one, which is paired with every one of ``text_2``, or as many as there.
            text_2: one or several.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: see :class:`ScoreParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(unrefused(parameters), ScoreParameters, self.provider.name)
        first, second = _number("text_1", text_1, self.provider.name), _number("text_2", text_2, self.provider.name)
        if first not in (1, second):
            bad_argument(f"text_1 must be one text, or as many as text_2: {second}, not {first}", self.provider.name)
        body = {"model": self._chosen_model(model, "score"), "text_1": text_1, "text_2": text_2, **fields}
        operation = Operation("score", partial(read_scores, number=second), "/score", body=body, cacheable=EXACT)
        return await self._perform(*self._dressed(operation, options))

    async def arerank(
        self, query: Item, texts: Sequence[Item], *, model: str | None = None, **parameters: Unpack[RerankParameters]
    ) -> Ranking:
        """Return texts by how well they fit a query, best first (``POST /rerank``).

        Args:
            query: what is looked for.
            texts: at least one.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: see :class:`RerankParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(unrefused(parameters), RerankParameters, self.provider.name)
        _number("query", (query,), self.provider.name)
        if not isinstance(texts, list | tuple):
            bad_argument(f"texts must be a list of texts, not {type(texts).__name__}", self.provider.name)
        number = _number("texts", texts, self.provider.name)
        body = {"model": self._chosen_model(model, "rerank"), "query": query, "documents": texts, **fields}
        operation = Operation("rerank", partial(read_ranking, number=number), "/rerank", body=body, cacheable=EXACT)
        return await self._perform(*self._dressed(operation, options))

    embed = blocking(aembed)
    pool = blocking(apool)
    classify = blocking(aclassify)
    score = blocking(ascore)
    rerank = blocking(arerank)

    def _pooling(
        self,
        route: tuple[str, str],
        content: Content,
        model: str | None,
        parameters: Mapping[str, Any],
        table: type,
        read: Callable[[Answer, int], T],
        **usual: Any,
    ) -> tuple[Operation[T], CallOptions]:
        """Return the operation of a call that pools each input, and the options of its call; ``usual`` are fields where
        the caller gave none."""
        name, path = route
        options, fields = split(unrefused(parameters), table, self.provider.name)
        given, number = _checked_content(content, self.provider.name)
        body = {"model": self._chosen_model(model, name), **given, **usual, **fields}
        operation = Operation(name, lambda answer: read(answer, number), path, body=body, cacheable=EXACT)
        return self._dressed(operation, options)


def _checked_content(content: Content, provider: str) -> tuple[dict[str, Any], int]:
    """Return what was given as fields of a body, and how many inputs it is.

    Raises:
        InvalidRequestError: it is empty, mixed or of another type.
    """
    if isinstance(content, list | tuple) and content and isinstance(content[0], Mapping):
        return {"messages": checked_messages(content, provider)}, 1
    return {"input": content}, checked_prompt(content, provider, name="texts", empty=False)  # type: ignore[arg-type]  # messages left above


def _number(name: str, given: Any, provider: str) -> int:
    """Return how many items were given to score or rerank."""
    items = given if isinstance(given, list | tuple) else (given,)
    if not items:
        bad_argument(f"{name} must not be empty", provider)
    for index, item in enumerate(items):
        where = f"{name}[{index}]" if items is given else name
        if isinstance(item, Mapping):
            if not isinstance(item.get("content"), list | tuple):
                bad_argument(f"{where} must have a list of parts as content", provider)
        elif not isinstance(item, str):
            bad_argument(f"{where} must be text, not {type(item).__name__}", provider)
        elif not item:
            bad_argument(f"{where} must not be empty", provider)
    return len(items)
