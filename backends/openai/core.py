"""What every call of the OpenAI backend needs: the provider's facts, headers, errors, the model of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from backends import errors
from backends.dialects.openai_common import checked_model
from backends.dialects.openai_server import DialectServer
from backends.openai.catalogue import default_model, explain, known_models
from backends.openai.terms import terms_of
from backends.provider import Provider
from backends.resilience.endpoint import Endpoint
from backends.telemetry.prices import Terms
from backends.types import Reply
from backends.wire.values import check_header

__all__ = ["OpenAICore"]


class OpenAICore(DialectServer):
    """Base of the groups of calls; see :class:`backends.openai.OpenAI`."""

    provider: ClassVar[Provider] = Provider(
        name="openai",
        title="OpenAI",
        base_url="https://api.openai.com/v1",
        key_required=True,
        key_variables=("OPENAI_API_KEY",),
        base_url_variables=("OPENAI_BASE_URL",),
        client_request_id_header="X-Client-Request-Id",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._account_headers: tuple[tuple[str, str], ...] | None = None

    def fixed_headers(self, endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
        """Return the organisation and project headers: metadata, then ``OPENAI_ORG_ID``/``OPENAI_PROJECT_ID``, then
        the file. They name an account, so they go where its keys go and to no endpoint elsewhere."""
        if endpoint.base_url != self.base_url:
            return ()
        if self._account_headers is None:
            headers = []
            for header, field, variable in (
                ("OpenAI-Organization", "organization", "OPENAI_ORG_ID"),
                ("OpenAI-Project", "project", "OPENAI_PROJECT_ID"),
            ):
                value = self.credentials.value(field, variables=(variable,))
                if value is None:
                    continue
                try:
                    check_header(header, value)
                except ValueError as error:
                    raise errors.ConfigurationError(f"{field}: {error}.", provider=self.provider.name) from None
                headers.append((header, value))
            self._account_headers = tuple(headers)
        return self._account_headers

    def terms(self, reply: Reply, asked: Mapping[str, Any]) -> Terms:
        """Return on what terms a reply was made."""
        return terms_of(super().terms(reply, asked), reply, asked)

    def explain(self, model: str) -> tuple[str, tuple[str, ...]]:
        """Return a sentence about a model that the service did not know, and the names that may have been meant."""
        return explain(model)

    def _chosen_model(self, model: str | None, kind: str) -> str:
        """Return the model of a call: its own, else the backend's if it is of the kind (or unknown here), else the
        default."""
        if model is not None:
            return checked_model(model, self.provider.name)
        own = self.model
        if own is not None:
            known = known_models().get(own)
            if known is None or known.kind == kind:
                return checked_model(own, self.provider.name)
        return default_model(kind)
