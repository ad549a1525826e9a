"""``/batches``: a batch moves one step each time it is looked at; its lines really run through the routes."""

from __future__ import annotations

import json
from typing import Any

from conformance.simulators.openai.answers.common import clipped, page
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.models import EPOCH, StoredFile
from conformance.simulators.provider import Answer, Call, Request, encode

__all__ = ["cancel", "create", "get", "list_batches"]

_MOST_LINES = 50_000
_FINAL = ("completed", "failed", "expired", "cancelled")


def create(call: Call) -> Answer:
    """Check that the file is there and is for this; reading its lines belongs to ``validating``."""
    stored = call.state.files.get(call.body["input_file_id"])
    if stored is None:
        message = f"File not found: {clipped(call.body['input_file_id'])}"
        return problem_answer(400, message, param="input_file_id", code="invalid_value")
    if stored.purpose != "batch":
        return problem_answer(400, "The file's purpose is not 'batch'.", param="input_file_id", code="invalid_value")
    batch: dict[str, Any] = {
        "id": f"batch_{call.nonce}",
        "object": "batch",
        "endpoint": call.body["endpoint"],
        "errors": None,
        "input_file_id": stored.id,
        "completion_window": call.body["completion_window"],
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": EPOCH,
        **dict.fromkeys(
            (
                "in_progress_at",
                "finalizing_at",
                "completed_at",
                "failed_at",
                "expired_at",
                "cancelling_at",
                "cancelled_at",
            )
        ),
        "expires_at": EPOCH + 86_400,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": call.body.get("metadata"),
    }
    call.state.batches[batch["id"]] = batch
    return Answer(payload=dict(batch))


def list_batches(call: Call) -> Answer:
    """Newest first; looking at the list moves nothing."""
    return page(call, [dict(batch) for batch in call.state.batches.values()])


def _absent(call: Call) -> Answer:
    return problem_answer(404, f"No batch found with id '{clipped(call.params['batch_id'])}'.", param="batch_id")


def get(call: Call) -> Answer:
    """One step on: validating, in_progress, finalizing, completed; cancelling, cancelled."""
    batch = call.state.batches.get(call.params["batch_id"])
    if batch is None:
        return _absent(call)
    match batch["status"]:
        case "validating":
            _validate(call, batch)
        case "in_progress":
            _run(call, batch)
            _move(batch, "finalizing")
        case "finalizing":
            _move(batch, "completed")
        case "cancelling":
            _move(batch, "cancelled")
        case _:
            pass
    shown = dict(batch)
    if batch["status"] != "completed":
        shown |= {"output_file_id": None, "error_file_id": None}
    return Answer(payload=shown)


def cancel(call: Call) -> Answer:
    """Takes effect with the next look; a finished batch cannot be cancelled."""
    batch = call.state.batches.get(call.params["batch_id"])
    if batch is None:
        return _absent(call)
    if batch["status"] in _FINAL:
        return problem_answer(409, f"Cannot cancel a batch with status '{batch['status']}'.", code="invalid_state")
    if batch["status"] != "cancelling":
        _move(batch, "cancelling")
    return Answer(payload=dict(batch))


def _move(batch: dict[str, Any], status: str) -> None:
    batch["status"] = status
    steps = ("validating", "in_progress", "finalizing", "completed", "cancelling", "cancelled", "failed")
    batch[f"{status}_at"] = EPOCH + 60 * steps.index(status)


def _lines(call: Call, batch: dict[str, Any]) -> list[bytes]:
    stored = call.state.files.get(batch["input_file_id"])
    return [] if stored is None else [line for line in stored.content.splitlines() if line.strip()]


def _validate(call: Call, batch: dict[str, Any]) -> None:
    lines = _lines(call, batch)
    problems: list[dict[str, Any]] = []
    names: set[str] = set()
    for number, line in enumerate(lines, 1):
        code, message = _wrong_with(line, batch["endpoint"], names)
        if code:
            problems.append({"code": code, "message": message, "param": None, "line": number})
    if not lines:
        problems.append({"code": "empty_file", "message": "The batch has no requests.", "param": None, "line": None})
    if len(lines) > _MOST_LINES:
        problems.append({"code": "too_many_requests", "message": "Too many lines.", "param": None, "line": None})
    batch["request_counts"] = {"total": len(lines), "completed": 0, "failed": 0}
    if problems:
        batch["errors"] = {"object": "list", "data": problems}
        _move(batch, "failed")
    else:
        _move(batch, "in_progress")


def _wrong_with(line: bytes, endpoint: str, names: set[str]) -> tuple[str | None, str]:
    try:
        data = json.loads(line)
    except ValueError:
        return "invalid_json_line", "This line is not parseable as valid JSON."
    if not isinstance(data, dict) or not isinstance(data.get("custom_id"), str):
        return "missing_required_parameter", "The line has no 'custom_id'."
    if data["custom_id"] in names:
        return "duplicate_custom_id", "The 'custom_id' was used before."
    names.add(data["custom_id"])
    if data.get("method") != "POST":
        return "invalid_method", "The 'method' must be POST."
    if data.get("url") != endpoint:
        return "mismatched_url", f"The 'url' must be {endpoint}, the endpoint of the batch."
    if not isinstance(data.get("body"), dict):
        return "missing_required_parameter", "The line has no 'body'."
    return None, ""


def _run(call: Call, batch: dict[str, Any]) -> None:
    assert call.dispatch is not None
    good: list[bytes] = []
    bad: list[bytes] = []
    for number, line in enumerate(_lines(call, batch)):
        data = json.loads(line)
        headers = (
            ("content-type", "application/json"),
            *(pair for pair in call.request.headers if pair[0] == "authorization"),
        )
        answer = call.dispatch(Request("POST", data["url"], "", headers, encode(data["body"])))
        request_id = dict(answer.headers).get("x-request-id", "")
        row = {
            "id": f"batch_req_{batch['id'][6:]}{number}",
            "custom_id": data["custom_id"],
            "response": {"status_code": answer.status, "request_id": request_id, "body": answer.payload},
            "error": None,
        }
        (good if answer.status < 400 else bad).append(encode(row) + b"\n")
    counts = {"total": len(good) + len(bad), "completed": len(good), "failed": len(bad)}
    batch["request_counts"] = counts
    for field, rows, kind in (("output_file_id", good, "output"), ("error_file_id", bad, "error")):
        if rows:
            name = f"file-{kind}-{batch['id'][6:]}"
            call.state.files[name] = StoredFile(name, f"{batch['id']}_{kind}.jsonl", "batch_output", b"".join(rows))
            batch[field] = name
