"""What a worker does with its job beyond BullMQ's Python API: put it back, keep its lock whatever happens.

All in BullMQ's key layout. Putting back runs the Lua script that BullMQ ships and its Node version calls in
``moveJobFromActiveToWait``: the job stands first in line again and no attempt is counted.
"""

from pathlib import Path
from typing import Any, Final

import bullmq
from bullmq import Job, Worker

_PUT_BACK: Final = (Path(bullmq.__file__).parent / "commands" / "moveJobFromActiveToWait-9.lua").read_text("utf-8")

# A lock that ran out while the server was away is taken again, but only while the job still is this worker's: once it
# was given to somebody else, or moved, the lock is somebody else's or the job is not active any more.
_RECLAIM: Final = """
local token = redis.call('GET', KEYS[1])
if token == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  redis.call('SREM', KEYS[3], ARGV[3])
  return 1
end
if token or not redis.call('LPOS', KEYS[2], ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SREM', KEYS[3], ARGV[3])
return 1
"""


async def put_back(worker: Worker, job: Job, token: str) -> bool:
    """Move an active job to the head of the waiting line without counting the attempt.

    Returns False when the job is not this worker's any more.
    """
    keys = [
        worker.keys[name]
        for name in ("active", "wait", "stalled", "paused", "meta", "limiter", "prioritized", "marker", "events")
    ]
    client: Any = worker.client
    result = await client.eval(_PUT_BACK, len(keys), *keys, job.id, token, worker.backend.toKey(job.id))
    return int(result) >= 0


async def reclaim(worker: Worker, job_id: str, token: str, lock_ms: int) -> bool:
    """Renew a job's lock, or take it again when it ran out. Returns False when the job went to somebody else."""
    keys = [f"{worker.backend.toKey(job_id)}:lock", worker.keys["active"], worker.keys["stalled"]]
    client: Any = worker.client
    return bool(await client.eval(_RECLAIM, len(keys), *keys, token, lock_ms, job_id))


class SteadyWorker(Worker):
    """BullMQ's worker, whose locks outlive an absent server, a sleeping machine and a changed clock.

    BullMQ renews locks by the wall clock, and its check for stalled jobs takes any job whose lock ran out while nobody
    could renew it, this worker's own among them. So before each check, whose timer no clock disturbs, the locks of all
    own jobs are renewed or taken again.
    """

    async def runStalledJobsCheck(self) -> None:
        """Renew the own locks, then look for jobs that other workers have lost."""
        try:
            for job, token in list(self.jobs):
                if not await reclaim(self, job.id, token, int(self.opts["lockDuration"])):
                    self.emit("lockRenewalFailed", [job.id])
        except Exception as error:  # BullMQ's timer ends for good with an error
            self.emit("error", error)
            return
        await super().runStalledJobsCheck()
