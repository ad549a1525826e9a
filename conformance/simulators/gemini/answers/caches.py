"""``/cachedContents``: create, list in pages, get, change the time it lives, delete."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from conformance.simulators.gemini.answers.common import absent, given, page, prompt_details, version_of
from conformance.simulators.gemini.errors import problem_answer
from conformance.simulators.gemini.models import CREATED, find_model
from conformance.simulators.provider import Answer, Call

__all__ = ["create", "delete", "get", "list_caches", "update"]

_HOUR = 3600.0
_SHOWN = ("name", "model", "displayName", "createTime", "updateTime", "expireTime", "usageMetadata")


def _expiry(body: dict[str, Any]) -> str | Answer:
    if "ttl" in body and "expireTime" in body:
        return problem_answer(400, "Only one of ttl and expire_time can be set.")
    if "expireTime" in body:
        return str(body["expireTime"])
    seconds = float(body["ttl"].removesuffix("s")) if "ttl" in body else _HOUR
    # Python reads six digits of the nine.
    moment = datetime.fromisoformat(CREATED[:26] + "Z") + timedelta(seconds=seconds)
    return moment.isoformat().replace("+00:00", "Z")


def _shown(cache: dict[str, Any]) -> dict[str, Any]:
    return {name: cache[name] for name in _SHOWN if name in cache}


def create(call: Call) -> Answer:
    """Keep contents for a model."""
    body = call.body
    name = body["model"].removeprefix("models/")
    if find_model(call.state, name, "createCachedContent", version_of(call)) is None:
        return problem_answer(404, f"models/{name[:200]} is not found, or is not supported for createCachedContent.")
    if not body.get("contents") and "systemInstruction" not in body:
        return problem_answer(400, "Cached content is empty.")
    expires = _expiry(body)
    if isinstance(expires, Answer):
        return expires
    kept = [*body.get("contents", ()), *([body["systemInstruction"]] if "systemInstruction" in body else ())]
    cache = {
        **body,
        "name": f"cachedContents/{call.nonce}",
        "model": f"models/{name}",
        "createTime": CREATED,
        "updateTime": CREATED,
        "expireTime": expires,
        "usageMetadata": {"totalTokenCount": sum(entry["tokenCount"] for entry in prompt_details(kept))},
    }
    call.state.caches[cache["name"]] = cache
    return given(_shown(cache))


def _found(call: Call) -> dict[str, Any] | Answer:
    cache: dict[str, Any] | None = call.state.caches.get(f"cachedContents/{call.params['cache']}")
    return absent("CachedContent", call.params["cache"]) if cache is None else cache


def list_caches(call: Call) -> Answer:
    """Contexts in pages, without what they hold."""
    return page(call, "cachedContents", [_shown(cache) for cache in call.state.caches.values()], 10)


def get(call: Call) -> Answer:
    """One context, without what it holds."""
    cache = _found(call)
    return cache if isinstance(cache, Answer) else given(_shown(cache))


def update(call: Call) -> Answer:
    """Only the time can be changed."""
    cache = _found(call)
    if isinstance(cache, Answer):
        return cache
    expires = _expiry(call.body)
    if isinstance(expires, Answer):
        return expires
    cache["expireTime"] = expires
    return given(_shown(cache))


def delete(call: Call) -> Answer:
    """Gone at once; the answer is empty."""
    cache = _found(call)
    if isinstance(cache, Answer):
        return cache
    del call.state.caches[cache["name"]]
    return given({})
