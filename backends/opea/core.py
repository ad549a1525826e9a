"""What every call of the OPEA backend needs: the addresses of services, errors, checks, and the operation of a
megaservice.

Wire facts: no service asks for a key of its own; a gateway in front of it may. Errors are FastAPI's: ``{"detail": text}``,
``{"detail": [{"type", "loc", "msg"}]}`` for a body that does not fit, and the plain text ``Internal Server Error`` for
anything else, a service behind this one included. Megaservices wait up to 2000 s for theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from backends import errors
from backends.dialects.openai_common import checked_messages
from backends.dialects.openai_server import DialectServer
from backends.opea.answers import read_answer
from backends.opea.events import AnswerReader
from backends.opea.services import SERVICES, key_variable, places, url_variable
from backends.operation import CONVERSATION, CallOptions, Operation
from backends.parameters import bad_argument
from backends.provider import Provider
from backends.resilience.endpoint import Endpoint
from backends.types import ChatReply, Message
from backends.wire.multipart import Multipart

__all__ = ["SILENCE", "Asked", "OPEACore"]

SILENCE: Final = 2000.0
"""Seconds for which a megaservice, or the preparation of documents, may say nothing."""

Asked = str | Sequence[Message]
"""A question, or a conversation."""

_PAUSING: Final = frozenset({"docsum"})
"""Services whose streams pause: a long document is summed up part by part."""
_ROLES: Final = ("system", "user", "assistant")
_MOST_COMPLAINTS: Final = 5


class OPEACore(DialectServer):
    """Base of the groups of calls; see :class:`backends.opea.OPEA`."""

    provider: ClassVar[Provider] = Provider(
        name="opea",
        title="OPEA",
        base_url="http://127.0.0.1:8888",
        key_required=False,
        key_variables=("OPEA_API_KEY",),
        base_url_variables=("OPEA_BASE_URL",),
    )
    dialect_path: ClassVar[str] = "/v1"

    def __init__(
        self,
        resources: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        services: Mapping[str, str | Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(resources, metadata, **options)
        self._looked_up: set[str] = set()
        known = places((metadata or {}).get("opea_services") or {}, "metadata opea_services")
        for name, place in {**known, **places(services or {}, "services")}.items():
            self.create_endpoint(name, **place)

    # -- addresses -----------------------------------------------------------------------------------------------------

    def endpoint(self, name: str | None = None) -> Endpoint:
        """Return an endpoint; one that bears a service's name may have its address from the environment."""
        if name in SERVICES:
            self._look_up(name)
        return super().endpoint(name)

    def _look_up(self, service: str) -> None:
        """Make the endpoint of a service whose address stands in the environment, once."""
        if service in self._looked_up or service in self._declared:
            return
        environ = self.credentials.environ
        address = environ.get(url_variable(service), "").strip()
        if address:
            try:
                self.create_endpoint(service, address, environ.get(key_variable(service), "").strip() or None)
            except errors.ConfigurationError as error:
                if service not in self._declared:  # otherwise another thread was first
                    raise errors.ConfigurationError(
                        f"{url_variable(service)} or {key_variable(service)}: {error.message}",
                        provider=self.provider.name,
                    ) from None
        self._looked_up.add(service)

    def _at(self, options: CallOptions, service: str) -> CallOptions:
        """Send a call to its service's own endpoint where there is one and the caller names none."""
        if options.get("endpoint") is not None:
            return options
        self._look_up(service)
        return {**options, "endpoint": service} if service in self._declared else options

    # -- errors --------------------------------------------------------------------------------------------------------

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer."""
        if isinstance(data, dict) and isinstance(data.get("detail"), list):
            data = _spelled(data["detail"])
        elif isinstance(data, str) and data.strip() == "Internal Server Error":
            data = "Internal Server Error: the service failed, or a service behind it; it says no more."
        return super().read_error(status, headers, data, operation)

    # -- megaservices --------------------------------------------------------------------------------------------------

    def _answering(
        self, service: str, body: dict[str, Any] | Multipart, options: CallOptions, *, stream: bool
    ) -> tuple[Operation[ChatReply], CallOptions]:
        """Return the operation of a megaservice's answer, and its options.

        ``stream`` is always sent: the services' own default is a stream.
        """
        placed = self._at(options, service)
        if not isinstance(body, Multipart):
            body = {**body, "stream": stream}
        limit = self._event_limit(placed)
        operation = Operation(
            f"stream_{service}" if stream else service,
            read_answer,
            f"/v1/{service}",
            body=body,
            model=service,
            expect="text",
            stream=partial(AnswerReader, service, limit) if stream else None,
            silence=None if stream and service not in _PAUSING else SILENCE,
            cacheable=CONVERSATION,
        )
        return operation, placed

    def _asked(self, messages: Asked, name: str = "messages") -> Asked:
        """Return a question or conversation fit for a megaservice.

        Raises:
            InvalidRequestError: it is empty, or a message has another role than system, user and assistant, or no content.
        """
        if isinstance(messages, str):
            return self._text(name, messages)
        checked = checked_messages(messages, self.provider.name)
        for index, message in enumerate(checked):
            if message["role"] not in _ROLES:
                bad_argument(
                    f"messages[{index}].role must be one of {', '.join(_ROLES)}, not {message['role'][:60]!r}",
                    self.provider.name,
                )
            if message.get("content") is None:
                bad_argument(f"messages[{index}] must have content", self.provider.name)
        return checked

    def _text(self, name: str, value: Any) -> str:
        """Return a text argument.

        Raises:
            InvalidRequestError: it is no text, or empty.
        """
        if not isinstance(value, str):
            bad_argument(f"{name} must be text, not {type(value).__name__}", self.provider.name)
        if not value:
            bad_argument(f"{name} must not be empty", self.provider.name)
        return value


def _spelled(complaints: list[Any]) -> dict[str, Any]:
    """Return FastAPI's list of complaints as one: ``messages[0].role: Field required``."""
    texts = []
    for entry in complaints[:_MOST_COMPLAINTS]:
        place = [part for part in entry.get("loc") or () if part not in ("body", "query")]
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        texts.append(f"{path}: {entry.get('msg')}" if path else f"{entry.get('msg')}")
    first = complaints[0].get("type") if complaints else None
    return {"detail": {"msg": "; ".join(texts), "type": first}}
