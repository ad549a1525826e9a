"""The calls that the vLLM backend declares. Every call is made in both modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.simulators.openai.answers.media import wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED"]

Judge = Callable[[Trial, Any, Seen], None]
_HELLO: Final = [{"role": "user", "content": "hello"}]
_SOUND: Final = ("hello.wav", wave("c0ffee00"))
_HEARING: Final = {"model": "openai/whisper-large-v3"}
_EMBEDDER, _RANKER, _CLASSIFIER = "BAAI/bge-m3", "BAAI/bge-reranker-v2-m3", "jason9693/Qwen2.5-1.5B-apeach"


def _kept() -> Story:
    made = yield do("responses", "hello")
    return (yield do("get_response", made.id))


def _cancelled() -> Story:
    made = yield do("responses", "hello", background=True)
    return (yield do("cancel_response", made.id))


def _round_trip() -> Story:
    tokens = yield do("tokenize", "naïve ☃ and 🙂")
    return (yield do("detokenize", tokens.ids))


def _adapted(last: str) -> Callable[[], Story]:
    def plan() -> Story:
        loaded = yield do("load_lora", "sql", "/adapters/sql", load_inplace=True)
        if last == "load_lora":
            return loaded
        if last == "models":
            return (yield do("models"))
        return (yield do("unload_lora", "sql"))

    return plan


def _slept(last: str) -> Callable[[], Story]:
    def plan() -> Story:
        yield do("sleep", level=2, mode="wait")
        return (yield do(last))

    return plan


def _vectors_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.vectors), 2, "vectors for two texts")
    trial.expect(all(isinstance(number, float) for number in reply.vectors[0]), "a vector is not of floats")
    trial.expect(reply.vectors[0] != reply.vectors[1], "two texts got the same vector")


def _outputs_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(rows) for rows in reply.outputs], [1, 2], "vectors of the tokens of two texts")


def _classes_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(verdict.probabilities) for verdict in reply.verdicts], [2, 2], "probabilities of two texts")
    for verdict in reply.verdicts:
        best = max(range(2), key=verdict.probabilities.__getitem__)
        trial.equal(verdict.label, ("negative", "positive")[best], "label of a text")


def _scores_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.scores), 2, "scores of two pairs")
    trial.expect(reply.scores[1] > reply.scores[0], "the same text scores no better than another")


def _best_came_first(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([(one.index, one.text) for one in reply.results], [(2, "a prime"), (1, "a lemon")], "the ranking")


def _answers_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.texts), 2, "answers to two conversations")
    trial.expect("one" in reply.texts[0] and "two" in reply.texts[1], "the answers are not in order")


def _timed(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((len(reply.words), len(reply.segments)), (len(reply.text.split()), 1), "words and segments with times")
    trial.expect(reply.duration, "the duration is missing")


def _heard(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(seen.nonce in reply.text, "the text is not the server's")
    trial.equal(reply.usage.output_tokens * 8, reply.usage.input_tokens, "the counts of the last chunk")


def _tokens_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.texts, ("hello", "Ġworld"), "tokens as texts")
    trial.equal(len(reply.ids), 2, "token ids")
    trial.equal(reply.max_model_len, 131_072, "length of the model")


def _is(value: Any) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal(reply, value, "the result")

    return judge


def _says(text: str) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal(reply.message, text, "what the server says")

    return judge


def _text_came_back(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.text, "naïve ☃ and 🙂", "the text of its tokens")


def _adapter_is_listed(trial: Trial, reply: Any, seen: Seen) -> None:
    last = reply[-1]
    trial.equal(
        (last.id, last.parent, last.root), ("sql", "meta-llama/Llama-3.2-3B-Instruct", "/adapters/sql"), "adapter"
    )
    trial.equal((reply[0].max_model_len, reply[0].parent), (131_072, None), "length and parent of the first model")


def _query_was(text: str) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal(seen.query, text, "the query")

    return judge


def _metrics_came(trial: Trial, reply: Any, seen: Seen) -> None:
    running = [one for one in reply if one.name == "vllm:num_requests_running"]
    trial.equal([one.value for one in running], [0.0], "requests that run")
    trial.equal(running[0].labels["model_name"], "meta-llama/Llama-3.2-3B-Instruct", "whose they are")


def _counted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.tokens, reply.estimated, reply.method), (2, False, "provider"), "the count")


def _cancelled_it(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.status, "cancelled", "status of the response")


DECLARED: Final[Mapping[str, CallCase]] = {
    "chat": once(
        "POST */chat/completions", "chat", _HELLO, sends={"messages": _HELLO, "priority": None}, whole_json=True
    ),
    "stream_chat": once(
        "POST */chat/completions",
        "stream_chat",
        _HELLO,
        sends={"stream": True, "stream_options": {"include_usage": True}},
        stream=True,
    ),
    "chat_batch": once(
        "POST */chat/completions/batch",
        "chat_batch",
        [[{"role": "user", "content": "one"}], [{"role": "user", "content": "two"}]],
        judge=_answers_came,
        whole_json=True,
    ),
    "complete": once("POST */completions", "complete", "hello", sends={"prompt": "hello"}, whole_json=True),
    "stream_complete": once(
        "POST */completions", "stream_complete", "hello", sends={"prompt": "hello", "stream": True}, stream=True
    ),
    "responses": once("POST */responses", "responses", "hello", sends={"input": "hello"}, whole_json=True),
    "stream_responses": once(
        "POST */responses", "stream_responses", "hello", sends={"input": "hello", "stream": True}, stream=True
    ),
    "get_response": story("GET */responses/*", _kept, whole_json=True),
    "cancel_response": story("POST */responses/*/cancel", _cancelled, judge=_cancelled_it, whole_json=True),
    "embed": once(
        "POST */embeddings",
        "embed",
        ["one", "two"],
        options={"model": _EMBEDDER},
        sends={"input": ["one", "two"], "encoding_format": "base64"},
        judge=_vectors_came,
        whole_json=True,
    ),
    "pool": once(
        "POST /pooling",
        "pool",
        ["one", "two three"],
        options={"model": _EMBEDDER, "task": "token_embed", "add_special_tokens": False},
        sends={"input": ["one", "two three"], "task": "token_embed"},
        judge=_outputs_came,
        whole_json=True,
    ),
    "classify": once(
        "POST /classify",
        "classify",
        ["one", "two"],
        options={"model": _CLASSIFIER},
        sends={"input": ["one", "two"]},
        judge=_classes_came,
        whole_json=True,
    ),
    "score": once(
        "POST /score",
        "score",
        "a prime",
        ["a lemon", "a prime"],
        options={"model": _RANKER},
        sends={"text_1": "a prime", "text_2": ["a lemon", "a prime"]},
        judge=_scores_came,
        whole_json=True,
    ),
    "rerank": once(
        "POST /rerank",
        "rerank",
        "a prime",
        ["some sky", "a lemon", "a prime"],
        options={"model": _RANKER, "top_n": 2},
        sends={"query": "a prime", "documents": ["some sky", "a lemon", "a prime"], "top_n": 2},
        judge=_best_came_first,
        whole_json=True,
    ),
    "transcribe": once(
        "POST */audio/transcriptions",
        "transcribe",
        _SOUND,
        options={**_HEARING, "response_format": "verbose_json", "timestamp_granularities": ["word", "segment"]},
        judge=_timed,
        whole_json=True,
    ),
    "stream_transcribe": once(
        "POST */audio/transcriptions", "stream_transcribe", _SOUND, options=_HEARING, judge=_heard, stream=True
    ),
    "translate": once("POST */audio/translations", "translate", _SOUND, options=_HEARING, whole_json=True),
    "stream_translate": once(
        "POST */audio/translations", "stream_translate", _SOUND, options=_HEARING, judge=_heard, stream=True
    ),
    "tokenize": once(
        "POST /tokenize",
        "tokenize",
        "hello world",
        options={"return_token_strs": True},
        sends={"prompt": "hello world", "return_token_strs": True},
        judge=_tokens_came,
        whole_json=True,
    ),
    "count_tokens": once("POST /tokenize", "count_tokens", "hello world", judge=_counted, nonce=False),
    "detokenize": story("POST /detokenize", _round_trip, judge=_text_came_back, whole_json=True),
    "models": story("GET */models", _adapted("models"), judge=_adapter_is_listed, nonce=False),
    "load_lora": story(
        "POST */load_lora_adapter",
        _adapted("load_lora"),
        sends={"lora_name": "sql", "lora_path": "/adapters/sql", "load_inplace": True},
        judge=_says("Success: LoRA adapter 'sql' added successfully."),
    ),
    "unload_lora": story(
        "POST */unload_lora_adapter",
        _adapted("unload_lora"),
        sends={"lora_name": "sql"},
        judge=_says("Success: LoRA adapter 'sql' removed successfully."),
    ),
    "sleep": once(
        "POST /sleep",
        "sleep",
        options={"level": 2, "mode": "wait"},
        judge=_query_was("level=2&mode=wait"),
        nonce=False,
        empty=True,
    ),
    "wake_up": once(
        "POST /wake_up",
        "wake_up",
        options={"tags": ["weights", "kv_cache"]},
        judge=_query_was("tags=weights&tags=kv_cache"),
        nonce=False,
        empty=True,
    ),
    "is_sleeping": story("GET /is_sleeping", _slept("is_sleeping"), judge=_is(True), nonce=False),
    "reset_prefix_cache": once(
        "POST /reset_prefix_cache",
        "reset_prefix_cache",
        options={"reset_external": True},
        judge=_query_was("reset_external=true"),
        nonce=False,
        empty=True,
    ),
    "health": once("GET /health", "health", judge=_is(True), nonce=False),
    "version": once("GET /version", "version", judge=_is("0.32.0"), nonce=False),
    "server_load": once("GET /load", "server_load", judge=_is(0), nonce=False),
    "metrics": once("GET /metrics", "metrics", judge=_metrics_came, nonce=False),
}
