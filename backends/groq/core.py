"""What every call of the Groq backend needs: the service's facts, its address, headers, errors, the model of a call.

Wire facts: ``_client.py`` of the official SDK 1.7.0; ``console.groq.com/docs/errors``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from backends import errors
from backends.dialects.openai_common import checked_model
from backends.dialects.openai_server import DialectServer
from backends.groq.known_models import KnownModel, catalogue, default_model, explain, known_model
from backends.groq.prices import chat_cost, price_table, sound_cost
from backends.operation import Operation
from backends.parameters import bad_argument
from backends.provider import Provider
from backends.resilience.endpoint import Endpoint
from backends.secret import Key
from backends.telemetry.prices import PriceTable
from backends.types import Reply
from backends.values import Speech, Transcript
from backends.wire.values import check_header

__all__ = ["GroqCore", "service_url"]

_DIALECT: Final = "/openai/v1"
_LONGEST_GENERATION: Final = 65_536
_MOST_HEADERS: Final = 64
_OWN_HEADERS: Final = frozenset(
    {"authorization", "host", "content-length", "content-type", "transfer-encoding", "connection"}
)
_METHODS: Final = {
    "chat": "chat() or responses()",
    "transcription": "transcribe()",
    "translation": "translate()",
    "speech": "speech()",
}


def service_url(address: str) -> str:
    """Return the address of the dialect's paths: as it is where it ends in ``/v1``, otherwise with ``/openai/v1``,
    which the official client adds to its base URL, too."""
    address = address.rstrip("/")
    return address if address.endswith("/v1") else address + _DIALECT


class GroqCore(DialectServer):
    """Base of the groups of calls; see :class:`backends.groq.Groq`.

    Args:
        allow_retired: send calls for models that were switched off for most accounts; for accounts that have kept them.
    """

    provider: ClassVar[Provider] = Provider(
        name="groq",
        title="Groq",
        base_url="https://api.groq.com" + _DIALECT,
        key_required=True,
        key_variables=("GROQ_API_KEY",),
        base_url_variables=("GROQ_BASE_URL",),
    )
    usage_asked: ClassVar[bool] = False  # the last chunk of every stream has it

    def __init__(self, *arguments: Any, allow_retired: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not isinstance(allow_retired, bool):
            raise errors.ConfigurationError("allow_retired must be True or False.", provider=self.provider.name)
        self._allow_retired = allow_retired
        self._custom_headers: tuple[tuple[str, str], ...] | None = None

    @property
    def base_url(self) -> str:
        """Address of the default endpoint: argument, metadata, ``GROQ_BASE_URL``, credentials file, vendor; see
        :func:`service_url`."""
        return service_url(super().base_url)

    def create_endpoint(
        self,
        name: str,
        base_url: str | None = None,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        **settings: Any,
    ) -> None:
        """Add an endpoint; as in :class:`backends.base.Backend`, ``base_url`` with or without ``/openai/v1``."""
        address = service_url(base_url) if isinstance(base_url, str) else base_url
        super().create_endpoint(name, address, api_key, api_keys, **settings)

    def fixed_headers(self, endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
        """Return the headers of ``GROQ_CUSTOM_HEADERS`` (lines ``Name: value``), or of metadata
        ``groq_custom_headers``. They may name an account or version, so they go where its keys go and to no endpoint
        elsewhere."""
        if endpoint.base_url != self.base_url:
            return ()
        if self._custom_headers is None:
            given = self.credentials.value("custom_headers", variables=("GROQ_CUSTOM_HEADERS",))
            self._custom_headers = self._parsed_headers(given or "")
        return self._custom_headers

    def _parsed_headers(self, text: str) -> tuple[tuple[str, str], ...]:
        headers: list[tuple[str, str]] = []
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            name, colon, value = (part.strip() for part in line.partition(":"))
            problem = _header_problem(name, value) if colon else "it is not 'Name: value'"
            if len(headers) == _MOST_HEADERS:
                problem = f"at most {_MOST_HEADERS} headers are sent"
            if problem is not None:
                raise errors.ConfigurationError(
                    f"GROQ_CUSTOM_HEADERS, line {number}: {problem}.", provider=self.provider.name
                )
            headers.append((name, value))
        return tuple(headers)

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer. What the model wrote before the service refused it
        (``failed_generation``) is its ``partial``; an unknown or retired model comes with suggestions."""
        error = super().read_error(status, headers, data, operation)
        inner = data.get("error") if isinstance(data, dict) else None
        if isinstance(inner, dict):
            written, place = inner.get("failed_generation"), inner.get("schema_path")
            if isinstance(written, str) and written:
                error.partial = written[:_LONGEST_GENERATION]
            if isinstance(place, str) and place and place not in error.message:
                error.message += f" (schema path {place[:200]})"
        return error

    def explain(self, model: str) -> tuple[str, tuple[str, ...]]:
        """Return a sentence about a model that the service did not know, and the names that may have been meant: of the
        catalogue and of what ``models()`` has shown."""
        return explain(model, self._seen_models)

    def vendor_prices(self) -> PriceTable:
        """Return the prices of the catalogue."""
        return price_table()

    def reply_cost(self, reply: Reply, asked: Mapping[str, Any], prices: PriceTable) -> float | None:
        """Return what a reply costs; a short sound is charged as one of ten seconds, a system as the models it used."""
        if isinstance(reply, Transcript):
            return sound_cost(reply.model, reply.duration, prices)
        if isinstance(reply, Speech):
            return super().reply_cost(reply, asked, prices)
        return chat_cost(reply, asked.get("service_tier"), prices)

    def _chosen_model(self, model: str | None, kind: str) -> str:
        """Return the model of a call: its own, else the backend's if it does this (or is unknown here), else the
        default of the kind.

        Raises:
            InvalidRequestError: the catalogue knows that the model does something else.
            UnknownModelError: it was switched off, and neither ``allow_retired`` nor ``models()`` says otherwise.
        """
        own = self.model
        if model is not None:
            name = checked_model(model, self.provider.name)
        elif own is not None and _does(known_model(own), kind):
            name = checked_model(own, self.provider.name)
        else:
            name = default_model(kind)
        self._check_model(name, known_model(name), kind)
        return name

    def _check_model(self, name: str, model: KnownModel | None, kind: str) -> None:
        if model is None:
            return
        if model.off and not self._allow_retired and name not in self._seen_models:
            raise errors.UnknownModelError(
                f"{model.said()} An account that has kept it passes allow_retired=True to the backend.",
                provider=self.provider.name,
                code="model_decommissioned",
                suggestions=(model.replacement,) if model.replacement else (),
            )
        if not _does(model, kind):
            can = " or ".join(method for does, method in _METHODS.items() if does in model.categories)
            raise errors.InvalidRequestError(
                f"model {name} cannot do this: it is for {can}. Models for {kind}: "
                f"{', '.join(other.id for other in catalogue(kind))}.",
                provider=self.provider.name,
                code="incompatible_model",
                suggestions=(default_model(kind),),
            )

    def _check_sight(self, name: str, place: str) -> None:
        """Refuse an image for a model that is known to read none."""
        model = known_model(name)
        if model is not None and model.images is False:
            seeing = ", ".join(other.id for other in catalogue("vision"))
            bad_argument(f"{place} is an image, and {name} reads none; models that do: {seeing}", self.provider.name)


def _header_problem(name: str, value: str) -> str | None:
    if name.lower() in _OWN_HEADERS:
        return f"it must not set {name}"
    if name.lower() == "user-agent":
        return "it must not set User-Agent; use the setting user_agent"
    try:
        check_header(name, value)
    except ValueError as error:
        return str(error)
    return None


def _does(model: KnownModel | None, kind: str) -> bool:
    return model is None or kind in model.categories
