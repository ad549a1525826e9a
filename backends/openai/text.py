"""Chat, completion, embedding and moderation of the OpenAI backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Unpack

from backends.dialects.openai_common import json_object
from backends.dialects.openai_completions import Prompt
from backends.dialects.openai_errors import raise_inside
from backends.openai.core import OpenAICore
from backends.openai.parameters import ChatParameters, CompletionParameters, EmbedParameters, ModerateParameters
from backends.openai.values import Moderation, Verdict
from backends.operation import Answer, Operation
from backends.parameters import bad_argument, split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, CompletionReply, Embeddings, Message
from backends.wire.values import FormatError

__all__ = ["TextCalls"]


class TextCalls(OpenAICore):
    """Calls that take text and give text, numbers or a verdict."""

    most_texts: ClassVar[int | None] = 2048
    most_bytes: ClassVar[int | None] = 300_000  # tokens, each of which has a byte at least
    many_prompts: ClassVar[bool] = True
    batches: ClassVar[frozenset[str]] = frozenset({"complete", "embed"})

    async def achat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> ChatReply:
        """Return the answer to a conversation (``POST /chat/completions``).

        Args:
            messages: at least one, in the provider's shape: text, images, audio and files as content parts.
            model: which model; the backend's, or a cheap current one, when not given.
            **parameters: see :class:`~backends.openai.parameters.ChatParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
            BackendError: anything else that can happen to a call.
        """
        operation, options = self._chat(messages, model, parameters, ChatParameters)
        return await self._perform(operation, options)

    def astream_chat(
        self, messages: Sequence[Message], *, model: str | None = None, **parameters: Unpack[ChatParameters]
    ) -> AsyncStream[ChatReply]:
        """Return the answer to a conversation as a stream; its ``reply`` is there after the last chunk.

        The usage chunk is asked for unless ``stream_options`` says otherwise. The reply's ``raw`` is the answer as
        it would have come whole.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        operation, options = self._chat_stream(messages, model, parameters, ChatParameters)
        return self._stream(operation, options)

    async def acomplete(
        self, prompt: Prompt, *, model: str | None = None, **parameters: Unpack[CompletionParameters]
    ) -> CompletionReply:
        """Return the continuation of a prompt (``POST /completions``, for instruct and base models).

        Args:
            prompt: a text, several, or token ids; ``texts`` of the reply has ``n`` for each, in order.
            model: which model.
            **parameters: see :class:`~backends.openai.parameters.CompletionParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        operation, options = self._completion(prompt, model, parameters, CompletionParameters)
        return await self._perform(operation, options)

    def astream_complete(
        self, prompt: Prompt, *, model: str | None = None, **parameters: Unpack[CompletionParameters]
    ) -> AsyncStream[CompletionReply]:
        """Return the continuation of a prompt as a stream.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent.
        """
        operation, options = self._completion_stream(prompt, model, parameters, CompletionParameters)
        return self._stream(operation, options)

    async def aembed(
        self, texts: Prompt, *, model: str | None = None, **parameters: Unpack[EmbedParameters]
    ) -> Embeddings:
        """Return one vector per text, in the order of the texts (``POST /embeddings``).

        Args:
            texts: a text, up to 2048 of them, or token ids (8192 tokens each, 300,000 together).
            model: which model.
            **parameters: see :class:`~backends.openai.parameters.EmbedParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        operation, options = self._embedding(texts, model, parameters, EmbedParameters)
        return await self._perform(operation, options)

    async def amoderate(
        self,
        content: str | Sequence[str] | Sequence[Mapping[str, Any]],
        *,
        model: str | None = None,
        **parameters: Unpack[ModerateParameters],
    ) -> Moderation:
        """Return the provider's judgement of texts or of one list of text and image parts (``POST /moderations``).

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the provider refused the request.
        """
        options, fields = split(parameters, ModerateParameters, self.provider.name)
        name = self._chosen_model(model, "moderation")
        body = {"input": _checked_content(content, self.provider.name), "model": name, **fields}
        return await self._perform(
            Operation("moderate", _read_moderation, "/moderations", body=body, model=name), options
        )

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)
    complete = blocking(acomplete)
    stream_complete = blocking_stream(astream_complete)
    embed = blocking(aembed)
    moderate = blocking(amoderate)


def _checked_content(content: Any, provider: str) -> Any:
    if isinstance(content, str):
        if not content:
            bad_argument("content must not be empty", provider)
        return content
    if not isinstance(content, list | tuple) or not content:
        bad_argument("content must be text, a list of texts, or a list of parts, and not empty", provider)
    of_text = isinstance(content[0], str)
    for index, item in enumerate(content):
        if of_text and not isinstance(item, str):
            bad_argument(f"content[{index}] must be text, not {type(item).__name__}", provider)
        if not of_text and (not isinstance(item, Mapping) or not isinstance(item.get("type"), str)):
            bad_argument(f"content[{index}] must be a text or a part with a type", provider)
    return content


def _read_moderation(answer: Answer) -> Moderation:
    data = json_object(answer.data)
    raise_inside(data)
    verdicts = []
    for result in data["results"]:
        flagged = result["flagged"]
        if not isinstance(flagged, bool):
            raise FormatError("a verdict has no flag")
        verdicts.append(
            Verdict(
                flagged,
                dict(result.get("categories") or {}),
                dict(result.get("category_scores") or {}),
                {name: tuple(kinds) for name, kinds in (result.get("category_applied_input_types") or {}).items()},
            )
        )
    if not verdicts:
        raise FormatError("there are no verdicts")
    return Moderation(**answer.facts(), model=data.get("model"), verdicts=tuple(verdicts))
