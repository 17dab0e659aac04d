"""Folders and files for their owner's eyes only, whatever the umask is."""

import os
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Make a folder that nobody else may enter, and those above it that are missing; one that is there stays as it is.

    ``Path.mkdir`` gives its mode to the last folder only.

    Raises:
        OSError: it cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)  # refuses where a file has the name
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read; after a crash it holds either the old or the new text.

    Raises:
        OSError: it cannot be written.
    """
    temporary = private_folder(path.parent) / f".{path.name}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
