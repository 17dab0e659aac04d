"""What may happen to the server while a render runs: it is said, the render goes on, nothing is lost, nobody spins."""

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ethereal_gui.domain.job import JobSnapshot, JobStatus, Stage
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.updates import ServerState, Update
from ethereal_gui.settings import load_settings
from ethereal_gui.worker import render_worker
from tests.faults.outages import PASSWORD, SOAK, Line, PlainServer
from tests.integration.rendering import QUICK, job_until, render_children, running, song, worker_config
from tests.integration.workers import until

AWAY = 300.0 if SOAK else 5.0
MOST_CPU = 0.1
"""Of one processor, for window's service and worker together, while the server is in trouble."""


@dataclass
class Watcher:
    """What a window sees."""

    states: list[ServerState] = field(default_factory=list)
    jobs: dict[str, JobSnapshot] = field(default_factory=dict)

    def see(self, update: Update) -> None:
        self.states.append(update.server)
        self.jobs.update({job.id: job for job in update.jobs})

    async def sees(self, words: str, *, available: bool = False, seconds: float = 40.0) -> None:
        async def there() -> bool:
            state = self.states[-1] if self.states else None
            return state is not None and words in state.message and state.available == available

        try:
            await until(there, seconds)
        except TimeoutError:
            raise AssertionError(f"the window saw {[state.message for state in self.states[-5:]]}") from None


@asynccontextmanager
async def watching(line: Line, monkeypatch: pytest.MonkeyPatch, folder: Path, queue: str) -> AsyncIterator[Watcher]:
    monkeypatch.setenv("ETHEREAL_DATA_DIR", str(folder / "window"))
    monkeypatch.setenv("REDIS_URL", line.address.url)
    service = RenderService(load_settings(), queue_name=queue)
    await service.start(worker=False)
    watcher = Watcher()

    async def watch() -> None:
        async for update in service.watch():
            watcher.see(update)

    task = asyncio.create_task(watch())
    try:
        yield watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await service.close()


@dataclass
class Case:
    """One trouble: what brings it about, what ends it, what the window says, whether the server can be used."""

    words: str
    begin: Callable[[], Awaitable[object]]
    end: Callable[[], Awaitable[object]]
    usable: bool = False
    seconds: float = 2.0
    soak_only: bool = False


async def test_a_render_outlives_every_trouble_of_the_server(
    tmp_path: Path, queue_name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if not SOAK:
        monkeypatch.setattr(render_worker, "LOCK_MS", 4_000)
        monkeypatch.setattr(render_worker, "STALL_CHECK_MS", 1_000)
    with tempfile.TemporaryDirectory(prefix="eth-") as folder:
        server = PlainServer(Path(folder))
        server.start()
        await server.ready()
        line = Line(server.socket)
        try:
            async with line.open(), watching(line, monkeypatch, tmp_path, queue_name) as watcher:
                await play(server, line, watcher, queue_name, tmp_path, caplog)
        finally:
            server.kill()


async def play(
    server: PlainServer,
    line: Line,
    watcher: Watcher,
    queue_name: str,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def kill() -> None:
        server.kill()

    async def start_again() -> None:
        # A file that takes long to read.
        server.start("--key-load-delay", "300")
        await watcher.sees("still loading its data")
        await server.ready()

    async def lock_out() -> None:
        await server.ask("CONFIG", "SET", "requirepass", PASSWORD)
        await server.ask("CLIENT", "KILL", "TYPE", "normal", password=PASSWORD)

    async def slow_down() -> None:
        line.delay = 1.0

    async def speed_up() -> None:
        line.delay = 0.0

    cases = (
        Case("no memory left", lambda: server.ask("CONFIG", "SET", "maxmemory", 1), reset(server, "maxmemory", "0")),
        Case(
            "only allows reading",
            lambda: server.ask("REPLICAOF", "127.0.0.1", 1),
            lambda: server.ask("REPLICAOF", "NO", "ONE"),
            soak_only=True,
        ),
        Case("refused the user name or password", lock_out, reset(server, "requirepass", "", PASSWORD)),
        Case("is slow", slow_down, speed_up, usable=True, seconds=8.0, soak_only=True),
        Case("does not answer", kill, start_again, seconds=AWAY),
    )
    said: list[str] = []
    queue = RenderQueue(line.address, queue_name=queue_name)
    ballast = queue.access.client.pipeline(transaction=False)
    for n in range(20_000):
        ballast.set(f"ballast:{n}", n)
    await ballast.execute()
    async with running(worker_config(line.address, folder, queue_name), said.append):
        audio = song(folder / "long.wav", 1800.0 if SOAK else 600.0)
        (job_id,) = (await queue.add_batch_job([audio], "flame", ["1080p"], options=QUICK)).job_ids
        await job_until(queue, job_id, lambda job: bool(job.progress and job.progress.stage is Stage.RENDERING))
        (child,) = render_children()
        for case in cases if SOAK else [case for case in cases if not case.soak_only]:
            before, lines, records = await rendered(queue, job_id), len(said), len(caplog.records)
            await case.begin()
            await watcher.sees(case.words, available=case.usable)
            cpu, clock = time.process_time(), time.monotonic()
            await asyncio.sleep(case.seconds)
            share = (time.process_time() - cpu) / (time.monotonic() - clock)
            assert share < MOST_CPU, f"{case.words}: {share:.0%} of a processor"
            await case.end()
            await watcher.sees("", available=True)
            await job_until(queue, job_id, further_than(before))
            assert len(said) - lines <= 6, said[lines:]
            warnings = [record for record in caplog.records[records:] if record.levelno >= logging.WARNING]
            assert len(warnings) <= 8, [record.getMessage() for record in warnings]
            print(f"{case.words}: {share:.1%} of a processor, said {said[lines:]}")
        # Time enough for a lock that nobody renews to be found missing, twice.
        await asyncio.sleep(2 * render_worker.LOCK_MS / 1000)
        job = (await queue.snapshots([job_id]))[0]
        assert job is not None
        assert (job.status, job.attempts_made) == (JobStatus.PROCESSING, 0)
        assert await queue.access.client.hget(queue.access.keys.key(job_id), "stc") is None, "it was found stalled"
        assert [one.pid for one in render_children()] == [child.pid], "the render was started anew"
        assert sum("started" in text for text in said) == 1
    await queue.close_queue()


def reset(server: PlainServer, name: str, value: str, password: str | None = None) -> Callable[[], Awaitable[object]]:
    return lambda: server.ask("CONFIG", "SET", name, value, password=password)


async def rendered(queue: RenderQueue, job_id: str) -> int:
    (job,) = await queue.snapshots([job_id])
    return job.progress.frame or 0 if job and job.progress else 0


def further_than(frame: int) -> Callable[[JobSnapshot], bool]:
    return lambda job: bool(job.progress and (job.progress.frame or 0) > frame)
