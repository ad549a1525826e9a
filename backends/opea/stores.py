"""What a deployment keeps for its users: conversations, prompts, feedback.

Wire facts (``comps/cores/storages/models.py`` and the three services): saving answers with the id of a new record, or
``true`` for a changed one; reading one gives the record, or ``null`` where there is none; deleting gives ``true``. The
prompt service answers ``null`` for every failure of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar, Unpack

from backends import errors
from backends.dialects.openai_common import checked_messages
from backends.opea.core import OPEACore
from backends.opea.values import Saved
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.parameters import Between, Size, check_argument, split
from backends.twins import blocking
from backends.types import JSON, Message
from backends.values import Deleted
from backends.wire.values import FormatError

__all__ = ["ConversationParameters", "FeedbackParameters", "StoreCalls"]

T = TypeVar("T")


class ConversationParameters(CallOptions, total=False):
    """Arguments of ``save_chat``: ``id`` of the record to change, ``first_query`` that names it in lists."""

    id: Annotated[str | None, Size(1)]
    first_query: Annotated[str | None, Size(1)]


class FeedbackParameters(CallOptions, total=False):
    """Arguments of ``save_feedback``.

    Attributes:
        rating: 0 (bad) to 5 (good).
        comment: in the user's words.
        chat_id: of the conversation, where it is kept.
        feedback_id: of the record to change.
    """

    rating: Annotated[int | None, Between(0, 5)]
    comment: str | None
    chat_id: Annotated[str | None, Size(1)]
    feedback_id: Annotated[str | None, Size(1)]


class StoreCalls(OPEACore):
    """Calls of the chat history, the prompt registry and the feedback service. ``user`` is the application's own id of
    a user; nobody checks it."""

    async def asave_chat(
        self, messages: Sequence[Message], user: str, **parameters: Unpack[ConversationParameters]
    ) -> Saved:
        """Keep a conversation, or change one that is kept (``POST /v1/chathistory/create``)."""
        options, fields = split(parameters, ConversationParameters, self.provider.name)
        data = {"messages": checked_messages(messages, self.provider.name), "user": self._text("user", user)}
        return await self._saved("chathistory", "save_chat", {"data": data, **fields}, options, new="id" not in fields)

    async def aget_chat(self, id: str, user: str, **parameters: Unpack[CallOptions]) -> JSON:  # noqa: A002 - the field's name
        """Return a conversation: its ``messages`` and what else was saved with them.

        Raises:
            NotFoundError: the user has none of this id.
        """
        return await self._read("chathistory", "get_chat", {"user": user, "id": id}, parameters, _read_record)

    async def alist_chats(self, user: str, **parameters: Unpack[CallOptions]) -> tuple[JSON, ...]:
        """Return the conversations of a user, each with ``id`` and ``first_query``, without their messages."""
        return await self._read("chathistory", "list_chats", {"user": user}, parameters, _read_records)

    async def adelete_chat(self, id: str, user: str, **parameters: Unpack[CallOptions]) -> Deleted:  # noqa: A002 - the field's name
        """Delete a conversation."""
        return await self._deleted("chathistory", "delete_chat", "id", id, user, parameters)

    async def asave_prompt(self, text: str, user: str, **parameters: Unpack[CallOptions]) -> Saved:
        """Keep a prompt (``POST /v1/prompt/create``)."""
        options, _ = split(parameters, CallOptions, self.provider.name)
        body = {"prompt_text": self._text("text", text), "user": self._text("user", user)}
        return await self._saved("prompt", "save_prompt", body, options, new=True)

    async def aget_prompt(self, prompt_id: str, user: str, **parameters: Unpack[CallOptions]) -> str:
        """Return the text of a prompt.

        Raises:
            NotFoundError: the user has none of this id, or the service failed, which looks the same.
        """
        return await self._read(
            "prompt", "get_prompt", {"user": user, "prompt_id": prompt_id}, parameters, _read_prompt
        )

    async def alist_prompts(self, user: str, **parameters: Unpack[CallOptions]) -> tuple[JSON, ...]:
        """Return the prompts of a user."""
        return await self._read("prompt", "list_prompts", {"user": user}, parameters, _read_records)

    async def afind_prompts(self, words: str, user: str, **parameters: Unpack[CallOptions]) -> tuple[JSON, ...]:
        """Return up to five prompts that hold the words."""
        return await self._read(
            "prompt", "find_prompts", {"user": user, "prompt_text": words}, parameters, _read_records
        )

    async def adelete_prompt(self, prompt_id: str, user: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete a prompt."""
        return await self._deleted("prompt", "delete_prompt", "prompt_id", prompt_id, user, parameters)

    async def asave_feedback(
        self, messages: Sequence[Message], user: str, *, thumbs_up: bool, **parameters: Unpack[FeedbackParameters]
    ) -> Saved:
        """Keep what a user thinks of an answer, or change it (``POST /v1/feedback/create``)."""
        options, fields = split(parameters, FeedbackParameters, self.provider.name)
        check_argument("thumbs_up", thumbs_up, bool, self.provider.name)
        judged: JSON = {name: fields.pop(name) for name in ("rating", "comment") if name in fields}
        chat = {"messages": checked_messages(messages, self.provider.name), "user": self._text("user", user)}
        body = {"chat_data": chat, "feedback_data": {"is_thumbs_up": thumbs_up, **judged}, **fields}
        return await self._saved("feedback", "save_feedback", body, options, new="feedback_id" not in fields)

    async def aget_feedback(self, feedback_id: str, user: str, **parameters: Unpack[CallOptions]) -> JSON:
        """Return one piece of feedback.

        Raises:
            NotFoundError: the user has none of this id.
        """
        body = {"user": user, "feedback_id": feedback_id}
        return await self._read("feedback", "get_feedback", body, parameters, _read_record)

    async def alist_feedback(self, user: str, **parameters: Unpack[CallOptions]) -> tuple[JSON, ...]:
        """Return all feedback of a user."""
        return await self._read("feedback", "list_feedback", {"user": user}, parameters, _read_records)

    async def adelete_feedback(self, feedback_id: str, user: str, **parameters: Unpack[CallOptions]) -> Deleted:
        """Delete one piece of feedback."""
        return await self._deleted("feedback", "delete_feedback", "feedback_id", feedback_id, user, parameters)

    save_chat = blocking(asave_chat)
    get_chat = blocking(aget_chat)
    list_chats = blocking(alist_chats)
    delete_chat = blocking(adelete_chat)
    save_prompt = blocking(asave_prompt)
    get_prompt = blocking(aget_prompt)
    list_prompts = blocking(alist_prompts)
    find_prompts = blocking(afind_prompts)
    delete_prompt = blocking(adelete_prompt)
    save_feedback = blocking(asave_feedback)
    get_feedback = blocking(aget_feedback)
    list_feedback = blocking(alist_feedback)
    delete_feedback = blocking(adelete_feedback)

    async def _saved(self, service: str, name: str, body: JSON, options: CallOptions, *, new: bool) -> Saved:
        operation = Operation(
            name,
            _read_saved,
            f"/v1/{service}/create",
            body=body,
            repeat=Repeat.UNPROCESSED if new else Repeat.ALWAYS,  # a second try would keep it twice
        )
        return await self._perform(operation, self._at(options, service))

    async def _read(self, service: str, name: str, body: JSON, parameters: Any, read: Callable[[Answer], T]) -> T:
        options, _ = split(parameters, CallOptions, self.provider.name)
        for field, value in body.items():
            self._text(field, value)
        return await self._perform(Operation(name, read, f"/v1/{service}/get", body=body), self._at(options, service))

    async def _deleted(self, service: str, name: str, field: str, id: str, user: str, parameters: Any) -> Deleted:  # noqa: A002 - as the field
        options, _ = split(parameters, CallOptions, self.provider.name)
        body = {"user": self._text("user", user), field: self._text(field, id)}
        operation = Operation(name, partial(_read_deleted, id), f"/v1/{service}/delete", body=body)
        return await self._perform(operation, self._at(options, service))


