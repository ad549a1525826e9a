"""Where a credential comes from: argument, then metadata, then environment, then the credentials file.

The first source that has a value wins whole; sources are never mixed. Nothing is read at construction: the backend asks at
its first call. No message here contains a value.

The file and what may stand in it: :mod:`backends.credentials_file`. Some providers' own tools keep a key in a file of theirs,
which an environment variable names (``HF_TOKEN_PATH``): it belongs to the environment, is asked after the variables that hold
a key, and its permissions are those tools' business.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from backends.credentials_file import FIELDS, default_path, file_values, read_file
from backends.discretion import discreet
from backends.errors import ConfigurationError
from backends.provider import Provider
from backends.secret import Key

__all__ = ["FIELDS", "Credentials", "file_values", "read_file"]

_LARGEST_KEY_FILE: Final = 4_096


class Credentials:
    """The chain for one provider; every source is looked at when asked, in order, and not before.

    Args:
        provider: whose credentials.
        api_key, api_keys: what the caller passed.
        metadata: ``{"openai_api_key": ...}``, ``{"openai_api_keys": [...]}``, ``{"openai_base_url": ...}``.
        environ: the environment; None is the process's own at the time of asking.
        path: the credentials file; None is the default place.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        metadata: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        path: Path | None = None,
    ) -> None:
        if api_key is not None and api_keys is not None:
            raise ConfigurationError("Pass api_key or api_keys, not both.", provider=provider.name)
        self._provider = provider
        self._argument = _keys([api_key] if api_key is not None else api_keys, "argument api_keys", provider)
        self._metadata = dict(metadata or {})
        self._environ = environ
        self._path = path
        self._file: dict[str, Any] | None = None

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that is asked."""
        return os.environ if self._environ is None else self._environ

    def _from_file(self) -> dict[str, Any]:
        if self._file is None:
            self._file = file_values(self._path, self.environ, self._provider.name)
        return self._file

    @discreet
    def keys(self) -> tuple[Key, ...]:
        """Return the keys of the first source that has any; an empty tuple when none has and none is required.

        Raises:
            ConfigurationError: no source has a key and the provider requires one (the message names what to set), or a source is malformed.
        """
        provider = self._provider
        sources: tuple[Callable[[], tuple[Key, ...]], ...] = (
            lambda: self._argument,
            self._metadata_keys,
            self._environment_keys,
            self._file_keys,
        )
        for source in sources:
            found = source()
            if found:
                return found
        if not provider.key_required:
            return ()
        raise ConfigurationError(
            f"No API key for {provider.title}: pass api_key=, put {provider.name}_api_key into metadata, set "
            f"{' or '.join(provider.key_variables)}, or add [{provider.name}] to {self._path or default_path(self.environ)}.",
            provider=provider.name,
        )

    def _metadata_keys(self) -> tuple[Key, ...]:
        name = self._provider.name
        several, one = self._metadata.get(f"{name}_api_keys"), self._metadata.get(f"{name}_api_key")
        if several is not None:
            return _keys(several, f"metadata {name}_api_keys", self._provider)
        return _keys([one], f"metadata {name}_api_key", self._provider) if one is not None else ()

    def _environment_keys(self) -> tuple[Key, ...]:
        for variable in self._provider.key_variables:
            text = self.environ.get(variable, "").strip()
            if text:
                parts = [part for part in text.split(",") if part.strip()]
                return _keys(parts, f"environment variable {variable}", self._provider)
        for variable in self._provider.key_file_variables:
            text = _key_file(self.environ.get(variable, "").strip(), variable)
            if text:
                return _keys([text], f"file of environment variable {variable}", self._provider)
        return ()

    def _file_keys(self) -> tuple[Key, ...]:
        fields = self._from_file()
        value = fields.get("api_keys") or ([fields["api_key"]] if "api_key" in fields else None)
        return _keys(value, f"credentials file, field {self._provider.name}.api_key", self._provider)

    @discreet
    def value(self, field: str, argument: str | None = None, variables: Sequence[str] = ()) -> str | None:
        """Return another setting (``base_url``, ``organization``) by the same chain, None when no source has it."""
        if argument is not None:
            return argument
        found = self._metadata.get(f"{self._provider.name}_{field}")
        if found is not None:
            if not isinstance(found, str):
                raise ConfigurationError(
                    f"metadata {self._provider.name}_{field} must be a string.", provider=self._provider.name
                )
            return found
        for variable in variables:
            text = self.environ.get(variable, "").strip()
            if text:
                return text
        value = self._from_file().get(field)
        return value if isinstance(value, str) else None


def _key_file(path: str, variable: str) -> str:
    """Return the key in a file that another program keeps; an absent file is an empty one.

    Raises:
        ConfigurationError: it cannot be read, or is too large to be a key.
    """
    if not path:
        return ""
    try:
        with open(os.path.expanduser(path), "rb") as file:
            content = file.read(_LARGEST_KEY_FILE + 1)
        text = content.decode("utf-8").strip()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise ConfigurationError(f"The file of environment variable {variable} is not text.") from None
    except OSError as error:
        raise ConfigurationError(
            f"The file of environment variable {variable} cannot be read: {error.strerror}."
        ) from None
    if len(content) > _LARGEST_KEY_FILE:
        raise ConfigurationError(f"The file of environment variable {variable} is too large to hold a key.")
    return text


def _keys(values: Any, where: str, provider: Provider) -> tuple[Key, ...]:
    if values is None:
        return ()
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise ConfigurationError(f"The {where} must be a list of strings.", provider=provider.name)
    result: dict[Key, None] = {}
    for value in values:
        try:
            result[value if isinstance(value, Key) else Key(value)] = None
        except ConfigurationError as error:
            raise ConfigurationError(f"{error.message} (in the {where})", provider=provider.name) from None
    return tuple(result)
