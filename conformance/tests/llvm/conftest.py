"""A backend with real workers, shared: one object serves the loop of every test in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backends.llvm import LLVM


@pytest.fixture(scope="session")
def llvm() -> Iterator[LLVM]:
    with LLVM(max_retries=0, failure_threshold=1_000) as made:
        yield made