def _read_saved(answer: Answer) -> Saved:
    data = answer.data
    if data is None or data is False:
        raise errors.ServerError("The record was not saved; the service does not say why.", status=500)
    if data is True:
        return Saved(**answer.facts(), updated=True)
    if not isinstance(data, str) or not data:
        raise FormatError("the answer has no id")
    return Saved(**answer.facts(), id=data)


def _read_deleted(id: str, answer: Answer) -> Deleted:  # noqa: A002 - as the field
    if answer.data is None:
        raise errors.ServerError("The record was not deleted; the service does not say why.", status=500)
    if not isinstance(answer.data, bool):
        raise FormatError("the service does not say whether it deleted anything")
    return Deleted(**answer.facts(), id=id, deleted=answer.data)


def _found(answer: Answer) -> Any:
    if answer.data is None:
        raise errors.NotFoundError("There is no such record.", status=404)
    return answer.data


def _read_record(answer: Answer) -> JSON:
    data = _found(answer)
    if not isinstance(data, dict):
        raise FormatError("a record is not an object")
    return data


def _read_prompt(answer: Answer) -> str:
    data = _found(answer)
    if not isinstance(data, str):
        raise FormatError("a prompt is not text")
    return data


def _read_records(answer: Answer) -> tuple[JSON, ...]:
    data = answer.data
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise FormatError("a list of records was expected")
    return tuple(data)
