"""Tokens, and what the server says of itself: ``/tokenize``, ``/decode``, ``/info``, health, ``/metrics``."""

from __future__ import annotations

from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.hf_tei.answers.common import FIRST, LAST, number_of, too_many
from conformance.simulators.hf_tei.errors import empty
from conformance.simulators.hf_tei.models import PROMPTS, VERSION, ModelKind, Server, model_type
from conformance.simulators.provider import Answer, Call

__all__ = ["decode", "health", "info", "metrics", "tokenize"]


def tokenize(kind: ModelKind, call: Call) -> Answer:
    """``POST /tokenize``, with any model."""
    given, server = call.body["inputs"], call.state
    texts = [given] if isinstance(given, str) else given
    if not texts:
        return empty("inputs")
    refusal = too_many(server, len(texts))
    if refusal:
        return refusal
    prompt = PROMPTS.get(call.body.get("prompt_name") or "", "")
    return Answer(payload=[_tokens(server, prompt + text, special=_specially(call)) for text in texts])


def _specially(call: Call) -> bool:
    return call.body.get("add_special_tokens") is not False


def _tokens(server: Server, text: str, *, special: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    at = 0
    for word in tokenise(text):
        number = number_of(server, word)
        rows.append({"id": number, "text": word, "special": False, "start": at, "stop": at + len(word)})
        at += len(word)
    if not special:
        return rows
    around = [
        {"id": number, "text": name, "special": True, "start": None, "stop": None}
        for number, name in ((FIRST, "[CLS]"), (LAST, "[SEP]"))
    ]
    return [around[0], *rows, around[1]]


def decode(kind: ModelKind, call: Call) -> Answer:
    """``POST /decode``: what was tokenized before is known."""
    given = call.body["ids"]
    if not given:
        return empty("ids")
    lists = [given] if isinstance(given[0], int) else given
    names = {} if call.body.get("skip_special_tokens") is not False else {FIRST: "[CLS]", LAST: "[SEP]"}
    known = {FIRST: "", LAST: "", **call.state.words, **names}
    return Answer(payload=["".join(known.get(number, "[UNK]") for number in ids) for ids in lists])


def info(kind: ModelKind, call: Call) -> Answer:
    """``GET /info``; this one does ask for the key."""
    server: Server = call.state
    return Answer(
        payload={
            "model_id": server.model_id,
            "model_sha": "0123456789abcdef0123456789abcdef01234567",
            "model_dtype": "float16",
            "served_model_name": server.model_id,
            "model_type": model_type(kind),
            "max_concurrent_requests": server.max_concurrent_requests,
            "max_input_length": server.max_input_length,
            "max_batch_tokens": server.max_batch_tokens,
            "max_batch_requests": None,
            "max_client_batch_size": server.max_client_batch_size,
            "auto_truncate": True,
            "tokenization_workers": 2,
            "version": VERSION,
            "sha": None,
            "docker_label": None,
        }
    )


def health(kind: ModelKind, call: Call) -> Answer:
    """``GET /health``, ``/`` and ``/ping``: nothing is good news."""
    return Answer(content_type=None)


def metrics(kind: ModelKind, call: Call) -> Answer:
    """``GET /metrics``."""
    counts = call.state.counts
    lines = ["# TYPE te_request_count counter", f'te_request_count{{method="batch"}} {counts["success"]}']
    lines += ["# TYPE te_request_success counter", f'te_request_success{{method="batch"}} {counts["success"]}']
    lines += ["# TYPE te_embed_count counter", f"te_embed_count {counts['items']}"]
    lines += [
        "# TYPE te_request_input_length histogram",
        f'te_request_input_length_bucket{{le="+Inf"}} {counts["items"]}',
    ]
    lines += [f"te_request_input_length_sum {counts['tokens']}", f"te_request_input_length_count {counts['items']}"]
    lines += ["# TYPE te_queue_size gauge", "te_queue_size 0", ""]
    return Answer(body="\n".join(lines).encode(), content_type="text/plain; charset=utf-8")
