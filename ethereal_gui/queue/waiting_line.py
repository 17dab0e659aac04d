"""The order in which waiting jobs run, and changing it."""

from typing import Final, Literal

from ethereal_gui.queue.access import QueueAccess
from ethereal_gui.queue.job_record import HELD_UNTIL_MS

Where = Literal["top", "up", "down", "bottom"]
MAX_PRIORITY: Final = 2_097_152


class WaitingLine:
    """The jobs that wait for a worker: BullMQ's waiting list from its tail, then the prioritised ones."""

    def __init__(self, access: QueueAccess) -> None:
        self.access = access

    async def order(self) -> list[str]:
        """Ids of the jobs in the order in which they will run; delayed and held ones are not in the line."""
        keys = self.access.keys
        pipe = self.access.client.pipeline(transaction=True)
        pipe.lrange(keys.key("wait"), 0, -1)
        pipe.zrange(keys.key("prioritized"), 0, -1)
        waiting, prioritized = await pipe.execute()
        # Old versions of BullMQ kept a marker in the list.
        return [job_id for job_id in reversed(waiting) if not job_id.startswith("0:")] + list(prioritized)

    async def open_count(self) -> int:
        """How many jobs run, wait, or will be tried again, whatever their number is, in one step.

        Held ones are nobody's business until they are released.
        """
        keys = self.access.keys
        pipe = self.access.client.pipeline(transaction=True)
        for name in ("active", "wait", "paused"):
            pipe.llen(keys.key(name))
        for name in ("prioritized", "waiting-children"):
            pipe.zcard(keys.key(name))
        pipe.zcount(keys.key("delayed"), "-inf", f"({HELD_UNTIL_MS * 0x1000}")
        return sum(int(number) for number in await pipe.execute())

    async def move(self, job_id: str, where: Where) -> bool:
        """Move a job; False when it is not in the line or already there."""
        return bool(await self.access.scripts.run("move", job_id, where, ""))

    async def move_before(self, job_id: str, other_id: str) -> bool:
        """Put a job right before another one; False when one of them is not in the line."""
        return bool(await self.access.scripts.run("move", job_id, "before", other_id))

    async def set_priority(self, job_id: str, priority: int) -> None:
        """1 is the highest priority, 0 none; jobs without one run before all others, as BullMQ has it."""
        if not 0 <= priority <= MAX_PRIORITY:
            raise ValueError(f"a priority is between 0 and {MAX_PRIORITY}")
        await self.access.queue.backend.changePriority(job_id, priority)
        await self.access.announce("moved", jobId=job_id)

    async def hold(self, job_id: str) -> bool:
        """Take a waiting or delayed job out of the line; False when it is neither."""
        return bool(await self.access.scripts.run("hold", job_id, "hold", HELD_UNTIL_MS))

    async def release(self, job_id: str) -> bool:
        """Let a held job back in at the end of the line; False when it is not held."""
        return bool(await self.access.scripts.run("hold", job_id, "release", HELD_UNTIL_MS))
