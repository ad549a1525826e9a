"""What every call to an OpenVINO Model Server shares: the provider's facts, its errors, paths of models.

Wire facts: the server is checked as of August 2026 (after tag v2026.3). It has no port of its own by default (examples
use 8000) and no official client environment, so ``OVMS_BASE_URL`` and ``OVMS_API_KEY`` are this library's convention. A
key is needed only where the server was started with one, and only by generative calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from backends import errors
from backends.dialects.openai_common import checked_model
from backends.dialects.openai_server import DialectServer
from backends.operation import Operation
from backends.ovms.failures import typed_error
from backends.parameters import bad_argument
from backends.provider import Provider

__all__ = ["PROVIDER", "OVMSServer"]

PROVIDER: Final = Provider(
    name="ovms",
    title="OpenVINO Model Server",
    base_url="http://127.0.0.1:8000",
    key_required=False,
    key_variables=("OVMS_API_KEY",),
    base_url_variables=("OVMS_BASE_URL",),
)
_LARGEST_VERSION: Final = 2**63 - 1


class OVMSServer(DialectServer):
    """One server, or several as endpoints; ``base_url`` is the server's root, without ``/v2`` or ``/v3``.

    Args:
        tensorflow_serving: the server is v2026.2.1 or older and still has the TensorFlow Serving API:
            ``predict``, ``serving_status`` and ``serving_metadata`` are allowed. v2026.3 removed it.
        **options: see :class:`backends.base.Backend`.
    """

    provider: ClassVar[Provider] = PROVIDER
    dialect_path: ClassVar[str] = "/v3"

    def __init__(self, *arguments: Any, tensorflow_serving: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not isinstance(tensorflow_serving, bool):
            raise errors.ConfigurationError("tensorflow_serving must be True or False.", provider="ovms")
        self._tensorflow_serving = tensorflow_serving

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer; an unknown model brings names from the last ``models()``."""
        del headers
        return typed_error(status, data, model=operation.model, explain=self.explain)

    def _chosen_model(self, model: str | None, kind: str) -> str:
        """Return the model of a call, which every path and body of this server needs.

        Raises:
            InvalidRequestError: neither the call nor the backend names one.
        """
        return checked_model(super()._chosen_model(model, kind), self.provider.name)

    def _model_path(self, prefix: str, model: str, version: int | str | None) -> str:
        """Return ``/v2/models/M`` or ``/v2/models/M/versions/V``, both escaped.

        Raises:
            InvalidRequestError: the version is not a whole number of at least 1.
        """
        path = f"{prefix}/models/{self._segment('model', model)}"
        if version is None:
            return path
        text = str(version)
        if (
            isinstance(version, bool)
            or not (text.isascii() and text.isdigit())
            or not 0 < int(text[:20]) <= _LARGEST_VERSION
        ):
            bad_argument(f"version must be a whole number of at least 1, not {text[:40]!r}", self.provider.name)
        return f"{path}/versions/{text}"
