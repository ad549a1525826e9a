"""Tokens of the vLLM backend: the server's own tokenizer, in both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Unpack

from backends.dialects.openai_common import checked_messages, count, json_object
from backends.dialects.openai_errors import raise_inside
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import Between, Size, bad_argument, check_argument, split
from backends.twins import blocking
from backends.types import Message, TokenCount
from backends.vllm.core import VLLMServer
from backends.vllm.parameters import TemplateParameters, ToolList
from backends.vllm.values import Detokenized, Tokens
from backends.wire.values import FormatError

__all__ = ["CountParameters", "TokenCalls", "TokenizeParameters"]

_TokenIds = Annotated[Sequence[Annotated[int, Between(0, 2**63 - 1)]], Size(1)]


class CountParameters(TemplateParameters, total=False):
    """Arguments of ``count_tokens``; all but the first are for messages.

    Attributes:
        add_special_tokens: whether the tokenizer adds its own (usual for a text, not for messages).
        media_io_kwargs, mm_processor_kwargs: for images, sound and video.
        tools: what the template tells the model of them counts, too.
    """

    add_special_tokens: bool | None
    media_io_kwargs: Mapping[str, Any] | None
    mm_processor_kwargs: Mapping[str, Any] | None
    tools: ToolList | None


class TokenizeParameters(CountParameters, total=False):
    """Arguments of ``tokenize``: ``return_token_strs`` also returns the tokens as texts."""

    return_token_strs: bool | None


class TokenCalls(VLLMServer):
    """Calls of the tokenizer."""

    async def atokenize(
        self, content: str | Sequence[Message], *, model: str | None = None, **parameters: Unpack[TokenizeParameters]
    ) -> Tokens:
        """Return a text, or a conversation as the chat template writes it, as tokens (``POST /tokenize``).

        Args:
            content: a text, or messages.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: see :class:`TokenizeParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, TokenizeParameters, self.provider.name)
        return await self._perform(*self._tokenizing("tokenize", content, model, fields, options))

    async def acount_tokens(
        self, content: str | Sequence[Message], *, model: str | None = None, **parameters: Unpack[CountParameters]
    ) -> TokenCount:
        """Return how many tokens a text or a conversation is, as the server's tokenizer counts (``POST /tokenize``).

        Args:
            content: a text, or messages.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: see :class:`CountParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, fields = split(parameters, CountParameters, self.provider.name)
        found = await self._perform(*self._tokenizing("count_tokens", content, model, fields, options))
        return TokenCount(len(found.ids), estimated=False, method="provider")

    async def adetokenize(
        self, ids: Sequence[int], *, model: str | None = None, **parameters: Unpack[CallOptions]
    ) -> Detokenized:
        """Return the text of tokens (``POST /detokenize``).

        Args:
            ids: of the tokens, at least one.
            model: a served model; the backend's, else the server's first, when not given.
            **parameters: options of the call.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
        """
        options, _ = split(parameters, CallOptions, self.provider.name)
        check_argument("ids", ids, _TokenIds, self.provider.name)
        body = {"model": self._chosen_model(model, "tokenizer"), "tokens": ids}
        operation = Operation("detokenize", _read_text, "/detokenize", body=body)
        return await self._perform(*self._dressed(operation, options, id_prefix=None))

    tokenize = blocking(atokenize)
    count_tokens = blocking(acount_tokens)
    detokenize = blocking(adetokenize)

    def _tokenizing(
        self, name: str, content: Any, model: str | None, fields: dict[str, Any], options: CallOptions
    ) -> tuple[Operation[Tokens], CallOptions]:
        given: dict[str, Any]
        if isinstance(content, str):
            strange = fields.keys() - {"add_special_tokens", "return_token_strs"}
            if strange:
                bad_argument(f"{min(strange)} is for messages, and content is a text", self.provider.name)
            given = {"prompt": content}
        elif isinstance(content, list | tuple):
            given = {"messages": checked_messages(content, self.provider.name)}
        else:
            bad_argument(f"content must be text or messages, not {type(content).__name__}", self.provider.name)
        body = {"model": self._chosen_model(model, "tokenizer"), **given, **fields}
        return self._dressed(Operation(name, _read_tokens, "/tokenize", body=body), options, id_prefix=None)


def _read_tokens(answer: Answer) -> Tokens:
    data = json_object(answer.data)
    raise_inside(data)
    ids, texts = data["tokens"], data.get("token_strs")
    if type(ids) is not list or not {*map(type, ids)} <= {int} or data["count"] != len(ids):
        raise FormatError("the tokens are not whole numbers, or not as many as it says")
    if texts is not None and (len(texts) != len(ids) or not {*map(type, texts)} <= {str}):
        raise FormatError("the texts of the tokens are not texts, or not as many as there are tokens")
    return Tokens(
        **answer.facts(),
        model=answer.model,
        ids=tuple(ids),
        texts=None if texts is None else tuple(texts),
        max_model_len=count(data.get("max_model_len")),
    )


def _read_text(answer: Answer) -> Detokenized:
    data = json_object(answer.data)
    raise_inside(data)
    text = data["prompt"]
    if not isinstance(text, str):
        raise FormatError("the text of the tokens is not text")
    return Detokenized(**answer.facts(), model=answer.model, text=text)
