"""Which jobs changed since last time, read from BullMQ's event stream with a cursor.

The stream is trimmed, so it is no source of truth: when entries behind the cursor are gone, or another server (or the
same one with other data) answers, the feed says ``resync`` and the reader looks at everything once.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import redis.asyncio as aioredis
from redis.exceptions import ResponseError

from ethereal_gui.domain.errors import ServerUnavailableError
from ethereal_gui.queue.access import MAX_EVENTS, PREFIX, QUEUE_NAME
from ethereal_gui.queue.connection import ServerAddress, open_client, server_errors
from ethereal_gui.queue.keys import QueueKeys

_COUNT: Final = 1000
_MOST_READS: Final = 20
_GRACE_SECONDS: Final = 20.0  # a server two seconds away needs three answers to connect and four to begin
_ASSERT_EVERY_SECONDS: Final = 30.0
_START: Final = "0-0"
_QUEUE_EVENTS: Final = frozenset({"paused", "resumed", "worker", "batch-added", "batch-removed"})
_ORDER_EVENTS: Final = frozenset({"moved", "added", "waiting", "delayed", "removed", "active"})


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since the last call.

    Attributes:
        job_ids: jobs that changed, appeared or went.
        added: those of them that are new.
        removed: those of them that somebody removed.
        order_changed: the waiting line may have another order.
        batches_changed: a batch was submitted or removed.
        queue_changed: pausing, batches or workers changed.
        queue_paused: the newest word on pausing, or None when nothing was said.
        resync: everything has to be looked at; the other fields say nothing.
    """

    job_ids: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    order_changed: bool = False
    batches_changed: bool = False
    queue_changed: bool = False
    queue_paused: bool | None = None
    resync: bool = False

    def __bool__(self) -> bool:
        return self != Changes()


class EventFeed:
    """A cursor in the event stream of one queue, on a connection of its own. For one reader at a time."""

    def __init__(self, address: ServerAddress, *, queue_name: str = QUEUE_NAME, prefix: str = PREFIX) -> None:
        self._address = address
        keys = QueueKeys(prefix, queue_name)
        self._events, self._meta = keys.key("events"), keys.key("meta")
        # Errors shall show at once, and a blocking read takes as long as it takes: the limit is set in changes().
        self._client: aioredis.Redis = open_client(address, answer_seconds=None, retries=0)
        self._cursor: str | None = None
        self._run_id: str | None = None
        self._asserted_at = 0.0

    async def reset(self) -> None:
        """Set the cursor to the present. Look at everything afterwards, and no change is missed.

        Raises:
            ServerUnavailableError, ServerRefusedError: like ``changes``.
        """
        with server_errors(self._address):
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._reset()

    async def changes(self, block_ms: int = 1000) -> Changes:
        """Wait for something to change, at most ``block_ms`` (0: don't wait), and return all of it.

        The first call says ``resync``, and so does the first one after the server came back with other data.

        Raises:
            ServerUnavailableError: the server is away; the next call goes on where this one stood.
            ServerRefusedError: it does not let us in.
        """
        try:
            with server_errors(self._address):
                async with asyncio.timeout(block_ms / 1000 + _GRACE_SECONDS):
                    return await self._changes(block_ms)
        except ServerUnavailableError:
            await self._client.connection_pool.disconnect()
            raise

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _changes(self, block_ms: int) -> Changes:
        run_id = await self._server_run()
        if self._cursor is None or run_id != self._run_id:
            await self._reset()
            return Changes(resync=True)
        await self._keep_events()
        entries: list[tuple[str, dict[str, str]]] = []
        start = cursor = self._cursor
        for n in range(_MOST_READS):
            reply: Any = await self._client.xread(
                {self._events: cursor}, count=_COUNT, block=block_ms if n == 0 and block_ms > 0 else None
            )
            portion = reply[0][1] if reply else []
            entries += portion
            if portion:
                cursor = portion[-1][0]
            if len(portion) < _COUNT:
                break
        if await self._was_trimmed(start):
            await self._reset()
            return Changes(resync=True)
        self._cursor = cursor
        return _merge(fields for _, fields in entries)

    async def _reset(self) -> None:
        self._run_id = await self._server_run()
        newest: Any = await self._client.xrevrange(self._events, count=1)
        self._cursor = newest[0][0] if newest else _START
        self._asserted_at = 0.0
        await self._keep_events()

    async def _was_trimmed(self, cursor: str) -> bool:
        """Whether entries behind the cursor are gone: the entry it stands on is kept as long as those after it."""
        if cursor == _START:
            return False
        oldest: Any = await self._client.xrange(self._events, count=1)
        return not oldest or _position(oldest[0][0]) > _position(cursor)

    async def _server_run(self) -> str:
        """A word that is another one after each start of the server; empty where INFO is not allowed."""
        try:
            info: Any = await self._client.info("server")
        except ResponseError:
            return ""
        return str(info.get("run_id", ""))

    async def _keep_events(self) -> None:
        """Make the stream as long as we want it, since every Node ``Queue`` makes it 10,000 long again."""
        if self._asserted_at and time.monotonic() - self._asserted_at < _ASSERT_EVERY_SECONDS:
            return
        current = await self._client.hget(self._meta, "opts.maxLenEvents")
        if current != str(MAX_EVENTS):
            await self._client.hset(self._meta, "opts.maxLenEvents", str(MAX_EVENTS))
        self._asserted_at = time.monotonic()


def _position(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _merge(entries: Iterable[dict[str, str]]) -> Changes:
    """Many events as one set of changes. Entries of strangers may lack anything."""
    jobs: set[str] = set()
    added: set[str] = set()
    removed: set[str] = set()
    names: set[str] = set()
    paused: bool | None = None
    for fields in entries:
        name, job_id = fields.get("event", ""), fields.get("jobId")
        names.add(name)
        if name in ("paused", "resumed"):
            paused = name == "paused"
        if not job_id or name == "duplicated":
            continue
        jobs.add(job_id)
        if name == "added":
            added.add(job_id)
            removed.discard(job_id)
        elif name == "removed":
            removed.add(job_id)
    return Changes(
        job_ids=frozenset(jobs),
        added=frozenset(added),
        removed=frozenset(removed),
        order_changed=not names.isdisjoint(_ORDER_EVENTS),
        batches_changed=not names.isdisjoint({"batch-added", "batch-removed"}),
        queue_changed=not names.isdisjoint(_QUEUE_EVENTS),
        queue_paused=paused,
    )
