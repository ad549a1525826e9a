"""The server itself, of the vLLM backend: what it serves and how it fares, LoRA adapters, sleep, caches.

Wire facts: ``vllm/entrypoints/serve`` of the server. LoRA routes want ``VLLM_ALLOW_RUNTIME_LORA_UPDATING=1``; sleep and
caches want ``VLLM_SERVER_DEV_MODE=1``, sleep also ``--enable-sleep-mode``. Where a route is missing the error says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Unpack

from backends.dialects.openai_common import count, json_object
from backends.dialects.openai_errors import raise_inside
from backends.dialects.openai_server import read_models
from backends.dialects.prometheus import Metric, read_metrics
from backends.operation import Answer, CallOptions, Operation, Repeat
from backends.parameters import Size, check_argument, split
from backends.twins import blocking
from backends.types import Model
from backends.vllm.core import VLLMServer
from backends.vllm.values import Notice, ServedModel
from backends.wire.values import FormatError

__all__ = ["LoadParameters", "ManagementCalls", "ResetParameters", "SleepParameters", "WakeParameters"]

_MOST_NAMES: Final = 10_000
_LOADING_SECONDS: Final = 1800.0
"""Moving weights sends nothing until it is done."""


class LoadParameters(CallOptions, total=False):
    """Arguments of ``load_lora``: ``load_inplace`` replaces a loaded adapter of the same name (newer servers)."""

    load_inplace: bool | None


class SleepParameters(CallOptions, total=False):
    """Arguments of ``sleep``.

    Attributes:
        level: 1 (usual) keeps the weights in the machine's memory, 2 discards them.
        mode: what becomes of requests on their way: ``abort`` (usual) ends them, ``wait`` lets them finish, ``keep``
            lets them go on after waking (newer servers).
    """

    level: Literal[1, 2] | None
    mode: Literal["abort", "wait", "keep"] | None


class WakeParameters(CallOptions, total=False):
    """Arguments of ``wake_up``: ``tags`` says what wakes, everything unless given."""

    tags: Annotated[Sequence[Literal["weights", "kv_cache"]] | None, Size(1)]


class ResetParameters(CallOptions, total=False):
    """Arguments of ``reset_prefix_cache``.

    Attributes:
        reset_external: also the cache that a connector manages (newer servers).
        reset_running_requests: also what running requests use, which then start again (newer servers).
    """

    reset_external: bool | None
    reset_running_requests: bool | None


class ManagementCalls(VLLMServer):
    """Calls about the server. Each goes through queue, retries and breaker like any other."""

    async def amodels(self, **parameters: Unpack[CallOptions]) -> tuple[ServedModel, ...]:
        """Return what is served (``GET /v1/models``): every name of the model, then LoRA adapters."""
        operation = Operation("models", _read_served, f"{self.dialect_path}/models", "GET")
        found = await self._perform(operation, _options(parameters))
        self._seen_models = tuple(model.id for model in found[:_MOST_NAMES])
        return found

    async def ahealth(self, **parameters: Unpack[CallOptions]) -> bool:
        """Return whether the engine lives (``GET /health``); a 503 is an answer here and not repeated.

        Raises:
            TransportError: nobody listens, as while weights load.
        """
        operation = Operation(
            "health", lambda answer: answer.status == 200, "/health", "GET", expect="none", accepted=frozenset({503})
        )
        return await self._perform(operation, _options(parameters))

    async def aversion(self, **parameters: Unpack[CallOptions]) -> str:
        """Return the server's version (``GET /version``)."""
        return await self._perform(Operation("version", _read_version, "/version", "GET"), _options(parameters))

    async def aserver_load(self, **parameters: Unpack[CallOptions]) -> int:
        """Return how many requests the server works on (``GET /load``); 0 unless it was started to track that."""
        return await self._perform(Operation("server_load", _read_load, "/load", "GET"), _options(parameters))

    async def ametrics(self, **parameters: Unpack[CallOptions]) -> tuple[Metric, ...]:
        """Return the server's own metrics (``GET /metrics``): ``vllm:num_requests_running``,
        ``vllm:kv_cache_usage_perc``, ``vllm:prompt_tokens_total`` and many more, with their labels. For those of
        this client see ``report()``."""
        operation = Operation("metrics", lambda answer: read_metrics(answer.data), "/metrics", "GET", expect="text")
        return await self._perform(operation, _options(parameters))

    async def aload_lora(self, name: str, path: str, **parameters: Unpack[LoadParameters]) -> Notice:
        """Load a LoRA adapter, which is then a model of that name (``POST /v1/load_lora_adapter``).

        Args:
            name: to be used as ``model`` of later calls.
            path: where the server finds it.
            **parameters: see :class:`LoadParameters`.

        Raises:
            InvalidRequestError: one of that name is loaded already, or it does not fit the model.
            NotFoundError: the server finds nothing there, or may not load adapters.
        """
        options, fields = split(parameters, LoadParameters, self.provider.name)
        body = {"lora_name": self._text("name", name), "lora_path": self._text("path", path), **fields}
        return await self._perform(_lora("load_lora", "load_lora_adapter", body), options)

    async def aunload_lora(self, name: str, **parameters: Unpack[CallOptions]) -> Notice:
        """Let go of a LoRA adapter (``POST /v1/unload_lora_adapter``).

        Raises:
            NotFoundError: none of that name is loaded, or the server may not unload adapters.
        """
        options, _ = split(parameters, CallOptions, self.provider.name)
        return await self._perform(
            _lora("unload_lora", "unload_lora_adapter", {"lora_name": self._text("name", name)}), options
        )

    async def asleep(self, **parameters: Unpack[SleepParameters]) -> None:
        """Free the accelerator's memory (``POST /sleep``); wake the server with ``wake_up``.

        Args:
            **parameters: see :class:`SleepParameters`.
        """
        await self._switch("sleep", "/sleep", parameters, SleepParameters)

    async def awake_up(self, **parameters: Unpack[WakeParameters]) -> None:
        """Take the memory back (``POST /wake_up``).

        Args:
            **parameters: see :class:`WakeParameters`.
        """
        await self._switch("wake_up", "/wake_up", parameters, WakeParameters)

    async def ais_sleeping(self, **parameters: Unpack[CallOptions]) -> bool:
        """Return whether the server sleeps (``GET /is_sleeping``)."""
        return await self._perform(
            Operation("is_sleeping", _read_sleeping, "/is_sleeping", "GET"), _options(parameters)
        )

    async def areset_prefix_cache(self, **parameters: Unpack[ResetParameters]) -> None:
        """Forget the prefixes that the server keeps (``POST /reset_prefix_cache``).

        Args:
            **parameters: see :class:`ResetParameters`.
        """
        await self._switch("reset_prefix_cache", "/reset_prefix_cache", parameters, ResetParameters)

    models = blocking(amodels)
    health = blocking(ahealth)
    version = blocking(aversion)
    server_load = blocking(aserver_load)
    metrics = blocking(ametrics)
    load_lora = blocking(aload_lora)
    unload_lora = blocking(aunload_lora)
    sleep = blocking(asleep)
    wake_up = blocking(awake_up)
    is_sleeping = blocking(ais_sleeping)
    reset_prefix_cache = blocking(areset_prefix_cache)

    async def _switch(self, name: str, path: str, parameters: Any, table: type) -> None:
        """Make a call whose arguments stand in the query and whose answer is empty."""
        options, fields = split(parameters, table, self.provider.name, body=False)
        operation: Operation[None] = Operation(
            name, _nothing, path, query=tuple(_query(fields)), expect="none", silence=_LOADING_SECONDS
        )
        await self._perform(operation, options)

    def _text(self, name: str, value: str) -> str:
        check_argument(name, value, Annotated[str, Size(1)], self.provider.name)
        return value


