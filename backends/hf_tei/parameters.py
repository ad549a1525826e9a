"""The arguments of TEI's calls, and the shapes in which inputs come.

Wire facts: ``router/src/http/types.rs`` of text-embeddings-inference 1.9.3. A flat list of two texts is one *pair* to
``/predict``, and of three an error: here a list is always several inputs and a tuple is a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from backends.operation import CallOptions
from backends.parameters import Between, bad_argument

__all__ = [
    "DecodeParameters",
    "EmbedParameters",
    "Inputs",
    "OpenAIEmbedParameters",
    "PredictParameters",
    "Predictable",
    "RerankParameters",
    "TokenizeParameters",
    "TruncationParameters",
    "checked_ids",
    "checked_inputs",
    "checked_predictable",
    "checked_text",
    "checked_texts",
]

_PROVIDER: Final = "hf_tei"

Inputs: TypeAlias = str | Sequence[int] | Sequence[str | Sequence[int]]
"""A text, the token ids of one, or a list of texts and lists of token ids."""
Pair: TypeAlias = tuple[str, str]
Predictable: TypeAlias = str | Pair | list[str | Pair]
"""A text, a pair of texts as a tuple, or a list of texts and pairs."""
Direction: TypeAlias = Literal["Right", "Left", "right", "left"]


class TruncationParameters(CallOptions, total=False):
    """What calls that embed have in common.

    Attributes:
        truncate: True cuts inputs that are too long, False refuses them; the server's own rule unless given.
        truncation_direction: the side that is cut; ``Right`` unless given.
        prompt_name: a prompt of the model that is put before each input.
    """

    truncate: bool | None
    truncation_direction: Direction | None
    prompt_name: str | None


class EmbedParameters(TruncationParameters, total=False):
    """Arguments of embedding.

    Attributes:
        normalize: False leaves the vectors as long as the model makes them; True, length 1, unless given.
        dimensions: length to which the vectors are cut, where the model was made for it.
    """

    normalize: bool | None
    dimensions: Annotated[int | None, Between(1)]


class OpenAIEmbedParameters(CallOptions, total=False):
    """Arguments of embedding at the OpenAI-compatible side.

    Attributes:
        dimensions: as for embedding.
        encoding_format: how vectors travel; ``base64`` unless given. The result is the same to 32 bits.
        user: an id of the caller's user.
    """

    dimensions: Annotated[int | None, Between(1)]
    encoding_format: Literal["float", "base64"] | None
    user: str | None


class PredictParameters(CallOptions, total=False):
    """Arguments of classification.

    Attributes:
        truncate, truncation_direction: as for embedding.
        raw_scores: True gives the model's own numbers instead of likelihoods.
    """

    truncate: bool | None
    truncation_direction: Direction | None
    raw_scores: bool | None


class RerankParameters(PredictParameters, total=False):
    """What ranking has besides.

    Attributes:
        return_text: True sends the texts back with their scores.
    """

    return_text: bool | None


class TokenizeParameters(CallOptions, total=False):
    """Arguments of tokenization.

    Attributes:
        add_special_tokens: False leaves out what the model puts around a text.
        prompt_name: a prompt of the model that is put before each text.
    """

    add_special_tokens: bool | None
    prompt_name: str | None


class DecodeParameters(CallOptions, total=False):
    """Arguments of decoding.

    Attributes:
        skip_special_tokens: False keeps them in the text.
    """

    skip_special_tokens: bool | None


def checked_text(text: Any, name: str) -> str:
    """Return a text that is not empty.

    Raises:
        InvalidRequestError: it is not text, or empty.
    """
    if not isinstance(text, str):
        bad_argument(f"{name} must be text, not {type(text).__name__}", _PROVIDER)
    if not text:
        bad_argument(f"{name} must not be empty", _PROVIDER)
    return text


def checked_texts(texts: Any, name: str) -> list[str]:
    """Return a list of texts that are not empty.

    Raises:
        InvalidRequestError: it is no list, or empty, or an item is not text or empty.
    """
    return [checked_text(text, f"{name}[{index}]") for index, text in enumerate(_listed(texts, name))]


def checked_ids(ids: Any, name: str) -> list[int]:
    """Return the token ids of one text.

    Raises:
        InvalidRequestError: it is no list, or empty, or an item is no token id.
    """
    for index, number in enumerate(_listed(ids, name)):
        if type(number) is not int or not 0 <= number < 2**32:
            bad_argument(f"{name}[{index}] must be a token id", _PROVIDER)
    return list(ids)


def checked_inputs(inputs: Any, name: str) -> tuple[list[Any], bool]:
    """Return inputs as a list, one item for each, and whether they were given as a list.

    Raises:
        InvalidRequestError: there are none, or one is neither a text nor token ids, or empty.
    """
    if isinstance(inputs, str):
        return [checked_text(inputs, name)], False
    if type(_listed(inputs, name)[0]) is int:
        return [checked_ids(inputs, name)], False
    items: list[Any] = []
    for index, item in enumerate(inputs):
        check = checked_ids if isinstance(item, list | tuple) else checked_text
        items.append(check(item, f"{name}[{index}]"))
    return items, True


def checked_predictable(inputs: Any) -> tuple[list[list[str]], bool]:
    """Return inputs of a classifier in the shape of the wire, each a list of one or two texts, and whether they are
    several.

    Raises:
        InvalidRequestError: there are none, or one is neither a text nor a pair of texts.
    """
    if isinstance(inputs, list):
        return [_predictable(item, f"inputs[{index}]") for index, item in enumerate(_listed(inputs, "inputs"))], True
    return [_predictable(inputs, "inputs")], False


def _predictable(item: Any, name: str) -> list[str]:
    if isinstance(item, str):
        return [checked_text(item, name)]
    if not isinstance(item, tuple) or len(item) != 2:
        bad_argument(f"{name} must be a text, or a pair of texts as a tuple", _PROVIDER)
    return [checked_text(text, f"{name}[{place}]") for place, text in enumerate(item)]


def _listed(items: Any, name: str) -> Sequence[Any]:
    if not isinstance(items, list | tuple):
        bad_argument(f"{name} must be a list, not {type(items).__name__}", _PROVIDER)
    if not items:
        bad_argument(f"{name} must not be empty", _PROVIDER)
    return items
