"""The parts of a video that several workers render together: a BullMQ flow.

The job that was submitted is the parent; it waits for its children in BullMQ's ``waiting-children`` and is taken again
when all of them are done, to join what they have rendered. The children are in a queue of their own, so that a worker
that knows nothing of parts never gets one, and lists and numbers of the render queue have one job per video.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bullmq import Job, Queue

from ethereal_gui.domain.errors import QueueError
from ethereal_gui.domain.job import PartJobData
from ethereal_gui.queue.access import PART_NAME, PART_OPTIONS, QueueAccess, reported
from ethereal_gui.queue.connection import ServerAddress

RENDERING: Final = (0.04, 0.97)
"""From where to where rendering takes the bar, as in ``render.progress``."""


@dataclass(frozen=True, slots=True)
class PartsState:
    """What became of the parts of a job that was just taken.

    Attributes:
        kind: ``none`` when it was not split up or nothing is known of it any more, ``wanted`` while parts are missing.
        reason: why a part failed.
        elapsed: seconds since the video was split up, None when it was not.
    """

    kind: Literal["none", "wanted", "done", "failed"]
    reason: str = ""
    elapsed: float | None = None


class PartQueue:
    """The parts of all videos of one render queue."""

    def __init__(self, access: QueueAccess) -> None:
        self.access = access
        self._queue = Queue(access.keys.parts, {"connection": access.client, "prefix": access.keys.prefix})

    @property
    def address(self) -> ServerAddress:
        """The server's address."""
        return self.access.address

    @reported
    async def hand_out(self, parts: Sequence[PartJobData], name: str, token: str) -> None:
        """Add the parts of one job and have it wait for them, in one step. The same again adds nothing.

        Args:
            name: of this way to split it up, part of the ids. token: of the worker's lock on the job.

        Raises:
            QueueError: the job is not this worker's any more.
        """
        job_id, base = parts[0].job_id, self.access.keys.base
        await self.access.scripts.run("split", job_id)
        async with self.access.client.pipeline(transaction=True) as pipe:
            for part in parts:
                options = {
                    **PART_OPTIONS,
                    "jobId": f"{job_id}.{name}.{part.start}-{part.stop}",
                    "parent": {"id": job_id, "queue": base.removesuffix(":")},
                }
                await self._queue.backend.scripts.addJob(Job(self._queue, PART_NAME, part.to_wire(), options), pipe)
            scripts = self.access.queue.backend.scripts
            keys, args = scripts.moveToWaitingChildrenArgs(job_id, token, {})
            await scripts.commands["moveToWaitingChildren"](keys=keys, args=args, client=pipe)
            *_, moved = await pipe.execute()
        if moved != 0 and not await self.is_waited_for(job_id):
            await self.access.scripts.run("drop_parts", job_id)
            raise QueueError(f"The job {job_id} is not this worker's any more (code {moved}).")

    @reported
    async def is_waited_for(self, job_id: str) -> bool:
        """Whether a job waits for its parts."""
        score = await self.access.client.zscore(self.access.keys.key("waiting-children"), job_id)
        return score is not None

    @reported
    async def state(self, job_id: str) -> PartsState:
        """What became of the parts of a job that was just taken; failed and finished ones are forgotten with this."""
        kind, *rest = await self.access.scripts.run("parts", job_id)
        more = rest[0] if rest else None
        if kind == "failed":
            return PartsState("failed", str(more))
        return PartsState(kind, elapsed=None if more is None else int(more) / 1000)

    @reported
    async def is_wanted(self, job_id: str, part_id: str) -> bool:
        """Whether the job still waits for this part: it was not cancelled, removed, or failed by another part."""
        keys = self.access.keys
        member = f"{keys.prefix}:{keys.parts}:{part_id}"
        return bool(await self.access.client.sismember(keys.key(f"{job_id}:dependencies"), member))

    @reported
    async def report(self, job_id: str, frames: int) -> None:
        """Say how far all parts of a job are as the job's progress."""
        await self.access.scripts.run("part_progress", job_id, frames, *RENDERING)

    @reported
    async def exists(self, part_id: str) -> bool:
        """Whether there is such a part."""
        return bool(await self.access.client.exists(f"{self.access.keys.prefix}:{self.access.keys.parts}:{part_id}"))
