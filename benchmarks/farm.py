"""A farm on one machine: how the queue does with many jobs and many workers, without rendering anything.

    python benchmarks/farm.py [--jobs 10000] [--copies 0] [--workers 100] [--processes 4] [--work 2] [--seconds 20]
        [--no-window]

The built-in server, our queue, and real workers of which only the child process that would render is left out: it
waits for ``--work`` seconds and reports progress as a render does. A window's poller runs beside them in a process of
its own. Jobs are added in batches of 10,000 at most. ``--copies`` jobs more are made of them by the server itself, byte
for byte like them but for their batch, for a long queue in a short time.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from farm_processes import run_window, run_workers

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import RenderOptions
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer

BATCH = 10_000
IDLE_SECONDS = 10.0
SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Meter:
    """What the server does, between two looks."""

    queue: RenderQueue
    process: psutil.Process

    async def look(self) -> dict[str, float]:
        """Processor time, commands, events ever, jobs ever done, and memory."""
        client = self.queue.access.client
        info: Any = await client.info()
        events: Any = {}
        with contextlib.suppress(Exception):  # there is no stream before the first event
            events = await client.xinfo_stream(self.queue.access.keys.key("events"))
        return {
            "at": time.monotonic(),
            "cpu": sum(self.process.cpu_times()[:2]),
            "commands": float(info["total_commands_processed"]),
            "events": float(events.get("entries-added", 0)),
            "kept": float(events.get("length", 0)),
            "memory": float(info["used_memory"]),
            "resident": float(info["used_memory_rss"]),
            "file": float(info.get("aof_current_size", 0)),
            "in": float(info["total_net_input_bytes"]),
            "out": float(info["total_net_output_bytes"]),
        }


def rates(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Per second."""
    span = after["at"] - before["at"]
    return {name: (after[name] - before[name]) / span for name in ("cpu", "commands", "events", "in", "out")}


def songs(song: Path, first: int, count: int) -> list[AudioFile]:
    """Songs with as many words as real ones have; all of them are one file, which workers look for."""
    return [
        AudioFile(
            id=f"a{n:012x}",
            path=str(song),
            original_name=f"{n:07} A Song With a Name.flac",
            duration=241.3,
            title="A Song With a Name",
            artist="An Artist",
            album="An Album of Theirs",
            size=31_457_280,
        )
        for n in range(first, first + count)
    ]


async def add(queue: RenderQueue, song: Path, jobs: int) -> tuple[list[str], list[float]]:
    """Add so many jobs; returns the batches' ids and for each batch the jobs added per second."""
    ids: list[str] = []
    speeds: list[float] = []
    options = RenderOptions(output_dir=str(song.parent), name_pattern="{date}_{song}_{format}_v{n}", fps=30)
    for first in range(0, jobs, BATCH):
        files = songs(song, first, min(BATCH, jobs - first))
        began = time.monotonic()
        batch = await queue.add_batch_job(files, "flame", ["1080p"], options=options)
        speeds.append(len(files) / (time.monotonic() - began))
        ids.append(batch.batch_id)
    return ids, speeds


# KEYS[1]: what every key begins with. ARGV: the batch, its copy, the first and last place in it.
_COPY = """
local base, batch, copy = KEYS[1], ARGV[1], ARGV[2]
for _, id in ipairs(redis.call("ZRANGE", base .. "batch:" .. batch .. ":jobs", ARGV[3], ARGV[4])) do
  local new = copy .. string.sub(id, #batch + 1)
  local fields = redis.call("HGETALL", base .. id)
  for i = 2, #fields, 2 do fields[i] = string.gsub(fields[i], batch, copy) end
  redis.call("HSET", base .. new, unpack(fields))
  redis.call("LPUSH", base .. "wait", new)
  redis.call("ZADD", base .. "batch:" .. copy .. ":jobs", redis.call("ZCARD", base .. "batch:" .. copy .. ":jobs"), new)
end
"""


async def copy(queue: RenderQueue, batch: str, copies: int) -> None:
    """Make so many jobs more, in batches like this one."""
    keys, client = queue.access.keys, queue.access.client
    script = client.register_script(_COPY)
    fields: dict[str, str] = await client.hgetall(keys.batch(batch))  # type: ignore[assignment]
    size = len(await queue.batch_job_ids(batch))
    for n in range(0, copies, size):
        name = f"bcopy{n:08x}"
        count = min(size, copies - n)
        for first in range(0, count, 500):
            await script(keys=[keys.base], args=[batch, name, first, min(first + 500, count) - 1])
        await client.hset(keys.batch(name), mapping={key: text.replace(batch, name) for key, text in fields.items()})
        await client.zadd(keys.batches, {name: time.time() * 1000})


async def timed(call: Callable[[], Awaitable[object]], times: int = 10, pause: float = 0.0) -> list[float]:
    """Milliseconds of each call."""
    took: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(pause)
    return took


def spread(values: Sequence[float], unit: str = "ms") -> str:
    """Median, 95th percentile and worst."""
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"median {statistics.median(ordered):.1f}, p95 {high:.1f}, worst {ordered[-1]:.1f} {unit}"


