"""The embedded server's folder: what lies in it, who uses it, and that nobody else can reach it.

``data folder/server`` is for its owner only and has the append-only file, the log, the password, the state of the
running server, a lock for starting and stopping, and one locked file for each process that uses the server. The
system lets go of a process's locks however it ends, so a killed user is no user any more.
"""

import asyncio
import hashlib
import json
import os
import secrets
import stat
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ethereal_gui.domain.errors import ServerUnavailableError, StorageError
from ethereal_gui.domain.private import private_folder, write_private

if sys.platform != "win32":
    import fcntl

LONGEST_SOCKET_PATH: Final = 100
"""Bytes; the limit is 107 on Linux and 103 on macOS."""

_LOCK_SECONDS: Final = 120.0
_LOCK_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class ServerState:
    """The server that runs, as the process that started it wrote it down. Trusted only as far as it can be checked."""

    pid: int
    socket: str
    started_at: float


class ServerFolder:
    """Paths, locks and secrets of one embedded server."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir.absolute() / "server"
        self._registration: int | None = None
        self._registration_path: Path | None = None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.path / "server.log"

    @property
    def append_only_folder(self) -> Path:
        """Where the jobs are on disk."""
        return self.path / "appendonlydir"

    @property
    def password_file(self) -> Path:
        """The password, readable by its owner only."""
        return self.path / "password"

    def prepare(self) -> None:
        """Make the folder, private.

        Raises:
            StorageError: it cannot be made or is somebody else's.
        """
        try:
            _make_private(private_folder(self.path))
            (self.path / "users").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The folder for the built-in server cannot be used: {error.strerror or error} ({self.path}).",
                hint="Set ETHEREAL_DATA_DIR to a folder of yours on a local disk.",
            ) from error

    def password(self) -> str:
        """The server's password; made at random the first time and kept, so that a restart keeps the address."""
        try:
            known = self.password_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            known = ""
        if len(known) >= 32:
            self.password_file.chmod(0o600)
            return known
        new = secrets.token_urlsafe(32)
        write_private(self.path / "password", new)
        return new

    def state(self) -> ServerState | None:
        """What was written down of the running server, or None."""
        try:
            fields = json.loads((self.path / "state.json").read_bytes())
            return ServerState(int(fields["pid"]), str(fields["socket"]), float(fields["started_at"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_state(self, state: ServerState | None) -> None:
        """Write down the running server, or that there is none."""
        if state is None:
            (self.path / "state.json").unlink(missing_ok=True)
        else:
            write_private(self.path / "state.json", json.dumps(asdict(state)))

    def note_recovery(self, text: str) -> None:
        """Write down what had to be left out to make the data readable, for whoever asks later."""
        write_private(self.path / "recovery", f"{time.strftime('%Y-%m-%d %H:%M')}: {text}")

    def last_recovery(self) -> str | None:
        """What was written down last, or None."""
        try:
            return (self.path / "recovery").read_text("utf-8")
        except OSError:
            return None

    def socket(self) -> Path:
        """Where the socket is: in the folder, or in a short private one where the path would be too long.

        The same for the same data folder every time, as long as nobody else has taken the short folder's name.
        """
        here = self.path / "redis.sock"
        if len(os.fsencode(here)) <= LONGEST_SOCKET_PATH:
            return here
        state = self.state()
        if state and _is_private(Path(state.socket).parent):
            return Path(state.socket)
        name = f"ethereal-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]}"
        # Whatever lies there is not trusted: see _is_private below.
        for root in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108
            if not root or len(os.fsencode(root)) + len(name) + 20 > LONGEST_SOCKET_PATH:
                continue
            folder = Path(root) / (f"{name}-{os.getuid()}" if root != os.environ.get("XDG_RUNTIME_DIR") else name)
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
            except OSError:
                continue
            if _is_private(folder):
                return folder / "redis.sock"
        # Somebody sits on the name: take any other one; the state file says which.
        return Path(tempfile.mkdtemp(prefix="ethereal-", dir="/tmp")) / "redis.sock"

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Only one process at a time starts or stops the server.

        Raises:
            ServerUnavailableError: another process has not finished doing so for minutes.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            give_up_at = time.monotonic() + _LOCK_SECONDS
            while not _try_lock(descriptor):
                if time.monotonic() > give_up_at:
                    raise ServerUnavailableError(
                        "Another program of this user has been starting or stopping the built-in server for minutes.",
                        hint="End the other windows and workers, then try again.",
                    )
                await asyncio.sleep(_LOCK_POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def register(self) -> None:
        """Be a user of the server until ``unregister`` or the end of this process."""
        if self._registration is not None:
            return
        path = self.path / "users" / f"{os.getpid()}-{secrets.token_hex(4)}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        _try_lock(descriptor)
        self._registration, self._registration_path = descriptor, path

    def unregister(self) -> None:
        """Be no user of the server any more."""
        if self._registration is None or self._registration_path is None:
            return
        self._registration_path.unlink(missing_ok=True)
        os.close(self._registration)
        self._registration = self._registration_path = None

    def has_users(self) -> bool:
        """Whether any process uses the server; call it with the lock held. Files of the dead are cleared away."""
        used = False
        for path in (self.path / "users").iterdir():
            if path == self._registration_path:
                used = True
                continue
            try:
                descriptor = os.open(path, os.O_RDWR)
            except OSError:
                continue
            if _try_lock(descriptor):
                path.unlink(missing_ok=True)
            else:
                used = True
            os.close(descriptor)
        return used


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_private(path: Path) -> None:
    if path.stat().st_uid != os.getuid():
        raise PermissionError(1, "it belongs to another user")
    path.chmod(0o700)


def _is_private(path: Path) -> bool:
    """Whether it is a real folder of this user that nobody else may enter."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
