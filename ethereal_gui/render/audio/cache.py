"""Analyses on disk: the same song in five formats is analysed once.

A file is an ordinary uncompressed npz whose arrays lie at multiples of 64 bytes, so that they can be mapped instead
of read: the features of ten hours of music cost no memory but for the rows that are looked at. It is written aside and
renamed; one that is damaged counts as not there.
"""

import contextlib
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.private import private_folder

Array = NDArray[np.float32]

_ALIGNMENT = 64
_PADDING_FIELD = 0xD935  # the extra field that zipalign made common
_LOCAL_HEADER = 30
_ZIP64_EXTRA = 20
_BLOCK = 1 << 20


def load(path: Path) -> dict[str, Array] | None:
    """Every array of the file, mapped and read-only; None when the file is missing or damaged."""
    try:
        found: dict[str, Array] = {}
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                with archive.open(info) as member:
                    version = np.lib.format.read_magic(member)
                    if version != (1, 0):
                        return None
                    shape, _, dtype = np.lib.format.read_array_header_1_0(member)
                    header = member.tell()
                    while member.read(_BLOCK):  # the end of it checks the CRC
                        pass
                if dtype != np.dtype("<f4"):
                    return None
                found[info.filename.removesuffix(".npy")] = _mapped(path, info, header, shape)
        with contextlib.suppress(OSError):
            os.utime(path)
        return found
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, struct.error):
        return None


def store(path: Path, arrays: Mapping[str, tuple[tuple[int, ...], Iterator[Array]]]) -> None:
    """Write a file; each array comes as its shape and pieces along the first axis.

    Raises:
        OSError: it cannot be written.
    """
    private_folder(path.parent)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, (shape, pieces) in arrays.items():
                    _write_member(archive, f"{name}.npy", file.tell(), shape, pieces)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write_member(
    archive: zipfile.ZipFile, name: str, position: int, shape: tuple[int, ...], pieces: Iterator[Array]
) -> None:
    info = zipfile.ZipInfo(name)
    start = position + _LOCAL_HEADER + len(name) + _ZIP64_EXTRA + 4
    padding = -start % _ALIGNMENT
    info.extra = struct.pack("<HH", _PADDING_FIELD, padding) + bytes(padding)
    with archive.open(info, "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(
            member,
            {"descr": "<f4", "fortran_order": False, "shape": shape},
        )
        for piece in pieces:
            member.write(np.ascontiguousarray(piece, "<f4").tobytes())


def _mapped(path: Path, info: zipfile.ZipInfo, header: int, shape: tuple[int, ...]) -> Array:
    if 0 in shape:
        return np.zeros(shape, np.float32)
    with path.open("rb") as file:
        file.seek(info.header_offset)
        local = file.read(_LOCAL_HEADER)
        name_length, extra_length = struct.unpack("<HH", local[26:30])
    offset = info.header_offset + _LOCAL_HEADER + name_length + extra_length + header
    # A plain array over the map: compiled code asks for the exact type.
    return np.asarray(np.memmap(path, np.float32, "r", offset, shape))
