"""Part ``imports``: what importing costs, and what the first call costs, in a fresh interpreter each time.

Wall time is from starting the interpreter to its end, memory the most it ever held; both over a bare interpreter
measured in the same round. Compiled files are written beforehand, as an installation does.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any, Final

from benchmarks.clients import find
from benchmarks.context import Context
from benchmarks.machine import Noise, cpus
from benchmarks.processes import ROOT, ServerProcess, children_seconds, environment

__all__ = ["SUBJECTS", "measure"]

_FIRST_CALL: Final = """
import asyncio
from benchmarks.clients import {name} as module
async def first():
    client = module.Client({url!r})
    assert await client.call() == module.workload.ANSWER_TEXT
    await client.close()
asyncio.run(first())
"""
_LITELLM: Final = "import os; os.environ['LITELLM_LOCAL_MODEL_COST_MAP'] = 'True'; import litellm"

SUBJECTS: Final = (
    # name, title, code or client whose first call is made, package that must be there
    ("bare", "bare interpreter", "pass", None),
    ("backends", "`import backends`", "import backends", None),
    ("backends_openai", "`from backends import OpenAI`", "from backends import OpenAI", None),
    ("aiohttp", "`import aiohttp`", "import aiohttp", "aiohttp"),
    ("httpx", "`import httpx`", "import httpx", "httpx"),
    ("openai", "`import openai`", "import openai", "openai"),
    ("litellm", "`import litellm`", _LITELLM, "litellm"),
    ("any_llm", "`import any_llm`", "import any_llm", "any-llm-sdk"),
    ("whole_path_call", "ours, first call", None, None),
    ("openai_sdk_call", "OpenAI SDK, first call", None, "openai"),
    ("litellm_acompletion_call", "LiteLLM, first call", None, "litellm"),
    ("any_llm_call", "any-llm, first call", None, "any-llm-sdk"),
)
# Nothing may be imported for the report: what a subject shares with it would look free.
_REPORT: Final = """
try:
    with open("/proc/self/status") as status:
        print([line for line in status if line.startswith("VmHWM:")][0])
except OSError:
    pass
"""


def measure(context: Context) -> dict[str, Any]:
    """Run the part."""
    rounds = 2 if context.quick else max(10, context.rounds * 2)
    context.progress.part("imports", (rounds + 1) * len(SUBJECTS))
    server_cpu, client_cpu = cpus()
    noise, ended = Noise(), children_seconds()
    rows: dict[str, dict[str, Any]] = {
        name: {"name": name, "title": title, "status": "measured", "remark": "", "wall": [], "peak": []}
        for name, title, _, _ in SUBJECTS
    }
    with ServerProcess(server_cpu) as server:
        for number in range(rounds + 1):
            noise.beat()
            for name, title, code, package in SUBJECTS:
                context.progress.step(title)
                row = rows[name]
                if row["status"] != "measured":
                    continue
                if code is None:
                    code = _FIRST_CALL.format(name=find(name.removesuffix("_call")).name, url=server.url)
                python = context.interpreters.get(package or "", sys.executable)
                try:
                    wall, peak = _run(python, code, client_cpu)
                except RuntimeError as problem:
                    absent = package is not None and "ModuleNotFoundError" in str(problem)
                    row["status"] = "not installed" if absent else "failed"
                    row["remark"] = f"pip install {package}" if absent else str(problem)
                    continue
                if number:  # the first round compiles
                    row["wall"].append(wall)
                    row["peak"].append(peak)
    return {
        "noise": noise.result(children_seconds() - ended),
        "settings": {"rounds": rounds},
        "rows": list(rows.values()),
    }


def _run(python: str, code: str, cpu: int | None) -> tuple[float, int | None]:
    """Run code in a fresh interpreter; return wall seconds and its peak memory.

    Raises:
        RuntimeError: it failed; the message is its last line.
    """
    prefix = f"import os; os.sched_setaffinity(0, {{{cpu}}})\n" if cpu is not None else ""
    began = time.perf_counter()
    done = subprocess.run(
        [python, "-c", prefix + code + _REPORT],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=ROOT,
        check=False,
    )
    wall = time.perf_counter() - began
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise RuntimeError(lines[-1][:300] if lines else f"exit {done.returncode}")
    words = done.stdout.split()  # "VmHWM: 12345 kB", last
    return wall, int(words[-2]) * 1024 if words[-1:] == ["kB"] else None
