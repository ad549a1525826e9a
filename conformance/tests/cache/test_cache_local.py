"""The local embedder, with a static model that is made here: folders, loaded models, what is missing; no network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
from model2vec import StaticModel
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from backends.cache import Cache
from backends.cache.index import unit
from backends.cache.local import LocalEmbedder
from backends.errors import ConfigurationError

WORDS = {"[UNK]": 0, "how": 1, "do": 2, "can": 3, "reset": 4, "password": 5}


@pytest.fixture(scope="module")
def static_model() -> StaticModel:
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    return StaticModel(numpy.eye(len(WORDS), dtype=numpy.float32), tokenizer)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that cannot be reached."""

    def unreachable(*arguments: Any, **options: Any) -> str:
        raise ConnectionError("no route to the hub")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)


def test_a_folder_and_a_loaded_model_give_the_same_vectors(static_model: StaticModel, tmp_path: Path) -> None:
    static_model.save_pretrained(tmp_path / "model")
    texts = ("how do reset password", "reset")
    for given in (tmp_path / "model", str(tmp_path / "model")):
        embed = LocalEmbedder(given)
        assert [unit(embed(text)) for text in texts] == [unit(LocalEmbedder(static_model)(text)) for text in texts]


async def test_a_cache_asks_it(static_model: StaticModel) -> None:
    cache = Cache(0.5, LocalEmbedder(static_model))
    one, other = [await cache.vector(text) for text in ("how do reset password", "how can reset password")]
    assert one is not None
    assert other is not None
    cosine = float(numpy.frombuffer(one, numpy.float32) @ numpy.frombuffer(other, numpy.float32))
    assert cosine == pytest.approx(0.75)


async def test_a_text_without_a_known_word_is_a_miss(static_model: StaticModel) -> None:
    cache = Cache(0.5, LocalEmbedder(static_model))
    assert await cache.vector("") is None
    assert cache.statistics().embedder_failures == 1


def test_the_missing_package_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(ConfigurationError, match=r'pip install "backends-conformance\[local-embeddings\]"'):
        LocalEmbedder("minishlab/potion-base-8M")


@pytest.mark.usefixtures("offline")
def test_a_model_that_cannot_be_fetched_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"'nobody/no-model' cannot be fetched.*no route to the hub"):
        LocalEmbedder("nobody/no-model")


@pytest.mark.usefixtures("offline")
def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read from that folder"):
        LocalEmbedder(tmp_path)


@pytest.mark.parametrize("model", [5, None, object()])
def test_what_is_no_model_is_refused(model: Any) -> None:
    with pytest.raises(ConfigurationError, match="LocalEmbedder: model must be"):
        LocalEmbedder(model)
