"""One file of the corpus, and tools to damage files with: the same damage for the same name, every time."""

import random
import struct
import zlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Outcome(Enum):
    """What has to become of a file. ``EITHER``: both are right, as long as one of them it is."""

    VIDEO = "video"
    ERROR = "error"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Specimen:
    """A bad or odd input."""

    path: Path
    outcome: Outcome

    @property
    def name(self) -> str:
        """``family/file``, printable."""
        return ascii(f"{self.path.parent.name}/{self.path.name}")[1:-1][:100]


class Family:
    """Collects the files of one folder."""

    def __init__(self, root: Path, name: str) -> None:
        self.folder = root / name
        self.folder.mkdir(parents=True)
        self.specimens: list[Specimen] = []

    def at(self, name: str, outcome: Outcome) -> Path:
        """The place for a file that the caller makes."""
        path = self.folder / name
        self.specimens.append(Specimen(path, outcome))
        return path

    def put(self, name: str, data: bytes, outcome: Outcome) -> Path:
        """A file with these bytes."""
        path = self.at(name, outcome)
        path.write_bytes(data)
        return path


def dice(name: str) -> random.Random:
    """Random numbers of that name's own."""
    return random.Random(zlib.crc32(name.encode("utf-8", "surrogateescape")))


def flipped(data: bytes, count: int, seed: str, *, within: int | None = None) -> bytes:
    """``count`` bits turned over, among the first ``within`` bytes or all."""
    spoilt, rolls = bytearray(data), dice(seed)
    for _ in range(count):
        spoilt[rolls.randrange(min(within or len(data), len(data)))] ^= 1 << rolls.randrange(8)
    return bytes(spoilt)


def wav(
    data: bytes,
    *,
    rate: int = 44_100,
    channels: int = 1,
    bits: int = 16,
    kind: int = 1,
    claimed: int | None = None,
    align: int | None = None,
) -> bytes:
    """A wav around ``data`` whose header says what it is told to; ``claimed``: the length of the data."""
    size = len(data) if claimed is None else claimed
    step = channels * bits // 8 if align is None else align
    fields = (kind, channels, rate, rate * step & 0xFFFFFFFF, step & 0xFFFF, bits)
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, *fields) + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(size + 36, 0xFFFFFFFF)) + head + data


def png(width: int, height: int, rows: bytes = b"\0") -> bytes:
    """A PNG that says that it is so large; ``rows`` are the pixels that it really has, filter bytes included."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def id3(*frames: tuple[bytes, bytes], claimed: int | None = None) -> bytes:
    """An ID3v2.3 tag; ``claimed``: the length that it says it has."""
    body = b"".join(name + struct.pack(">I", len(data)) + b"\0\0" + data for name, data in frames)
    size = len(body) if claimed is None else claimed
    return b"ID3\x03\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + body
