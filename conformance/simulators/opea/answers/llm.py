"""The text generation service: chat for a list of messages, completion for one text, a query or documents that were
found. Fields that the real service drops before it asks its model are dropped here, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.simulators.opea.answers.common import streams
from conformance.simulators.opea.models import LLM_MODEL
from conformance.simulators.openai.answers import chat as dialect
from conformance.simulators.openai.answers.chat_parts import Style
from conformance.simulators.openai.answers.chat_stream import events
from conformance.simulators.openai.answers.completions import answer_with
from conformance.simulators.openai.framing import data_only, sse
from conformance.simulators.provider import Answer, Call, Stream

__all__ = ["chat_chunks", "generate_text", "rag_prompt", "text_chunks"]

_STYLE = Style(
    fingerprint=None,
    message={"refusal": None, "annotations": None, "audio": None, "function_call": None, "tool_calls": None},
    first_delta={"role": "assistant", "content": "", "function_call": None, "refusal": None, "tool_calls": None},
    obfuscate=False,
    extra={"service_tier": None},
)
_HANDED_ON = (
    "messages", "frequency_penalty", "max_tokens", "n", "presence_penalty", "response_format", "seed", "stop", "stream",
    "stream_options", "temperature", "top_p", "user",
)  # fmt: skip


def rag_prompt(question: str, texts: list[str], template: str | None = None) -> str:
    """The prompt for answering from documents; a template must know ``{question}``."""
    if template and "{question}" in template:
        return template.replace("{context}", "\n".join(texts)).replace("{question}", question)
    return f"{question}\n### Search results: {' | '.join(texts)}" if texts else question


def generate_text(call: Call) -> Answer:
    """``POST /v1/chat/completions`` in each of its forms."""
    call.state.used("opea_service@llm")
    body = call.body
    texts = [one if isinstance(one, str) else one["text"] for one in body.get("documents") or ()]
    if "query" in body:
        asked = rag_prompt(body["query"], texts, body.get("chat_template"))
        return text_chunks(call, asked) if streams(body, default=True) else _completed(call, asked, stream=False)
    if "initial_query" in body:
        found = [one["text"] for one in body["retrieved_docs"]]
        return _completed(call, rag_prompt(body["initial_query"], found), stream=False)
    if isinstance(body["messages"], str):
        asked = rag_prompt(body["messages"], texts, body.get("chat_template"))
        return _completed(call, asked, stream=bool(body.get("stream")))
    messages = body["messages"]
    if body.get("chat_template") and messages[0]["role"] != "system":
        system = body["chat_template"].replace("{context}", "\n".join(texts))
        messages = [{"role": "system", "content": system}, *messages]
    return _chatted(call, {**body, "messages": messages})


def _chatted(call: Call, body: Mapping[str, Any]) -> Answer:
    kept = {name: body[name] for name in _HANDED_ON if body.get(name) is not None}
    asked = replace(call, body={**kept, "model": LLM_MODEL})
    turns = dialect.turns_of(asked.body, call.nonce)
    counts = dialect.usage_of(asked.body, turns)
    usage = {name: counts[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    usage |= {"prompt_tokens_details": None, "completion_tokens_details": None}
    if kept.get("stream"):
        return sse(Stream(list(events(asked, turns, usage, _STYLE)), data_only))
    return Answer(payload=dialect.whole(asked, turns, usage, _STYLE))


def _completed(call: Call, prompt: str, *, stream: bool) -> Answer:
    body = {**call.body, "model": LLM_MODEL, "stream": stream, "stream_options": None}
    return answer_with(replace(call, body=body), [prompt], call.body.get("max_tokens") or 1024, {})


def chat_chunks(call: Call, prompt: str) -> Answer:
    """The chunks of chat that CodeGen passes through."""
    body = {**call.body, "messages": [{"role": "user", "content": prompt}], "stream": True}
    return _chatted(call, body)


def text_chunks(call: Call, prompt: str) -> Answer:
    """The chunks of completion that CodeTrans, Translation and SearchQnA pass through."""
    return _completed(call, prompt, stream=True)
