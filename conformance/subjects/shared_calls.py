"""The calls of each provider that several callers may share a request of, for chapter BAT. Data only; nothing is judged.

Requests are told apart by the marked texts that they carry, so a case needs no knowledge of its provider's shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.hf_tei.values import Label
from conformance.subject import BatchCase

__all__ = ["BATCHED", "embedding"]

_MARK: Final = len("call-number-0000")
_OVERLONG: Final = "word " * 9_000
_BROKEN: Final = "define i32 @broken("
_QUERY: Final = "deep water"
Options = Mapping[str, Any]


def embedding(
    path: str,
    *different: Options,
    name: str = "aembed",
    bad: str | None = _OVERLONG,
    options: Options | None = None,
    most: int | None = None,
    light: Options | None = None,
) -> BatchCase:
    """Return the case of a call that gives one vector, or one row, for each text."""
    field = {"apredict": "rows"}.get(name, "vectors")
    return BatchCase(
        path=path,
        run=lambda backend, texts, **more: getattr(backend, name)(texts, **{**(options or {}), **more}),
        own=lambda reply: _rounded(getattr(reply, field)),
        different=different,
        bad=bad,
        most=most,
        light=light or {},
    )


def _rounded(value: Any) -> Any:
    """Return numbers without their last places, in which some servers hide the nonce of the request."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, tuple):
        return tuple(map(_rounded, value))
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    return _rounded((value.label, value.score)) if isinstance(value, Label) else value


def _completion(model: str, *different: Options) -> BatchCase:
    """The prompt comes back with the answer, which shows whose answer it is."""
    return BatchCase(
        path="*/completions",
        run=lambda backend, texts, **more: backend.acomplete(texts, **{"model": model, "echo": True, **more}),
        own=lambda reply: tuple(text[:_MARK] for text in reply.texts),
        different=different,
        bad=_OVERLONG,
    )


def _rank(backend: Any, texts: Any, **more: Any) -> Any:
    listed = [texts] if isinstance(texts, str) else texts
    return backend.arerank(_QUERY, listed, **{"return_text": True, "truncate": False, **more})


def _infer(backend: Any, texts: Any, **more: Any) -> Any:
    listed = [texts] if isinstance(texts, str) else texts
    return backend.ainfer({"text": listed}, **{"model": "shout", **more})


def _tei(name: str) -> BatchCase:
    path = "*/v1/embeddings" if name == "aopenai_embed" else f"*/{name[1:]}"
    if name == "aopenai_embed":
        return embedding(path, {"dimensions": 8}, name=name, bad=None, most=32)
    return embedding(path, {"truncation_direction": "Left"}, name=name, options={"truncate": False}, most=32)


_OPENAI: Final[Mapping[str, BatchCase]] = {
    "embed": embedding(
        "*/embeddings", {"model": "text-embedding-3-large"}, {"dimensions": 32}, most=2_048, light={"dimensions": 4}
    ),
    "complete": _completion("gpt-3.5-turbo-instruct", {"model": "davinci-002"}, {"temperature": 0.5}),
}
_VLLM: Final[Mapping[str, BatchCase]] = {
    "embed": embedding(
        "*/embeddings",
        {"model": "nomic-ai/nomic-embed-text-v1.5"},
        {"truncate_prompt_tokens": 64},
        options={"model": "BAAI/bge-m3"},
    ),
    "complete": BatchCase(
        path="*/completions",
        run=lambda backend, texts, **more: backend.acomplete(texts, **{"echo": True, **more}),
        own=lambda reply: tuple(text[:_MARK] for text in reply.texts),
        different=({"model": "Qwen/Qwen3-8B"}, {"temperature": 0.5}),
        bad="word " * 140_000,
    ),
}
_OVMS: Final[Mapping[str, BatchCase]] = {
    "embed": embedding(
        "*/embeddings", {"model": "bge-reranker"}, {"encoding_format": "float"}, options={"model": "gte-large"}
    ),
    "infer": BatchCase(
        path="*/infer",
        run=_infer,
        own=lambda reply: reply.outputs[0].texts,
        different=({"outputs": ["loud"]}, {"parameters": {"priority": 1}}),
    ),
}
_OPEA: Final[Mapping[str, BatchCase]] = {
    "embed": embedding("*/embeddings", {"model": "another"}, {"dimensions": 8}, bad=None),
}
_GEMINI: Final[Mapping[str, BatchCase]] = {
    "embed": embedding(
        "*mbedContent*", {"model": "gemini-embedding-2"}, {"task_type": "CLUSTERING"}, bad=None, most=100
    ),
}
_OLLAMA: Final[Mapping[str, BatchCase]] = {
    "embed": embedding(
        "*/api/embed",
        {"keep_alive": 60},
        {"dimensions": 32},
        options={"model": "nomic-embed-text", "truncate": False},
    ),
}
_HF_TEI: Final[Mapping[str, BatchCase]] = {
    **{name[1:]: _tei(name) for name in ("aembed", "aembed_all", "aembed_sparse", "aopenai_embed", "apredict")},
    "rerank": BatchCase(
        path="*/rerank",
        run=_rank,
        own=lambda reply: _rounded((reply.scores, reply.texts)),
        different=({"raw_scores": True}, {"return_text": False}),
        bad=_OVERLONG,
        most=32,
    ),
}


def _modules(name: str, *different: Options, own: Callable[[Any], Any], options: Options | None = None) -> BatchCase:
    """A call brings one module, which shows whose it is by the name of its source and by how much there is in it."""
    return BatchCase(
        path=f"*/{name}",
        run=lambda backend, text, **more: getattr(backend, f"a{name}")(_module(text), **{**(options or {}), **more}),
        own=own,
        different=different,
        bad=_BROKEN,
        most=64,
        apart={"name": "another"},
        several=False,
    )


def _module(text: str) -> str:
    """Return a module that says a text as the name of its source, with as many additions as its number says."""
    if text == _BROKEN:
        return text
    steps = [f"  %s{step + 1} = add i32 %s{step}, 1" for step in range(1, int(text[_MARK - 4 : _MARK]) % 100 + 1)]
    lines = [
        f'source_filename = "{text}"',
        "define i32 @counted(i32 %s1) {",
        *steps,
        f"  ret i32 %s{len(steps) + 1}",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _source(reply: Any) -> str:
    found = re.search("call-number-[0-9]{4}", reply.text)
    return found.group() if found else ""


_LLVM: Final[Mapping[str, BatchCase]] = {
    "verify": _modules("verify", own=lambda reply: reply.counts.instructions),
    "inspect": _modules("inspect", own=lambda reply: (reply.source_file, reply.functions[0].instructions)),
    "optimize": _modules("optimize", {"level": "O1"}, {"passes": ["sroa"]}, own=_source),
    "emit": _modules("emit", {"level": None}, {"reloc": "static"}, own=_source, options={"kind": "assembly"}),
}
BATCHED: Final[Mapping[str, Mapping[str, BatchCase]]] = {
    "gemini": _GEMINI,
    "hf_tei": _HF_TEI,
    "llvm": _LLVM,
    "ollama": _OLLAMA,
    "openai": _OPENAI,
    "opea": _OPEA,
    "ovms": _OVMS,
    "vllm": _VLLM,
}
"""By row, then by the backend's name for the call."""
