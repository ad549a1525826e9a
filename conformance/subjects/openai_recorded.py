"""Which recordings of a real server in the OpenAI dialect go through the OpenAI backend, and what must come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from backends import errors
from backends.openai.parameters import ChatParameters, CompletionParameters, EmbedParameters, ResponseParameters
from conformance.subject import Recorded
from conformance.subjects.recorded import (
    asking,
    judge_chat,
    judge_chat_stream,
    judge_completion,
    judge_completion_stream,
    judge_embeddings,
    judge_response,
    judge_response_stream,
    picked,
)

__all__ = ["RECORDED"]

_CHAT = asking("achat", "messages", ChatParameters)
_STREAM_CHAT = asking("astream_chat", "messages", ChatParameters)
_COMPLETE = asking("acomplete", "prompt", CompletionParameters)
_STREAM_COMPLETE = asking("astream_complete", "prompt", CompletionParameters)
_RESPONSES = asking("aresponses", "input", ResponseParameters)
_STREAM_RESPONSES = asking("astream_responses", "input", ResponseParameters)
_EMBED = asking("aembed", "input", EmbedParameters)
_TEXT, _POOL = "vllm-0.32.0", "vllm-0.32.0-embed"

RECORDED: Final[Mapping[str, Recorded]] = {
    **picked(
        _TEXT, "chat chat_n2_logprobs chat_stop chat_json_schema chat_tool_named chat_tool_required", _CHAT, judge_chat
    ),
    **picked(_TEXT, "chat_unknown_field chat_extra_sampling", _CHAT, judge_chat),
    **picked(_TEXT, "chat_stream chat_stream_usage chat_stream_tool", _STREAM_CHAT, judge_chat_stream, stream=True),
    **picked(_TEXT, "completion completion_list completion_tokens", _COMPLETE, judge_completion),
    **picked(_TEXT, "completion_echo_stream", _STREAM_COMPLETE, judge_completion_stream, stream=True),
    **picked(_TEXT, "responses", _RESPONSES, judge_response),
    **picked(_TEXT, "responses_stream", _STREAM_RESPONSES, judge_response_stream, stream=True),
    **picked(_TEXT, "unknown_model", _CHAT, error=errors.UnknownModelError),
    **picked(_TEXT, "max_tokens_too_large", _CHAT, error=errors.InvalidRequestError),
    **picked(_TEXT, "prompt_too_long", _COMPLETE, error=errors.InvalidRequestError),
    **picked(_POOL, "embed_one embed_many embed_base64 embed_tokens", _EMBED, judge_embeddings),
    **picked(_POOL, "embed_too_long", _EMBED, error=errors.InvalidRequestError),
}
