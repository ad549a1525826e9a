"""What every call of the Claude backend needs: the provider's facts, headers, version, errors, the model of a call.

Wire facts: the version goes into ``anthropic-version``, beta features into ``anthropic-beta`` (names joined by commas).
A credential goes into ``Authorization: Bearer`` (any credential, what the official SDK 2.14.0 does) or ``x-api-key``
(API keys only, what came before and what every gateway knows).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Literal

from backends import errors
from backends.claude.failures import typed_error
from backends.claude.parameters import taken
from backends.claude.terms import terms_of
from backends.dialects.openai_common import checked_model
from backends.http import HTTPBackend
from backends.operation import CallOptions, Operation
from backends.parameters import bad_argument
from backends.prepared import secret_header
from backends.provider import Provider
from backends.resilience.endpoint import Endpoint
from backends.secret import Key
from backends.segments import checked_segment
from backends.telemetry.prices import Terms
from backends.types import Reply
from backends.wire.values import check_header

__all__ = ["DEFAULT_VERSION", "ClaudeCore", "Headers"]

DEFAULT_VERSION: Final = "2026-10-21"
Headers = tuple[tuple[str, str], ...]

_FIRST_WITHOUT_SAMPLING: Final = "2026-10-21"
_VERSION: Final = re.compile(r"20\d\d-[01]\d-[0-3]\d", re.ASCII)
_BETA: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_TOKEN_VARIABLE: Final = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 - the name of a variable
_TOKEN_PREFIX: Final = "sk-ant-oat"  # noqa: S105 - how access tokens begin
_OWN_HEADERS: Final = frozenset({"anthropic-version", "content-type", "x-api-key", "authorization"})


class ClaudeCore(HTTPBackend):
    """Base of the groups of calls.

    Args:
        anthropic_version: the API's version, ``YYYY-MM-DD``. From 2026-10-21 on there are no sampling parameters;
            ``2023-06-01`` takes them.
        betas: beta features of every call.
        key_header: ``authorization`` (as a bearer token) or ``x-api-key``, for API keys; access tokens always go as
            bearer tokens. None is ``authorization`` from version 2026-10-21 on, ``x-api-key`` before, as the official
            client of each version does.
        auth_token: an access token instead of an API key; also read from ``ANTHROPIC_AUTH_TOKEN``.
        **options: see :class:`backends.base.Backend`.

    Raises:
        ConfigurationError: an argument is wrong; the message names it.
    """

    provider: ClassVar[Provider] = Provider(
        name="claude",
        title="Claude",
        base_url="https://api.anthropic.com",
        key_required=True,
        key_variables=("ANTHROPIC_API_KEY", _TOKEN_VARIABLE),
        base_url_variables=("ANTHROPIC_BASE_URL",),
        key_header="x-api-key",
        key_prefix="",
        request_id_headers=("request-id",),
        default_model="claude-haiku-5-5",
    )
    reserved_headers: ClassVar[Mapping[str, str]] = {"anthropic-version": "pass anthropic_version= to the backend"}

    def __init__(
        self,
        *arguments: Any,
        anthropic_version: str = DEFAULT_VERSION,
        betas: Sequence[str] = (),
        key_header: Literal["authorization", "x-api-key"] | None = None,
        auth_token: str | Key | None = None,
        **options: Any,
    ) -> None:
        if auth_token is not None:
            if options.get("api_key") is not None or options.get("api_keys") is not None:
                raise _misconfigured("pass auth_token or API keys, not both")
            auth_token = options["api_key"] = auth_token if isinstance(auth_token, Key) else Key(auth_token)
        if not isinstance(anthropic_version, str) or _VERSION.fullmatch(anthropic_version) is None:
            raise _misconfigured("anthropic_version must be a date such as 2026-10-21")
        if key_header not in (None, "authorization", "x-api-key"):
            raise _misconfigured("key_header must be authorization or x-api-key")
        super().__init__(*arguments, **options)
        self.anthropic_version = anthropic_version
        self.betas = _checked_betas(betas)
        self.samples = anthropic_version < _FIRST_WITHOUT_SAMPLING
        """Whether this version of the API has ``temperature``, ``top_p`` and ``top_k``."""
        self._auth_token = auth_token
        self._key_header = key_header or ("x-api-key" if self.samples else "authorization")
        self._custom_headers: Headers | None = None

    # -- headers -------------------------------------------------------------------------------------------------------

    def fixed_headers(self, endpoint: Endpoint) -> Headers:
        """Return the version, and the headers of ``ANTHROPIC_CUSTOM_HEADERS`` where the backend's own keys go."""
        version = ("anthropic-version", self.anthropic_version)
        if endpoint.base_url != self.base_url:
            return (version,)
        if self._custom_headers is None:
            self._custom_headers = tuple(_custom_headers(self.credentials.environ.get("ANTHROPIC_CUSTOM_HEADERS", "")))
        return (version, *self._custom_headers)

    def credential_header(self, key: Key) -> tuple[str, str]:
        """Return the header of a credential: a bearer token, or ``x-api-key``; see ``key_header``."""
        if self._key_header == "x-api-key" and not self._is_token(key):
            return super().credential_header(key)
        return "Authorization", "Bearer " + key.reveal()

    def _is_token(self, key: Key) -> bool:
        """Say whether a credential is an access token: by how we got it, or by how it begins."""
        text = key.reveal()
        if text.startswith(_TOKEN_PREFIX) or key == self._auth_token:
            return True
        held = self.credentials.environ.get(_TOKEN_VARIABLE, "")
        return text in [part.strip() for part in held.split(",")]

    # -- arguments -----------------------------------------------------------------------------------------------------

    def _taken(
        self, parameters: Mapping[str, Any], table: type, *, body: bool = True
    ) -> tuple[CallOptions, dict[str, Any], Headers]:
        """Return the options of a call, the fields of its body, and the headers that its arguments stand for.

        Raises:
            InvalidRequestError: an argument is unknown, or does not fit.
        """
        options, fields = taken(parameters, table, body=body, sampling=self.samples, version=self.anthropic_version)
        betas = dict.fromkeys((*self.betas, *_call_betas(fields.pop("betas", ()))))
        return options, fields, (("anthropic-beta", ",".join(betas)),) if betas else ()

    def _chosen_model(self, model: str | None) -> str:
        """Return the model of a call: its own, else the backend's."""
        return checked_model(model if model is not None else self.model, "claude")

    def _event_limit(self, options: CallOptions) -> int:
        return self.endpoint(options.get("endpoint")).settings.max_event_bytes

    def _segment(self, name: str, value: Any) -> str:
        """Return an id as one escaped path segment.

        Raises:
            InvalidRequestError: it is not text, or cannot be a path segment.
        """
        return checked_segment(name, value, "claude")

    # -- answers -------------------------------------------------------------------------------------------------------

    def terms(self, reply: Reply, asked: Mapping[str, Any]) -> Terms:
        """Return on what terms a reply was made."""
        return terms_of(super().terms(reply, asked), reply, asked)

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer; an unknown or retired model comes with suggestions."""
        del headers
        return typed_error(status, data, model=operation.model)


def _misconfigured(message: str) -> errors.ConfigurationError:
    return errors.ConfigurationError(f"{message}.", provider="claude")


def _checked_betas(betas: Any) -> tuple[str, ...]:
    if isinstance(betas, str) or not isinstance(betas, Sequence) or not all(map(_is_beta, betas)):
        raise _misconfigured("betas must be a list of names such as context-1m-2025-08-07")
    return tuple(betas)


def _call_betas(betas: Sequence[str]) -> Sequence[str]:
    for index, beta in enumerate(betas):
        if not _is_beta(beta):
            bad_argument(f"betas[{index}] must be a name such as context-1m-2025-08-07", "claude")
    return betas


def _is_beta(beta: Any) -> bool:
    return isinstance(beta, str) and _BETA.fullmatch(beta) is not None


def _custom_headers(text: str) -> list[tuple[str, str]]:
    """Read ``ANTHROPIC_CUSTOM_HEADERS``: lines of ``Name: value``.

    Raises:
        ConfigurationError: a line is no header, or would replace the credential or the version.
    """
    found: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon or name.lower() in _OWN_HEADERS:
            raise _misconfigured(f"ANTHROPIC_CUSTOM_HEADERS, line {number}: not a header that can be added")
        try:
            check_header(name, value.strip())
        except ValueError as error:
            raise _misconfigured(f"ANTHROPIC_CUSTOM_HEADERS, line {number}: {error}") from None
        found.append((name, secret_header(name, value.strip())))
    return found
