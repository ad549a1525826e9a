"""Where a credential comes from: argument, then metadata, then environment, then the credentials file.

The first source that has a value wins whole; sources are never mixed. Nothing is read at construction: the backend asks at
its first call. No message here contains a value.

The file is ``~/.ipfs_api_credentials`` (or the path in ``IPFS_API_CREDENTIALS``), TOML, or JSON when its first character is
``{``. One table a provider, named as its row; a flat form with the metadata's names is understood as well::

    [openai]
    api_key = "..."              # or: api_keys = ["...", "..."]
    base_url = "https://..."     # optional

    [s3_kit]
    access_key_id = "..."
    secret_access_key = "..."
    endpoint_url = "http://127.0.0.1:9000"

    groq_api_key = "..."         # flat form, before the first table

It must be readable by its owner only (``chmod 600``).

Some providers' own tools keep a key in a file of theirs, which an environment variable names (``HF_TOKEN_PATH``): it
belongs to the environment, is asked after the variables that hold a key, and its permissions are those tools' business.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from backends.discretion import discreet
from backends.errors import ConfigurationError
from backends.provider import Provider
from backends.secret import Key
from backends.settings import nearest

__all__ = ["FIELDS", "Credentials", "file_values", "read_file"]

ROWS: Final = (
    "claude", "gemini", "groq", "hf_tei", "hf_tgi", "llvm", "ollama", "openai", "opea", "ovms", "s3_kit", "vllm",
)  # fmt: skip
FIELDS: Final = (
    "api_key", "api_keys", "base_url", "organization", "project",
    "access_key_id", "secret_access_key", "session_token", "endpoint_url", "region",
)  # fmt: skip
"""Field names that a provider's table may hold."""

_LARGEST_FILE: Final = 1_048_576
_LARGEST_KEY_FILE: Final = 4_096


def default_path(environ: Mapping[str, str]) -> Path:
    """Return where the credentials file is looked for."""
    return Path(environ.get("IPFS_API_CREDENTIALS") or os.path.expanduser("~/.ipfs_api_credentials"))


@discreet
def read_file(path: Path) -> dict[str, dict[str, Any]]:
    """Read and validate a credentials file; an absent file is an empty one.

    Returns:
        row name -> field -> value.

    Raises:
        ConfigurationError: readable by others, too large, not TOML or JSON, an unknown table or field, a wrong type. The
            message names file, line and field, never a value.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(f"Credentials file {path} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"Credentials file {path} is not a regular file.")
    if os.name == "posix" and status.st_mode & 0o077:
        raise ConfigurationError(f"Credentials file {path} can be read by others; run: chmod 600 {path}")
    if status.st_size > _LARGEST_FILE:
        raise ConfigurationError(f"Credentials file {path} is larger than {_LARGEST_FILE} bytes; this is not one.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"Credentials file {path} is not UTF-8 text.") from None
    except OSError as error:
        raise ConfigurationError(f"Credentials file {path} cannot be read: {error.strerror}.") from None
    return _validated(_parsed(text, path), text, path)


def _parsed(text: str, path: Path) -> dict[str, Any]:
    as_json = text.lstrip().startswith("{")
    try:
        document = json.loads(text) if as_json else tomllib.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"Credentials file {path}, line {error.lineno}: not valid JSON.") from None
    except tomllib.TOMLDecodeError as error:
        # Only the position is taken from the parser's message: the rest of it may quote the file.
        found = re.search(r"at line (\d+)", str(error))
        line = found.group(1) if found else str(text.count("\n") + 1)
        raise ConfigurationError(f"Credentials file {path}, line {line}: not valid TOML.") from None
    except RecursionError:
        raise ConfigurationError(f"Credentials file {path} is nested too deeply.") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"Credentials file {path} must hold one table per provider.")
    return document


def _validated(document: dict[str, Any], text: str, path: Path) -> dict[str, dict[str, Any]]:
    result: dict[str, dict[str, Any]] = {}
    flat = {f"{row}_{field}": (row, field) for row in ROWS for field in FIELDS}
    for name, value in document.items():
        where = f"Credentials file {path}, line {_line(text, name)}"
        if name in ROWS:
            if not isinstance(value, dict):
                raise ConfigurationError(f"{where}: {name} must be a table, not {type(value).__name__}.")
            for field, item in value.items():
                here = f"Credentials file {path}, line {_line(text, field, name)}"
                if field not in FIELDS:
                    raise ConfigurationError(
                        f"{here}: unknown field {name}.{field}.", suggestions=nearest(field, FIELDS)
                    )
                result.setdefault(name, {})[field] = _checked(item, field, f"{here}: field {name}.{field}")
        elif name in flat:
            row, field = flat[name]
            result.setdefault(row, {})[field] = _checked(value, field, f"{where}: field {name}")
        else:
            raise ConfigurationError(f"{where}: unknown name {name}.", suggestions=nearest(name, [*ROWS, *flat]))
    return result


def _checked(value: Any, field: str, where: str) -> Any:
    if field == "api_keys":
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(item, str) and item.strip() for item in value)
        ):
            raise ConfigurationError(f"{where} must be a list of non-empty strings.")
    elif not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{where} must be a non-empty string.")
    return value


def _line(text: str, name: str, table: str | None = None) -> int:
    """Return the line on which a name stands; inside its table when one is given."""
    lines = text.splitlines()
    start = 0
    if table is not None:
        header = re.compile(rf'^\s*(\[\s*"?{re.escape(table)}"?\s*\]|"{re.escape(table)}"\s*:)')
        start = next((index for index, line in enumerate(lines) if header.search(line)), 0)
    pattern = re.compile(rf'(^|[\s{{,\["\'.]){re.escape(name)}(["\'\s\]=:.]|$)')
    return next((index + 1 for index, line in enumerate(lines[start:], start) if pattern.search(line)), start + 1)


def file_values(path: Path | None, environ: Mapping[str, str], row: str) -> dict[str, Any]:
    """Return one provider's fields of the credentials file."""
    return read_file(path or default_path(environ)).get(row, {})


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