@asynccontextmanager
async def workers_running(url: str, options: argparse.Namespace, folder: Path) -> AsyncIterator[list[Any]]:
    """The workers, in some processes; on the way out they end."""
    share = [len(range(n, options.workers, options.processes)) for n in range(options.processes)]
    ends = []
    for number in share:
        here, there = SPAWN.Pipe()
        process = SPAWN.Process(target=run_workers, args=(url, number, options.work, str(folder), there))
        process.start()
        ends.append((process, here))
    try:
        yield [psutil.Process(process.pid) for process, _ in ends]
    finally:
        for _, here in ends:
            here.send(None)
        for process, _ in ends:
            await asyncio.to_thread(process.join, 60)
            if process.is_alive():
                process.kill()


async def wait_for_workers(registry: WorkerRegistry, number: int, processes: Sequence[psutil.Process]) -> None:
    """Wait until all say that they live."""
    async with asyncio.timeout(300):
        while len(await registry.workers()) < number:
            if any(process.status() == psutil.STATUS_ZOMBIE for process in processes):
                raise RuntimeError("a process of workers has ended")
            await asyncio.sleep(0.5)


async def pick_up(queue: RenderQueue, song: Path, times: int) -> list[float]:
    """Milliseconds from adding a job until a worker has it, while all are idle."""
    took: list[float] = []
    for audio in songs(song, 50_000_000, times):
        (job_id,) = (await queue.add_batch_job([audio], "flame", ["1080p"])).job_ids
        await asyncio.sleep(0.1)
        while True:
            (job,) = await queue.snapshots([job_id])
            if job and job.started_at and job.created_at:
                took.append((job.started_at - job.created_at) * 1000)
                break
            await asyncio.sleep(0.02)
    return took


