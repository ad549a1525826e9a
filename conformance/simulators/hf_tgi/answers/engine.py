"""The simulated engine: validation in the words of the router, generation, tokens with numbers, headers with times."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.simulators.generation import Finish, Turn, Wish, count_tokens, generate, tokenise
from conformance.simulators.hf_tgi.models import Server
from conformance.simulators.provider import Call

__all__ = ["FINISH", "Run", "headers_of", "problem_of", "run", "schema_of", "stream_headers", "token"]

FINISH = dict.fromkeys(Finish, "eos_token") | {
    Finish.LIMIT: "length",
    Finish.STOP_SEQUENCE: "stop_sequence",
}
_VOCABULARY = 32_000
_END = 2


@dataclass(frozen=True, slots=True)
class Run:
    """One answer of the engine: its tokens as they go out, its text, and why it ended."""

    tokens: tuple[dict[str, Any], ...]
    text: str
    finish: str
    asked: int
    seed: int | None
    turn: Turn

    def details(self) -> dict[str, Any]:
        """What whole and streamed details share."""
        return {"finish_reason": self.finish, "generated_tokens": len(self.tokens), "seed": self.seed}


def token(text: str, *, special: bool = False) -> dict[str, Any]:
    """A token with its number; the same text has the same one."""
    number = _END if special else 3 + zlib.crc32(text.encode()) % (_VOCABULARY - 3)
    return {"id": number, "text": text, "logprob": -round(0.05 + (len(text) % 7) / 10, 2), "special": special}


def problem_of(server: Server, inputs: str, parameters: Mapping[str, Any], *, stream: bool) -> str | None:
    """The first rule that a request breaks, None when it breaks none."""
    given = {name: value for name, value in parameters.items() if value is not None}
    best_of = given.get("best_of", 1)
    sampling = given.get("do_sample") or given.keys() & {"temperature", "top_k", "top_p", "typical_p"}
    asked = min(count_tokens(inputs), given.get("truncate") or server.max_input_tokens + 1)
    wanted = given.get("max_new_tokens", 1)
    rules = (
        (not inputs, "`inputs` cannot be empty"),
        (
            not 1 <= best_of <= server.max_best_of,
            f"`best_of` must be > 0 and <= {server.max_best_of}. Given: {best_of}",
        ),
        (best_of > 1 and stream, "`best_of` != 1 is not supported when streaming tokens"),
        (best_of > 1 and not sampling, "you must use sampling when `best_of` is > 1"),
        (best_of > 1 and "seed" in given, "`seed` must not be set when `best_of` > 1"),
        (given.get("temperature", 1) <= 0, "`temperature` must be strictly positive"),
        (given.get("repetition_penalty", 1) <= 0, "`repetition_penalty` must be strictly positive"),
        (not -2 <= given.get("frequency_penalty", 0) <= 2, "`frequency_penalty` must be >= -2.0 and <= 2.0"),
        (not 0 < given.get("top_p", 0.5) < 1, "`top_p` must be > 0.0 and < 1.0"),
        (not 0 < given.get("typical_p", 0.5) < 1, "`typical_p` must be > 0.0 and < 1.0"),
        (given.get("top_k", 1) <= 0, "`top_k` must be strictly positive"),
        (given.get("truncate", 1) < 1, f"`truncate` must be strictly positive and less than {server.max_input_tokens}"),
        (wanted < 1, "`max_new_tokens` must be strictly positive"),
        (
            len(given.get("stop", ())) > server.max_stop_sequences,
            f"`stop` supports up to {server.max_stop_sequences} stop sequences. Given: {len(given.get('stop', ()))}",
        ),
        (
            given.get("top_n_tokens", 0) > server.max_top_n_tokens,
            f"`top_n_tokens` must be >= 0 and <= {server.max_top_n_tokens}. Given: {given.get('top_n_tokens')}",
        ),
        (
            bool(given.get("decoder_input_details")) and stream,
            "`decoder_input_details` == true is not supported when streaming tokens",
        ),
        (
            asked > server.max_input_tokens,
            f"`inputs` must have less than {server.max_input_tokens} tokens. Given: {asked}",
        ),
        (
            asked + wanted > server.max_total_tokens,
            f"`inputs` tokens + `max_new_tokens` must be <= {server.max_total_tokens}. Given: {asked} `inputs` tokens and "
            f"{wanted} `max_new_tokens`",
        ),
    )
    return next((text for broken, text in rules if broken), None)


def schema_of(grammar: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The JSON Schema of a grammar, None for none and for a pattern."""
    if not grammar or grammar["type"] == "regex":
        return None
    value = grammar["value"]
    return value["schema"] if grammar["type"] == "json_schema" else value  # type: ignore[no-any-return]  # field table


def run(call: Call, inputs: str, parameters: Mapping[str, Any], *, variant: int = 0, wish: Wish | None = None) -> Run:
    """Let the engine answer; ``wish`` is given where a chat has more to ask than a prompt."""
    server: Server = call.state
    asked = min(count_tokens(inputs), parameters.get("truncate") or count_tokens(inputs))
    limit = parameters.get("max_new_tokens") or server.max_total_tokens - asked
    if wish is None:
        wish = Wish(
            inputs,
            call.nonce,
            limit=limit,
            stops=parameters.get("stop") or (),
            schema=schema_of(parameters.get("grammar")),
            variant=variant,
        )
    turn = generate(wish)
    pieces: Sequence[str] = turn.tokens
    if turn.tool_uses:
        pieces = tokenise(turn.tool_uses[0].arguments)
    if turn.stop_sequence is not None:
        pieces = (*pieces, turn.stop_sequence)  # the engine stops behind the sequence, not before it
    tokens = [token(piece) for piece in pieces]
    if FINISH[turn.finish] == "eos_token":
        tokens.append(token("</s>", special=True))
    sampled = parameters.get("do_sample") or parameters.get("temperature")
    seed = parameters.get("seed")
    if seed is None and sampled:
        seed = int(call.nonce[:8], 16) + variant
    server.counts.update({"request_success": 1, "generated": len(tokens), "asked": asked})
    return Run(tuple(tokens), "".join(pieces), FINISH[turn.finish], asked, seed, turn)


def headers_of(call: Call, inputs: str, asked: int, made: int) -> tuple[tuple[str, str], ...]:
    """Counts and times of a whole answer: milliseconds, except ``x-compute-time`` in seconds."""
    queue, inference = int(call.nonce[:2], 16) % 9, 12 + 5 * made
    total = 1 + queue + inference
    return (
        ("x-compute-type", "gpu+optimized"),
        ("x-compute-time", f"{total / 1000 + int(call.nonce[:4], 16) / 1e8:.9f}"),
        ("x-compute-characters", str(len(inputs))),
        ("x-total-time", str(total)),
        ("x-validation-time", "1"),
        ("x-queue-time", str(queue)),
        ("x-inference-time", str(inference)),
        ("x-time-per-token", str(inference // max(1, made))),
        ("x-prompt-tokens", str(asked)),
        ("x-generated-tokens", str(made)),
    )


def stream_headers(inputs: str) -> tuple[tuple[str, str], ...]:
    """What a stream carries instead."""
    return (
        ("x-compute-type", "gpu+optimized"),
        ("x-compute-characters", str(len(inputs))),
        ("x-accel-buffering", "no"),
    )
