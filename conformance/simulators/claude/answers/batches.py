"""``/v1/messages/batches``: a batch ends at the second look; its requests really run through the routes."""

from __future__ import annotations

from typing import Any

from conformance.simulators.claude.answers.common import page
from conformance.simulators.claude.errors import clipped, refused
from conformance.simulators.claude.models import CREATED, EXPIRES, Account, StoredBatch
from conformance.simulators.provider import Answer, Call, Request, encode

__all__ = ["cancel", "create", "delete", "get", "list_batches", "results"]

_PASSED_ON = ("authorization", "x-api-key", "anthropic-version", "anthropic-beta")
_LOOKS = 2


def create(call: Call) -> Answer:
    """Take the requests as they are: each is judged when it runs."""
    requests = call.body["requests"]
    names = [request["custom_id"] for request in requests]
    if len(set(names)) < len(names):
        return refused(call, 400, "requests: custom_id must be unique within a batch")
    headers = tuple(pair for pair in call.request.headers if pair[0] in _PASSED_ON)
    batch = StoredBatch(f"msgbatch_{call.nonce}", requests, headers)
    call.state.batches[batch.id] = batch
    return Answer(payload=_as_json(call, batch))


def list_batches(call: Call) -> Answer:
    """Newest first; looking at the list moves nothing."""
    account: Account = call.state
    return page(call, [_as_json(call, batch) for batch in reversed(account.batches.values())])


def _absent(call: Call) -> Answer:
    return refused(call, 404, f"Message batch not found: {clipped(call.params['batch_id'])}")


def get(call: Call) -> Answer:
    """One look further."""
    batch: StoredBatch | None = call.state.batches.get(call.params["batch_id"])
    if batch is None:
        return _absent(call)
    if batch.status != "ended":
        batch.looks += 1
        if batch.cancelled or batch.looks >= _LOOKS:
            _finish(call, batch)
    return Answer(payload=_as_json(call, batch))


def cancel(call: Call) -> Answer:
    """Takes effect with the next look; one that has ended stays as it is."""
    batch: StoredBatch | None = call.state.batches.get(call.params["batch_id"])
    if batch is None:
        return _absent(call)
    if batch.status != "ended":
        batch.status, batch.cancelled = "canceling", True
    return Answer(payload=_as_json(call, batch))


def delete(call: Call) -> Answer:
    """Only what has ended can be deleted."""
    batch: StoredBatch | None = call.state.batches.get(call.params["batch_id"])
    if batch is None:
        return _absent(call)
    if batch.status != "ended":
        return refused(call, 400, "The batch is still in progress; cancel it first.")
    del call.state.batches[batch.id]
    return Answer(payload={"id": batch.id, "type": "message_batch_deleted"})


def results(call: Call) -> Answer:
    """One line for each request, the last first: the order means nothing."""
    batch: StoredBatch | None = call.state.batches.get(call.params["batch_id"])
    if batch is None:
        return _absent(call)
    if batch.status != "ended":
        return refused(call, 400, "The batch has not ended yet; it has no results.")
    lines = b"".join(encode(row) + b"\n" for row in reversed(batch.results))
    return Answer(body=lines, content_type="application/x-jsonl")


def _finish(call: Call, batch: StoredBatch) -> None:
    assert call.dispatch is not None
    batch.status = "ended"
    for request in batch.requests:
        result: dict[str, Any] = {"type": "canceled"}
        if not batch.cancelled:
            headers = (("content-type", "application/json"), *batch.headers)
            answer = call.dispatch(Request("POST", "/v1/messages", "", headers, encode(request["params"])))
            if answer.status >= 400:
                result = {"type": "errored", "error": answer.payload}
            else:
                message = {**answer.payload, "usage": {**answer.payload["usage"], "service_tier": "batch"}}
                result = {"type": "succeeded", "message": message}
        batch.results.append({"custom_id": request["custom_id"], "result": result})


def _as_json(call: Call, batch: StoredBatch) -> dict[str, Any]:
    ended = batch.status == "ended"
    outcomes = [row["result"]["type"] for row in batch.results]
    counts = {name: outcomes.count(name) for name in ("succeeded", "errored", "canceled", "expired")}
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": batch.status,
        "request_counts": {"processing": 0 if ended else len(batch.requests), **counts},
        "created_at": CREATED,
        "expires_at": EXPIRES,
        "ended_at": CREATED if ended else None,
        "archived_at": None,
        "cancel_initiated_at": CREATED if batch.cancelled else None,
        "results_url": f"{call.base_url}/v1/messages/batches/{batch.id}/results" if ended else None,
    }
