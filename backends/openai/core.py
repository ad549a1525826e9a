"""What every call of the OpenAI backend needs: the provider's facts, headers, errors, the model of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from backends import errors
from backends.dialects.openai_common import checked_model
from backends.dialects.openai_errors import typed_error
from backends.http import HTTPBackend
from backends.openai.catalogue import default_model, explain, known_models
from backends.operation import CallOptions, Operation
from backends.parameters import bad_argument
from backends.provider import Provider
from backends.resilience.endpoint import Endpoint
from backends.wire.values import check_header, segment

__all__ = ["OpenAICore"]


class OpenAICore(HTTPBackend):
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

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer; an unknown or retired model comes with suggestions."""
        del headers
        return typed_error(status, data, model=operation.model, explain=explain)

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

    def _event_limit(self, options: CallOptions) -> int:
        return self.endpoint(options.get("endpoint")).settings.max_event_bytes

    def _segment(self, name: str, value: Any) -> str:
        """Return an id as one escaped path segment.

        Raises:
            InvalidRequestError: it is not text, or cannot be a path segment.
        """
        if not isinstance(value, str):
            bad_argument(f"{name} must be text, not {type(value).__name__}", self.provider.name)
        if len(value) > 500:
            bad_argument(f"{name} is longer than 500 characters", self.provider.name)
        try:
            return segment(value)
        except ValueError as error:
            bad_argument(f"{name}: {error}", self.provider.name)
