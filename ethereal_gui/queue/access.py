"""What the parts of the queue share: one client, BullMQ's queue on it, the key names and the scripts."""

import functools
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

import redis.asyncio as aioredis
from bullmq import Queue

from ethereal_gui.queue.connection import ServerAddress, open_client, server_errors
from ethereal_gui.queue.keys import QueueKeys
from ethereal_gui.queue.scripts import LuaScripts

QUEUE_NAME: Final = "render-queue"
JOB_NAME: Final = "render"
PREFIX: Final = "bull"
MAX_EVENTS: Final = 100_000
"""How many events the stream keeps: an overnight batch, so that a window that was away can catch up."""

KEEP_COMPLETED: Final = 100
KEEP_FAILED: Final = 500
DEFAULT_JOB_OPTIONS: Final[dict[str, Any]] = {
    "attempts": 3,
    "backoff": {"type": "exponential", "delay": 10_000},
    "removeOnComplete": {"count": KEEP_COMPLETED},
    "removeOnFail": {"count": KEEP_FAILED},
}
PART_NAME: Final = "part"
PART_OPTIONS: Final[dict[str, Any]] = {
    "attempts": 3,
    "backoff": {"type": "exponential", "delay": 10_000},
    "removeOnComplete": True,
    "removeOnFail": True,
    # The job is taken as soon as one of its parts has failed for good, and fails with its reason.
    "continueParentOnFailure": True,
}
_ASSERT_EVERY_SECONDS: Final = 30.0
_T = TypeVar("_T")
_P = ParamSpec("_P")
_R = TypeVar("_R")


class HasAddress(Protocol):
    """A class that talks to one server."""

    @property
    def address(self) -> ServerAddress:
        """The server's address."""
        ...


_S = TypeVar("_S", bound=HasAddress)


class QueueAccess:
    """One process's way to one queue.

    Attributes:
        address: the server's address.
        keys: key names.
        client: the pooled client; BullMQ's queue works on it too.
        queue: BullMQ's own queue object.
        scripts: our scripts.
    """

    def __init__(self, address: ServerAddress, queue_name: str = QUEUE_NAME, prefix: str = PREFIX) -> None:
        self.address = address
        self.keys = QueueKeys(prefix, queue_name)
        self.client: aioredis.Redis = open_client(address)
        self.queue = Queue(
            queue_name, {"connection": self.client, "prefix": prefix, "defaultJobOptions": DEFAULT_JOB_OPTIONS}
        )
        self.scripts = LuaScripts(self.client, self.keys.base)
        self._events_asserted = 0.0

    async def keep_events(self) -> None:
        """Set the length of the event stream again, at most twice a minute: each Node ``Queue`` resets it."""
        now = time.monotonic()
        if now - self._events_asserted < _ASSERT_EVERY_SECONDS and self._events_asserted:
            return
        await self.client.hset(self.keys.key("meta"), "opts.maxLenEvents", str(MAX_EVENTS))
        self._events_asserted = now

    async def announce(self, event: str, **fields: str) -> None:
        """Write an event of ours into BullMQ's stream; its own readers pass over names that nobody listens to."""
        entry: dict[Any, Any] = {"event": event, **fields}
        await self.client.xadd(self.keys.key("events"), entry, maxlen=MAX_EVENTS, approximate=True)

    async def remove_records(self, job_ids: Iterable[str]) -> None:
        """Have BullMQ remove jobs, with one trip to the server for many; those that a worker has stay."""
        pipe = self.client.pipeline(transaction=False)
        remove = self.queue.backend.scripts.commands["removeJob"]
        for job_id in job_ids:
            await remove(
                keys=[self.keys.key(job_id), self.keys.key("repeat")], args=[job_id, 1, self.keys.base], client=pipe
            )
        await pipe.execute()

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()


def reported(
    method: Callable[Concatenate[_S, _P], Awaitable[_R]],
) -> Callable[Concatenate[_S, _P], Awaitable[_R]]:
    """Errors of the driver leave the method as errors for people, see ``connection.server_errors``."""

    @functools.wraps(method)
    async def call(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with server_errors(self.address):
            return await method(self, *args, **kwargs)

    return call


def chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in lists of at most ``size``."""
    chunk: list[_T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
