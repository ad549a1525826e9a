"""Chapters CAP: what is sent is what the provider takes, what comes back is read in full."""

from __future__ import annotations

import json
from typing import Any, Final

from conformance.blackbox.question import question
from conformance.blackbox.questions.str_ import TOOL
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import Replace
from conformance.simulators.record import Seen

_SYSTEM: Final = "Answer as a lighthouse keeper, 7f3a."
_SCHEMA: Final = {
    "type": "object",
    "properties": {"harbour_7f3a": {"type": "string"}},
    "required": ["harbour_7f3a"],
    "additionalProperties": False,
}
_UNKNOWN: Final = {"since": 2027, "list": [1, None]}
_FEATURES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "system": ({"messages": [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": "hello"}]}, _SYSTEM),
    "tools": ({"options": {"tools": [TOOL]}}, str(TOOL["name"])),
    "json_schema": ({"options": {"json_schema": _SCHEMA}}, "harbour_7f3a"),
    "seed": ({"options": {"seed": 470_311}}, "470311"),
    "stop": ({"options": {"stop": ["END-7f3a"]}}, "END-7f3a"),
}


def _accepted(trial: Trial, seen: list[Seen], about: str) -> None:
    trial.expect(seen, f"{about}: no request reached the server")
    for one in seen:
        trial.equal(one.problem, None, f"what the server found wrong with {about}")
        trial.expect(200 <= one.status < 300, f"{about} was answered with {one.status}")


@question("CAP-01")
async def cap_01(trial: Trial) -> None:
    """The request on the wire is what the provider's own schema says: the simulator found no fault with it."""
    await trial.client()
    await trial.call()
    _accepted(trial, trial.requests, "a chat")
    if "stream" in trial.claims:
        await trial.call(stream=True)
        _accepted(trial, trial.requests[1:], "a stream")
    if "embed" in trial.claims:
        sent = len(trial.requests)
        await trial.embed(["one", "two"])
        _accepted(trial, trial.requests[sent:], "an embedding")


@question("CAP-02")
async def cap_02(trial: Trial) -> None:
    """The reply is read in full: text to its last letter, and fields from the future disturb nothing."""
    await trial.client(wish={"max_retries": 0})
    plain = await trial.call()
    known = plain.text.replace(trial.requests[-1].nonce, "")
    trial.expect(known.endswith("🙂."), f"the end of the text is missing: {plain.text[-40:]!r}")
    trial.fault(Replace("from_the_future", _UNKNOWN), nth=1)
    reply = await trial.call()
    trial.equal(reply.text.replace(trial.requests[-1].nonce, ""), known, "text of an answer with an unknown field")
    if "tools" in trial.claims:
        reply = await trial.call(options={"tools": [TOOL]})
        trial.equal([call["name"] for call in reply.tool_calls], [TOOL["name"]], "tools called")
        told = json.dumps([call["arguments"] for call in reply.tool_calls])
        trial.expect(trial.requests[-1].nonce in told, f"the arguments of the tool call are not the server's: {told}")


@question("CAP-03", "refusals")
async def cap_03(trial: Trial) -> None:
    """What the provider does not have is refused as such before anything is sent."""
    await trial.client(wish={"max_retries": 0})
    for operation in trial.place.lacks:
        async with trial.failing(f"{operation}, which the provider does not have,") as failed:
            await trial.other(operation)
        trial.equal(failed.error.kind, "unsupported", f"class of the refusal of {operation}")
        trial.equal(len(trial.sim.requests), 0, f"requests after {operation}")


@question("CAP-04")
async def cap_04(trial: Trial) -> None:
    """System prompts, tools, JSON schema, seed and stop reach the wire, as far as the client claims them."""
    await trial.client(wish={"max_retries": 0})
    for feature in ("chat", *sorted(set(_FEATURES) & trial.claims)):
        fields, marker = _FEATURES.get(feature, ({"text": "words-7f3a"}, "words-7f3a"))
        sent = len(trial.requests)
        await trial.call(**fields)
        _accepted(trial, trial.requests[sent:], f"a call with {feature}")
        found = json.dumps(trial.requests[-1].json, ensure_ascii=False)
        trial.expect(marker in found, f"{feature} did not reach the wire: {found[:300]}")
