"""Where keys come from, in which order, and what is said of a file that cannot be used."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from base_bench import PARROT, Parrot, parrot

from backends.credentials import Credentials
from backends.credentials_file import FIELDS, ROWS, file_values, read_file
from backends.errors import ConfigurationError
from backends.provider import Provider
from backends.secret import Key

SECRET = "sk-planted-7Hq2"
FREE = Provider(name="ollama", title="Free", base_url="http://127.0.0.1:1", key_required=False, key_variables=())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A place for a credentials file that only its owner may read."""
    path = tmp_path / "credentials"
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path


def revealed(credentials: Credentials) -> list[str]:
    found = credentials.keys()
    return [key.reveal() for key in found]


def chain(file: Path | None = None, provider: Provider = PARROT, **sources: Any) -> Credentials:
    sources.setdefault("environ", {})
    return Credentials(provider, path=file or Path("/nowhere/at/all"), **sources)


def test_the_first_source_wins_whole(file: Path) -> None:
    """Argument, metadata, environment, file: the first that has any, and never a mixture."""
    file.write_text('[openai]\napi_keys = ["sk-file-1", "sk-file-2"]\n')
    sources: dict[str, Any] = {
        "api_keys": ["sk-argument-1", "sk-argument-2"],
        "metadata": {"openai_api_key": "sk-metadata"},
        "environ": {"PARROT_KEY": "sk-environment"},
    }
    assert revealed(chain(file, **sources)) == ["sk-argument-1", "sk-argument-2"]
    del sources["api_keys"]
    assert revealed(chain(file, **sources)) == ["sk-metadata"]
    del sources["metadata"]
    assert revealed(chain(file, **sources)) == ["sk-environment"]
    sources["environ"] = {"PARROT_KEY": "  "}
    assert revealed(chain(file, **sources)) == ["sk-file-1", "sk-file-2"]


def test_several_keys_come_from_every_source(file: Path) -> None:
    """Lists where lists can be written, commas in the environment; a repeated key is one key."""
    assert revealed(chain(metadata={"openai_api_keys": ["a", "b", "a"]})) == ["a", "b"]
    assert revealed(chain(environ={"PARROT_KEY": " a , b ,, a"})) == ["a", "b"]
    assert revealed(chain(environ={"PARROT_OTHER_KEY": "c"})) == ["c"]
    assert revealed(chain(api_key=Key("d", name="main"))) == ["d"]
    file.write_text('openai_api_keys = ["e", "f"]')
    assert revealed(chain(file)) == ["e", "f"]


def test_a_missing_key_says_what_to_set() -> None:
    """Every way of giving one is named; a provider without keys has none."""
    with pytest.raises(ConfigurationError) as caught:
        chain().keys()
    for way in ("api_key=", "openai_api_key", "PARROT_KEY or PARROT_OTHER_KEY", "[openai]", "/nowhere/at/all"):
        assert way in str(caught.value)
    assert chain(provider=FREE).keys() == ()


@pytest.mark.parametrize(
    "sources",
    [
        {"api_keys": SECRET},
        {"api_keys": [SECRET, ""]},
        {"api_keys": [SECRET + "\n" + SECRET]},
        {"api_keys": [SECRET, 5]},
        {"api_key": SECRET, "api_keys": [SECRET]},
        {"metadata": {"openai_api_key": ""}},
        {"metadata": {"openai_api_key": SECRET + "\x00"}},
        {"metadata": {"openai_api_keys": SECRET}},
        {"environ": {"PARROT_KEY": SECRET + "\x01"}},
    ],
    ids=lambda sources: "-".join(sources),
)
def test_a_malformed_key_names_its_source_and_not_itself(sources: dict[str, Any]) -> None:
    """The message says where it stands."""
    with pytest.raises(ConfigurationError) as caught:
        chain(**sources).keys()
    assert SECRET not in str(caught.value)
    assert next(iter(sources)).rstrip("s").replace("environ", "environment") in str(caught.value)


