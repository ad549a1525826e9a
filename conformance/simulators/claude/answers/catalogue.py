"""``/v1/models``: list and get."""

from __future__ import annotations

from urllib.parse import parse_qsl

from conformance.simulators.claude.answers.common import page
from conformance.simulators.claude.errors import clipped, refused
from conformance.simulators.claude.models import Account
from conformance.simulators.provider import Answer, Call

__all__ = ["get_model", "list_models"]


def list_models(call: Call) -> Answer:
    """The active and deprecated models, or those of the stages asked for."""
    account: Account = call.state
    asked = [value for name, value in parse_qsl(call.request.query) if name == "lifecycle[]"]
    stages = asked or ["active", "deprecated"]
    return page(call, [model.as_json() for model in account.models.values() if model.lifecycle in stages])


def get_model(call: Call) -> Answer:
    """One model, retired ones included: the catalogue remembers them."""
    account: Account = call.state
    model = account.models.get(call.params["model"])
    if model is None:
        return refused(call, 404, f"model: {clipped(call.params['model'])}")
    return Answer(payload=model.as_json())
