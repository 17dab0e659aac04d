"""The embedded server: started by the first window, worker or command that needs it, stopped with the last.

It is a process of its own that survives a crash of the program, so that nothing is lost and the next start takes it
over. Whoever uses it watches it and starts it again with the same data and the same address when it was killed.
"""

import asyncio
import contextlib
import logging
import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import redis.asyncio as aioredis
from redis.exceptions import BusyLoadingError, RedisError

from ethereal_gui.domain.errors import QueueError, ServerUnavailableError
from ethereal_gui.queue import server_process
from ethereal_gui.queue.connection import ServerAddress, open_client
from ethereal_gui.queue.server_folder import ServerFolder, ServerState

log = logging.getLogger(__name__)

_START_SECONDS: Final = 20.0
_LOADING_SECONDS: Final = 600.0
_WATCH_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 10.0
_LOG_LIMIT: Final = 2_000_000


class EmbeddedServer:
    """One process's use of the embedded server.

    Attributes:
        recovery: what this process had to leave out when it last started the server, a sentence, or None.
        trouble: why the server could not be started again, while that is so.
    """

    def __init__(self, data_dir: Path) -> None:
        self.recovery: str | None = None
        self.trouble: str | None = None
        self._folder = ServerFolder(data_dir)
        self._address: ServerAddress | None = None
        self._pid: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def address(self) -> ServerAddress:
        """Where it is; known after ``start``, and the same after every restart.

        Raises:
            ServerUnavailableError: it was not started.
        """
        if self._address is None:
            raise ServerUnavailableError("The built-in server was not started.")
        return self._address

    @property
    def pid(self) -> int | None:
        """The server's process id."""
        return self._pid

    @property
    def log_file(self) -> Path:
        """Where the server writes what it does."""
        return self._folder.log

    def last_recovery(self) -> str | None:
        """The newest recovery of any process, with its time."""
        return self._folder.last_recovery()

    def redis_cli_command(self) -> str:
        """A line for a shell that opens redis-cli on the server without the password on it."""
        state = self._folder.state()
        socket = state.socket if state else str(self._folder.path / "redis.sock")
        password = shlex.quote(str(self._folder.password_file))
        return f'REDISCLI_AUTH="$(cat {password})" redis-cli -s {shlex.quote(socket)}'

    async def start(self) -> ServerAddress:
        """Start the server or take over the one that runs, and be counted among its users.

        Raises:
            NoServerBinaryError: there is no server program on this computer.
            StorageError: its folder cannot be used.
            QueueError: it does not start; the message has the last line of its log.
        """
        server_process.find_binary()
        self._folder.prepare()
        async with self._folder.locked():
            self._folder.register()
            try:
                await self._ensure()
            except BaseException:
                self._folder.unregister()
                raise
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._keep_alive(), name="embedded-server")
        return self.address

    async def stop(self) -> None:
        """Be no user any more; the last one ends the server, which writes everything to disk first."""
        if self._watch and not self._watch.done():
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._watch = None
        if self._address is None:
            return
        self._folder.prepare()
        async with self._folder.locked():
            self._folder.unregister()
            if not self._folder.has_users():
                await self._shut_down()
        self._pid = None
        self._collect()

    async def _ensure(self) -> None:
        """Have a server that answers. Call it with the lock held."""
        password, socket = self._folder.password(), self._folder.socket()
        address = ServerAddress(f"unix://:{quote(password, safe='')}@{quote(os.fsencode(socket))}", embedded=True)
        state = self._folder.state()
        running = [state.pid] if state and server_process.is_server_of(state.pid, self._folder.path) else []
        if not running:
            running = await asyncio.to_thread(server_process.servers_of, self._folder.path)
        for pid in running:
            answering = await self._wait_until_ready(address, pid)
            if answering == pid:
                if not state or state.pid != pid:
                    self._folder.write_state(ServerState(pid, str(socket), time.time()))
                log.info("Using the built-in server that runs already (process %d).", pid)
            else:
                # It cannot be reached (its socket is gone, or it hangs) and would hold on to the data.
                log.warning("The built-in server (process %d) does not answer and is started again.", pid)
                await server_process.end(pid, self._folder.path)
                continue
            self._address, self._pid = address, pid
            return
        await self._launch(address, socket, password)

    async def _launch(self, address: ServerAddress, socket: Path, password: str) -> None:
        binary = server_process.find_binary()
        self.recovery = None
        for attempt in (1, 2):
            socket.unlink(missing_ok=True)
            self._trim_log()
            log_from = self._folder.log.stat().st_size if self._folder.log.exists() else 0
            size = self._data_size()
            self._child = server_process.launch(
                binary, self._folder.path, server_process.configuration(socket, password)
            )
            pid = self._child.pid
            if await self._wait_until_ready(address, pid) == pid:
                self._folder.write_state(ServerState(pid, str(socket), time.time()))
                self._address, self._pid = address, pid
                self.recovery = self.recovery or self._what_was_truncated(log_from, size)
                if self.recovery:
                    log.warning("The built-in server was not stopped in order: %s", self.recovery)
                    self._folder.note_recovery(self.recovery)
                return
            await server_process.end(pid, self._folder.path)
            self._collect()
            text = self._log_since(log_from)
            if attempt == 1 and ("Bad file format" in text or "corrupt" in text.lower()):
                mended = await asyncio.to_thread(server_process.mend, binary, self._folder.append_only_folder)
                if mended:
                    self.recovery = _recovery(mended)
                    continue
            lines = [line for line in text.splitlines() if line.strip()]
            reason = lines[-1].split("# ", 1)[-1] if lines else "it gave no reason"
            raise QueueError(f"The built-in server does not start: {reason}.", hint=f"See {self._folder.log}.")

    async def _wait_until_ready(self, address: ServerAddress, pid: int) -> int | None:
        """The process id of the server that answers, once it does; None when it never did or the process ended."""
        client = open_client(address, answer_seconds=5.0, retries=0)
        give_up_at = time.monotonic() + _START_SECONDS
        try:
            while time.monotonic() < give_up_at:
                try:
                    await client.ping()
                    info: Any = await client.info("server")
                    return int(info["process_id"])
                except BusyLoadingError:
                    give_up_at = max(give_up_at, time.monotonic() + _LOADING_SECONDS)
                except (RedisError, OSError):
                    # A server that was there before this start either answers at once or has lost its socket.
                    if self._child is None or self._child.pid != pid:
                        give_up_at = min(give_up_at, time.monotonic() + 2.0)
                if (self._child and self._child.pid == pid and self._child.poll() is not None) or not (
                    server_process.is_alive(pid)
                ):
                    return None
                await asyncio.sleep(0.01)
            return None
        finally:
            await client.aclose()

    async def _keep_alive(self) -> None:
        pause = _WATCH_SECONDS
        while True:
            await asyncio.sleep(pause)
            self._collect()
            if self._pid is not None and server_process.is_alive(self._pid):
                continue
            try:
                self._folder.prepare()
                async with self._folder.locked():
                    await self._ensure()
                log.warning("The built-in server had ended and runs again (process %s).", self._pid)
                self.trouble, pause = None, _WATCH_SECONDS
            except Exception as error:
                # Whatever it is, such as a full disk: keep trying, and say it once.
                if self.trouble is None:
                    log.exception("The built-in server cannot be started again.")
                self.trouble = str(error)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _shut_down(self) -> None:
        state = self._folder.state()
        pid = state.pid if state else self._pid
        if pid is None or not server_process.is_server_of(pid, self._folder.path):
            self._folder.write_state(None)
            return
        client: aioredis.Redis = open_client(self.address, retries=0)
        asked = False
        # A server that ends does not answer: that is what the driver complains of.
        with contextlib.suppress(RedisError, OSError):
            await client.shutdown()
            asked = True
        with contextlib.suppress(RedisError, OSError):
            await client.aclose()
        await server_process.end(pid, self._folder.path, **({"first": None} if asked else {}))
        self._folder.write_state(None)
        Path(state.socket if state else self._folder.socket()).unlink(missing_ok=True)

    def _collect(self) -> None:
        """Take note of the end of a server that this process started, so that no zombie stays."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    def _data_size(self) -> int:
        return sum(path.stat().st_size for path in self._folder.append_only_folder.glob("*.aof"))

    def _what_was_truncated(self, log_from: int, size: int) -> str | None:
        if "Truncating the AOF" not in self._log_since(log_from):
            return None
        lost = max(0, size - self._data_size())
        return _recovery(f"the file ended in the middle of an entry; {lost} of its {size} bytes were left out")

    def _log_since(self, position: int) -> str:
        try:
            with self._folder.log.open("rb") as file:
                file.seek(position)
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _trim_log(self) -> None:
        with contextlib.suppress(OSError):
            if self._folder.log.stat().st_size > _LOG_LIMIT:
                self._folder.log.replace(self._folder.log.with_suffix(".old.log"))


def _recovery(what: str) -> str:
    return f"The queue was not closed in order, as after a power cut: {what}. Check that your newest jobs are there."
