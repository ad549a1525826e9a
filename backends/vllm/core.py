"""What every call to a vLLM server shares: its address, its errors, and what each body carries beside the call's own
fields.

Wire facts: ``vllm/entrypoints`` of the server (0.32.0 and its predecessors). Routes of the OpenAI dialect stand below
``/v1``, all others at the root. A key guards ``/v1`` only; it is sent everywhere, because it is the same server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, TypeVar

from backends import errors
from backends.dialects.openai_common import checked_model
from backends.dialects.openai_server import DialectServer
from backends.operation import CallOptions, Operation
from backends.provider import Provider
from backends.secret import Key
from backends.types import Priority
from backends.vllm.rules import checked_body, guided

__all__ = ["PROVIDER", "VLLMServer"]

T = TypeVar("T")

PROVIDER: Final = Provider(
    name="vllm",
    title="vLLM",
    base_url="http://localhost:8000",
    key_required=False,
    key_variables=("VLLM_API_KEY",),
    base_url_variables=("VLLM_BASE_URL",),
)
_ABSENT: Final = {
    404: "this server has no such route: its model does other work, or the switch that offers it is off",
    405: "this server takes no such request on this route",
}
_LABELS: Final = frozenset({"request_id"})
_FIRST_SERVED: Final = ""
"""Stands for the model of a call that names none until the body is finished; it is never sent."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a caller says of one server, because no answer tells it.

    Attributes:
        priority_scheduling: it runs with ``--scheduling-policy priority``.
        guided_fields: it is of the age that reads ``guided_json`` instead of ``structured_outputs``.
    """

    priority_scheduling: bool = False
    guided_fields: bool = False


class VLLMServer(DialectServer):
    """One vLLM server, or several as endpoints.

    Args:
        base_url: the root of the server (``http://localhost:8000``). The address that an OpenAI client takes, the
            root and ``/v1``, means the same: one ``/v1`` at the end is left out.
        priority_scheduling: the server orders its own queue by priority, so every call says its ``priority`` there,
            too: HIGH as -1, NORMAL as 0, LOW as 1 (the server handles lower numbers first and counts those who say
            nothing as 0). A server with the usual scheduling ignores such a number or refuses it, by version.
        guided_fields: the server predates ``structured_outputs``: the constraint is sent as ``guided_json``,
            ``guided_regex``, ``guided_choice`` or ``guided_grammar``. Later servers ignore these names in silence.
        **options: see :class:`backends.base.Backend`.
    """

    provider: ClassVar[Provider] = PROVIDER
    dialect_path: ClassVar[str] = "/v1"
    many_prompts: ClassVar[bool] = True
    batches: ClassVar[frozenset[str]] = frozenset({"complete", "embed"})

    def __init__(
        self, *arguments: Any, priority_scheduling: bool = False, guided_fields: bool = False, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._traits = Traits(_flag("priority_scheduling", priority_scheduling), _flag("guided_fields", guided_fields))
        self._traits_of: dict[str, Traits] = {}

    @property
    def base_url(self) -> str:
        """Root of the default endpoint's server: argument, metadata, ``VLLM_BASE_URL``, credentials file, this
        machine."""
        return _root(super().base_url)

    def create_endpoint(
        self,
        name: str,
        base_url: str | None = None,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        *,
        priority_scheduling: bool | None = None,
        guided_fields: bool | None = None,
        **settings: Any,
    ) -> None:
        """Add another server; as in :class:`backends.base.Backend`. What is not said of it holds as for the backend."""
        traits = Traits(
            _flag("priority_scheduling", priority_scheduling, self._traits.priority_scheduling),
            _flag("guided_fields", guided_fields, self._traits.guided_fields),
        )
        address = _root(base_url) if isinstance(base_url, str) else base_url
        super().create_endpoint(name, address, api_key, api_keys, **settings)
        self._traits_of[name] = traits

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer; an unknown model comes with the names that are served."""
        error = super().read_error(status, headers, data, operation)
        if isinstance(data, Mapping) and isinstance(data.get("detail"), str) and status in _ABSENT:
            return type(error)(f"{error.message} ({operation.name}): {_ABSENT[status]}.", status=status)
        if status == 501:
            return errors.UnsupportedError(error.message, status=status, code=error.code)
        return error

    def _chosen_model(self, model: str | None, kind: str) -> str:
        """Return the model of a call, its own or the backend's; where neither names one, the server takes its first."""
        del kind
        name = model if model is not None else self.model
        return _FIRST_SERVED if name is None else checked_model(name, self.provider.name)

    def _dressed(
        self, operation: Operation[T], options: CallOptions, *, id_prefix: str | None = ""
    ) -> tuple[Operation[T], CallOptions]:
        """Return the operation with the body that is sent, and the options of its call.

        Args:
            operation: its body holds the fields as the caller gave them, already checked one by one.
            options: of the call.
            id_prefix: what the server wants before our id in its ``request_id``; None where it takes none.

        Raises:
            InvalidRequestError: fields contradict each other.
        """
        assert isinstance(operation.body, Mapping)
        body: dict[str, Any] = dict(operation.body)
        traits = self._traits_of.get(options.get("endpoint") or "", self._traits)
        checked_body(body)
        if traits.guided_fields:
            guided(body)
        if not body.get("model"):
            body.pop("model", None)
        if id_prefix is not None:
            own = self._own_id(options)
            options = {**options, "request_id": own}
            body["request_id"] = id_prefix + own
            rank = body.pop("server_priority", None)
            if rank is None and traits.priority_scheduling:
                rank = _rank(options.get("priority"))
            if rank is not None:
                body["priority"] = rank
        cacheable = operation.cacheable
        if cacheable is not None:
            cacheable = replace(cacheable, volatile=_LABELS)
        return replace(operation, body=body, model=body.get("model"), cacheable=cacheable), options


def _root(address: str) -> str:
    """Return the root of a server from its root or from the address of its OpenAI side."""
    return address.rstrip("/").removesuffix("/v1").rstrip("/")


def _rank(priority: Any) -> int | None:
    """Return the server's number for a priority of ours; one that is none is left for the queue to refuse."""
    if priority is None:
        return 0
    return int(priority) - int(Priority.NORMAL) if priority in tuple(Priority) else None


def _flag(name: str, value: Any, usual: bool | None = None) -> bool:
    if value is None and usual is not None:
        return usual
    if not isinstance(value, bool):
        raise errors.ConfigurationError(f"{name} must be True or False, not {value!r}.", provider=PROVIDER.name)
    return value
