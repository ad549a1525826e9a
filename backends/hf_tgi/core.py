"""What every call to a TGI server shares: its address, its keys and its errors.

Wire facts: ``router/src`` of text-generation-inference 3.3.7. A server has one model, called ``tgi``; another name is a
LoRA adapter of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from backends import errors
from backends.dialects.hugging_face import KEY_FILE_VARIABLES, KEY_VARIABLES, typed_error
from backends.dialects.openai_server import DialectServer
from backends.operation import Operation
from backends.provider import Provider

__all__ = ["BASE_MODEL", "TGIServer"]

BASE_MODEL: Final = "tgi"


class TGIServer(DialectServer):
    """Base of the groups of calls; see :class:`backends.hf_tgi.HFTGI`."""

    dialect_path: ClassVar[str] = "/v1"

    provider: ClassVar[Provider] = Provider(
        name="hf_tgi",
        title="Hugging Face TGI",
        base_url="http://127.0.0.1:8080",
        key_required=False,
        key_variables=KEY_VARIABLES,
        key_file_variables=KEY_FILE_VARIABLES,
        base_url_variables=("HF_TGI_BASE_URL",),
        default_model=BASE_MODEL,
    )

    @property
    def openai_base_url(self) -> str:
        """Address of the server's OpenAI-compatible side, for clients that want one."""
        return self.base_url + "/v1"

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer: the kind that the body names goes before the status."""
        del headers, operation
        return typed_error(status, data)
