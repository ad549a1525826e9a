"""Pull, push and create: long work at the server, watched as a stream of progress or waited for.

Both ways ask the server for progress, so that a transfer may take hours while a server that went silent is still
noticed (``idle_timeout``). Without progress the server would say nothing until the end.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Unpack

from backends.ollama.catalogue import Catalogue
from backends.ollama.messages import checked_messages
from backends.ollama.names import checked_digest, checked_name
from backends.ollama.parameters import CreateParameters, TransferParameters, checked_options, taken
from backends.ollama.progress import ModelChange, ProgressReader
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import bad_argument
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream

__all__ = ["Transfers"]

_SILENCE = 1800.0
"""Seconds: verifying the digest of the largest models says nothing for many minutes."""


class Transfers(Catalogue):
    """Brings models in, sends them out, makes new ones."""

    async def apull(self, model: str, **parameters: Unpack[TransferParameters]) -> ModelChange:
        """Download a model to the server and wait for it; a failed download is tried again and goes on where it was.

        Raises:
            UnknownModelError: the registry has no such model.
        """
        return await self._transfer("pull", model, *taken(parameters, TransferParameters), quiet=True).collect()

    def astream_pull(self, model: str, **parameters: Unpack[TransferParameters]) -> AsyncStream[ModelChange]:
        """Download a model and watch: ``chunk.text`` is the status, ``chunk.raw`` has completed and total bytes."""
        return self._transfer("pull", model, *taken(parameters, TransferParameters), quiet=False)

    async def apush(self, model: str, **parameters: Unpack[TransferParameters]) -> ModelChange:
        """Upload a model, named with a namespace, to its registry and wait for it.

        Raises:
            UnknownModelError: the server has no such model.
            PermissionDeniedError: the namespace is not yours.
        """
        return await self._transfer("push", model, *taken(parameters, TransferParameters), quiet=True).collect()

    def astream_push(self, model: str, **parameters: Unpack[TransferParameters]) -> AsyncStream[ModelChange]:
        """Upload a model and watch, as with :meth:`astream_pull`."""
        return self._transfer("push", model, *taken(parameters, TransferParameters), quiet=False)

    async def acreate(self, model: str, **parameters: Unpack[CreateParameters]) -> ModelChange:
        """Make a model from another one (``from_``) or from uploaded blobs (``files``), and wait for it.

        Raises:
            InvalidRequestError: neither is given, or a digest, option or message is malformed.
        """
        return await self._transfer("create", model, *_creation(parameters), quiet=True).collect()

    def astream_create(self, model: str, **parameters: Unpack[CreateParameters]) -> AsyncStream[ModelChange]:
        """Make a model and watch, as with :meth:`astream_pull`."""
        return self._transfer("create", model, *_creation(parameters), quiet=False)

    def _transfer(
        self, name: str, model: str, options: CallOptions, fields: dict[str, Any], *, quiet: bool
    ) -> AsyncStream[ModelChange]:
        model = checked_name(model)
        return self._stream(
            Operation(
                name if quiet else f"stream_{name}",
                _unread,
                f"/api/{name}",
                body={"model": model, **fields, "stream": True},
                model=model,
                stream=partial(ProgressReader, self._fail(model), self._longest_line(options), quiet=quiet),
                silence=_SILENCE,
            ),
            options,
        )

    pull = blocking(apull)
    push = blocking(apush)
    create = blocking(acreate)
    stream_pull = blocking_stream(astream_pull)
    stream_push = blocking_stream(astream_push)
    stream_create = blocking_stream(astream_create)


def _unread(answer: Answer) -> ModelChange:
    return ModelChange(**answer.facts(), model=answer.model)


def _creation(parameters: Any) -> tuple[CallOptions, dict[str, Any]]:
    """Return options and body fields of create."""
    options, fields = taken(parameters, CreateParameters)
    if not fields.keys() & {"from_", "files", "adapters"}:
        bad_argument("create needs from_ or files", "ollama")
    if "from_" in fields:
        fields["from"] = checked_name(fields.pop("from_"), "from_")
    for kind in ("files", "adapters"):
        for name, digest in fields.get(kind, {}).items():
            checked_digest(digest, f"{kind}[{name!r}]")
    if "parameters" in fields:
        fields["parameters"] = checked_options(fields["parameters"], "parameters")
    if "messages" in fields:
        fields["messages"] = checked_messages(fields["messages"])
    return options, fields
