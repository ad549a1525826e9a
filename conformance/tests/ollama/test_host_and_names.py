"""Where the server is, and what a model can be called."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ollama._client import _parse_host

from backends import errors
from backends.ollama import Ollama
from backends.ollama.durations import checked_keep_alive, go_seconds
from backends.ollama.host import host_url
from backends.ollama.names import checked_name, name_problem
from backends.ollama.server import PROVIDER


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("gpu", "http://gpu:11434"),
        ("gpu/", "http://gpu:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":9", "http://127.0.0.1:9"),
        ("gpu:9", "http://gpu:9"),
        ("http://gpu", "http://gpu:80"),
        ("HTTP://gpu", "http://gpu:80"),
        ("https://gpu", "https://gpu:443"),
        ("https://gpu:9/deep/path/", "https://gpu:9/deep/path"),
        ("gpu/path", "http://gpu:11434/path"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:9/path", "http://[::1]:9/path"),
        ("https://[fe80::2]", "https://[fe80::2]:443"),
        (" gpu ", "http://gpu:11434"),
    ],
)
def test_hosts(text: str, url: str) -> None:
    assert host_url(text) == url


@given(
    st.sampled_from(["", "http://", "https://"]),
    st.sampled_from(["", "gpu", "127.0.0.1", "a.example", "[::1]", "[2001:db8::7]"]),
    st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}")),
    st.sampled_from(["", "/", "/path", "/a/b/"]),
)
def test_hosts_are_read_as_the_official_client_reads_them(scheme: str, host: str, port: str, path: str) -> None:
    assume(scheme == "" or host or port)
    text = scheme + host + port + path
    assert host_url(text) == _parse_host(text)


@pytest.mark.parametrize(
    "text",
    [
        "ftp://gpu",
        "::1",
        "gpu:0",
        "gpu:65536",
        "gpu:port",
        "http://me:secret-7@gpu",
        "gpu?key=secret-7",
        "gpu#x",
        "g u",
    ],
)
def test_wrong_hosts_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="OLLAMA_HOST") as caught:
        host_url(text, "OLLAMA_HOST")
    assert "secret-7" not in str(caught.value)


def test_the_chain_of_the_address() -> None:
    environ = {"OLLAMA_HOST": "from-environment:1"}
    metadata = {"ollama_base_url": "from-metadata"}
    assert Ollama(environ={}).base_url == PROVIDER.base_url
    assert Ollama(environ=environ).base_url == "http://from-environment:1"
    assert Ollama(metadata=metadata, environ=environ).base_url == "http://from-metadata:11434"
    argument = Ollama(metadata=metadata, environ=environ, base_url="https://from-argument/ollama/")
    assert argument.base_url == "https://from-argument:443/ollama"
    assert argument.openai_base_url == "https://from-argument:443/ollama/v1"
    with pytest.raises(errors.ConfigurationError, match="base_url"):
        Ollama(base_url="ftp://gpu")
    with pytest.raises(errors.ConfigurationError, match="OLLAMA_HOST"):
        _ = Ollama(environ={"OLLAMA_HOST": "ftp://gpu"}).base_url


def test_a_key_does_not_travel_unencrypted() -> None:
    backend = Ollama(api_key="planted-key", base_url="gpu.example", environ={})
    with pytest.raises(errors.ConfigurationError, match="allow_insecure_http"):
        backend.endpoint()


@pytest.mark.parametrize(
    "name",
    [
        "llama3.2",
        "qwen3:8b",
        "me/model",
        "me/model:v1.2_x-Y",
        "hf.co/user/repo-GGUF:Q4_K_M",
        "registry.example:5000/space/model",
        "https://registry.example/space/model:tag",
        "_private",
        "a" * 80,
    ],
)
def test_good_names(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        (":tag", "empty model"),
        ("model:", "empty tag"),
        ("me//model", "empty namespace"),
        ("a/b/c/d", "more than host, namespace and model"),
        (".model", "does not begin with"),
        ("mo del", "' ' in its model"),
        ("model:t/ag", "in its namespace"),
        ("my.space/model", "dot in its namespace"),
        ("model\r\nx: y", "in its model"),
        ("../../etc/passwd", "does not begin with|more than"),
        ("a" * 81, "more than 80"),
        ("model:" + "t" * 81, "more than 80"),
        ("modèle", "in its model"),
    ],
)
def test_bad_names_say_what_is_wrong(name: str, why: str) -> None:
    with pytest.raises(errors.InvalidRequestError, match=why):
        checked_name(name)


@given(st.text(max_size=60))
def test_any_text_is_judged(name: str) -> None:
    problem = name_problem(name)
    assert problem is not None or (name.isascii() and name.isprintable() and " " not in name)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("-1s", -1), ("0", 0), ("1.5s", 1.5), (".5h", 1800), ("+2ms", 0.002), ("7µs", 7e-6)],
)
def test_go_durations(text: str, seconds: float) -> None:
    assert go_seconds(text) == pytest.approx(seconds)
    assert checked_keep_alive(text) == text


@pytest.mark.parametrize(
    "value", ["", "5", "m", "5 m", "1d", "-", "soon", "1h" * 60, True, None, float("nan"), 1e300, [5]]
)
def test_what_is_not_a_duration(value: object) -> None:
    with pytest.raises(errors.InvalidRequestError, match="keep_alive"):
        checked_keep_alive(value)


@pytest.mark.parametrize("value", [0, -1, 300, 2.5])
def test_seconds(value: float) -> None:
    assert checked_keep_alive(value) == value