class Farm:
    """One run: the queue, its server, the processes of the workers, and what was asked for."""

    def __init__(self, options: argparse.Namespace, folder: Path, address: ServerAddress, server_pid: int) -> None:
        self.options = options
        self.folder = folder
        self.address = address
        self.queue, self.registry = RenderQueue(address), WorkerRegistry(address)
        self.meter = Meter(self.queue, psutil.Process(server_pid))
        self.processes: list[psutil.Process] = []
        self.batches: list[str] = []
        self.song = folder / "An Artist" / "An Album of Theirs" / "07 A Song With a Name.flac"
        self.song.parent.mkdir(parents=True)
        self.song.touch()

    async def close(self) -> None:
        """Close the connections."""
        await self.registry.close()
        await self.queue.close_queue()

    def workers_cpu(self) -> float:
        """Seconds of processor time that the workers have taken, all together."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    async def idle(self) -> None:
        """An empty queue, and workers that wait."""
        await wait_for_workers(self.registry, self.options.workers, self.processes)
        before, cpu = await self.meter.look(), self.workers_cpu()
        await asyncio.sleep(IDLE_SECONDS)
        rate = rates(before, await self.meter.look())
        each = (self.workers_cpu() - cpu) / IDLE_SECONDS / self.options.workers
        say(f"{self.options.workers} idle workers: server {rate['cpu']:.1%} of a processor, ")
        say(f"{rate['commands']:.0f} commands/s; a worker {each:.2%}\n")
        say(f"  from adding a job to a worker having it: {spread(await pick_up(self.queue, self.song, 50))}\n")
        await asyncio.sleep(self.options.work + 1)

    async def fill(self) -> None:
        """Add the jobs while nobody takes any."""
        await self.queue.pause()
        jobs = self.options.jobs
        before, own = await self.meter.look(), time.process_time()
        self.batches, speeds = await add(self.queue, self.song, jobs)
        after, own = await self.meter.look(), time.process_time() - own
        per_job = {name: (after[name] - before[name]) / jobs for name in ("memory", "file", "cpu")}
        say(f"{jobs} jobs added: {jobs / (after['at'] - before['at']):.0f} a second ")
        say(f"(first batch {speeds[0]:.0f}, last {speeds[-1]:.0f}); of a processor's time a job takes ")
        say(f"{own / jobs * 1e6:.0f} us of who adds it, {per_job['cpu'] * 1e6:.0f} us of the server\n")
        if self.options.copies:
            await copy(self.queue, self.batches[0], self.options.copies)
            after, jobs = await self.meter.look(), jobs + self.options.copies
            per_job = {name: (after[name] - before[name]) / jobs for name in ("memory", "file")}
            say(f"  and {self.options.copies} copies of them\n")
        say(f"  server's memory {after['memory'] / 1e6:.0f} MB, {per_job['memory']:.0f} bytes a job; ")
        say(f"file {after['file'] / 1e6:.0f} MB, {per_job['file']:.0f} bytes a job; ")
        say(f"events kept {after['kept']:.0f} of {after['events']:.0f}\n")

    async def ask(self) -> None:
        """What questions cost in a full queue."""
        queue, batch = self.queue, self.batches[-1]
        ids = (await queue.batch_job_ids(batch))[:20]
        one = await timed(lambda: queue.get_batch_status(batch))
        say(f"  status of one batch of {min(BATCH, self.options.jobs)}: {spread(one)}\n")
        say(f"  20 jobs: {spread(await timed(lambda: queue.snapshots(ids), 50))}\n")
        say(f"  adding one more job: {spread(await timed(lambda: add(queue, self.song, 1), 20))}\n")
        say(f"  cancelling a job: {spread(await cancelling(queue, ids))}\n")
        say(f"  the waiting line: {spread(await timed(queue.waiting_order, 3))}\n")
        say(f"  is anything left to do: {spread(await timed(queue.open_count, 20))}\n")

    async def work(self) -> None:
        """Let the workers work, with a window that watches."""
        options, queue = self.options, self.queue
        async with window_watching(self.address.url, self.folder, wanted=options.window) as look:
            await queue.resume()
            await asyncio.sleep(options.work + 2)
            seen = await look()
            before, cpu, done = await self.meter.look(), self.workers_cpu(), await self._done()
            latencies = await self._calls()
            after = await self.meter.look()
            rate, span = rates(before, after), after["at"] - before["at"]
            done = (await self._done()) - done
            each = (self.workers_cpu() - cpu) / span / options.workers
            say(f"{options.workers} workers with jobs of {options.work:g} s: {done / span:.1f} jobs/s ")
            say(f"of at most {options.workers / options.work:.1f}, ")
            say(f"{rate['events']:.0f} events/s, {rate['commands']:.0f} commands/s; ")
            say(f"server {rate['cpu']:.1%} of a processor, {rate['out'] / 1e6:.2f} MB/s out; a worker {each:.2%}; ")
            say(f"events kept {after['kept']:.0f} of {after['events']:.0f}\n")
            for name, values in latencies.items():
                say(f"  {name} meanwhile: {spread(values)}\n")
            jobs, updates, seconds = (b - a for a, b in zip(seen, await look(), strict=True))
            if options.window:
                say(f"  the window meanwhile: {updates / span:.1f} updates/s with {jobs / span:.0f} jobs/s, ")
                say(f"{seconds / span:.1%} of a processor\n")

    async def _done(self) -> int:
        """How many jobs were completed; only the first batches can have any."""
        statuses = [await self.queue.get_batch_status(batch) for batch in self.batches[:3]]
        return sum(status.completed for status in statuses if status)

    async def _calls(self) -> dict[str, list[float]]:
        """Latencies of what a window asks, now and then."""
        took: dict[str, list[float]] = {"status of one batch": [], "20 jobs": []}
        until = time.monotonic() + self.options.seconds
        ids = (await self.queue.batch_job_ids(self.batches[0]))[:20]
        while time.monotonic() < until:
            took["status of one batch"] += await timed(lambda: self.queue.get_batch_status(self.batches[0]), 1)
            took["20 jobs"] += await timed(lambda: self.queue.snapshots(ids), 1)
            await asyncio.sleep(0.2)
        return took


async def cancelling(queue: RenderQueue, ids: Sequence[str]) -> list[float]:
    """Milliseconds of cancelling each job, which waits at the end of the line."""
    took = []
    for id_ in ids:
        took += await timed(lambda id_=id_: queue.cancel(id_), 1)  # type: ignore[misc]
    return took


@asynccontextmanager
async def window_watching(url: str, folder: Path, *, wanted: bool) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """A window's poller in a process of its own; gives a function that says what it has seen and what it cost."""
    if not wanted:

        async def nothing() -> tuple[int, int, float]:
            return 0, 0, 0.0

        yield nothing
        return
    here, there = SPAWN.Pipe()
    home = folder / "window"
    home.mkdir()
    process = SPAWN.Process(target=run_window, args=(url, str(home), there))
    process.start()

    async def look() -> Any:
        here.send("look")
        return await asyncio.to_thread(here.recv)

    try:
        seconds, jobs, memory = await asyncio.to_thread(here.recv)
        say(f"  a window reads {jobs} jobs in {seconds:.1f} s and takes {memory / 1e6:.0f} MB for them\n")
        yield look
    finally:
        here.send(None)
        await asyncio.to_thread(process.join, 60)
        if process.is_alive():
            process.kill()


def say(text: str) -> None:
    """Print without waiting for the end of the line."""
    print(text, end="", flush=True)


async def main(options: argparse.Namespace) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="eth-", ignore_cleanup_errors=True) as name:
        server = EmbeddedServer(Path(name) / "data")
        address = await server.start()
        farm = Farm(options, Path(name), address, server.pid or 0)
        try:
            async with workers_running(address.url, options, farm.folder) as farm.processes:
                await farm.idle()
                await farm.fill()
                await farm.ask()
                await farm.work()
        finally:
            await farm.close()
            await server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--copies", type=int, default=0, help="jobs more, which the server makes of them")
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--processes", type=int, default=4, help="that the workers share")
    parser.add_argument("--work", type=float, default=2.0, help="seconds that a job takes")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long work is measured")
    parser.add_argument("--no-window", dest="window", action="store_false", help="leave the window's poller out")
    asyncio.run(main(parser.parse_args()))
