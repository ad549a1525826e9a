"""Which recordings of a real vLLM server go through the backend, and what must come out: all that it can make.

Left out are requests that the backend refuses to make or has no call for: broken JSON, missing fields, a wrong verb, and
the routes of other dialects.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from backends import errors
from backends.vllm.parameters import ChatParameters, CompletionParameters, ResponseParameters
from backends.vllm.pooling import EmbedParameters, TaskParameters
from backends.vllm.tokens import TokenizeParameters
from conformance.recordings import Exchange
from conformance.subject import Recorded
from conformance.subjects.recorded import (
    asking,
    events_of,
    judge_chat,
    judge_chat_stream,
    judge_completion,
    judge_completion_stream,
    judge_embeddings,
    judge_response,
    judge_response_stream,
    judge_usage,
    picked,
)
from conformance.trial import Trial

__all__ = ["RECORDED"]


def _plainly(method: str) -> Callable[[Any, Exchange], Awaitable[Any]]:
    async def run(backend: Any, recorded: Exchange) -> Any:
        return await getattr(backend, method)()

    return run


def _anyway(method: str, value: Any) -> Callable[[Any, Exchange], Awaitable[Any]]:
    """A request that the backend would refuse, made past its checks: the body overwrites what ``value`` made of it."""

    async def run(backend: Any, recorded: Exchange) -> Any:
        return await getattr(backend, method)(value, extra_body=dict(recorded.sent))

    return run


async def _score(backend: Any, recorded: Exchange) -> Any:
    sent = recorded.sent
    return await backend.ascore(sent["text_1"], sent["text_2"], model=sent["model"])


async def _rerank(backend: Any, recorded: Exchange) -> Any:
    sent = recorded.sent
    return await backend.arerank(sent["query"], sent["documents"], model=sent["model"], top_n=sent["top_n"])


def _judge_batch(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(reply.texts, tuple(choice["message"]["content"] for choice in raw["choices"]), "answers in order")
    judge_usage(trial, reply, raw["usage"])


def _judge_stream(trial: Trial, reply: Any, recorded: Exchange) -> None:
    judge_chat_stream(trial, reply, recorded)
    _judge_ends(trial, reply, recorded)


def _judge_completions(trial: Trial, reply: Any, recorded: Exchange) -> None:
    judge_completion_stream(trial, reply, recorded)
    _judge_ends(trial, reply, recorded)


def _judge_ends(trial: Trial, reply: Any, recorded: Exchange) -> None:
    """What stands only in the last chunks is in the reply, as in a whole answer."""
    last = [event for event in events_of(recorded) if event.get("system_fingerprint")]
    trial.equal(reply.raw.get("system_fingerprint"), last[-1]["system_fingerprint"], "the fingerprint")
    trial.expect("stop_reason" in reply.raw["choices"][0], "the stop reason was dropped")


def _judge_tokens(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(reply.raw, raw, "raw")
    trial.equal((list(reply.ids), len(reply.ids)), (raw["tokens"], raw["count"]), "token ids")
    trial.equal(reply.texts, tuple(raw["token_strs"]) if raw["token_strs"] else None, "tokens as texts")
    trial.equal(reply.max_model_len, raw["max_model_len"], "length of the model")


def _judge_text(trial: Trial, reply: Any, recorded: Exchange) -> None:
    trial.equal(reply.text, json.loads(recorded.body)["prompt"], "text of the tokens")


def _judge_pooled(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal([list(output) for output in reply.outputs], [entry["data"] for entry in raw["data"]], "outputs")
    judge_usage(trial, reply, raw["usage"])


def _judge_scores(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(list(reply.scores), [entry["score"] for entry in raw["data"]], "scores")
    judge_usage(trial, reply, raw["usage"])


def _judge_ranking(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    expected = [(one["index"], one["relevance_score"], one["document"]["text"]) for one in raw["results"]]
    trial.equal([(one.index, one.score, one.text) for one in reply.results], expected, "ranking")
    trial.equal(reply.usage.input_tokens, raw["usage"]["prompt_tokens"], "input tokens")


def _judge_models(trial: Trial, reply: Any, recorded: Exchange) -> None:
    entry = json.loads(recorded.body)["data"][0]
    model = reply[0]
    trial.equal(model.raw, entry, "raw")
    expected = (entry["id"], entry["max_model_len"], entry["parent"], entry["root"])
    trial.equal((model.id, model.max_model_len, model.parent, model.root), expected, "the served model")


def _judge_field(name: str) -> Callable[[Trial, Any, Exchange], None]:
    def judge(trial: Trial, reply: Any, recorded: Exchange) -> None:
        trial.equal(reply, json.loads(recorded.body)[name], name)

    return judge


def _judge_health(trial: Trial, reply: Any, recorded: Exchange) -> None:
    trial.equal(reply, True, "whether the engine lives")


_CHAT = asking("achat", "messages", ChatParameters)
_STREAM_CHAT = asking("astream_chat", "messages", ChatParameters)
_COMPLETE = asking("acomplete", "prompt", CompletionParameters)
_STREAM_COMPLETE = asking("astream_complete", "prompt", CompletionParameters)
_EMBED = asking("aembed", "input", EmbedParameters)
_HELLO: Final = [{"role": "user", "content": "hello"}]
_TEXT, _POOL = "vllm-0.32.0", "vllm-0.32.0-embed"

RECORDED: Final[Mapping[str, Recorded]] = {
    **picked(
        _TEXT, "chat chat_n2_logprobs chat_stop chat_json_schema chat_tool_named chat_tool_required", _CHAT, judge_chat
    ),
    **picked(_TEXT, "chat_unknown_field chat_extra_sampling", _CHAT, judge_chat),
    **picked(_TEXT, "chat_batch", asking("achat_batch", "messages", ChatParameters), _judge_batch),
    **picked(_TEXT, "chat_stream chat_stream_usage chat_stream_tool", _STREAM_CHAT, _judge_stream, stream=True),
    **picked(_TEXT, "completion completion_list completion_tokens", _COMPLETE, judge_completion),
    **picked(_TEXT, "completion_echo_stream", _STREAM_COMPLETE, _judge_completions, stream=True),
    **picked(_TEXT, "responses", asking("aresponses", "input", ResponseParameters), judge_response),
    **picked(
        _TEXT,
        "responses_stream",
        asking("astream_responses", "input", ResponseParameters),
        judge_response_stream,
        stream=True,
    ),
    **picked(_TEXT, "tokenize", asking("atokenize", "prompt", TokenizeParameters), _judge_tokens),
    **picked(_TEXT, "tokenize_chat", asking("atokenize", "messages", TokenizeParameters), _judge_tokens),
    **picked(_TEXT, "detokenize", asking("adetokenize", "tokens", TokenizeParameters), _judge_text),
    **picked(_TEXT, "models", _plainly("amodels"), _judge_models),
    **picked(_TEXT, "version", _plainly("aversion"), _judge_field("version")),
    **picked(_TEXT, "load", _plainly("aserver_load"), _judge_field("server_load")),
    **picked(_TEXT, "health", _plainly("ahealth"), _judge_health),
    **picked(_TEXT, "no_key bad_key", _plainly("amodels"), error=errors.AuthenticationError),
    **picked(_TEXT, "unknown_model", _CHAT, error=errors.UnknownModelError),
    **picked(_TEXT, "max_tokens_too_large image_unsupported", _CHAT, error=errors.InvalidRequestError),
    **picked(_TEXT, "bad_temperature", _anyway("achat", _HELLO), error=errors.InvalidRequestError),
    **picked(_TEXT, "completion_bad_list", _anyway("acomplete", "a"), error=errors.InvalidRequestError),
    **picked(_TEXT, "prompt_too_long", _COMPLETE, error=errors.ContextLengthError),
    **picked(_TEXT, "embeddings_not_served", _EMBED, error=errors.NotFoundError),
    **picked(_POOL, "embed_one embed_many embed_base64 embed_tokens", _EMBED, judge_embeddings),
    **picked(_POOL, "embed_empty", _anyway("aembed", "a"), error=errors.InvalidRequestError),
    **picked(_POOL, "embed_dimensions", _EMBED, error=errors.InvalidRequestError),
    **picked(_POOL, "embed_too_long", _EMBED, error=errors.ContextLengthError),
    **picked(_POOL, "pooling", asking("apool", "input", TaskParameters), _judge_pooled),
    **picked(_POOL, "score", _score, _judge_scores),
    **picked(_POOL, "rerank", _rerank, _judge_ranking),
    **picked(_POOL, "tokenize", asking("atokenize", "prompt", TokenizeParameters), _judge_tokens),
    **picked(_POOL, "chat_not_served", _anyway("achat", _HELLO), error=errors.NotFoundError),
}
