"""Errors of the file system while a video is written -> errors that say what to do; and files that survive a crash."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ethereal_gui.domain.errors import DiskFullError, OutputFolderError, StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FOLDER = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ESTALE, errno.ENODEV}


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Around everything that writes into ``folder``.

    Raises:
        StorageError: instead of OSError, FFmpeg's included (its errors are OSErrors with the system's numbers).
    """
    try:
        yield
    except OSError as error:
        raise storage_error(folder, error) from error


def storage_error(folder: Path, error: OSError) -> StorageError:
    """The error of the tree for a failed write in ``folder``."""
    if error.errno in _FULL:
        return DiskFullError(f"The disk with “{folder}” is full.")
    if error.errno in _FOLDER:
        if not folder.is_dir():
            return OutputFolderError(f"The folder “{folder}” is not there.")
        return OutputFolderError(f"The folder “{folder}” cannot be written.")
    return StorageError(
        f"Writing into “{folder}” failed: {error.strerror or error}.", hint="Check the disk or network drive."
    )


def check_output_folder(folder: Path) -> None:
    """Find out now what would otherwise show after an hour.

    Raises:
        OutputFolderError: it is missing or cannot be written.
    """
    if not folder.is_dir():
        raise OutputFolderError(f"The output folder “{folder}” is not there.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputFolderError(f"The output folder “{folder}” cannot be written.")


def sync_file(path: Path) -> None:
    """Wait until the file's bytes are on the disk."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Wait until the folder's names are on the disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_durably(path: Path, data: bytes) -> None:
    """Write a small file so that after a crash it holds either the old or the new bytes."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
