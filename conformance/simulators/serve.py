"""Runs the simulated providers as a program: prints ``NAME BASE_URL`` for each and then ``ready``, until told to stop.

S3 is moto's own threaded server on a port of its own; it is started only when asked for by name.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any

from conformance.simulators.registry import NAMES
from conformance.simulators.server import Simulator

__all__ = ["S3", "serve"]

S3 = "s3_kit"
"""Row name of the object store."""


async def serve(
    port: int = 0, providers: Iterable[str] | None = None, *, say: Callable[[str], object] | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, or until cancelled; then close cleanly.

    Args:
        port: 0 picks a free one.
        providers: row names; None means every simulated one, and S3 when moto is installed.
        say: where lines go; standard output, flushed after each, by default.

    Raises:
        ValueError: an unknown provider. RuntimeError: S3 was asked for by name and moto is not installed.
    """
    tell = say or _print
    wanted = (*NAMES, S3) if providers is None else tuple(providers)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    store = _object_store(required=providers is not None) if S3 in wanted else None
    try:
        async with Simulator([name for name in wanted if name != S3], port=port) as simulator:
            for name in simulator.providers:
                tell(f"{name} {simulator.base_url(name)}")
            if store is not None:
                tell(f"{S3} http://127.0.0.1:{store.get_host_and_port()[1]}")
            tell("ready")
            await stop.wait()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        if store is not None:
            await asyncio.to_thread(store.stop)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _object_store(*, required: bool) -> Any:
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        if required:
            raise RuntimeError("the object store needs moto: pip install 'moto[s3,server]'") from error
        return None
    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    return store
