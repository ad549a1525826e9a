"""LiteLLM's Router before the provider with moods, in a process of its own and in real time.

Its core keeps time by itself, so it cannot be put into virtual time: a run takes as long as its timetable. The provider is reached
through LiteLLM's own hook for providers of one's own (``CustomLLM``) and answers as a server does: 429 with ``retry-after``,
503, no connection.

Order on standard input, one JSON object (``seed``, ``phases``, ``bucket``, ``ceiling``, ``repeats``); on standard output one line:
``{"absent": ...}``, or ``version``, ``run``, ``late`` (seconds, the worst of the callers) and ``processor`` (share of one that it took).
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import logging
import os
import sys
import time
from typing import Any, Final

from benchmarks import workload
from benchmarks.moody_provider import MoodyProvider, Phase, Refused, Unreachable
from benchmarks.play import PATIENCE, Ask, play

__all__ = ["TITLE", "main"]

TITLE: Final = "LiteLLM's Router, the same ceiling, repeats and patience"
_PROVIDER: Final = "moody"


def _router(provider: MoodyProvider, order: dict[str, Any]) -> Ask:
    import httpx
    import litellm

    asked = httpx.Request("POST", "http://127.0.0.1:9/v1/chat/completions")

    class Moody(litellm.CustomLLM):  # type: ignore[misc]
        async def acompletion(self, *_: Any, model_response: Any, **__: Any) -> Any:
            try:
                await provider.serve()
            except Unreachable:
                raise litellm.APIConnectionError("refused", llm_provider=_PROVIDER, model=workload.MODEL) from None
            except Refused as refusal:
                hint = {} if refusal.retry_after is None else {"retry-after": f"{refusal.retry_after:.3f}"}
                kind = litellm.RateLimitError if refusal.status == 429 else litellm.ServiceUnavailableError
                answer = httpx.Response(refusal.status, headers=hint, request=asked)
                raise kind("too much", llm_provider=_PROVIDER, model=workload.MODEL, response=answer) from None
            return model_response

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.custom_provider_map = [{"provider": _PROVIDER, "custom_handler": Moody()}]
    parameters = {
        "model": f"{_PROVIDER}/{workload.MODEL}",
        "api_key": workload.KEY,
        "max_parallel_requests": order["ceiling"],
    }
    router = litellm.Router(
        model_list=[{"model_name": workload.MODEL, "litellm_params": parameters}],
        num_retries=order["repeats"],
        timeout=PATIENCE,
    )

    async def ask() -> None:
        async with asyncio.timeout(PATIENCE):
            await router.acompletion(model=workload.MODEL, messages=workload.MESSAGES)

    return ask


def main() -> None:
    """Take the order, run, and tell."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # read when litellm is imported
    os.environ["LITELLM_LOG"] = "ERROR"
    order = json.loads(sys.stdin.readline())
    try:
        import litellm  # noqa: F401
        import openai  # what the Router raises is its own and the SDK's
    except ImportError as missing:
        print(json.dumps({"absent": str(missing)}))
        return
    logging.disable(logging.CRITICAL)
    phases = tuple(Phase(**phase) for phase in order["phases"])
    failures = (openai.OpenAIError, ValueError, TimeoutError)
    playing = play(lambda at: _router(at, order), order["seed"], phases, order["bucket"], failures)
    began = time.process_time()
    run, late = asyncio.run(playing)
    spent = (time.process_time() - began) / sum(phase.seconds for phase in phases)
    version = importlib.metadata.version("litellm")
    print(json.dumps({"version": version, "run": run, "late": late, "processor": spent}))


if __name__ == "__main__":
    main()