def test_other_values_follow_the_same_chain(file: Path) -> None:
    """Addresses and organisations: argument, metadata, environment, file, nothing."""
    file.write_text('[openai]\nbase_url = "https://file.invalid"\n')
    environ, metadata = {"PARROT_URL": "https://environment.invalid"}, {"openai_base_url": "https://metadata.invalid"}
    credentials = chain(file, environ=environ, metadata=metadata)
    assert credentials.value("base_url", "https://argument.invalid", ("PARROT_URL",)) == "https://argument.invalid"
    assert credentials.value("base_url", None, ("PARROT_URL",)) == "https://metadata.invalid"
    assert chain(file, environ=environ).value("base_url", None, ("PARROT_URL",)) == "https://environment.invalid"
    assert chain(file).value("base_url", None, ("PARROT_URL",)) == "https://file.invalid"
    assert chain().value("base_url", None, ("PARROT_URL",)) is None
    with pytest.raises(ConfigurationError, match="metadata openai_base_url must be a string"):
        chain(metadata={"openai_base_url": 5}).value("base_url")


TABLES = '[openai]\napi_key = "sk-1"\nbase_url = "https://a.invalid"\n\n[s3_kit]\naccess_key_id = "id"\nregion = "eu"\n'
SAME = {
    "openai": {"api_key": "sk-1", "base_url": "https://a.invalid"},
    "s3_kit": {"access_key_id": "id", "region": "eu"},
}
FLAT = 'openai_api_key = "sk-1"\ns3_kit_region = "eu"\n[openai]\nbase_url = "https://a.invalid"\n'
FORMS = {
    "TOML tables": (TABLES, SAME),
    "JSON tables": (json.dumps(SAME), SAME),
    "JSON with space before it": (f"\n  {json.dumps(SAME, indent=1)}\n", SAME),
    "flat TOML": (
        FLAT,
        {"openai": {"api_key": "sk-1", "base_url": "https://a.invalid"}, "s3_kit": {"region": "eu"}},
    ),
    "flat JSON": (
        '{"groq_api_keys": ["a"], "openai": {"api_key": "b"}}',
        {"groq": {"api_keys": ["a"]}, "openai": {"api_key": "b"}},
    ),
    "empty": ("", {}),
    "comments": ("# nothing yet\n", {}),
    "empty JSON": ("{}", {}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_read_in_every_form(file: Path, form: str) -> None:
    """TOML and JSON, tables and flat names, also mixed."""
    text, expected = FORMS[form]
    file.write_text(text, encoding="utf-8")
    assert read_file(file) == expected


@pytest.mark.parametrize("row", ROWS)
def test_every_provider_and_field_has_its_place(file: Path, row: str) -> None:
    """Each field of each row is understood as a table's and as a flat name."""
    for field in FIELDS:
        value: Any = ["v"] if field == "api_keys" else "v"
        file.write_text(json.dumps({row: {field: value}}))
        assert file_values(file, {}, row) == {field: value}
        file.write_text(json.dumps({f"{row}_{field}": value}))
        assert file_values(file, {}, row) == {field: value}
        assert file_values(file, {}, "nobody") == {}


BROKEN: dict[str, tuple[str, int, str]] = {
    # what is wrong: text, line, words of the message
    "TOML syntax": (f'[openai]\napi_key = "{SECRET}"\nbase_url = https\n', 3, "not valid TOML"),
    "TOML cut short": (f'[openai]\napi_key = "{SECRET}', 2, "not valid TOML"),
    "TOML duplicate": (f'[openai]\napi_key = "{SECRET}"\napi_key = "{SECRET}"\n', 3, "not valid TOML"),
    "JSON syntax": ('{\n"openai": {\n"api_key": ' + SECRET + "\n}}", 3, "not valid JSON"),
    "unknown table": (f'\n[opanai]\napi_key = "{SECRET}"\n', 2, "unknown name opanai"),
    "unknown flat name": (f'openai_key = "{SECRET}"\n', 1, "unknown name openai_key"),
    "unknown field": (
        f'[groq]\napi_key = "{SECRET}"\n[openai]\n\napi_kee = "{SECRET}"\n',
        5,
        "unknown field openai.api_kee",
    ),
    "unknown field in JSON": (f'{{\n"openai": {{\n"api_kee": "{SECRET}"}}}}', 3, "unknown field openai.api_kee"),
    "same field of two tables": (
        f'[groq]\napi_key = "{SECRET}"\n[openai]\napi_key = 5\n',
        4,
        "field openai.api_key must be",
    ),
    "empty value": ('[openai]\napi_key = "  "\n', 2, "field openai.api_key must be a non-empty string"),
    "keys not a list": (f'[openai]\napi_keys = "{SECRET}"\n', 2, "field openai.api_keys must be a list"),
    "keys of other types": (f'[openai]\napi_keys = ["{SECRET}", 5]\n', 2, "field openai.api_keys must be a list"),
    "no keys": ("[openai]\napi_keys = []\n", 2, "field openai.api_keys must be a list"),
    "table that is none": ('openai = "sk"\n', 1, "openai must be a table, not str"),
    "flat value of another type": ("\n\nopenai_api_key = 7\n", 3, "field openai_api_key must be"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_its_line(file: Path, case: str) -> None:
    """File, line and field are named; no value of the file is quoted."""
    text, line, words = BROKEN[case]
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_file(file)
    message = str(caught.value)
    assert f"Credentials file {file}, line {line}:" in message
    assert words in message
    assert SECRET not in message
    assert caught.value.__cause__ is None
    if "unknown" in case:
        assert caught.value.suggestions


def test_a_name_is_corrected(file: Path) -> None:
    """Unknown names come with the nearest ones."""
    for text, right in (
        ("[opanai]\n", "openai"),
        ('[openai]\napi_kee = "x"\n', "api_key"),
        ('grok_api_key="x"', "groq_api_key"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            read_file(file)
        assert caught.value.suggestions[0] == right


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o677])
def test_a_file_that_others_can_touch_is_refused(file: Path, mode: int) -> None:
    """The message is the command that repairs it; nothing is read."""
    file.write_text(f'[openai]\napi_key = "{SECRET}"\n')
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {file}"):
        read_file(file)
    file.chmod(0o400)
    assert read_file(file) == {"openai": {"api_key": SECRET}}


def test_a_file_that_is_none_is_refused(file: Path, tmp_path: Path) -> None:
    """Absent is empty; a directory, a large file, other encodings and a JSON list are errors."""
    assert read_file(tmp_path / "absent") == {}
    with pytest.raises(ConfigurationError, match="not a regular file"):
        read_file(tmp_path)
    file.write_bytes(b"#" * 1_048_577)
    with pytest.raises(ConfigurationError, match="larger than 1048576 bytes"):
        read_file(file)
    file.write_bytes(b'[openai]\napi_key = "\xff"\n')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_file(file)
    file.write_text("{" + '"openai":{' * 100_000)
    with pytest.raises(ConfigurationError, match=r"nested too deeply|not valid JSON"):
        read_file(file)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_file(file / "below")


def test_the_place_of_the_file_is_taken_from_the_environment(file: Path) -> None:
    """``IPFS_API_CREDENTIALS`` names it; a path given by the caller goes before."""
    file.write_text('[openai]\napi_key = "sk-1"\n')
    environ = {"IPFS_API_CREDENTIALS": str(file)}
    assert file_values(None, environ, "openai") == {"api_key": "sk-1"}
    assert file_values(Path("/nowhere/at/all"), environ, "openai") == {}
    assert revealed(Credentials(PARROT, environ=environ)) == ["sk-1"]


def test_nothing_is_read_before_the_first_call(file: Path) -> None:
    """A backend is built over a broken file; its first call reports it; a repaired file is then read, once."""
    file.write_text("broken [")
    backend = parrot(api_key=None, credentials_path=file)
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        backend.say()
    file.write_text('[openai]\napi_key = "sk-1"\n')
    assert backend.say().text == "hi"
    file.write_text("broken [")
    assert backend.say().text == "hi"
    backend.close()


def test_the_environment_is_asked_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ``environ`` the process's own is read at the first use."""
    backend = Parrot()
    monkeypatch.setenv("PARROT_KEY", "sk-late")
    assert revealed(backend.credentials) == ["sk-late"]
    backend.close()


def test_no_home_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose user has no home directory has no credentials file; its other sources work."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert Credentials(FREE, environ={}).keys() == ()
