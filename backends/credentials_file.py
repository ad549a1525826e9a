"""The credentials file: where it is, who may read it, what may stand in it.

It is ``~/.ipfs_api_credentials`` (or the path in ``IPFS_API_CREDENTIALS``), TOML, or JSON when its first character is ``{``.
One table a provider, named as its row; a flat form with the metadata's names is understood as well::

    [openai]
    api_key = "..."              # or: api_keys = ["...", "..."]
    base_url = "https://..."     # optional

    [s3_kit]
    access_key_id = "..."
    secret_access_key = "..."
    endpoint_url = "http://127.0.0.1:9000"

    groq_api_key = "..."         # flat form, before the first table

It must be readable by its owner only (``chmod 600``). It is read anew for whoever asks, never written, and no message holds a
value of it. Which source goes before which is decided in :mod:`backends.credentials`.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from backends.discretion import discreet
from backends.errors import ConfigurationError
from backends.settings import nearest

__all__ = ["FIELDS", "ROWS", "default_path", "file_values", "read_file"]

ROWS: Final = (
    "claude", "gemini", "groq", "hf_tei", "hf_tgi", "llvm", "ollama", "openai", "opea", "ovms", "s3_kit", "vllm",
)  # fmt: skip
FIELDS: Final = (
    "api_key", "api_keys", "base_url", "organization", "project",
    "access_key_id", "secret_access_key", "session_token", "endpoint_url", "region",
)  # fmt: skip
"""Field names that a provider's table may hold."""

_LARGEST_FILE: Final = 1_048_576


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
    import tomllib  # not above: most programs have no such file, and its expressions cost 10 ms

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
