"""The program's connection to the queue: its built-in server, or the shared one that the settings name.

Everything that needs Redis and BullMQ to be loaded is reached through this module.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Literal

from ethereal_gui.domain.errors import ServerUnavailableError
from ethereal_gui.queue.connection import ServerAddress, check_server, redis_cli_command
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.event_feed import EventFeed
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer
from ethereal_gui.service.configuration import remote_address, worker_config
from ethereal_gui.service.poller import Poller
from ethereal_gui.service.updates import ServerState
from ethereal_gui.settings import Settings
from ethereal_gui.worker.thread import WorkerThread

_GOODBYE_SECONDS = 3.0


async def check(settings: Settings) -> None:
    """Look whether the shared server that the settings name will do.

    Raises:
        QueueError: it will not; the message says what to do.
    """
    await check_server(remote_address(settings))


class ServerLink:
    """One server for as long as the settings name it.

    Attributes:
        registry: the workers; None until ``connect``.
    """

    def __init__(self, settings: Settings, queue_name: str) -> None:
        self._settings = settings
        self._queue_name = queue_name
        self._embedded: EmbeddedServer | None = None
        self._address: ServerAddress | None = None
        self._queue: RenderQueue | None = None
        self.registry: WorkerRegistry | None = None

    def serves(self, settings: Settings) -> bool:
        """Whether these settings name this server."""
        return self._settings.names_server_of(settings)

    async def find(self) -> ServerAddress:
        """Start or adopt the embedded server, or take the shared one's address without asking whether it is there.

        Raises:
            QueueError: there is no embedded server to be had.
        """
        if self._settings.uses_embedded_server:
            self._embedded = self._embedded or EmbeddedServer(self._settings.data_dir)
            self._address = await self._embedded.start()
        else:
            self._address = remote_address(self._settings)
        return self._address

    async def connect(self) -> None:
        """Find the server and look whether it will do.

        Raises:
            QueueError: there is no server to be had; the message says what to do.
        """
        address = await self.find()
        await check_server(address)
        self._queue = RenderQueue(address, queue_name=self._queue_name)
        self.registry = WorkerRegistry(address, queue_name=self._queue_name)

    async def close(self) -> None:
        """Let go of the server, and stop it when it is the built-in one and nobody else uses it."""
        queue, registry = self._queue, self.registry
        self._queue = self.registry = None
        for closing in (registry and registry.close(), queue and queue.close_queue()):
            if closing:
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(_GOODBYE_SECONDS):
                        await closing
        if self._embedded:
            await self._embedded.stop()
            self._embedded = None

    def poller(self, worker_error: Callable[[], str | None]) -> Poller:
        """Something that watches this queue; ``worker_error`` says the local worker's trouble."""
        return Poller(
            self.queue,
            EventFeed(self.address, queue_name=self._queue_name),
            WorkerRegistry(self.address, queue_name=self._queue_name),
            server_state=self.state,
            worker_error=worker_error,
            recheck_server=lambda: check_server(self.address),
        )

    def worker(self, settings: Settings) -> WorkerThread:
        """A worker for this queue, not started yet."""
        return WorkerThread(worker_config(settings, self.address, queue_name=self._queue_name))

    @property
    def address(self) -> ServerAddress:
        """The server's address.

        Raises:
            ServerUnavailableError: it was not found yet.
        """
        if self._address is None:
            raise ServerUnavailableError("There is no connection to the queue yet.")
        return self._address

    @property
    def queue(self) -> RenderQueue:
        """The queue.

        Raises:
            ServerUnavailableError: there is no connection.
        """
        if self._queue is None:
            raise ServerUnavailableError("There is no connection to the queue yet.")
        return self._queue

    @property
    def recovery(self) -> str | None:
        """What the built-in server had to leave out of its data when it was last started here, a sentence."""
        return self._embedded.recovery if self._embedded else None

    @property
    def last_recovery(self) -> str | None:
        """When and what the built-in server ever left out last, whoever started it."""
        return self._embedded.last_recovery() if self._embedded else None

    def redis_cli_command(self) -> str:
        """A command line that reaches the server, without secrets on it."""
        return self._embedded.redis_cli_command() if self._embedded else redis_cli_command(self.address)

    def state(self, message: str, available: bool) -> ServerState:
        """The server's state, with its address in words."""
        mode: Literal["embedded", "remote"] = "embedded" if self._settings.uses_embedded_server else "remote"
        address = "built-in" if mode == "embedded" else (self._address.public if self._address else "")
        if message and self._embedded and self._embedded.trouble:
            message = self._embedded.trouble  # why it cannot be started again says more
        return ServerState(mode, address, available, message)
