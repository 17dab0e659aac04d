"""How long a batch's status takes, while its jobs wait, run and are dropped, and with a full queue beside it.

Run: python -m benchmarks.queue_status [jobs]
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchStatus
from ethereal_gui.domain.job import RenderOutcome
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer

_OUTCOME = RenderOutcome(output_path="/videos/song_1080p_v1.mp4", duration=240, frames=7200, size=10**8, elapsed=600)


async def _measure(queue: RenderQueue, batch_id: str, what: str) -> None:
    times: list[float] = []
    await queue.access.client.config_resetstat()
    status: BatchStatus | None = None
    for _ in range(20):
        started = time.perf_counter()
        status = await queue.get_batch_status(batch_id)
        times.append((time.perf_counter() - started) * 1000)
    stats = await queue.access.client.info("commandstats")
    on_server = stats["cmdstat_evalsha"]["usec_per_call"] / 1000
    counts = (status.completed, status.pending) if status else None
    print(
        f"{what:42} median {statistics.median(times):5.1f} ms   max {max(times):5.1f} ms   "
        f"on the server {on_server:5.1f} ms   completed, pending: {counts}"
    )


async def _finish(queue: RenderQueue, batch_id: str, job_ids: list[str]) -> None:
    """Leave jobs as a worker and BullMQ's removal by count leave them: no record, but an outcome."""
    keys, client = queue.access.keys, queue.access.client
    for start in range(0, len(job_ids), 500):
        pipe = client.pipeline(transaction=False)
        for job_id in job_ids[start : start + 500]:
            pipe.hget(keys.key(job_id), "data")
        texts = await pipe.execute()
        pipe = client.pipeline(transaction=False)
        for job_id, data in zip(job_ids[start : start + 500], texts, strict=True):
            kept = {"data": data, "returnvalue": json.dumps(_OUTCOME.to_wire()), "atm": "1", "finishedOn": "1"}
            pipe.hset(keys.batch_outcomes(batch_id), job_id, "c" + json.dumps(kept))
            pipe.hset(keys.batch_ends(batch_id), job_id, "c")
            pipe.delete(keys.key(job_id))
            pipe.lrem(keys.key("wait"), -1, job_id)
        await pipe.execute()


async def main(count: int) -> None:
    """Print one line for each situation."""
    songs = [AudioFile(id=f"a{n:05x}", path=f"/music/{n}.mp3", original_name=f"{n}.mp3") for n in range(count // 2)]
    with tempfile.TemporaryDirectory(prefix="eth-") as folder:
        server = EmbeddedServer(Path(folder))
        queue = RenderQueue(await server.start())
        try:
            started = time.perf_counter()
            batch = await queue.add_batch_job(songs, "flame", ["1080p", "4k"], batch_id="measured")
            print(f"{batch.added} jobs added in {time.perf_counter() - started:.2f} s")
            await _measure(queue, "measured", "all waiting")
            await _finish(queue, "measured", list(batch.job_ids[: count // 2]))
            await _measure(queue, "measured", "half done and dropped")
            await queue.add_batch_job(songs, "flame", ["1080p", "4k", "360mono"], batch_id="others")
            await _measure(queue, "measured", f"the same, {count * 3 // 2} jobs of others waiting")
            await _finish(queue, "measured", list(batch.job_ids[count // 2 :]))
            await _measure(queue, "measured", "all done and dropped")
        finally:
            await queue.close_queue()
            await server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
