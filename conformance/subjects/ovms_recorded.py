"""Which recordings of a KServe server, which speaks the same protocol, go through the OVMS backend, and what must come out.

Not replayed: requests that this backend refuses before the wire (no inputs, no JSON), and routes that it does not call.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from backends import errors
from backends.ovms import Tensor
from conformance.recordings import Exchange
from conformance.subject import Recorded
from conformance.trial import Trial

__all__ = ["RECORDED"]


def _model(recorded: Exchange) -> str:
    return recorded.path.split("/")[3]


async def _infer(backend: Any, recorded: Exchange) -> Any:
    sent = recorded.sent
    inputs = [_tensor(entry) for entry in sent["inputs"]]
    return await backend.ainfer(inputs, model=_model(recorded), id=sent.get("id"), binary=False)


async def _infer_misshapen(backend: Any, recorded: Exchange) -> Any:
    # The backend refuses such a tensor; what is tried here is how the server's own refusal reads.
    good = [_tensor({**entry, "shape": [len(entry["data"])]}) for entry in recorded.sent["inputs"]]
    extra = {"inputs": recorded.sent["inputs"]}
    return await backend.ainfer(good, model=_model(recorded), binary=False, extra_body=extra)


async def _infer_binary(backend: Any, recorded: Exchange) -> Any:
    end = int(recorded.asked["inference-header-content-length"])
    head, content = json.loads(recorded.sent[:end]), recorded.sent[end:]
    (entry,) = head["inputs"]
    inputs = [Tensor(entry["name"], entry["datatype"], tuple(entry["shape"]), content)]
    outputs = [one["name"] for one in head["outputs"]]
    return await backend.ainfer(inputs, model=_model(recorded), id=head["id"], outputs=outputs)


def _tensor(entry: Mapping[str, Any]) -> Tensor:
    content = struct.pack(f"<{len(entry['data'])}f", *entry["data"])
    return Tensor(entry["name"], entry["datatype"], tuple(entry["shape"]), content)


def _judge_inference(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(reply.raw, raw, "raw")
    trial.equal(
        (reply.id, reply.model, reply.model_version), (raw["id"], raw["model_name"], None), "id, model, version"
    )
    expected = [(one["name"], one["datatype"], one["shape"], one["data"]) for one in raw["outputs"]]
    found = [(one.name, one.datatype, list(one.shape), list(one.values)) for one in reply.outputs]
    trial.equal(found, expected, "outputs")


async def _metadata(backend: Any, recorded: Exchange) -> Any:
    return await backend.ametadata(_model(recorded))


async def _server_metadata(backend: Any, recorded: Exchange) -> Any:
    return await backend.aserver_metadata()


def _judge_metadata(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(reply.raw, raw, "raw")
    trial.equal(reply.name, raw["name"], "name")


def _judge_server(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    found = (reply.name, reply.version, list(reply.extensions))
    trial.equal(found, (raw["name"], raw["version"], raw["extensions"]), "name, version and extensions")


async def _live(backend: Any, recorded: Exchange) -> Any:
    return await backend.aserver_live()


async def _ready(backend: Any, recorded: Exchange) -> Any:
    return await backend.aserver_ready()


async def _model_ready(backend: Any, recorded: Exchange) -> Any:
    return await backend.amodel_ready(_model(recorded))


def _judge_health(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(reply, raw.get("ready", raw.get("live")), "health")


_SOURCE: Final = "kserve-0.21.0"
RECORDED: Final[Mapping[str, Recorded]] = {
    f"{_SOURCE}/infer": Recorded(run=_infer, judge=_judge_inference),
    f"{_SOURCE}/infer_binary": Recorded(run=_infer_binary, judge=_judge_inference),
    f"{_SOURCE}/infer_bad_shape": Recorded(run=_infer_misshapen, error=errors.ServerError),
    f"{_SOURCE}/infer_unknown_model": Recorded(run=_infer, error=errors.UnknownModelError),
    f"{_SOURCE}/model_metadata": Recorded(run=_metadata, judge=_judge_metadata),
    f"{_SOURCE}/server_metadata": Recorded(run=_server_metadata, judge=_judge_server),
    f"{_SOURCE}/live": Recorded(run=_live, judge=_judge_health),
    f"{_SOURCE}/ready": Recorded(run=_ready, judge=_judge_health),
    f"{_SOURCE}/model_ready": Recorded(run=_model_ready, judge=_judge_health),
}
