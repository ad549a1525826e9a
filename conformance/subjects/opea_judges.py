"""What is asked of the answers to OPEA's declared calls, beyond what is asked of every call's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from conformance.simulators.opea.models import DIMENSIONS
from conformance.simulators.record import Seen
from conformance.trial import Trial

__all__ = [
    "HELLO",
    "Judge",
    "answered",
    "chosen",
    "deleted",
    "documents_came",
    "flag_is",
    "form_has",
    "from_documents",
    "info_came",
    "messages_came",
    "metrics_came",
    "names_are",
    "number_found",
    "number_masked",
    "ranked",
    "records_are",
    "saved",
    "score_is",
    "sound_came",
    "sources_came",
    "statistics_came",
    "vectors_came",
]

Judge = Callable[[Trial, Any, Seen], None]

HELLO: Final = [{"role": "user", "content": "hello"}]
"""The conversation that is saved and read back."""


def answered(trial: Trial, reply: Any, seen: Seen) -> None:
    """The text is the server's, and a count that nobody made is no count."""
    trial.expect(seen.nonce in reply.text, "the server's text is not in the reply")
    trial.expect("naïve ☃ and 🙂" in reply.text, f"characters beyond ASCII were lost: {reply.text}")
    trial.equal(
        (reply.usage.input_tokens, reply.usage.output_tokens),
        (None, None),
        "token counts of a service that counts none",
    )


def from_documents(trial: Trial, reply: Any, seen: Seen) -> None:
    """The answer uses a document that was ingested."""
    answered(trial, reply, seen)
    trial.expect("tide follows" in reply.text, "the answer does not use the document that was ingested")


def vectors_came(trial: Trial, reply: Any, seen: Seen) -> None:
    """Two texts have two vectors of the right length."""
    trial.equal([len(vector) for vector in reply.vectors], [DIMENSIONS, DIMENSIONS], "lengths of the vectors")
    trial.expect(reply.vectors[0] != reply.vectors[1], "two texts got the same vector")


def documents_came(trial: Trial, reply: Any, seen: Seen) -> None:
    """The nearest document comes first."""
    trial.equal(reply.texts[0], "The tide follows the moon's path.", "the nearest document")


def sources_came(trial: Trial, reply: Any, seen: Seen) -> None:
    """It comes with what is known of it."""
    documents_came(trial, reply, seen)
    trial.equal(reply.documents[0].metadata, {"source": "tide.txt"}, "metadata of the nearest document")


def ranked(trial: Trial, reply: Any, seen: Seen) -> None:
    """Both texts come, the better one first, by falling scores."""
    trial.equal([one.index for one in reply.results], [1, 0], "places of the texts, the best first")
    scores = [one.score for one in reply.results]
    trial.expect(scores == sorted(scores, reverse=True) and scores[0] > scores[1], f"scores: {scores}")


def chosen(trial: Trial, reply: Any, seen: Seen) -> None:
    """The better text comes, without a score."""
    trial.equal([(one.index, one.score) for one in reply.results], [(1, None)], "the best text, without a score")


def names_are(*names: str) -> Judge:
    """What comes bears these names."""

    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal([getattr(one, "name", one) for one in reply], list(names), "names that came")

    return judge


def flag_is(flag: bool | None, policies: str | None = None) -> Judge:
    """The verdict is this, and names these policies."""

    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal((reply.flagged, reply.policies), (flag, policies), "verdict")

    return judge


def score_is(low: float, high: float) -> Judge:
    """The score lies between these."""

    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.expect(reply.score is not None and low <= reply.score <= high, f"score: {reply.score}")

    return judge


def number_found(trial: Trial, reply: Any, seen: Seen) -> None:
    """The telephone number was found."""
    trial.equal([one["entity_type"] for one in reply.found], ["PHONE_NUMBER"], "personal data found")


def number_masked(trial: Trial, reply: Any, seen: Seen) -> None:
    """The telephone number was replaced."""
    trial.equal(reply.text, "call *", "the text with personal data replaced")


def sound_came(trial: Trial, reply: Any, seen: Seen) -> None:
    """The sound is the server's."""
    trial.equal(reply.data[:4], b"RIFF", "first bytes of the sound")
    trial.expect(seen.nonce.encode() in reply.data, "the sound is not the server's")


def form_has(**fields: str) -> Judge:
    """The form holds these fields as text."""

    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        for name, value in fields.items():
            part = f'name="{name}"\r\n\r\n{value}\r\n'.encode()
            trial.expect(part in seen.body, f"field {name} of the form is not {value!r}")
        if hasattr(reply, "usage"):
            trial.expect(reply.usage.input_tokens is None, "token counts of a service that counts none")

    return judge


def saved(trial: Trial, reply: Any, seen: Seen) -> None:
    """A new record has an id."""
    trial.expect(reply.id and seen.nonce in reply.id and not reply.updated, "the new record's id is missing")


def messages_came(trial: Trial, reply: Any, seen: Seen) -> None:
    """The conversation is the one that was saved."""
    trial.equal(reply["messages"], HELLO, "messages of the conversation")


def records_are(field: str, *values: Any) -> Judge:
    """The records hold these values in a field."""

    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal([record.get(field) for record in reply], list(values), f"field {field} of the records")

    return judge


def deleted(trial: Trial, reply: Any, seen: Seen) -> None:
    """Something was deleted."""
    trial.equal(reply.deleted, True, "whether it was deleted")


def info_came(trial: Trial, reply: Any, seen: Seen) -> None:
    """The service says its name and version."""
    trial.equal((reply.title, reply.version), ("ChatQnAService", "1.5"), "what the service says of itself")


def statistics_came(trial: Trial, reply: Any, seen: Seen) -> None:
    """There are latencies of what was asked, and none of what was not."""
    asked, idle = reply["opea_service@llm"], reply["opea_service@retrievers"]
    trial.expect(asked.p50 and asked.average, "no latency of a service that was asked")
    trial.equal((idle.p50, asked.p50_first_token), (None, None), "latencies that there are none of")


def metrics_came(trial: Trial, reply: Any, seen: Seen) -> None:
    """Gauges and histograms are read."""
    found = {(one.name, one.labels.get("le")): one.value for one in reply}
    trial.equal(found.get(("megaservice_request_pending", None)), 0.0, "requests pending")
    trial.equal(found.get(("megaservice_request_latency_bucket", "+Inf")), 2.0, "a bucket of a histogram")
