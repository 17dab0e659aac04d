"""What a worker says of itself in its heartbeat: its machine, its state, its jobs, its encoders."""

import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from typing import Final

import ethereal_gui
from ethereal_gui.domain.machine import usable_cores
from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.job_runner import JobRunner
from ethereal_gui.worker.part_runner import PartRunner
from ethereal_gui.worker.sandbox import child_environment

ENCODERS_SECONDS: Final = 60.0


class Presence:
    """One worker as others shall see it.

    Args:
        runners: its running jobs and parts by their ids, kept up to date by the worker.
    """

    def __init__(self, config: WorkerConfig, runners: Mapping[str, JobRunner | PartRunner]) -> None:
        self._config = config
        self._runners = runners
        self._started_at = time.time()
        self._encoders: tuple[str, ...] = ()

    def info(self, *, draining: bool, trouble: str | None) -> WorkerInfo:
        """The state at this moment."""
        speeds = [runner.latest.fps for runner in self._runners.values() if runner.latest and runner.latest.fps]
        state = WorkerState.BUSY if self._runners else WorkerState.IDLE
        return WorkerInfo(
            name=self._config.name,
            host=platform.node(),
            pid=os.getpid(),
            cores=usable_cores(),
            concurrency=self._config.concurrency,
            state=WorkerState.DRAINING if draining else state,
            trouble=trouble,
            jobs=tuple(dict.fromkeys(runner.job_id for runner in self._runners.values())),
            encoders=self._encoders,
            fps=sum(speeds) if speeds else None,
            version=ethereal_gui.__version__,
            started_at=self._started_at,
        )

    async def find_encoders(self) -> None:
        """Try the encoders, in a process of their own: a driver may take its process down with it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ethereal_gui.worker.encoders_child",
            self._config.encoder,
            str(self._config.cache_dir),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(self._config.cache_dir),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(ENCODERS_SECONDS):
                answer, _ = await process.communicate()
            self._encoders = tuple(str(name) for name in json.loads(answer))
        except (TimeoutError, ValueError):
            return  # nothing is known of them, which is what an empty list says
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
