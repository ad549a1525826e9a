"""Sins of what is sent, read, kept and told: the chapters STR, ERR, SEC, CAP, REAL, TRK, BAT and CAC."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from conformance.blackbox.miniature.client import Miniature
from conformance.blackbox.miniature.parts import Failure
from conformance.blackbox.miniature.sins import sinner, spoilt, with_more_room
from conformance.blackbox.miniature.wire import Wire

# -- STR ---------------------------------------------------------------------------------------------------------------


async def _all_at_once(self: Miniature, call: Any, emit: Callable[[str], None]) -> dict[str, Any]:
    pieces: list[str] = []
    told = await Miniature.stream(self, call, pieces.append)
    for piece in pieces:
        emit(piece)
    return told


def _in_plain_letters(self: Miniature, emit: Callable[[str], None], text: str) -> None:
    emit(text.replace("ï", "i"))


def _deaf(self: Wire, body: bytes) -> dict[str, Any]:
    return {name: value for name, value in Wire.read(self, body).items() if name != "error"}


def _uncounted(self: Miniature, payload: dict[str, Any]) -> dict[str, Any]:
    return Miniature.told(self, payload | {"usage": None})


def _strict(self: Wire, body: bytes) -> dict[str, Any]:
    found = Wire.read(self, body)
    if found.get("choices") == [] and not found.get("usage"):
        raise Failure("response_format", "an event without a choice")
    return found


async def _nameless(self: Wire, path: str, key: str, body: Any) -> AsyncIterator[Any]:
    async for event in Wire.events(self, path, key, body):
        for choice in event.get("choices", ()):
            for piece in choice["delta"].get("tool_calls") or ():
                piece["function"].pop("name", None)
        yield event


sinner("STR-01", "hands a stream out when it is over", stream=_all_at_once)
sinner("STR-01", "changes letters", hand_out=_in_plain_letters)
sinner("STR-03", "does not hear an error inside a stream", wire=spoilt(Wire, read=_deaf, cut_short=lambda self: None))
sinner("STR-04", "takes any end for the end", wire=spoilt(Wire, cut_short=lambda self: None))
sinner("STR-05", "loses the counts", told=_uncounted)
sinner("STR-06", "cannot bear an event without a choice", wire=spoilt(Wire, read=_strict))
sinner("STR-07", "loses the name of a tool", wire=spoilt(Wire, events=_nameless))
sinner("STR-08", "waits for ever", wire=spoilt(Wire, opened=lambda self, timeout: Wire.opened(self, 1e6)))


# -- ERR ---------------------------------------------------------------------------------------------------------------


def _all_alike(self: Miniature, error: Exception) -> dict[str, Any]:
    return Miniature.explain(self, error) | {"class": "server"}


def _in_its_own_words(self: Miniature, error: Exception) -> dict[str, Any]:
    return Miniature.explain(self, error) | {"message": "something went wrong"}


async def _no_suggestion(self: Miniature, endpoint: Any, call: Any, failure: Failure) -> Failure:
    return failure


async def _boundless(self: Wire, response: httpx.Response, key: str) -> bytes:
    self.most = 1 << 40
    return await Wire.whole(self, response, key)


sinner("ERR-01", "calls every failure the server's", explain=_all_alike)
sinner("ERR-01", "keeps the provider's words to itself", explain=_in_its_own_words)
sinner("ERR-02", "lets the parser's errors through", wire=spoilt(Wire, read=lambda self, body: json.loads(body)))
sinner("ERR-03", "takes whatever comes", wire=spoilt(Wire, whole=_boundless))
sinner("ERR-06", "suggests nothing", with_suggestions=_no_suggestion)


# -- SEC ---------------------------------------------------------------------------------------------------------------


def _trusts_anybody(self: Wire, timeout: float) -> httpx.AsyncClient:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return httpx.AsyncClient(verify=context, timeout=timeout, trust_env=False)


def _splits_headers(self: Wire, key: str) -> dict[str, str]:
    first, *others = f"Bearer {key}".splitlines()
    return {"authorization": first} | {line.partition(":")[0]: "1" for line in others if ":" in line}


def _in_path(self: Wire, path: str, key: str, body: dict[str, Any]) -> Any:
    where = (
        f"{self.base_url}/{body['model']}{path}"
        if body["model"].startswith((".", "a/", "//"))
        else self.base_url + path
    )
    return self.http.stream("POST", where, json=body, headers=self.headers(key))


sinner("SEC-01", "trusts anybody", wire=spoilt(Wire, opened=_trusts_anybody))
sinner("SEC-02", "makes a header of a key's second line", wire=spoilt(Wire, headers=_splits_headers))
sinner("SEC-03", "puts the model's name into the path as it is", wire=spoilt(Wire, answer=_in_path))


# -- CAP, REAL, TRK ----------------------------------------------------------------------------------------------------


def _forgets(name: str) -> Callable[..., dict[str, Any]]:
    def body(self: Miniature, call: dict[str, Any]) -> dict[str, Any]:
        return {field: value for field, value in Miniature.body(self, call).items() if field != name}

    return body


def _no_system(self: Miniature, call: dict[str, Any]) -> dict[str, Any]:
    body = Miniature.body(self, call)
    return body | {"messages": [message for message in body["messages"] if message["role"] != "system"]}


def _mood(self: Miniature, call: dict[str, Any]) -> dict[str, Any]:
    return Miniature.body(self, call) | {"mood": "sunny"}


def _fears_the_future(self: Miniature, payload: dict[str, Any]) -> dict[str, Any]:
    if "from_the_future" in payload:
        raise Failure("response_format", "an unknown field")
    return Miniature.told(self, payload)


def _cuts(self: Miniature, payload: dict[str, Any]) -> dict[str, Any]:
    told = Miniature.told(self, payload)
    return told | {"text": told["text"][:40]}


async def _invents(self: Miniature, call: dict[str, Any]) -> dict[str, Any]:
    await Miniature.chat(self, call)
    return {"text": "I am glad to help you with that.", "usage": {"input_tokens": 8, "output_tokens": 8}}


async def _remembers(self: Miniature, settings: dict[str, Any]) -> list[str]:
    return await Miniature.configure(self, settings | {"cache": "exact"})


def _guesses(self: Miniature, payload: dict[str, Any]) -> dict[str, Any]:
    return Miniature.told(self, payload) | {"usage": {"input_tokens": 4, "output_tokens": 4}}


def _zero_for_unknown(self: Miniature, payload: dict[str, Any]) -> dict[str, Any]:
    return Miniature.told(self, payload | {"usage": payload["usage"] or {"prompt_tokens": 0, "completion_tokens": 0}})


sinner("CAP-01", "sends what the provider does not know", body=_mood)
sinner("CAP-02", "cannot bear a field it does not know", told=_fears_the_future)
sinner("CAP-02", "cuts long texts", told=_cuts)
sinner("CAP-04", "forgets the system prompt", body=_no_system)
sinner("CAP-04", "forgets the seed", body=_forgets("seed"))
sinner("CAP-04", "forgets where to stop", body=_forgets("stop"))
sinner("REAL-01", "invents its answers", chat=_invents)
sinner("REAL-02", "answers from memory", configure=_remembers)
sinner("REAL-04", "invents its answers", chat=_invents)
sinner("REAL-04", "guesses the counts", told=_guesses)
sinner("TRK-03", "guesses the counts", told=_guesses)
sinner("TRK-03", "takes no count for a count of zero", told=_zero_for_unknown)


# -- BAT, CAC ----------------------------------------------------------------------------------------------------------


async def _fills_up(self: Miniature, model: str, texts: list[str]) -> dict[str, Any]:
    self.settings["batch_timeout"] = 1e6
    return await Miniature.shared(self, model, texts)


async def _mixes_up(self: Miniature, model: str, texts: list[str]) -> dict[str, Any]:
    found = await Miniature.vectors(self, model, texts)
    return {"vectors": found["vectors"][::-1]} if len(texts) > 3 else found


async def _all_for_one(self: Miniature, model: str, members: list[Any], failure: Failure) -> None:
    for _, mine in members:
        mine.set_exception(failure)


async def _always_shares(self: Miniature, call: dict[str, Any]) -> dict[str, Any]:
    self.settings["max_batch_size"] = max(self.settings["max_batch_size"], 3)
    return await Miniature.embed(self, call)


def _keeps_chance(self: Miniature, body: dict[str, Any]) -> bool:
    return self.settings["cache"] is not None


def _by_words_alone(self: Miniature, body: dict[str, Any]) -> str:
    return json.dumps(body["messages"])


async def _each_for_itself(self: Miniature, call: Any, body: Any, make: Any) -> Any:
    self.flights.clear()
    name = self.name(body)
    if not self.keeps(body) or name in self.kept:
        return await Miniature.cached(self, call, body, make)
    self.kept[name] = await make()
    return self.kept[name]


async def _in_line(self: Miniature, call: Any, body: Any, make: Any) -> Any:
    async with self.endpoints[None].line.place(1):
        return await with_more_room(self.endpoints[None], lambda: Miniature.cached(self, call, body, make))


def _any_order(self: Miniature, words: list[str]) -> list[str]:
    return sorted(words)


sinner("BAT-01", "waits until a batch is full", shared=_fills_up)
sinner("BAT-02", "gives the answers in another order", vectors=_mixes_up)
sinner("BAT-03", "shares across models", lot=lambda self, model: "all")
sinner("BAT-04", "lets all fail for one", fail=_all_for_one)
sinner("BAT-05", "shares although it was not asked to", embed=_always_shares)
sinner("CAC-01", "waits for a slot before it looks", cached=_in_line)
sinner("CAC-02", "wants the very words", meaning=lambda self, words: [*words, "?"] if "can" in words else words)
sinner("CAC-03", "does not mind the order of words", meaning=_any_order)
sinner("CAC-04", "looks at the words alone", name=_by_words_alone)
sinner("CAC-06", "keeps what chance made", keeps=_keeps_chance)
sinner("CAC-07", "sends every identical call", cached=_each_for_itself)
