"""Field tables of TEI's routes. The real server passes unknown fields; here only those that its own clients send pass."""

from __future__ import annotations

from conformance.simulators.shape import Anything, Choice, Flag, Integer, ListOf, MapOf, OneOf, Record, Text

__all__ = ["DECODE", "EMBED", "EMBED_TOKENS", "OPENAI_EMBED", "PREDICT", "RERANK", "SIMILARITY", "TOKENIZE"]

_TEXT, _TOKEN = Text(), Integer(0, 2**32 - 1)
_IDS = ListOf(_TOKEN)
_INPUTS = OneOf(_TEXT, _IDS, ListOf(OneOf(_TEXT, ListOf(_TOKEN, 1))))
_TRUNCATION = {"truncate": Flag(), "truncation_direction": Choice("Right", "Left", "right", "left")}
_PROMPT = {**_TRUNCATION, "prompt_name": _TEXT}

EMBED = Record({"inputs": _INPUTS}, {**_PROMPT, "normalize": Flag(), "dimensions": Integer()})
EMBED_TOKENS = Record({"inputs": _INPUTS}, _PROMPT)
RERANK = Record({"query": _TEXT, "texts": ListOf(_TEXT)}, {**_TRUNCATION, "raw_scores": Flag(), "return_text": Flag()})
PREDICT = Record(
    {"inputs": OneOf(_TEXT, ListOf(_TEXT), ListOf(ListOf(_TEXT)))},
    {**_TRUNCATION, "raw_scores": Flag(), "parameters": MapOf(Anything())},
)
"""``parameters`` is what huggingface_hub sends; the server does not know it."""
SIMILARITY = Record(
    {"inputs": Record({"source_sentence": _TEXT, "sentences": ListOf(_TEXT)})}, {"parameters": Record({}, _PROMPT)}
)
OPENAI_EMBED = Record(
    {"input": _INPUTS},
    {"model": _TEXT, "user": _TEXT, "encoding_format": Choice("float", "base64"), "dimensions": Integer()},
)
TOKENIZE = Record({"inputs": OneOf(_TEXT, ListOf(_TEXT))}, {"add_special_tokens": Flag(), "prompt_name": _TEXT})
DECODE = Record({"ids": OneOf(_IDS, ListOf(_IDS))}, {"skip_special_tokens": Flag()})
