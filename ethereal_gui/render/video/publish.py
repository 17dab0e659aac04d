"""A verified file takes the first free name, without ever overwriting, and exactly once.

The file lies under a hidden name in the output folder. Before it is given a name, a record of its identity (device,
inode, size) and of that name is written into the job's own folder. When the process dies between this and the end of
the job, the next attempt finds the record, sees that the named file is this very file, and returns it instead of making
a second one.
"""

import contextlib
import errno
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ethereal_gui.domain.errors import StorageError
from ethereal_gui.render.video.storage import sync_file, sync_folder, write_durably, writing

_RECORD = "publish.json"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK, errno.EINVAL}


@dataclass(frozen=True, slots=True)
class Record:
    """What was, or was about to be, published.

    Attributes:
        fingerprint: of everything that determines the video. path: the final name. temporary: the hidden name.
        device, inode, size: the file's identity; 0 while the hidden file is still being written.
        reserved: ``path`` was created empty to hold the name (file systems without hard links).
        frames, duration: of the video.
    """

    fingerprint: str
    temporary: str
    path: str = ""
    device: int = 0
    inode: int = 0
    size: int = 0
    reserved: bool = False
    frames: int = 0
    duration: float = 0.0


class Publisher:
    """Publishes the file of one job.

    Args:
        work_dir: the job's own folder. output_dir: where the video goes. fingerprint: of the video.
    """

    def __init__(self, work_dir: Path, output_dir: Path, fingerprint: str) -> None:
        self._record_path = work_dir / _RECORD
        self._output_dir = output_dir
        self._fingerprint = fingerprint
        # Two machines may share the output folder, and have job folders of the same name.
        key = hashlib.sha256(f"{platform.node()}\0{work_dir.absolute()}".encode("utf-8", "surrogatepass")).hexdigest()
        self.temporary = output_dir / f".ethereal-{key[:16]}.part.mp4"

    def published(self) -> Record | None:
        """What an earlier attempt published, if it is this video and is still there; finishes what it left undone."""
        record = self._read()
        if record is None or record.fingerprint != self._fingerprint or not record.path:
            return None
        path, temporary = Path(record.path), Path(record.temporary)
        if path.parent != self._output_dir:
            return None
        if record.reserved and _is(temporary, record) and _is_empty(path):
            with writing(self._output_dir):
                temporary.replace(path)
        if not _is(path, record):
            return None
        _unlink_quietly(temporary)
        return record

    def clean(self) -> None:
        """Remove what a crashed attempt left in an output folder; note where this attempt will write."""
        record = self._read()
        if record is not None:
            if record.reserved and record.path and _is_empty(Path(record.path)):
                _unlink_quietly(Path(record.path))
            _unlink_quietly(Path(record.temporary))
        _unlink_quietly(self.temporary)
        self._write(Record(self._fingerprint, str(self.temporary)))

    def publish(self, names: Iterable[str], *, frames: int, duration: float) -> Path:
        """Give the hidden file the first name that is free.

        Raises:
            StorageError: the folder cannot be written, or the names have run out.
        """
        with writing(self._output_dir):
            sync_file(self.temporary)
            status = self.temporary.stat()
            for name in names:
                path = self._output_dir / name
                if os.path.lexists(path):
                    continue
                record = Record(
                    self._fingerprint,
                    str(self.temporary),
                    str(path),
                    status.st_dev,
                    status.st_ino,
                    status.st_size,
                    frames=frames,
                    duration=duration,
                )
                if self._take(path, record):
                    sync_folder(self._output_dir)
                    return path
        raise StorageError(f"There is no free name for the video in “{self._output_dir}”.")

    def forget(self) -> None:
        """Drop the record; the next attempt makes a new video."""
        _unlink_quietly(self._record_path)

    def _take(self, path: Path, record: Record) -> bool:
        self._write(record)
        try:
            os.link(self.temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return self._take_without_links(path, record)
        self.temporary.unlink()
        return True

    def _take_without_links(self, path: Path, record: Record) -> bool:
        if sys.platform == "win32":
            try:
                self.temporary.rename(path)  # refuses to overwrite there
            except FileExistsError:
                return False
            return True
        self._write(Record(**{**asdict(record), "reserved": True}))
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            self._write(record)
            return False
        self.temporary.replace(path)
        return True

    def _read(self) -> Record | None:
        try:
            return Record(**json.loads(self._record_path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, record: Record) -> None:
        with writing(self._record_path.parent):
            write_durably(self._record_path, json.dumps(asdict(record)).encode())


def _is(path: Path, record: Record) -> bool:
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return record.size > 0 and (status.st_dev, status.st_ino, status.st_size) == (
        record.device,
        record.inode,
        record.size,
    )


def _is_empty(path: Path) -> bool:
    try:
        return path.stat(follow_symlinks=False).st_size == 0
    except OSError:
        return False


def _unlink_quietly(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
