"""The calls that the TEI backend declares. Every call is made in both modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED"]

_TEXTS: Final = ["dry sand", "deep water"]
_MANY: Final = [f"text number {number}" for number in range(70)]
_RANKED: Final = ["dry sand", "water", "deep water of the sea"]


def _counted(trial: Trial, reply: Any, seen: Seen, tokens: int) -> None:
    trial.equal(reply.usage.input_tokens, tokens, "tokens that the server counted in its header")
    trial.equal(reply.usage.output_tokens, None, "tokens of output, which an embedding has not")


def _two_vectors(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(vector) for vector in reply.vectors], [64, 64], "lengths of the vectors")
    trial.expect(all(isinstance(number, float) for number in reply.vectors[0]), "a vector is not of floats")
    trial.expect(reply.vectors[0] != reply.vectors[1], "two texts got the same vector")
    trial.equal(reply.raw, [list(vector) for vector in reply.vectors], "the payload")
    _counted(trial, reply, seen, 8)


def _short_vectors(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(vector) for vector in reply.vectors], [16, 16, 16], "lengths of the vectors")
    trial.expect(sum(number * number for number in reply.vectors[0]) > 2, "the vector has length 1 all the same")


def _seventy(trial: Trial, reply: Any, seen: Seen) -> None:
    sizes = [len(one.json["inputs"]) for one in trial.requests if one.path.endswith("/embed")]
    trial.equal(sorted(sizes), [6, 32, 32], "inputs of the requests, with the server's limit of 32")
    trial.equal(len(reply.vectors), 70, "vectors for seventy texts")
    trial.equal(reply.usage.input_tokens, 70 * 5, "tokens of all requests together")


def _per_token(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(rows) for rows in reply.vectors], [4, 4], "tokens of each text")
    trial.equal(len(reply.vectors[0][0]), 64, "length of a token's vector")
    _counted(trial, reply, seen, 8)


def _sparse(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(vector) for vector in reply.vectors], [3, 3], "weights of each text")
    _counted(trial, reply, seen, 8)


def _ranked(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([entry.index for entry in reply.results], [2, 1, 0], "order of the texts")
    trial.equal([entry.text for entry in reply.results], [_RANKED[index] for index in (2, 1, 0)], "texts")
    trial.equal(reply.scores, tuple(sorted(reply.scores)), "scores in the order of the texts")


def _one_input(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([label.label for label in reply.labels], ["positive", "negative", "neutral"], "labels, likeliest first")
    trial.equal(len(reply.rows), 1, "rows for one input")


def _three_inputs(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(row) for row in reply.rows], [3, 3, 3], "labels of each input")


def _compared(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.scores), 3, "similarities of three sentences")
    trial.equal(reply.scores[1], 1.0, "similarity of the sentence to itself")
    trial.expect(reply.scores[0] < reply.scores[2] < 1, f"order of the similarities: {reply.scores}")


def _openai(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(vector) for vector in reply.vectors], [64, 64], "lengths of the vectors")
    trial.equal(reply.model, "simulated/tiny-embedder", "the model that answered")
    _counted(trial, reply, seen, 8)


def _tokens(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([token.text for token in reply[0]], ["[CLS]", "dry", " sand", "[SEP]"], "tokens of the first text")
    trial.equal([token.special for token in reply[1]], [True, False, False, True], "which tokens are special")
    trial.equal([(token.start, token.stop) for token in reply[1][:2]], [(None, None), (0, 4)], "their places")


def _decoded() -> Story:
    tokens = yield do("tokenize", _TEXTS)
    return (yield do("decode", [[token.id for token in row] for row in tokens]))


def _texts_came_back(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply, tuple(_TEXTS), "texts of the tokens")


def _exact(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.tokens, reply.estimated), (4, False), "tokens of a text")


def _described(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.model_type, reply.pooling), ("embedding", "mean"), "kind of the model")
    trial.equal((reply.max_client_batch_size, reply.max_input_length), (32, 512), "limits of the server")
    trial.equal(reply.auto_truncate, True, "whether the server cuts by itself")


def _one_model(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([model.id for model in reply], ["simulated/tiny-embedder"], "models of the server")


def _is_true(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply, True, "health of the server")


def _samples(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect("te_request_count" in [metric.name for metric in reply], "the counter of requests is missing")


_SHORTENED: Final[dict[str, Any]] = {
    "normalize": False,
    "dimensions": 16,
    "truncate": True,
    "truncation_direction": "Left",
    "prompt_name": "query",
}

DECLARED: Final[Mapping[str, CallCase]] = {
    "embed": once("POST */embed", "embed", _TEXTS, sends={"inputs": _TEXTS}, judge=_two_vectors),
    "embed_with_everything": once(
        "POST */embed",
        "embed",
        ["dry sand", [2001, 2002], "x"],
        options=_SHORTENED,
        sends={"inputs": ["dry sand", [2001, 2002], "x"], **_SHORTENED},
        judge=_short_vectors,
    ),
    "embed_in_parts": once("POST */embed", "embed", _MANY, judge=_seventy, requests=3),
    "embed_all": once("POST */embed_all", "embed_all", _TEXTS, sends={"inputs": _TEXTS}, judge=_per_token),
    "embed_sparse": once("POST */embed_sparse", "embed_sparse", _TEXTS, sends={"inputs": _TEXTS}, judge=_sparse),
    "rerank": once(
        "POST */rerank",
        "rerank",
        "deep water",
        _RANKED,
        options={"return_text": True},
        sends={"query": "deep water", "texts": _RANKED, "return_text": True},
        judge=_ranked,
    ),
    "predict": once("POST */predict", "predict", "a good day", sends={"inputs": "a good day"}, judge=_one_input),
    "predict_pair": once(
        "POST */predict", "predict", ("a good day", "b"), sends={"inputs": ["a good day", "b"]}, judge=_one_input
    ),
    "predict_several": once(
        "POST */predict",
        "predict",
        ["one", "two", ("three", "four")],
        sends={"inputs": [["one"], ["two"], ["three", "four"]]},
        judge=_three_inputs,
    ),
    "similarity": once(
        "POST */similarity",
        "similarity",
        "deep water",
        ["dry sand", "deep water", "cold water"],
        options={"truncate": True},
        sends={
            "inputs": {"source_sentence": "deep water", "sentences": ["dry sand", "deep water", "cold water"]},
            "parameters": {"truncate": True},
        },
        judge=_compared,
    ),
    "openai_embed": once(
        "POST */v1/embeddings",
        "openai_embed",
        _TEXTS,
        sends={"input": _TEXTS, "encoding_format": "base64"},
        judge=_openai,
        nonce=False,
        whole_json=True,
    ),
    "tokenize": once("POST */tokenize", "tokenize", _TEXTS, sends={"inputs": _TEXTS}, judge=_tokens, nonce=False),
    "decode": story("POST */decode", _decoded, judge=_texts_came_back, nonce=False),
    "count_tokens": once(
        "POST */tokenize", "count_tokens", "dry sand", sends={"inputs": "dry sand"}, judge=_exact, nonce=False
    ),
    "info": once("GET */info", "info", judge=_described, nonce=False, whole_json=True),
    "models": once("GET */info", "models", judge=_one_model, nonce=False),
    "health": once("GET */health", "health", judge=_is_true, nonce=False),
    "metrics": once("GET */metrics", "metrics", judge=_samples, nonce=False),
}