def _options(parameters: Any) -> CallOptions:
    return split(parameters, CallOptions, VLLMServer.provider.name, body=False)[0]


def _query(fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            yield name, str(one).lower() if isinstance(one, bool) else str(one)


def _lora(name: str, route: str, body: dict[str, Any]) -> Operation[Notice]:
    """A repeat after a lost answer would find the work done and call that an error, so none is made."""
    return Operation(
        name,
        _read_notice,
        f"{VLLMServer.dialect_path}/{route}",
        body=body,
        expect="text",
        repeat=Repeat.UNPROCESSED,
        silence=_LOADING_SECONDS,
    )


def _nothing(answer: Answer) -> None:
    del answer


def _read_served(answer: Answer) -> tuple[ServedModel, ...]:
    return tuple(map(_served, read_models(answer)))


def _served(model: Model) -> ServedModel:
    raw = json_object(model.raw)
    parent, root = raw.get("parent"), raw.get("root")
    return ServedModel(
        model.id,
        model.raw,
        model.owned_by,
        model.created,
        parent=parent if isinstance(parent, str) else None,
        max_model_len=count(raw.get("max_model_len")),
        root=root if isinstance(root, str) else None,
    )


def _read_notice(answer: Answer) -> Notice:
    if not answer.data.startswith("Success"):
        raise FormatError("it does not say that it succeeded")
    return Notice(**answer.facts(), message=answer.data[:2000])


def _read_version(answer: Answer) -> str:
    version = json_object(answer.data)["version"]
    if not isinstance(version, str):
        raise FormatError("the version is not text")
    return version


def _read_load(answer: Answer) -> int:
    load = count(json_object(answer.data)["server_load"])
    if load is None:
        raise FormatError("the load is not a number")
    return load


def _read_sleeping(answer: Answer) -> bool:
    data = json_object(answer.data)
    raise_inside(data)
    sleeping = data["is_sleeping"]
    if not isinstance(sleeping, bool):
        raise FormatError("whether it sleeps is neither true nor false")
    return sleeping
