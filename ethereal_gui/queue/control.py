"""What workers and windows tell each other beside the jobs: who is alive, and who shall take nothing new.

All times are the server's, so that the clocks of several machines need not agree.
"""

import json
from typing import Any, Final, cast

import redis.asyncio as aioredis
from pydantic import ValidationError

from ethereal_gui.domain.worker_info import LOST_AFTER_SECONDS, WorkerInfo, WorkerState
from ethereal_gui.queue.access import MAX_EVENTS, PREFIX, QUEUE_NAME, reported
from ethereal_gui.queue.connection import ServerAddress, open_client
from ethereal_gui.queue.keys import QueueKeys, bullmq_client_name
from ethereal_gui.queue.scripts import LuaScripts

FORGET_AFTER_SECONDS: Final = 24 * 3600.0


class WorkerRegistry:
    """The workers of a queue, on connections that a busy queue cannot delay.

    Methods raise ``QueueError`` and its kinds like ``RenderQueue``'s.
    """

    def __init__(self, address: ServerAddress, *, queue_name: str = QUEUE_NAME, prefix: str = PREFIX) -> None:
        self.address = address
        self._keys = QueueKeys(prefix, queue_name)
        self._client: aioredis.Redis = open_client(address)
        self._scripts = LuaScripts(self._client, self._keys.base)

    @reported
    async def heartbeat(self, info: WorkerInfo) -> float:
        """Say that a worker lives and what it does. Returns the server's time in seconds since the epoch."""
        text = json.dumps(info.to_wire(), separators=(",", ":"))
        return float(await self._scripts.run("heartbeat", info.name, text, info.state.value)) / 1000

    @reported
    async def workers(self) -> list[WorkerInfo]:
        """Every worker that was seen within a day, those silent for a while as lost."""
        reply: list[str] = await self._scripts.run("workers", int(FORGET_AFTER_SECONDS * 1000))
        now, rest = float(reply[0]), reply[1:]
        draining = await self._draining()
        found: list[WorkerInfo] = []
        for name, text, seen in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
            try:
                info = WorkerInfo.model_validate_json(text)
            except ValidationError:
                continue
            changes: dict[str, Any] = {"seen_at": float(seen) / 1000}
            # One that was seen in the future was seen before the server's clock was set back.
            if abs(now - float(seen)) > LOST_AFTER_SECONDS * 1000:
                changes["state"] = WorkerState.LOST
            elif name in draining:
                changes["state"] = WorkerState.DRAINING
            found.append(info.model_copy(update=changes))
        return found

    @reported
    async def forget(self, name: str) -> None:
        """Strike a worker off, when it ends in good order or is lost for good."""
        pipe = self._client.pipeline(transaction=True)
        for key in (self._keys.workers, self._keys.key("workers:state")):
            pipe.hdel(key, name)
        pipe.zrem(self._keys.workers_seen, name)
        pipe.srem(self._keys.draining, name)
        await pipe.execute()
        await self._announce(name, "gone")

    @reported
    async def drain(self, name: str) -> None:
        """Ask a worker to finish what it has and take nothing new."""
        await self._client.sadd(self._keys.draining, name)
        await self._announce(name, WorkerState.DRAINING.value)

    @reported
    async def undrain(self, name: str) -> None:
        """Let a worker take jobs again."""
        await self._client.srem(self._keys.draining, name)
        await self._announce(name, "undrained")

    @reported
    async def drain_requested(self, name: str) -> bool:
        """Whether this worker shall take nothing new."""
        return bool(await self._client.sismember(self._keys.draining, name))

    @reported
    async def connected(self) -> list[str]:
        """Names of the workers that BullMQ sees connected, Node's and Python's, ours and strangers'."""
        prefix, queue_name = self._keys.prefix, self._keys.queue_name
        ways = (bullmq_client_name("", queue_name=queue_name, prefix=prefix), f"{prefix}:{queue_name}:w:")
        clients: list[dict[str, str]] = await self._client.client_list()
        names = {client.get("name", "") for client in clients}
        return sorted({name.removeprefix(way) for name in names for way in ways if name.startswith(way)})

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _draining(self) -> set[str]:
        return cast(set[str], await self._client.smembers(self._keys.draining))

    async def _announce(self, name: str, state: str) -> None:
        entry: dict[Any, Any] = {"event": "worker", "worker": name, "state": state}
        await self._client.xadd(self._keys.key("events"), entry, maxlen=MAX_EVENTS, approximate=True)
