"""Reads a ``multipart/form-data`` body into fields and uploads, the way the simulated services do (RFC 7578).

``name[]`` collects a list, ``name[key]`` an object. It reads a whole body already in memory and never touches a socket.
A body that is not well formed raises ``ValueError``: a client that builds a wrong one must not get away with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message
from typing import Any

__all__ = ["Form", "Upload", "parse"]


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file as the client named it; the name is only ever data, never a path."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The parts in order (name as sent, text or upload) and the same gathered by name."""

    parts: tuple[tuple[str, str | Upload], ...]

    def gathered(self) -> dict[str, Any]:
        """``name`` gives a value (a list when repeated), ``name[]`` a list, ``name[key]`` an object."""
        found: dict[str, Any] = {}
        for name, value in self.parts:
            base, bracket, rest = name.partition("[")
            if not bracket or not rest.endswith("]"):
                if name in found:
                    known = found[name]
                    found[name] = [*known, value] if isinstance(known, list) else [known, value]
                else:
                    found[name] = value
            elif rest == "]":
                found.setdefault(base, [])
                if not isinstance(found[base], list):
                    raise ValueError(f"the field {base!r} is both a value and a list")
                found[base].append(value)
            else:
                found.setdefault(base, {})
                if not isinstance(found[base], dict):
                    raise ValueError(f"the field {base!r} is both a value and an object")
                found[base][rest[:-1]] = value
        return found


def parse(content_type: str, body: bytes) -> Form:
    """Parse a body; raises ``ValueError`` when the boundary is missing or the body does not follow it to its end."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not 1 <= len(boundary) <= 70:
        raise ValueError("the content type has no usable boundary")
    marker = b"--" + boundary.encode("latin-1", "replace")
    if not body.startswith(marker):
        raise ValueError("the body does not begin with its boundary")
    pieces = (b"\r\n" + body).split(b"\r\n" + marker)
    if not pieces[-1].startswith(b"--"):
        raise ValueError("the closing boundary is missing")
    return Form(tuple(_part(piece) for piece in pieces[1:-1]))


def _part(piece: bytes) -> tuple[str, str | Upload]:
    if not piece.startswith(b"\r\n"):
        raise ValueError("a boundary is not followed by a line end")
    head, separator, content = piece[2:].partition(b"\r\n\r\n")
    if not separator:
        raise ValueError("a part has no blank line after its headers")
    headers = Message()
    for line in head.split(b"\r\n"):
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon:
            raise ValueError("a part's header has no colon")
        headers[name] = value.strip()
    name_of_field = headers.get_param("name", header="content-disposition")
    if headers.get_content_disposition() != "form-data" or not isinstance(name_of_field, str):
        raise ValueError("a part is not form-data with a name")
    filename = headers.get_filename()
    if filename is None:
        return name_of_field, content.decode("utf-8")
    return name_of_field, Upload(filename, headers.get("content-type", "application/octet-stream"), content)
