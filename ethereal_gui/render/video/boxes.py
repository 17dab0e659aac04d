"""Boxes of MP4 files (ISO/IEC 14496-12): read, change, write back. No knowledge of what is in most of them.

A box is a length, four letters and a payload. Those that hold boxes are read into a tree when their layout is known,
everything else stays bytes, so that writing a tree gives back what was read, byte by byte.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"udta", b"ilst", b"sv3d", b"proj"}

# Boxes with fields in front of the boxes in them: how many bytes those fields take.
_PREFIXED = {
    b"meta": 4,
    b"stsd": 8,
    **dict.fromkeys((b"avc1", b"avc3", b"hvc1", b"hev1", b"av01"), 78),
}


class BoxError(ValueError):
    """The bytes are not boxes."""


@dataclass(slots=True)
class Box:
    """One box.

    Attributes:
        kind: four bytes. payload: everything behind the header, or what stands in front of ``children``.
        children: the boxes inside, when it is a container that this module knows.
    """

    kind: bytes
    payload: bytes = b""
    children: list["Box"] | None = None

    def __bytes__(self) -> bytes:
        body = self.payload + b"".join(bytes(child) for child in self.children or ())
        size = 8 + len(body)
        if size >= 1 << 32:
            return struct.pack(">I4sQ", 1, self.kind, size + 8) + body
        return struct.pack(">I4s", size, self.kind) + body

    def find(self, *path: bytes) -> "Box | None":
        """The first box along a path of kinds."""
        return next(self.find_all(*path), None)

    def find_all(self, *path: bytes) -> Iterator["Box"]:
        """Every box along a path of kinds."""
        for child in self.children or ():
            if child.kind == path[0]:
                if len(path) == 1:
                    yield child
                else:
                    yield from child.find_all(*path[1:])

    def child(self, kind: bytes) -> "Box":
        """The first child of that kind.

        Raises:
            BoxError: there is none.
        """
        found = self.find(kind)
        if found is None:
            raise BoxError(f"no {kind.decode('latin-1')} in {self.kind.decode('latin-1')}")
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box of the file's top level lies: ``start`` and ``size`` in bytes, header included."""

    kind: bytes
    start: int
    size: int
    header: int = field(default=8)

    @property
    def end(self) -> int:
        """First byte behind it."""
        return self.start + self.size


def parse(data: bytes) -> list[Box]:
    """The boxes that ``data`` consists of.

    Raises:
        BoxError: it does not consist of whole boxes.
    """
    boxes, at = [], 0
    while at < len(data):
        kind, size, header = _header(data[at : at + 16], len(data) - at)
        boxes.append(_box(kind, data[at + header : at + size]))
        at += size
    return boxes


def top_level(file: BinaryIO) -> list[Place]:
    """The places of the file's own boxes, without reading what is in them.

    Raises:
        BoxError: the file does not consist of whole boxes.
    """
    end = file.seek(0, 2)
    places, at = [], 0
    while at < end:
        file.seek(at)
        kind, size, header = _header(file.read(16), end - at)
        places.append(Place(kind, at, size, header))
        at += size
    return places


def read_box(file: BinaryIO, place: Place) -> Box:
    """The box at that place, with what is in it.

    Raises:
        BoxError: its inside is not what its kind promises.
    """
    file.seek(place.start + place.header)
    return _box(place.kind, file.read(place.size - place.header))


def free(size: int) -> bytes:
    """A box of exactly that many bytes that means nothing; at least 8."""
    return struct.pack(">I4s", size, b"free") + bytes(size - 8)


def _header(data: bytes, available: int) -> tuple[bytes, int, int]:
    if len(data) < 8:
        raise BoxError("a box ends inside its header")
    size, kind = struct.unpack(">I4s", data[:8])
    header = 8
    if size == 1:
        if len(data) < 16:
            raise BoxError("a box ends inside its header")
        size, header = struct.unpack(">Q", data[8:16])[0], 16
    elif size == 0:
        size = available
    if size < header or size > available:
        raise BoxError(f"box {kind!r} of {size} bytes does not fit into {available}")
    return kind, size, header


def _box(kind: bytes, body: bytes) -> Box:
    prefix = _PREFIXED.get(kind, 0)
    if (kind in _CONTAINERS or kind in _PREFIXED) and len(body) >= prefix:
        try:
            return Box(kind, body[:prefix], parse(body[prefix:]))
        except BoxError:
            # QuickTime ends some containers with four zero bytes; such a box stays as it is.
            return Box(kind, body)
    return Box(kind, body)
