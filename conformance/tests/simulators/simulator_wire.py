"""A client that sees bytes: it sends exactly what it is given and keeps exactly what comes back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from conformance.simulators import Simulator

KEY = "sk-planted-key-0001"


@dataclass
class Wire:
    """What came back, byte by byte."""

    data: bytes = b""
    error: type[BaseException] | None = None
    reads: list[bytes] = field(default_factory=list)

    @property
    def head(self) -> str:
        return self.data.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def after_head(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def chunks(self) -> list[bytes]:
        """The chunks of a chunked body, without the terminating one."""
        found, rest = [], self.after_head
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            if not length:
                break
            found.append(rest[:length])
            rest = rest[length + 2 :]
        return found

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks) if self.headers.get("transfer-encoding") == "chunked" else self.after_head

    @property
    def complete(self) -> bool:
        """Whether HTTP's own framing was satisfied."""
        if self.headers.get("transfer-encoding") == "chunked":
            return self.after_head.endswith(b"0\r\n\r\n")
        return len(self.after_head) == int(self.headers["content-length"])


def request_bytes(
    path: str, body: object = None, *, method: str = "POST", headers: tuple[str, ...] = (), close: bool = True
) -> bytes:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "host: here", f"authorization: Bearer {KEY}", *headers]
    lines += ["connection: close"] * close
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(data)}"]
    return "\r\n".join([*lines, "", ""]).encode() + data


async def exchange(sim: Simulator, request: bytes) -> Wire:
    """Send bytes, read until the server closes or resets."""
    wire = Wire()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    except ConnectionError as error:
        wire.error = type(error)
        return wire
    try:
        writer.write(request)
        while piece := await reader.read(1 << 20):
            wire.reads.append(piece)
            wire.data += piece
    except ConnectionError as error:
        wire.error = type(error)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)
    return wire


CHAT = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Name a prime."}]}
STREAM = {**CHAT, "stream": True}
PATH = "/openai/v1/chat/completions"


async def ask(sim: Simulator, body: object = None, path: str = PATH, **options: object) -> Wire:
    return await exchange(sim, request_bytes(path, CHAT if body is None else body, **options))  # type: ignore[arg-type]
