"""A pair of access key id and secret as one key of the pool, and where pairs come from.

The pool, masking and rotation work on :class:`backends.secret.Key`; a pair is one. Its fingerprint is that of the
access key id alone, which is what a server's log can show too. Nothing here shows an id, a secret or a session token.

The chain, first source wins whole: argument, metadata (``s3_kit_access_key_id`` ...), environment
(``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``), the table ``[s3_kit]`` of the credentials
file, and as a last resort boto3's own chain: profiles, single sign-on, web identity, container and instance metadata
(the last two ask the network; ``AWS_EC2_METADATA_DISABLED=true`` switches the slow one off). That last resort is not
taken when an environment was injected: boto3 reads the process's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from backends.credentials import Credentials
from backends.credentials_file import default_path
from backends.discretion import discreet
from backends.errors import ConfigurationError
from backends.provider import Provider
from backends.resilience.supply import Issued, KeySource
from backends.secret import Key

__all__ = ["CredentialPair", "PairCredentials", "PairReader", "PairSource", "as_pair", "given_pairs"]

_ENVIRONMENT: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_FIELDS: Final = ("access_key_id", "secret_access_key", "session_token")


class CredentialPair(Key):
    """Access key id, secret access key and, for temporary credentials, a session token.

    Args:
        access_key_id: the public half; shown as a fingerprint only.
        secret_access_key: the secret half; never shown.
        session_token: for temporary credentials.
        name: a label for reports; the fingerprint when not given.

    Raises:
        ConfigurationError: a part is empty, or holds control or non-ASCII characters.
    """

    __slots__ = ("_parts",)

    @discreet
    def __init__(
        self, access_key_id: str, secret_access_key: str, session_token: str | None = None, name: str | None = None
    ) -> None:
        parts = []
        for label, text in zip(_FIELDS, (access_key_id, secret_access_key, session_token), strict=True):
            if text is None and label == "session_token":
                continue
            try:
                parts.append(Key(text).reveal())  # type: ignore[arg-type]  # None is refused by name, too
            except ConfigurationError as error:
                raise ConfigurationError(f"{label}: {error.message}") from None
        super().__init__(":".join(parts))
        self._parts = tuple(parts)
        self.fingerprint = hashlib.sha256(parts[0].encode()).hexdigest()[:8]
        self.name = name or self.fingerprint

    @classmethod
    @discreet
    def parse(cls, text: str) -> CredentialPair:
        """Read ``ID:SECRET`` or ``ID:SECRET:TOKEN``.

        Raises:
            ConfigurationError: it has another form.
        """
        parts = text.strip().split(":", 2) if isinstance(text, str) else []
        if len(parts) < 2 or not all(part.strip() for part in parts):
            raise ConfigurationError(
                "An S3 credential is a pair: pass access_key_id= and secret_access_key=, a CredentialPair, "
                "or 'ID:SECRET'."
            )
        return cls(*parts)

    def arguments(self) -> dict[str, str | None]:
        """Return the arguments of boto3's ``client``; call this only where a client is made."""
        token = self._parts[2] if len(self._parts) > 2 else None
        return {
            "aws_access_key_id": self._parts[0],
            "aws_secret_access_key": self._parts[1],
            "aws_session_token": token,
        }

    def secrets(self) -> tuple[str, ...]:
        """Return every part, to take them out of texts that a server sent."""
        return self._parts


PairReader: TypeAlias = Callable[[str | Key], CredentialPair]


def given_pairs(
    api_key: str | Key | None,
    api_keys: Sequence[str | Key] | None,
    access_key_id: str | None,
    secret_access_key: str | None,
    session_token: str | None,
    read: PairReader | None = None,
) -> tuple[CredentialPair, ...]:
    """Return the pairs of a call's arguments, a text read by ``read`` or :func:`as_pair`; empty when it has none.

    Raises:
        ConfigurationError: half a pair, or two ways at once.
    """
    apart = (access_key_id, secret_access_key, session_token)
    if sum((api_key is not None, api_keys is not None, any(part is not None for part in apart))) > 1:
        raise ConfigurationError("Pass access_key_id and secret_access_key, or api_key, or api_keys; not two of them.")
    if api_keys is not None and (isinstance(api_keys, str | bytes) or not isinstance(api_keys, Sequence)):
        raise ConfigurationError("The argument api_keys must be a list of pairs.")
    if any(part is not None for part in apart):
        return (_pair(dict(zip(_FIELDS, apart, strict=True)), _FIELDS, "arguments"),)
    given = [api_key] if api_key is not None else list(api_keys or ())
    return tuple(dict.fromkeys((read or as_pair)(key) for key in given))


def as_pair(key: str | Key) -> CredentialPair:
    """Return a pair for what a caller passed as a key.

    Raises:
        ConfigurationError: it is no pair.
    """
    if isinstance(key, CredentialPair):
        return key
    if not isinstance(key, Key):
        return CredentialPair.parse(key)
    pair = CredentialPair.parse(key.reveal())
    if key.name != key.fingerprint:
        pair.name = key.name
    return pair


