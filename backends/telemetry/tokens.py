"""Counting tokens with tiktoken where that is exact and needs no network, otherwise estimating and saying so.

tiktoken fetches rank files over the network when they are missing from its cache, or damaged there. So the cached
file is found and its checksum verified here first; without it tiktoken is not asked, unless the caller allows the
download.
Addresses and checksums: ``tiktoken_ext/openai_public.py`` of tiktoken 0.14.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import logging
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from backends.types import Message, TokenCount

__all__ = ["cached_ranks", "count_messages", "count_text", "estimate"]

_LOG: Final = logging.getLogger(__name__)
_ADDRESS: Final = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
_CHECKSUMS: Final = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
_RANKS_OF: Final = {"o200k_harmony": "o200k_base"}
"""Encodings that share another's rank file and add control tokens of their own."""
_PER_MESSAGE: Final = 3
_PER_REPLY: Final = 3
_loaded: dict[str, Any] = {}


def cached_ranks(encoding: str, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the rank file in tiktoken's cache, None where it is missing or damaged. Reads the whole file."""
    encoding = _RANKS_OF.get(encoding, encoding)
    source = os.environ if environ is None else environ
    directory = source.get("TIKTOKEN_CACHE_DIR", source.get("DATA_GYM_CACHE_DIR"))
    if directory is None:
        directory = str(Path(tempfile.gettempdir()) / "data-gym-cache")
    if not directory:
        return None  # the empty name switches tiktoken's cache off
    # The name is tiktoken's own choice of digest for its cache, not a safeguard.
    name = hashlib.sha1(_ADDRESS.format(encoding).encode(), usedforsecurity=False).hexdigest()
    path = Path(directory) / name
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return path if hashlib.sha256(content).hexdigest() == _CHECKSUMS.get(encoding) else None


def estimate(text: str) -> int:
    """Return a guess: four ASCII characters a token, any other character one token."""
    ascii_characters = sum(map(str.isascii, text)) if not text.isascii() else len(text)
    return math.ceil(ascii_characters / 4) + len(text) - ascii_characters


def _count(texts: Sequence[str], encoding: str, *, download: bool) -> int | None:
    """Count in a worker thread; None where it cannot be done exactly."""
    coder = _loaded.get(encoding)
    if coder is None:
        if not download and cached_ranks(encoding) is None:
            return None
        try:
            coder = _loaded[encoding] = importlib.import_module("tiktoken").get_encoding(encoding)
        except (ImportError, OSError, ValueError) as problem:
            _LOG.info("tiktoken cannot give %s (%s); tokens are estimated", encoding, type(problem).__name__)
            return None
    return sum(len(coder.encode(text, disallowed_special=())) for text in texts)


async def count_text(text: str, encoding: str, *, known: bool, download: bool = False) -> TokenCount:
    """Return the tokens of a text.

    Args:
        text: what is counted; control tokens in it are text like any other.
        encoding: tiktoken's name of the encoding.
        known: whether the model is known to use it; otherwise the count is marked as an estimate.
        download: let tiktoken fetch a rank file that is not in its cache.
    """
    tokens = await asyncio.to_thread(_count, (text,), encoding, download=download)
    if tokens is None:
        return TokenCount(estimate(text), estimated=True, method="characters")
    return TokenCount(tokens, estimated=not known, method=f"tiktoken {encoding}")


async def count_messages(messages: Sequence[Message], encoding: str, *, download: bool = False) -> TokenCount:
    """Return the tokens of a conversation: its texts and names, and three a message and three for the answer's
    beginning. That framing is a guess, so the count is always an estimate."""
    texts = [text for message in messages for text in _texts(message)]
    framing = _PER_MESSAGE * len(messages) + _PER_REPLY
    tokens = await asyncio.to_thread(_count, texts, encoding, download=download)
    if tokens is None:
        return TokenCount(sum(map(estimate, texts)) + framing, estimated=True, method="characters and framing")
    return TokenCount(tokens + framing, estimated=True, method=f"tiktoken {encoding} and framing")


def _texts(message: Message) -> list[str]:
    found: list[Any] = [message.get("role"), message.get("name")]
    content = message.get("content")
    if isinstance(content, list | tuple):
        found.extend(part.get("text") for part in content)
    else:
        found.append(content)
    for call in message.get("tool_calls") or ():
        inner = call.get("function") or call.get("custom") or {}
        found.extend((inner.get("name"), inner.get("arguments"), inner.get("input")))
    return [text for text in found if isinstance(text, str)]
