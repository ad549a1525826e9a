"""Refused calls: methods come from the list, refuse at once where they are of streams, and cannot contradict it."""

from __future__ import annotations

import inspect

import pytest

from backends import errors
from backends.openai import OpenAI


class Fussy(OpenAI):
    refusals = {"dance": "it has no feet.", "stream_dance": "it has no feet.", "embed": "it only chats."}


def test_methods_are_made_from_the_list_and_win_over_inherited_ones() -> None:
    with Fussy(api_key="sk-test", environ={}) as backend:
        for call in (backend.dance, backend.stream_dance, backend.astream_dance, backend.embed):
            with pytest.raises(errors.UnsupportedError, match=r"it has no feet|it only chats"):
                call("anything", at="all")
    assert inspect.iscoroutinefunction(Fussy.adance)
    assert Fussy.adance.__qualname__ == "Fussy.adance"
    assert "it has no feet" in (Fussy.stream_dance.__doc__ or "")


async def test_the_source_refuses_when_awaited() -> None:
    async with Fussy(api_key="sk-test", environ={}) as backend:
        with pytest.raises(errors.UnsupportedError) as caught:
            await backend.aembed(["one"])
    assert caught.value.provider == "openai"


def test_a_class_cannot_refuse_what_it_defines() -> None:
    with pytest.raises(TypeError, match="refuses chat and defines it"):

        class Torn(OpenAI):
            refusals = {"chat": "never."}

            def chat(self) -> None:
                """Chat."""
