"""Chapter SEC, third part: files on this machine, which an object store must neither reach beyond nor leave half written."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any, Final

from backends import errors
from conformance.check import check
from conformance.simulators.faults import CutAfter, Fault, Garbage, Reset
from conformance.trial import Trial

_SECRET: Final = b"what lies outside is nobody's business"
_MANIFEST: Final = ".model-manifest.json"


@check("SEC-04")
async def sec_04(trial: Trial) -> None:
    """Local paths cannot be escaped, nothing half-written stands under its final name, and checksums are verified."""
    backend = await trial.backend(max_retries=0, failure_threshold=1_000_000)
    with tempfile.TemporaryDirectory() as name:
        for part in (_names_stay_inside, _links_are_not_followed, _nothing_half_written, _checksums_count):
            root = _scene(name, part.__name__.strip("_"))
            await part(trial, backend, root)
            trial.equal(
                _inside(root / "outside"),
                {"kept": _SECRET},
                f"what lies outside the folder after {part.__name__.strip('_')}",
            )


def _scene(name: str, part: str) -> Path:
    root = Path(name).resolve() / part
    (root / "outside").mkdir(parents=True)
    (root / "outside" / "kept").write_bytes(_SECRET)
    return root


def _inside(folder: Path) -> dict[str, bytes]:
    """Return the files anywhere below a folder, those behind links left out."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} if folder.exists() else {}


async def _store(backend: Any, prefix: str, files: dict[str, bytes]) -> None:
    """Put a model there as an attacker would: objects, and a manifest that names them."""
    entries = {}
    for name, content in files.items():
        entries[name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        if ".." not in name.split("/"):
            await backend.aupload(f"{prefix}/{name}", content)
    manifest = {"format": "backends-model-manifest", "version": 1, "files": entries}
    await backend.aupload(f"{prefix}/{_MANIFEST}", json.dumps(manifest).encode())


async def _names_stay_inside(trial: Trial, backend: Any, root: Path) -> None:
    hostile = (
        "../outside/evil",
        "a/../../outside/evil",
        f"{root}/outside/evil",
        "..",
        "C:evil",
        "a\\..\\evil",
        "a//evil",
    )
    for number, name in enumerate(hostile):
        await _store(backend, f"evil-{number}", {name: b"evil"})
        folder = root / f"folder-{number}"
        shown = name.replace(str(root), "<root>")
        async with trial.raises(errors.BackendError, f"a model with a file called {shown}"):
            await backend.afetch_model(f"evil-{number}", folder)
        trial.equal(_inside(folder), {}, f"files written for a model with a file called {shown}")


async def _links_are_not_followed(trial: Trial, backend: Any, root: Path) -> None:
    await _store(backend, "good", {"shards/one": b"1" * 100, "kept": b"2" * 100})
    folder = root / "folder"
    folder.mkdir()
    (folder / "shards").symlink_to(root / "outside", target_is_directory=True)
    async with trial.raises(errors.BackendError, "a model whose folder is a symbolic link here"):
        await backend.afetch_model("good", folder)
    (folder / "shards").unlink()
    (folder / "kept").unlink(missing_ok=True)
    (folder / "kept").symlink_to(root / "outside" / "kept")
    async with trial.raises(errors.BackendError, "a model whose file is a symbolic link here"):
        await backend.afetch_model("good", folder)

    target = root / "target"
    target.symlink_to(root / "outside" / "kept")
    await backend.adownload("good/kept", target)
    trial.expect(
        not target.is_symlink() and target.read_bytes() == b"2" * 100, "a download went through a symbolic link"
    )

    source = root / "source"
    source.mkdir()
    (source / "innocent").symlink_to(root / "outside" / "kept")
    async with trial.raises(errors.BackendError, "a folder with a symbolic link in it"):
        await backend.astore_model(source, "leak")
    sent = [seen.path for seen in trial.requests if _SECRET in seen.body]
    trial.equal(sent, [], "requests that carried a file from outside the folder")


async def _nothing_half_written(trial: Trial, backend: Any, root: Path) -> None:
    content = bytes(range(256)) * 1024
    await backend.aupload("large", content)
    for action in (CutAfter(100_000), Reset("body", after=100_000)):
        for old in (None, b"the old file"):
            target = root / f"target-{type(action).__name__}-{old is None}"
            if old is not None:
                target.write_bytes(old)
            about = f"a download that meets {action} where {'nothing' if old is None else 'a file'} was before"
            watch = _Watch(target)
            trial.script(Fault(action, path="*large*", method="GET", nth=1))
            async with trial.raises(errors.BackendError, about):
                await backend.adownload("large", target, progress=watch)
            trial.equal(_content(target), old, f"what stands under the final name after {about}")
            trial.expect(
                all(found == old for found in watch.seen), f"{about}: something stood under the final name meanwhile"
            )
            await backend.adownload("large", target)
            trial.expect(_content(target) == content, "the repeated download is not what was stored")
    left = sorted(name for name in _inside(root) if "partial" in name)
    trial.equal(left, [], "partial files left after complete downloads")


class _Watch:
    """Notes what stands under a name whenever progress is told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seen: list[bytes | None] = []

    def __call__(self, progress: object) -> None:
        self.seen.append(_content(self._path))


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


async def _checksums_count(trial: Trial, backend: Any, root: Path) -> None:
    content = b"checked" * 1000
    await backend.aupload("checked", content)
    put = next(seen for seen in reversed(trial.requests) if seen.method == "PUT")
    carried = [
        name for name, _ in put.headers if "checksum" in name or name == "content-md5" or name.endswith("sha256")
    ]
    trial.expect(carried, "an upload carries no checksum")
    target = root / "target"
    async with trial.raises(errors.ResponseFormatError, "bytes without the expected checksum"):
        await backend.adownload("checked", target, expected_sha256="0" * 64)
    trial.equal(_content(target), None, "what stands under the final name after a wrong checksum")
    for where in (target, None):
        trial.script(Fault(Garbage(data=content[:-1] + b"!"), path="*checked*", method="GET", nth=1))
        async with trial.raises(errors.BackendError, "bytes that changed on the way"):
            await backend.adownload("checked", where)
    trial.equal(_content(target), None, "what stands under the final name after bytes that changed on the way")
    await backend.adownload("checked", target, expected_sha256=hashlib.sha256(content).hexdigest())
    trial.equal(_content(target), content, "a good download")
