"""Batches: a job moves one step each time it is looked at; its requests really run through the routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.simulators.gemini.answers.common import absent, given, model_for, page, version_of
from conformance.simulators.gemini.errors import problem_answer
from conformance.simulators.gemini.models import CREATED, StoredFile
from conformance.simulators.provider import Answer, Call, Request, encode

__all__ = ["cancel", "creator", "delete", "get", "list_batches"]

_FINAL = ("BATCH_STATE_SUCCEEDED", "BATCH_STATE_FAILED", "BATCH_STATE_CANCELLED")


def creator(method: str, verb: str) -> Callable[[Call], Answer]:
    """What starts batches of one kind.

    Args:
        method: that the model must have.
        verb: what each request is run with.
    """

    def create(call: Call) -> Answer:
        model = model_for(call, method)
        if isinstance(model, Answer):
            return model
        batch = call.body["batch"]
        source = batch["inputConfig"]
        if ("requests" in source) == ("fileName" in source):
            return problem_answer(400, "Exactly one of requests and file_name must be set.")
        if "fileName" in source and source["fileName"] not in call.state.files:
            return absent("File", source["fileName"])
        name = f"batches/{call.nonce}"
        job = {
            "name": name,
            "source": source,
            "model": model.id,
            "verb": verb,
            "displayName": batch.get("displayName", ""),
            "state": "BATCH_STATE_PENDING",
            "key": call.key,
            "version": version_of(call),
            "counts": {},
            "output": None,
        }
        call.state.batches[name] = job
        return given(_shown(job))

    return create


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    about = {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "model": f"models/{job['model']}",
        "displayName": job["displayName"],
        "createTime": CREATED,
        "updateTime": CREATED,
        "batchStats": job["counts"],
        "state": job["state"],
        "name": job["name"],
    }
    if "fileName" in job["source"]:
        about["inputConfig"] = {"fileName": job["source"]["fileName"]}
    shown: dict[str, Any] = {"name": job["name"], "metadata": about}
    if job["state"] in _FINAL:
        shown["done"] = True
    if job["output"] is not None:
        about["output"] = job["output"]
        shown["response"] = {"@type": "type.googleapis.com/google.ai.generativelanguage.v1main", **job["output"]}
    return shown


def _job(call: Call) -> dict[str, Any] | Answer:
    job: dict[str, Any] | None = call.state.batches.get(f"batches/{call.params['batch']}")
    return absent("Batch", call.params["batch"]) if job is None else job


def get(call: Call) -> Answer:
    """One step on: pending, running, succeeded."""
    job = _job(call)
    if isinstance(job, Answer):
        return job
    if job["state"] == "BATCH_STATE_PENDING":
        job["state"] = "BATCH_STATE_RUNNING"
    elif job["state"] == "BATCH_STATE_RUNNING":
        _run(call, job)
    return given(_shown(job))


def list_batches(call: Call) -> Answer:
    """Looking at the list moves nothing."""
    return page(call, "operations", [_shown(job) for job in call.state.batches.values()], 10)


def cancel(call: Call) -> Answer:
    """Takes effect at once here; the answer is empty."""
    job = _job(call)
    if isinstance(job, Answer):
        return job
    if job["state"] not in _FINAL:
        job["state"] = "BATCH_STATE_CANCELLED"
    return given({})


def delete(call: Call) -> Answer:
    """Gone at once; the answer is empty."""
    job = _job(call)
    if isinstance(job, Answer):
        return job
    del call.state.batches[job["name"]]
    return given({})


def _run(call: Call, job: dict[str, Any]) -> None:
    source = job["source"]
    if "requests" in source:
        entries = source["requests"]["requests"]
        results = [{"metadata": entry.get("metadata"), **_ran(call, job, entry["request"])} for entry in entries]
        shown = [{name: value for name, value in result.items() if value is not None} for result in results]
        job["output"] = {"inlinedResponses": {"inlinedResponses": shown}}
    else:
        stored: StoredFile = call.state.files[source["fileName"]]
        lines = [json.loads(line) for line in stored.content.splitlines() if line.strip()]
        results = [{"key": line.get("key"), **_ran(call, job, line.get("request"))} for line in lines]
        name = f"files/batch-{job['name'].removeprefix('batches/')}"
        made = b"".join(encode(result) + b"\n" for result in results)
        call.state.files[name] = StoredFile(name, made, "application/jsonl", generated=True)
        job["output"] = {"responsesFile": name}
    failed = sum("error" in result for result in results)
    counts = {
        "requestCount": len(results),
        "successfulRequestCount": len(results) - failed,
        "failedRequestCount": failed,
    }
    job["counts"] = {name: str(value) for name, value in counts.items() if value}
    job["state"] = "BATCH_STATE_SUCCEEDED"


def _ran(call: Call, job: dict[str, Any], request: Any) -> dict[str, Any]:
    assert call.dispatch is not None
    headers = (("content-type", "application/json"), ("x-goog-api-key", job["key"] or ""))
    path = f"/{job['version']}/models/{job['model']}:{job['verb']}"
    answer = call.dispatch(Request("POST", path, "", headers, encode(request)))
    payload = answer.payload
    if answer.status == 200:
        return {"response": payload}
    return {"error": {"code": 3, "message": payload["error"]["message"]}}
