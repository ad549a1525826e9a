"""What every call of the Gemini backend needs: the provider's facts, the API version, errors, models, resource names.

Wire facts: google-genai 3.6.1 (``_api_client.py``). The key travels in ``x-goog-api-key`` only; ``?key=``, which the
service takes as well, would stand in logs. ``GOOGLE_API_KEY`` goes before ``GEMINI_API_KEY``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from backends import errors
from backends.dialects.openai_common import checked_model
from backends.gemini.catalogue import DEFAULTS, KNOWN, bare_name
from backends.gemini.failures import typed_error
from backends.gemini.terms import terms_of
from backends.http import HTTPBackend
from backends.operation import CallOptions, Operation
from backends.provider import Provider
from backends.segments import checked_segment
from backends.telemetry.prices import Terms
from backends.types import Reply

__all__ = ["PROVIDER", "GeminiCore", "resource", "text_in", "unix_seconds"]

PROVIDER: Final = Provider(
    name="gemini",
    title="Gemini",
    base_url="https://generativelanguage.googleapis.com",
    key_required=True,
    key_variables=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    base_url_variables=("GOOGLE_GEMINI_BASE_URL",),
    key_header="x-goog-api-key",
    key_prefix="",
    request_id_headers=(),  # the service has none; answers are named in their bodies, errors not at all
)
_VERSION: Final = re.compile(r"v[0-9]{1,3}(alpha|beta)?[0-9]{0,3}", re.ASCII)
_DEFAULT_VERSION: Final = "v1"


class GeminiCore(HTTPBackend):
    """Base of the groups of calls; see :class:`backends.gemini.Gemini`."""

    provider: ClassVar[Provider] = PROVIDER

    def __init__(self, *arguments: Any, api_version: str | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._version = None if api_version is None else _checked_version(api_version, "api_version")

    @property
    def api_version(self) -> str:
        """Version in every path: argument, metadata ``gemini_api_version``, ``GOOGLE_GENAI_API_VERSION``, ``v1``."""
        if self._version is None:
            found = self.credentials.value("api_version", variables=("GOOGLE_GENAI_API_VERSION",))
            self._version = _DEFAULT_VERSION if found is None else _checked_version(found, "GOOGLE_GENAI_API_VERSION")
        return self._version

    def terms(self, reply: Reply, asked: Mapping[str, Any]) -> Terms:
        """Return on what terms a reply was made."""
        return terms_of(super().terms(reply, asked), reply, asked)

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer; an unknown or retired model comes with suggestions."""
        del headers
        return typed_error(status, data, model=operation.model)

    def _chosen_model(self, model: str | None, kind: str) -> str:
        """Return the model of a call: its own, else the backend's if it is of the kind (or unknown here), else the
        default."""
        if model is not None:
            return bare_name(checked_model(model, self.provider.name))
        if self.model is not None:
            own = bare_name(checked_model(self.model, self.provider.name))
            if own not in KNOWN or KNOWN[own].kind == kind:
                return own
        return DEFAULTS[kind]

    def _path(self, rest: str) -> str:
        return f"/{self.api_version}/{rest}"

    def _model_path(self, model: str, verb: str = "") -> str:
        """Return the path of a model (``tunedModels/...`` keeps its collection) and of what is done with it."""
        collection = "tunedModels" if model.startswith("tunedModels/") else "models"
        name = self._segment("model", bare_name(model).removeprefix("tunedModels/"))
        return self._path(f"{collection}/{name}{verb}")

    def _resource_path(self, collection: str, argument: str, name: Any, verb: str = "") -> str:
        """Return the path of a file, batch or cached content, named with its collection or without."""
        if isinstance(name, str):
            name = name.removeprefix(f"{collection}/")
        return self._path(f"{collection}/{self._segment(argument, name)}{verb}")

    def _segment(self, argument: str, value: Any) -> str:
        """Return an id as one escaped path segment.

        Raises:
            InvalidRequestError: it is not text, or cannot be a path segment.
        """
        return checked_segment(argument, value, self.provider.name)

    def _event_limit(self, options: CallOptions) -> int:
        return self.endpoint(options.get("endpoint")).settings.max_event_bytes


def _checked_version(version: Any, where: str) -> str:
    if version == "beta":
        return "v1beta"
    if not isinstance(version, str) or _VERSION.fullmatch(version) is None:
        raise errors.ConfigurationError(
            f"{where} must be a version such as v1, v1beta or v1alpha.", provider=PROVIDER.name
        )
    return version


def resource(collection: str, name: str) -> str:
    """Return the name of a resource with its collection (``files/abc``)."""
    return name if name.startswith(f"{collection}/") else f"{collection}/{name}"


def text_in(holder: Mapping[str, Any], name: str) -> str | None:
    """Return a text field, None when it is missing, empty or something else."""
    value = holder.get(name)
    return value if isinstance(value, str) and value else None


def unix_seconds(text: Any) -> int | None:
    """Return an RFC 3339 time as unix seconds, None for what is none."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    # Nanoseconds, which Python does not read, are cut to the six digits it does.
    short = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        moment = datetime.fromisoformat(short)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
