"""The adapters whose clients are installed for the tests: each holds one whole conversation, in this process.

What the clients do is judged by ``conformance run --subject``; here it is that their adapters speak the protocol and that each
maps arguments, replies, streams, errors and the end to the client that it was written against.
"""

from __future__ import annotations

import importlib.util
import json
from importlib import metadata
from pathlib import Path

import pytest

from conformance.blackbox.conversation import Conversation, Patience
from conformance.blackbox.direct import Direct
from conformance.blackbox.findings import Told
from conformance.blackbox.places import PLACES
from conformance.blackbox.process import KIT
from conformance.simulators.faults import Fault, Status
from conformance.simulators.server import Simulator

SUBJECTS = KIT.parent / "subjects"
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
CLIENTS = [
    ("openai_python", "openai", "OpenAI", "not_found"),
    ("anthropic_python", "claude", "Anthropic", "not_found"),
    ("groq_python", "groq", "Groq", "not_found"),
    ("google_genai", "gemini", "GoogleGenAI", "invalid_request"),
    ("ollama_python", "ollama", "Ollama", "server"),
]


def adapter(name: str, kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(KIT)
    spec = importlib.util.spec_from_file_location(f"adapter_{name}", SUBJECTS / name / "adapter.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, kind)()


@pytest.mark.parametrize(("name", "provider", "kind", "unknown"), CLIENTS, ids=[name for name, *_ in CLIENTS])
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # Google's own
async def test_an_adapter_holds_a_whole_conversation(name, provider, kind, unknown, monkeypatch):
    place = PLACES[provider]
    talk = Conversation(Direct(adapter(name, kind, monkeypatch)), Patience())
    async with Simulator([provider]) as sim:
        who = await talk.hello()
        assert set(who["claims"]) == {provider}
        configured = {
            "provider": provider,
            "base_url": sim.base_url(provider),
            "api_keys": ["sk-1"],
            "model": place.model,
        }
        told = await talk.ask("configure", **configured, max_retries=0, read_timeout=5.0, queue_size=3)
        assert "queue_size" in told["ignored"]
        words = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
        reply = await talk.ask("chat", messages=words, options={"stop": ["END"], "max_tokens": 64})
        sent = sim.requests[-1]
        assert sim.requests[-1].nonce in reply["text"]
        assert reply["usage"]["input_tokens"] > 0
        assert sent.problem is None
        assert all(word in json.dumps(sent.json) for word in ("Be brief.", "hello", "END", "64"))
        call = await talk.ask("chat", messages=words, options={"tools": [WEATHER]})
        assert [made["name"] for made in call["tool_calls"]] == ["weather"]
        stream = talk.begin("stream", messages=words)
        whole = await talk.result(stream)
        assert "".join(stream.pieces) == whole["text"] != ""
        assert whole["usage"] == reply["usage"]
        if place.embedding_models:
            model = place.embedding_models[0]
            assert len((await talk.ask("embed", texts=["one", "two"], model=model))["vectors"]) == 2
        with pytest.raises(Told) as caught:
            await talk.ask("chat", messages=words, model="nonesuch")
        assert (caught.value.kind, caught.value.status) == (unknown, 404)
        sim.script(Fault(Status(503, message="a jam"), nth=1))
        with pytest.raises(Told, match="a jam"):
            await talk.ask("chat", messages=words)
        assert await talk.close() == ""


@pytest.mark.parametrize("name", [name for name, *_ in CLIENTS])
def test_the_client_tested_here_is_the_one_that_is_pinned(name):
    pinned = dict(line.split("==") for line in (SUBJECTS / name / "requirements.txt").read_text().split())
    client = name.removesuffix("_python").replace("_", "-")
    release = metadata.version(client).rsplit(".", 1)[0]
    assert pinned[client].startswith(release + ".")


def test_pins_are_whole_and_name_no_place():
    for path in sorted(Path(SUBJECTS).glob("*/requirements.txt")):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert all(line.count("==") == 1 and " " not in line for line in lines), path
    lock = json.loads((SUBJECTS / "openai_node" / "package-lock.json").read_text())
    entries = [entry for place, entry in lock["packages"].items() if place]
    assert entries
    assert all("integrity" in entry and "resolved" not in entry for entry in entries)
