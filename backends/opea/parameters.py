"""Arguments of OPEA's calls: names, types and ranges, state of 2026-01.

Wire facts: ``comps/cores/proto/api_protocol.py`` and ``docarray.py`` of GenAIComps 1.5. Two traps are closed here. A
megaservice takes a zero for "not given" and puts its default in the place, so a zero that would change is refused. The
text generation service takes the fields of OpenAI's chat and hands on only some; one that it would drop is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from backends.errors import UnsupportedError
from backends.operation import CallOptions
from backends.parameters import Between, Size, bad_argument, split

__all__ = [
    "AudioParameters",
    "ChatParameters",
    "CodeGenParameters",
    "CompleteParameters",
    "DocSumParameters",
    "GenerateParameters",
    "RagParameters",
    "RetrieveParameters",
    "SearchParameters",
    "TemplateParameters",
    "VisionParameters",
    "for_megaservice",
    "for_model",
]

_SearchType = Literal["similarity", "mmr", "similarity_distance_threshold", "similarity_score_threshold"]
_Template = Annotated[str | None, Size(1)]


class GenerateParameters(CallOptions, total=False):
    """How a megaservice's model writes.

    Attributes:
        max_tokens: most tokens of the answer; 1024 unless given.
        temperature: above 0 to 2; 0.01 unless given.
        top_p, top_k: above 0; 0.95 and 10 unless given.
        frequency_penalty, presence_penalty: -2 to 2.
        repetition_penalty: above 0; 1.03 unless given.
    """

    max_tokens: Annotated[int | None, Between(1)]
    temperature: Annotated[float | None, Between(0, 2)]
    top_p: Annotated[float | None, Between(0, 1)]
    top_k: Annotated[int | None, Between(1)]
    frequency_penalty: Annotated[float | None, Between(-2, 2)]
    presence_penalty: Annotated[float | None, Between(-2, 2)]
    repetition_penalty: Annotated[float | None, Between(0)]


class TemplateParameters(GenerateParameters, total=False):
    """Adds ``chat_template``: the prompt, with ``{context}`` and ``{question}`` in it."""

    chat_template: _Template


class SearchParameters(CallOptions, total=False):
    """How documents are looked for.

    Attributes:
        search_type: ``similarity`` unless given.
        k: how many documents; 4 unless given.
        fetch_k: how many ``mmr`` chooses from; 20 unless given.
        lambda_mult: diversity (0) to relevance (1) of ``mmr``; 0.5 unless given.
        distance_threshold: of ``similarity_distance_threshold``.
        score_threshold: of ``similarity_score_threshold``; 0.2 unless given.
    """

    search_type: _SearchType | None
    k: Annotated[int | None, Between(1)]
    fetch_k: Annotated[int | None, Between(1)]
    lambda_mult: Annotated[float | None, Between(0, 1)]
    distance_threshold: Annotated[float | None, Between(0)]
    score_threshold: Annotated[float | None, Between(0)]


class RetrieveParameters(SearchParameters, total=False):
    """Arguments of ``retrieve``.

    Attributes:
        form: which of the service's two protocols. ``openai`` gives texts with their metadata; ``opea`` also takes
            ``constraints`` and ``index_name``.
        constraints: filters in the words of the vector store.
        index_name: where to look (Redis).
    """

    form: Literal["openai", "opea"] | None
    constraints: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
    index_name: Annotated[str | None, Size(1)]


class RagParameters(TemplateParameters, SearchParameters, total=False):
    """Arguments of the services that answer from documents; ``top_n`` of them stay after reranking, 1 unless given."""

    top_n: Annotated[int | None, Between(1)]


class CodeGenParameters(GenerateParameters, total=False):
    """Arguments of ``codegen``: ``index_name`` to look for examples in, ``agents_flag`` to have them graded first."""

    index_name: Annotated[str | None, Size(1)]
    agents_flag: bool | None


class DocSumParameters(GenerateParameters, total=False):
    """Arguments of ``docsum``.

    Attributes:
        type: what the document is; ``text`` unless given.
        summary_type: ``auto`` unless given, which is ``stuff`` or, for long documents, ``refine``. A stream of
            ``map_reduce`` and ``refine`` holds the summaries on the way, too.
        chunk_size, chunk_overlap: tokens; -1 lets the service choose.
        language: of the document.
    """

    type: Literal["text", "audio", "video"] | None
    summary_type: Literal["auto", "stuff", "truncate", "map_reduce", "refine"] | None
    chunk_size: Annotated[int | None, Between(-1)]
    chunk_overlap: Annotated[int | None, Between(-1)]
    language: Literal["auto", "en", "zh"] | None


class AudioParameters(GenerateParameters, total=False):
    """Arguments of ``audioqna`` and ``avatarchatbot``: ``voice`` as the speech service names it."""

    voice: Annotated[str | None, Size(1)]


class VisionParameters(CallOptions, total=False):
    """Arguments of ``lvm``.

    Attributes:
        max_new_tokens: 0 to 1024; 512 unless given.
        temperature, top_p, typical_p, repetition_penalty: at least 0.
        top_k: how many candidates.
    """

    max_new_tokens: Annotated[int | None, Between(0, 1024)]
    temperature: Annotated[float | None, Between(0)]
    top_p: Annotated[float | None, Between(0)]
    typical_p: Annotated[float | None, Between(0)]
    repetition_penalty: Annotated[float | None, Between(0)]
    top_k: int | None


class _ModelParameters(CallOptions, total=False):
    frequency_penalty: Annotated[float | None, Between(-2, 2)]
    presence_penalty: Annotated[float | None, Between(-2, 2)]
    max_tokens: Annotated[int | None, Between(1)]
    n: Annotated[int | None, Between(1, 128)]
    seed: Annotated[int | None, Between(1)]
    stop: str | Annotated[Sequence[str], Size(1, 4)] | None
    temperature: Annotated[float | None, Between(0, 2)]
    top_p: Annotated[float | None, Between(0, 1)]
    user: str | None
    documents: Annotated[Sequence[str] | None, Size(1)]
    chat_template: _Template


class ChatParameters(_ModelParameters, total=False):
    """Arguments of ``chat``: what the text generation service hands on to its model.

    Attributes:
        documents: texts that the system prompt is filled with.
        chat_template: a system prompt with ``{context}`` in it; needs ``documents``.
        response_format: ``{"type": "json_object"}`` or ``{"type": "text"}``.
        seed: at least 1.
        stream_options: ``include_usage`` is true unless given; only sent with streams.
    """

    response_format: Mapping[Literal["type"], Literal["text", "json_object"]] | None
    stream_options: Mapping[str, bool] | None


class CompleteParameters(_ModelParameters, total=False):
    """Arguments of ``complete``.

    Attributes:
        documents: texts that a prompt for answering from documents is filled with.
        chat_template: that prompt, with ``{context}`` and ``{question}``, or with ``{question}`` alone.
        echo: repeat the prompt before the answer.
        suffix: text that follows the answer.
    """

    echo: bool | None
    suffix: str | None


_REPLACED: Final = {
    "temperature": "0.01",
    "top_p": "0.95",
    "repetition_penalty": "1.03",
    "lambda_mult": "0.5",
    "score_threshold": "0.2",
    "distance_threshold": "none at all",
}
"""What a megaservice puts in the place of a zero, where that is something else than zero."""

_DROPPED: Final = (
    "tools", "tool_choice", "parallel_tool_calls", "logit_bias", "logprobs", "top_logprobs", "max_completion_tokens",
    "reasoning_effort", "best_of", "service_tier", "top_k", "typical_p", "repetition_penalty",
)  # fmt: skip


def for_megaservice(parameters: Mapping[str, Any], table: type) -> tuple[CallOptions, dict[str, Any]]:
    """Part arguments into options and fields.

    Raises:
        InvalidRequestError: one is unknown, wrong, or a zero that the service would replace.
    """
    options, fields = split(parameters, table, "opea")
    for name, default in _REPLACED.items():
        if name in fields and fields[name] == 0:
            bad_argument(f"{name} must not be 0: the service takes that for 'not given' and uses {default}", "opea")
    return options, fields


def for_model(parameters: Mapping[str, Any], table: type) -> tuple[CallOptions, dict[str, Any]]:
    """Part arguments into options and fields.

    Raises:
        UnsupportedError: the text generation service takes this one and drops it.
        InvalidRequestError: one is unknown or wrong.
    """
    for name in _DROPPED:
        if parameters.get(name) is not None:
            raise UnsupportedError(
                f"OPEA's text generation service takes {name} and drops it; ask the model's own server (the VLLM backend), "
                "or pass it in extra_body where that server stands behind this address.",
                provider="opea",
                code="unsupported",
            )
    return split({name: value for name, value in parameters.items() if name not in _DROPPED}, table, "opea")
