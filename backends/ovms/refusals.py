"""Calls that other servers have and OpenVINO Model Server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "repository_index": "it has no repository calls; config() lists every model with the status of its versions.",
    "load_model": "models are added in its configuration file and are loaded by reload(), or by its polling.",
    "unload_model": "models are taken out of its configuration file and unloaded by reload(), or by its polling.",
    "trace_settings": "it has no trace calls; metrics() and statistics() tell times.",
    "shared_memory": "it has no shared-memory calls over HTTP; tensors travel in binary (binary=True).",
    "moderate": "it has no moderation endpoint; ask a guard model by chat.",
    "image_variations": "it has no variations; use edit_image with a strength near 1.",
    "stream_speech": "it does not stream sound; speech() returns the whole file.",
    "get_response": "it stores no responses; keep the reply and send its items again.",
    "create_batch": "it has no batch jobs; infer_batch stacks requests, everything else queues here and at the server.",
}
