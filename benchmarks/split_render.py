"""How much faster one video is made by several workers: worker processes, each pinned to one processor.

    python -m benchmarks.split_render [--workers 1 2] [--seconds 60] [--format 1080p] [--quality standard] [--rounds 1]

A video is made whole by one worker on one processor, and then split up by each number of workers, which know nothing
of the song yet; the split files are compared with the whole one byte by byte. "busy" is the share of their processors
that the workers got while the video was made: well below 100 % means that the machine was busy with other things, and
the times by the clock are not of this program alone. Therefore "processor" also says how much processor time the
worker that worked most has used: on a quiet machine it comes to about the same.
"""

import argparse
import asyncio
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.job import RenderOptions
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer

RATE = 44_100


@dataclass(frozen=True)
class Made:
    """One video: seconds by the clock, the workers' share of their processors, the processor seconds of the worker that
    worked most, and what it is."""

    wall: float
    busy: float
    most: float
    digest: str


@dataclass
class Bench:
    """One server, and workers that are started on it for each video."""

    folder: Path
    url: str
    queue: RenderQueue
    registry: WorkerRegistry
    options: RenderOptions
    output_format: str
    kernels: Path | None
    runs: int = 0

    @asynccontextmanager
    async def workers(self, count: int) -> AsyncIterator[list["subprocess.Popen[bytes]"]]:
        """So many workers, each on a processor of its own and with a data folder of its own."""
        self.runs += 1
        processes = [self._start(number) for number in range(count)]
        try:
            async with asyncio.timeout(60):
                while len(await self.registry.workers()) < count:
                    await asyncio.sleep(0.1)
            yield processes
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(60)

    def _start(self, number: int) -> "subprocess.Popen[bytes]":
        data = self.folder / f"data {self.runs} {number}"
        compiled = self.folder / "data 1 0" / "cache" / "kernels" if self.runs > 1 else self.kernels
        if compiled is not None:
            shutil.copytree(compiled, data / "cache" / "kernels")
        data.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ETHEREAL_", "REDIS_"))}
        env = {**kept, "ETHEREAL_DATA_DIR": str(data), "REDIS_URL": self.url, "ETHEREAL_ENCODER": "software"}
        processors = sorted(os.sched_getaffinity(0))
        if number >= len(processors):
            raise SystemExit(f"There are {len(processors)} processors only.")
        process = subprocess.Popen(
            [sys.executable, "-m", "ethereal_gui", "worker"],
            env=env,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )
        os.sched_setaffinity(process.pid, {processors[number]})  # before it has any thread or child
        return process

    async def make(self, song: Path, workers: int, *, split: bool) -> Made:
        """One video by so many workers."""
        audio = AudioFile(id=song.stem.replace(" ", ""), path=str(song), original_name=song.name)
        options = self.options.model_copy(update={"split_minutes": 0.0 if split else None})
        async with self.workers(workers) as processes:
            watches = [_Watch(process.pid) for process in processes]
            began = time.monotonic()
            batch = await self.queue.add_batch_job([audio], "flame", [self.output_format], options=options)
            while True:
                (job,) = await self.queue.snapshots(batch.job_ids)
                used = [watch.seconds() for watch in watches]
                if job and job.is_terminal:
                    break
                await asyncio.sleep(0.1)
            wall = time.monotonic() - began
        if job.outcome is None:
            raise SystemExit(f"It failed: {job.failed_reason}")
        path = Path(job.outcome.output_path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.unlink()
        return Made(wall, sum(used) / (wall * workers), max(used), digest)


class _Watch:
    """Processor seconds of a worker and of all children that it ever had, as last seen, from now on."""

    def __init__(self, pid: int) -> None:
        self._worker = psutil.Process(pid)
        self._seen: dict[int, float] = {}
        self._before = 0.0
        self._before = self.seconds()

    def seconds(self) -> float:
        for process in (self._worker, *self._worker.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            self._seen[process.pid] = times.user + times.system
        return sum(self._seen.values()) - self._before


def _song(path: Path, seconds: float, seed: int) -> Path:
    """A beat with a moving tone over it."""
    time_axis = np.arange(int(seconds * RATE)) / RATE
    beat = np.exp(-(time_axis % 0.5) * 30) * np.sin(2 * np.pi * 70 * time_axis)
    tone = 0.3 * np.sin(2 * np.pi * (220 + 40 * np.sin(time_axis / 3)) * time_axis + seed)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.int16((beat + tone) * 16_000).tobytes())
    return path


async def _measure(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="eth-") as name:
        folder = Path(name)
        (folder / "out").mkdir()
        server = EmbeddedServer(folder / "server")
        address = await server.start()
        options = RenderOptions(fps=30, quality=Quality(arguments.quality), output_dir=str(folder / "out"))
        queue, registry = RenderQueue(address), WorkerRegistry(address)
        bench = Bench(folder, address.url, queue, registry, options, arguments.format, arguments.kernels)
        try:
            await bench.make(_song(folder / "first.wav", 1.0, 0), 1, split=False)  # compiles the drawing code
            wholes: list[Made] = []
            splits: dict[int, list[Made]] = {count: [] for count in arguments.workers}
            for seed in range(arguments.rounds):
                song = _song(folder / f"song {seed}.wav", arguments.seconds, seed)
                whole = await bench.make(song, 1, split=False)
                wholes.append(whole)
                _say("whole, 1 worker", whole, whole, "")
                for count in arguments.workers:
                    made = await bench.make(song, count, split=True)
                    splits[count].append(made)
                    same = "same bytes" if made.digest == whole.digest else "OTHER BYTES"
                    _say(f"split, {count} worker{'s' * (count > 1)}", made, whole, same)
            for count, made_by in splits.items():
                wall = _median(wholes, "wall") / _median(made_by, "wall")
                most = _median(wholes, "most") / _median(made_by, "most")
                ways = f"by the clock {wall:.2f} x ({wall / count:.0%} of linear), by processor time {most:.2f} x"
                print(f"{count} worker{'s' * (count > 1)} against one whole render: {ways} ({most / count:.0%})")
        finally:
            await queue.close_queue()
            await registry.close()
            await server.stop()


def _median(made: list[Made], field: str) -> float:
    return statistics.median(float(getattr(one, field)) for one in made)


def _say(what: str, made: Made, whole: Made, note: str) -> None:
    load = os.getloadavg()[0]
    times = f"{made.wall:7.1f} s   {whole.wall / made.wall:5.2f} x   processor {made.most:6.1f} s"
    print(f"{what:20} {times}   busy {made.busy:4.0%}   load {load:.1f}   {note}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=60.0, help="of the video")
    parser.add_argument("--format", default="1080p")
    parser.add_argument("--quality", default="standard", choices=[quality.value for quality in Quality])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--kernels", type=Path, help="folder of compiled code to begin with (DATA/cache/kernels)")
    asyncio.run(_measure(parser.parse_args()))


if __name__ == "__main__":
    main()