def _pair(values: Mapping[str, Any], names: Sequence[str], where: str) -> CredentialPair:
    texts = [values.get(name) for name in names]
    missing = [name for name, text in zip(names[:2], texts[:2], strict=True) if not text]
    if missing:
        raise ConfigurationError(f"Half a credential in the {where}: {missing[0]} is missing.")
    for name, text in zip(names, texts, strict=True):
        if text is not None and not isinstance(text, str):
            raise ConfigurationError(f"{name} in the {where} must be a string.")
    return CredentialPair(str(texts[0]), str(texts[1]), texts[2] or None)


class PairCredentials(Credentials):
    """The chain of one S3 backend; see the module docstring.

    Args:
        provider: whose credentials.
        pairs: what the caller passed.
        metadata, environ, path: as for :class:`~backends.credentials.Credentials`.
        anonymous: no credentials are wanted.
        read: how one text becomes a pair; :func:`as_pair` when not given.
    """

    def __init__(
        self,
        provider: Provider,
        pairs: tuple[CredentialPair, ...],
        *,
        metadata: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        path: Path | None = None,
        anonymous: bool = False,
        read: PairReader | None = None,
    ) -> None:
        super().__init__(provider, metadata=metadata, environ=environ, path=path)
        self._pairs = pairs
        self._anonymous = anonymous
        self._read = read
        self._own_environment = environ is None

    @discreet
    def keys(self) -> tuple[Key, ...]:
        """Return the pairs of the first source that has any; empty for anonymous use and for boto3's own chain.

        Raises:
            ConfigurationError: a source holds half a pair, or none has any and boto3's chain may not be asked.
        """
        if self._anonymous:
            return ()
        try:
            found = self._pairs or self._metadata_pairs() or self._environment_pairs() or self._file_pairs()
        except ConfigurationError as error:
            error.provider = self._provider.name
            raise
        if found or self._own_environment:
            return found
        raise self.missing()

    def missing(self) -> ConfigurationError:
        """Return the error for "no credentials anywhere", which names what to set."""
        return ConfigurationError(
            f"No credentials for {self._provider.title}: pass access_key_id= and secret_access_key=, put "
            "s3_kit_access_key_id and s3_kit_secret_access_key into metadata, set AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY, or add [s3_kit] to {self._path or default_path(self.environ)}; "
            "anonymous=True reads public buckets without any.",
            provider=self._provider.name,
        )

    def value(self, field: str, argument: str | None = None, variables: Sequence[str] = ()) -> str | None:
        """Return another setting by the chain; an address may be called ``endpoint_url`` or ``base_url``."""
        if field == "base_url":
            if self.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").strip().lower() == "true":
                variables = ()
            found = super().value("endpoint_url", argument, variables)
            if found is not None:
                return found
        return super().value(field, argument, variables)

    def _metadata_pairs(self) -> tuple[CredentialPair, ...]:
        names = [f"s3_kit_{field}" for field in _FIELDS]
        if any(self._metadata.get(name) is not None for name in names):
            return (_pair(self._metadata, names, "metadata"),)
        return self._listed(self._metadata.get("s3_kit_api_keys"), self._metadata.get("s3_kit_api_key"), "metadata")

    def _environment_pairs(self) -> tuple[CredentialPair, ...]:
        values = {name: self.environ.get(name, "").strip() or None for name in _ENVIRONMENT}
        # A session token alone is left over from another tool; an id or a secret alone is a mistake.
        if values[_ENVIRONMENT[0]] is None and values[_ENVIRONMENT[1]] is None:
            return ()
        return (_pair(values, _ENVIRONMENT, "environment"),)

    def _file_pairs(self) -> tuple[CredentialPair, ...]:
        fields = self._from_file()
        if any(field in fields for field in _FIELDS):
            return (_pair(fields, _FIELDS, "credentials file, table s3_kit"),)
        return self._listed(fields.get("api_keys"), fields.get("api_key"), "credentials file, table s3_kit")

    def _listed(self, several: Any, one: Any, where: str) -> tuple[CredentialPair, ...]:
        try:
            return given_pairs(None if several is not None else one, several, None, None, None, self._read)
        except ConfigurationError as error:
            raise ConfigurationError(f"{error.message} (in the {where})") from None


class PairSource:
    """A source of keys whose texts are pairs.

    Args:
        inner: gives pairs, or texts such as ``"ID:SECRET"`` or ``"ID:SECRET:TOKEN"``.
        read: makes a pair of one.
    """

    def __init__(self, inner: KeySource, read: Callable[[str | Key], CredentialPair]) -> None:
        self._inner = inner
        self._read = read

    async def fetch(self) -> Issued:
        """Return the pairs of now.

        Raises:
            BackendError: there are none, or one is no pair.
        """
        issued = await self._inner.fetch()
        return replace(issued, keys=tuple(self._read(key) for key in issued.keys))
