"""Declared calls of offline batches, alike on every provider that has them. Data and stories only."""

from __future__ import annotations

from typing import Any, Final

from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, story
from conformance.trial import Trial

__all__ = ["offline_calls"]

_REQUESTS: Final = [
    {"custom_id": f"request-{number}", "messages": [{"role": "user", "content": f"offline {number}"}]}
    for number in range(2)
]


def _submitted() -> Story:
    return (yield do("submit_batch", _REQUESTS))


def _answered() -> Story:
    batch = yield do("submit_batch", _REQUESTS)
    while not batch.ended:
        batch = yield do("get_batch", batch.id)
    return (yield do("batch_answers", batch.id))


def _finished() -> Story:
    batch = yield do("submit_batch", _REQUESTS)
    return (yield do("finish_batch", batch.id, every=0.001))


def _by_their_ids(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(sorted(reply), [one["custom_id"] for one in _REQUESTS], "ids of the answers")
    texts = [reply[one["custom_id"]].reply.text for one in _REQUESTS]
    trial.expect(all(texts), "an answer has no text")
    trial.expect(len(set(texts)) == len(texts), "two requests got the same answer")


def offline_calls(submitted: str, answered: str) -> dict[str, CallCase]:
    """Return the three declared calls.

    Args:
        submitted: verb and path glob of the request that starts a batch.
        answered: of the request that brings its answers.
    """
    return {
        "submit_batch": story(submitted, _submitted),
        "batch_answers": story(answered, _answered, judge=_by_their_ids, nonce=False),
        "finish_batch": story(answered, _finished, judge=_by_their_ids, nonce=False),
    }
