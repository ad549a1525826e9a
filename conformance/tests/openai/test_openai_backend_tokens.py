"""Token counts without a network: exact with a cached rank file, otherwise an estimate that says so."""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

import httpx
import pytest

from backends import OpenAI
from backends.openai.tokens import encoding_name
from backends.telemetry import tokens

ASK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "name": "one", "content": [{"type": "text", "text": "hello"}, {"type": "image_url"}]},
    {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
]


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tokens, "_loaded", {})
    monkeypatch.setattr("socket.getaddrinfo", refuse)


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("the network was asked")


@pytest.fixture
def backend() -> OpenAI:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.url} was asked")

    return OpenAI(api_key="sk-x", transport=httpx.MockTransport(never), environ={})


def files_in(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


def small_ranks(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a rank file into tiktoken's cache: every byte is a token, and ``hello`` grows into one."""
    pieces = [bytes([number]) for number in range(256)] + [b"he", b"ll", b"hell", b"hello"]
    content = b"".join(base64.b64encode(piece) + b" %d\n" % rank for rank, piece in enumerate(pieces))
    address = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
    (directory / hashlib.sha1(address.encode()).hexdigest()).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(tokens._CHECKSUMS, "o200k_base", digest)
    import tiktoken.load
    import tiktoken.registry

    monkeypatch.setattr(tiktoken.load, "check_hash", lambda data, _: hashlib.sha256(data).hexdigest() == digest)
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})


async def test_with_a_cached_rank_file_the_count_is_exact(
    backend: OpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_ranks(tmp_path, monkeypatch)
    found = await backend.acount_tokens("hello", model="gpt-4o")
    assert (found.tokens, found.estimated, found.method) == (1, False, "tiktoken o200k_base")
    special = await backend.acount_tokens("<|endoftext|>", model="gpt-5")
    assert (special.tokens, special.estimated) == (13, False)  # text of a caller is never a control token
    assumed = await backend.acount_tokens("hello", model="gpt-6-luna")
    assert (assumed.tokens, assumed.estimated) == (1, True)
    talk = await backend.acount_tokens(ASK, model="gpt-4o")
    assert (talk.estimated, talk.method) == (True, "tiktoken o200k_base and framing")
    texts = ["system", "Be brief.", "user", "one", "assistant", "f", "{}"]
    assert talk.tokens == sum(map(len, texts)) + 1 + 3 * len(ASK) + 3


async def test_without_one_it_is_an_estimate_and_no_network_is_asked(backend: OpenAI, tmp_path: Path) -> None:
    for model in ("gpt-4o", "gpt-4", "gpt-6-luna", "text-embedding-3-small"):
        found = await backend.acount_tokens("hello world", model=model)
        assert (found.tokens, found.estimated, found.method) == (3, True, "characters")
    assert (await backend.acount_tokens("")).tokens == 0
    assert (await backend.acount_tokens("你好 hello")).tokens == 4
    assert (await backend.acount_tokens(ASK)).method == "characters and framing"
    assert files_in(tmp_path) == []


async def test_a_damaged_rank_file_is_not_trusted(
    backend: OpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_ranks(tmp_path, monkeypatch)
    (file,) = files_in(tmp_path)
    file.write_bytes(file.read_bytes()[:-5])
    assert (await backend.acount_tokens("hello", model="gpt-4o")).estimated
    assert file.exists()
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert tokens.cached_ranks("o200k_base") is None


async def test_without_tiktoken_it_is_an_estimate(
    backend: OpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_ranks(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert (await backend.acount_tokens("hello", model="gpt-4o")).method == "characters"


def test_the_synchronous_twin(backend: OpenAI) -> None:
    assert backend.count_tokens("hello world").estimated
    backend.close()


@pytest.mark.parametrize(
    ("model", "encoding", "known"),
    [
        ("gpt-4o-mini", "o200k_base", True),
        ("gpt-4.1", "o200k_base", True),
        ("gpt-4-turbo", "cl100k_base", True),
        ("ft:gpt-4o:a::b", "o200k_base", True),
        ("o3", "o200k_base", True),
        ("gpt-6-luna", "o200k_base", False),
    ],
)
def test_encodings(model: str, encoding: str, known: bool) -> None:
    assert encoding_name(model) == (encoding, known)


def test_encodings_agree_with_tiktoken() -> None:
    from tiktoken.model import encoding_name_for_model

    for model in (
        "gpt-4o",
        "gpt-4",
        "gpt-3.5-turbo",
        "gpt-5",
        "o1",
        "o3-mini",
        "text-embedding-3-large",
        "davinci-002",
    ):
        assert encoding_name(model)[0] == encoding_name_for_model(model)
