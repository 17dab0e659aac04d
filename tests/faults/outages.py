"""A plain server that can be killed, started again and asked for any trouble, behind a line that can be made slow."""

import asyncio
import os
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import redis.asyncio as aioredis
from redis.exceptions import RedisError

from ethereal_gui.queue.connection import ServerAddress, address_from_url
from ethereal_gui.queue.server_process import find_binary

SOAK = bool(os.environ.get("ETHEREAL_SOAK"))
"""The long versions: real lock times, minutes instead of seconds."""

PASSWORD = "pass word"


class PlainServer:
    """A server of its own on a Unix socket, as somebody would run it for a farm; its data survives ``kill``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "plain.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start the process; ``ready`` waits for it."""
        command = [str(find_binary()), "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self._folder)]
        kept = ["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
        self._process = subprocess.Popen([*command, *kept, *options], stdout=subprocess.DEVNULL)

    async def ready(self, password: str | None = None) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(60):
            while True:
                with suppress(RedisError, OSError):
                    await self.ask("PING", password=password)
                    return
                await asyncio.sleep(0.05)

    async def ask(self, *command: str | int, password: str | None = None) -> Any:
        """One command, on a connection of its own."""
        client: Any = aioredis.Redis(unix_socket_path=str(self.socket), password=password, decode_responses=True)
        try:
            return await client.execute_command(*command)
        finally:
            await client.aclose()

    def send(self, number: signal.Signals) -> None:
        """A signal for the process."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Line:
    """The way to a server: ``delay`` seconds to it and the same back, through TLS where there is a certificate to show.

    Attributes:
        tls: what it shows to new clients; may be changed while it is open.
        authorities: file with the authorities that clients shall trust.
        hellos: how often a client has begun to speak TLS.
    """

    def __init__(self, socket: Path, tls: ssl.SSLContext | None = None, authorities: Path | None = None) -> None:
        self._socket = socket
        self._pumps: set[asyncio.Task[None]] = set()
        self.tls = tls
        self.authorities = authorities
        self.hellos = 0
        self.delay = 0.0
        self.port = 0

    @property
    def address(self) -> ServerAddress:
        """Where clients go."""
        return self.address_for("")

    def address_for(self, user: str) -> ServerAddress:
        """Where a client goes who is let in as ``name:password``."""
        where = f"{user}@127.0.0.1:{self.port}" if user else f"127.0.0.1:{self.port}"
        if self.tls is None:
            return address_from_url(f"redis://{where}")
        return address_from_url(f"rediss://{where}?ssl_ca_certs={self.authorities}")

    def cut(self) -> None:
        """End all connections."""
        for pump in self._pumps:
            pump.cancel()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Line"]:
        """Listen until the end."""
        if self.tls:
            self.tls.sni_callback = self._greet
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await asyncio.gather(*self._pumps, return_exceptions=True)

    def _greet(self, connection: ssl.SSLObject | ssl.SSLSocket, _name: object, _context: object) -> None:
        self.hellos += 1
        if self.tls:
            connection.context = self.tls

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            writer.close()
            return
        for source, sink in ((reader, back), (there, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                at, data = await waiting.get()
                await asyncio.sleep(max(0.0, at - loop.time()))
                if not data:
                    return
                sink.write(data)

        delivering = asyncio.create_task(deliver())
        try:
            data = b"more"
            while data:
                try:
                    data = await source.read(1 << 16)
                except OSError:
                    data = b""
                waiting.put_nowait((loop.time() + self.delay, data))
            await delivering
        finally:
            delivering.cancel()
            with suppress(OSError, RuntimeError):
                sink.close()
