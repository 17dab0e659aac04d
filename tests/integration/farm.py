"""A small farm for tests: one server, and workers as processes of their own that share nothing but it."""

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ethereal_gui.domain.worker_info import WorkerInfo
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer
from tests.integration.rendering import environment, start
from tests.integration.workers import until


@dataclass
class Farm:
    """One server, and the machines that are told its address."""

    folder: Path
    url: str
    queue: RenderQueue
    registry: WorkerRegistry
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)

    def env(self, machine: str, **more: str) -> dict[str, str]:
        """The environment of a command on a machine, which has a home and a data folder of its own."""
        home = self.folder / machine
        return environment(home / "data", REDIS_URL=self.url, HOME=str(home), **more)

    def worker(self, machine: str, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start a worker on a machine."""
        env = self.env(machine, **more)
        process = start(["worker", *arguments], env, self.folder / machine)
        self.processes.append(process)
        return process

    async def info(self, process: "subprocess.Popen[str]", condition: Callable[[WorkerInfo], bool]) -> WorkerInfo:
        """What a worker says of itself, once something holds of it."""
        found: list[WorkerInfo] = []

        async def holds() -> bool:
            assert process.poll() is None or process.returncode == -9, process.communicate()
            found[:] = [one for one in await self.registry.workers() if one.pid == process.pid]
            return bool(found) and condition(found[0])

        await until(holds, 60)
        return found[0]


@asynccontextmanager
async def open_farm(folder: Path) -> AsyncIterator[Farm]:
    """A farm whose workers are all gone on the way out."""
    server = EmbeddedServer(folder / "server")
    address = await server.start()
    farm = Farm(folder, address.url, RenderQueue(address), WorkerRegistry(address))
    try:
        yield farm
    finally:
        for process in farm.processes:
            process.terminate()
        for process in farm.processes:
            try:
                process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        await farm.queue.close_queue()
        await farm.registry.close()
        await server.stop()
