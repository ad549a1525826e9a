"""The simulated service without any client: spellings, numbers and alphabets of protobuf JSON, refusals, unknown paths."""

from __future__ import annotations

import base64

import httpx
import pytest

from conformance.simulators import Simulator

MODEL = "gemini-3.8-flash"


async def test_both_spellings_numbers_and_alphabets(sim: Simulator) -> None:
    data = b"\xff\xfe\xfd\xfc"
    body = {
        "contents": [
            {"parts": [{"inline_data": {"mime_type": "image/png", "data": base64.urlsafe_b64encode(data).decode()}}]}
        ],
        "system_instruction": {"role": "user", "parts": [{"text": "Be brief."}]},
        "generation_config": {"top_k": 3.0, "maxOutputTokens": "5", "thinking_config": {"thinking_budget": 0}},
    }
    async with httpx.AsyncClient(headers={"x-goog-api-key": "k"}) as http:
        url = f"{sim.base_url('gemini')}/v1beta/models/{MODEL}"
        reply = (await http.post(f"{url}:generateContent", json=body)).json()
        assert reply["candidates"][0]["finishReason"] == "MAX_TOKENS"
        assert "thoughtsTokenCount" not in reply["usageMetadata"]
        array = (await http.post(f"{url}:streamGenerateContent", json=body)).json()
        assert array[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"
        events = (await http.post(f"{url}:streamGenerateContent?alt=sse", json=body)).content
        assert all(event.startswith(b"data: {") for event in events.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "Invalid JSON payload"),
        (b"{}", "contents is not specified"),
        (b'{"contents": []}', "contents must not be empty"),
        (b'{"contents": [{"parts": [{"text": 5}]}]}', "contents[0].parts[0].text"),
        (b'{"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}', "contents[0].role"),
        (b'{"contents": [{"parts": [{"text": "a"}]}], "messages": []}', 'Unknown name "messages"'),
        (b'{"contents": [{"parts": [{"text": "a", "texts": 1}]}]}', "Unknown name \"texts\" at 'contents[0].parts[0]'"),
        (b'{"contents": [{"parts": [{"inlineData": {"mimeType": "a/b", "data": "?"}}]}]}', "base64"),
        (b'{"contents": [{"parts": [{"text": "a"}]}], "generationConfig": {"temperature": 3}}', "at most 2"),
        (b'{"contents": [{"parts": [{"text": "a"}]}], "generationConfig": {"topK": 0.5}}', "topK"),
        (
            b'{"contents": [{"parts": [{"text": "a"}]}], "generationConfig": {"thinkingConfig": '
            b'{"thinkingLevel": "MINIMAL"}}}',
            "MINIMAL is not supported",
        ),
        (
            b'{"contents": [{"parts": [{"text": "a"}]}], "generationConfig": {"thinkingConfig": '
            b'{"thinkingLevel": "LOW", "thinkingBudget": 5}}}',
            "only one of",
        ),
    ],
)
async def test_wrong_bodies(sim: Simulator, body: bytes, said: str) -> None:
    async with httpx.AsyncClient(headers={"x-goog-api-key": "k", "content-type": "application/json"}) as http:
        url = f"{sim.base_url('gemini')}/v1/models/{MODEL}:generateContent"
        response = await http.post(url, content=body)
    assert response.status_code == 400
    assert said in response.json()["error"]["message"]


async def test_unknown_paths_are_a_page(sim: Simulator) -> None:
    async with httpx.AsyncClient(headers={"x-goog-api-key": "k"}) as http:
        response = await http.post(f"{sim.base_url('gemini')}/v7/models/{MODEL}:generateContent", json={})
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert "generateContent" in (sim.requests[0].problem or "")
