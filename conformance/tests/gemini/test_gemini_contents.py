"""Messages, parts and tools on their way to the wire."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from gemini_bench import ASK, CONTENTS, PIXEL, SCHEMA, TOOL

from backends import errors
from backends.gemini import FileInfo, FunctionCall, GeminiReply, Media
from backends.gemini.contents import contents_of, conversation, system_of
from backends.gemini.parts import part_of, parts_of
from backends.gemini.tools import checked_tools, tool_choice_config
from backends.types import ToolCall

ENCODED = base64.b64encode(PIXEL).decode()
FILE = FileInfo(id="files/a", uri="https://x/v1/files/a", mime_type="application/pdf")


@pytest.mark.parametrize(
    ("part", "made"),
    [
        ("hello", {"text": "hello"}),
        ({"type": "text", "text": "hello"}, {"text": "hello"}),
        ({"text": "hello", "thought": True}, {"text": "hello", "thought": True}),
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ENCODED}"}},
            {"inlineData": {"mimeType": "image/png", "data": ENCODED}},
        ),
        (
            {"type": "image_url", "image_url": f"DATA:image/png;x=y;base64,{ENCODED}"},
            {"inlineData": {"mimeType": "image/png", "data": ENCODED}},
        ),
        ({"type": "image_url", "image_url": {"url": "https://x/a.png"}}, {"fileData": {"fileUri": "https://x/a.png"}}),
        (
            {"type": "input_audio", "input_audio": {"data": ENCODED, "format": "wav"}},
            {"inlineData": {"mimeType": "audio/wav", "data": ENCODED}},
        ),
        (
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{ENCODED}"}},
            {"inlineData": {"mimeType": "application/pdf", "data": ENCODED}},
        ),
        ({"type": "file", "file": FILE}, {"fileData": {"mimeType": "application/pdf", "fileUri": FILE.uri}}),
        (FILE, {"fileData": {"mimeType": "application/pdf", "fileUri": FILE.uri}}),
        (FileInfo(id="files/b", uri="u"), {"fileData": {"fileUri": "u"}}),
        (Media("image/png", PIXEL), {"inlineData": {"mimeType": "image/png", "data": ENCODED}}),
        (
            {"inlineData": {"mimeType": "image/png", "data": PIXEL}},
            {"inlineData": {"mimeType": "image/png", "data": ENCODED}},
        ),
        (
            {"inline_data": {"mime_type": "image/png", "data": bytearray(PIXEL)}},
            {"inline_data": {"mime_type": "image/png", "data": ENCODED}},
        ),
        ({"executableCode": {"code": "1"}}, {"executableCode": {"code": "1"}}),
    ],
)
def test_parts(part: Any, made: Any) -> None:
    assert part_of(part, "part") == made
    assert parts_of([part], "parts") == [made]


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("", "content[0] must not be empty"),
        (5, "content[0]"),
        ({}, "content[0]"),
        ({1: 2}, "content[0]"),
        ({"text": 5}, "content[0].text"),
        ({"inlineData": "no"}, "content[0].inlineData"),
        ({"type": "text", "text": ""}, "text"),
        ({"type": "image_url", "image_url": {}}, "url"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64"}}, "base64"),
        ({"type": "image_url", "image_url": {"url": "data:;base64,QUJD"}}, "MIME type"),
        ({"type": "input_audio", "input_audio": {"format": "wav", "data": "@"}}, "base64"),
        ({"type": "input_audio"}, "format"),
        ({"type": "file", "file": {"file_id": "f"}}, "file_data"),
        (FileInfo(id="files/c"), "uri"),
        (Media("image/png", b""), "empty"),
        (Media("picture", PIXEL), "MIME type"),
    ],
)
def test_parts_that_are_none(part: Any, names: str) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        conversation([{"role": "user", "content": [part]}])
    assert names in str(caught.value)
    assert "messages[0].content[0]" in str(caught.value)


def test_both_base64_alphabets_pass() -> None:
    url_safe = base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode()
    made = part_of({"type": "image_url", "image_url": f"data:image/png;base64,{url_safe}"}, "part")
    assert made["inlineData"]["data"] == url_safe


def test_roles_are_mapped() -> None:
    contents, system = conversation(
        [
            {"role": "system", "content": "One."},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
            {"role": "USER", "parts": [{"text": "c"}]},
            {"role": "model", "parts": ["d"]},
        ]
    )
    assert system == [{"text": "One."}, {"text": "Two."}]
    assert [(content["role"], content["parts"][0]["text"]) for content in contents] == [
        ("user", "a"),
        ("model", "b"),
        ("user", "c"),
        ("model", "d"),
    ]


def test_native_contents() -> None:
    assert contents_of("Name a prime.") == (CONTENTS, [])
    contents, system = contents_of([{"parts": [{"text": "a"}]}, {"role": "model", "parts": ["b"]}])
    assert [content["role"] for content in contents] == ["user", "model"]
    assert system == []
    assert system_of({"role": "user", "parts": [{"text": "Be brief."}]}) == [{"text": "Be brief."}]
    assert system_of("Be brief.") == [{"text": "Be brief."}]


@pytest.mark.parametrize("contents", ["", b"x", {}, [], [{"role": "user", "content": "a"}], [5], None])
def test_contents_that_are_none(contents: Any) -> None:
    with pytest.raises(errors.InvalidRequestError, match="contents"):
        contents_of(contents)


def test_tool_calls_go_back_with_their_signatures() -> None:
    calls = (
        FunctionCall("1", "weather", '{"city":"x"}', signature="U2ln"),
        ToolCall("", "tide", ""),
        {"id": "3", "function": {"name": "wind", "arguments": {"at": 1}}, "thought_signature": "TWlu"},
    )
    contents, _ = conversation([*ASK, {"role": "assistant", "content": None, "tool_calls": calls}])
    assert contents[1] == {
        "role": "model",
        "parts": [
            {
                "functionCall": {"name": "weather", "args": {"city": "x"}, "id": "1"},
                "thoughtSignature": "U2ln",
            },
            {"functionCall": {"name": "tide", "args": {}}},
            {"functionCall": {"name": "wind", "args": {"at": 1}, "id": "3"}, "thoughtSignature": "TWlu"},
        ],
    }


def test_a_reply_goes_back_as_it_came() -> None:
    parts = [{"text": "", "thoughtSignature": "QQ=="}, {"functionCall": {"id": "7", "name": "weather", "args": {}}}]
    reply = GeminiReply(raw={"candidates": [{"content": {"role": "model", "parts": parts}}]})
    contents, _ = conversation([*ASK, reply, {"role": "tool", "tool_call_id": "7", "content": {"sky": "blue"}}])
    assert contents[1]["parts"] is parts
    assert contents[2]["parts"] == [{"functionResponse": {"name": "weather", "response": {"sky": "blue"}, "id": "7"}}]


@pytest.mark.parametrize("raw", [None, {}, {"candidates": []}, {"candidates": [{}]}, {"candidates": [{"content": {}}]}])
def test_a_reply_without_content_cannot_go_back(raw: Any) -> None:
    with pytest.raises(errors.InvalidRequestError, match=r"messages\[0\] is a reply without content"):
        conversation([GeminiReply(raw=raw)])


def test_results_of_one_turn_stand_together() -> None:
    calls = [ToolCall("1", "a", "{}"), ToolCall("2", "b", "{}")]
    contents, _ = conversation(
        [
            *ASK,
            {"role": "assistant", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "2", "content": "two"},
            {"role": "tool", "name": "a", "content": [{"type": "text", "text": "one"}]},
            {"role": "user", "content": "and?"},
            {"role": "function", "tool_name": "c", "content": "three"},
        ]
    )
    assert [content["role"] for content in contents] == ["user", "model", "user", "user", "user"]
    assert contents[2]["parts"] == [
        {"functionResponse": {"name": "b", "response": {"result": "two"}, "id": "2"}},
        {"functionResponse": {"name": "a", "response": {"result": "one"}}},
    ]
    assert contents[4]["parts"] == [{"functionResponse": {"name": "c", "response": {"result": "three"}}}]


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ({"role": "user", "content": "a", "tool_calls": []}, "tool_calls belong to the assistant"),
        ({"role": "assistant", "tool_calls": "no"}, "messages[0].tool_calls"),
        ({"role": "assistant", "tool_calls": [5]}, "tool_calls[0]"),
        ({"role": "assistant", "tool_calls": [{"function": {"name": ""}}]}, "name"),
        ({"role": "assistant", "tool_calls": [ToolCall("", "a", "{")]}, "cannot be read"),
        ({"role": "assistant", "tool_calls": [ToolCall("", "a", "[]")]}, "JSON object"),
        ({"role": "assistant"}, "must not be empty"),
        ({"role": "tool", "tool_call_id": "9", "content": "x"}, "name"),
        ({"role": "tool", "name": "a", "content": 5}, "messages[0].content"),
        ({"role": 5, "content": "x"}, "messages[0].role"),
        (None, "messages[0]"),
    ],
)
def test_messages_that_are_none(message: Any, names: str) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        conversation([message])
    assert names in str(caught.value)


def test_tools_of_both_shapes() -> None:
    made = checked_tools([TOOL, {"googleSearch": {}}, {"function": {"name": "plain"}}])
    assert made == [
        {
            "functionDeclarations": [
                {"name": "weather", "description": "Tells it.", "parametersJsonSchema": SCHEMA},
                {"name": "plain"},
            ]
        },
        {"googleSearch": {}},
    ]
    native = [{"functionDeclarations": [{"name": "a"}]}]
    assert checked_tools(native) == native


@pytest.mark.parametrize(
    "tool", [{}, {"type": "custom"}, {"type": "function"}, {"function": {"name": "a", "parameters": []}}]
)
def test_tools_that_are_none(tool: Any) -> None:
    with pytest.raises(errors.InvalidRequestError, match=r"tools\[1\]"):
        checked_tools([TOOL, tool])


def test_tool_choice() -> None:
    assert tool_choice_config("none") == {"functionCallingConfig": {"mode": "NONE"}}
    assert tool_choice_config({"type": "function", "function": {"name": "a"}}) == {
        "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["a"]}
    }
    for choice in ("perhaps", {"function": {}}):
        with pytest.raises(errors.InvalidRequestError, match="tool_choice"):
            tool_choice_config(choice)
