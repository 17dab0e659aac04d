"""What a worker is told at its start; it never reads settings itself."""

import contextlib
import os
import platform
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.locations import PathMap
from ethereal_gui.domain.machine import usable_cores
from ethereal_gui.queue.connection import ServerAddress

LEAST_MEMORY: Final = 6 << 30


def worker_name() -> str:
    """Unique among the workers of a queue: host, process id and a random part."""
    host = re.sub(r"[^A-Za-z0-9-]+", "-", platform.node().split(".")[0]).strip("-") or "computer"
    return f"{host[:40]}-{os.getpid()}-{secrets.token_hex(2)}"


def usable_memory() -> int:
    """Bytes of memory that this machine has, or this container may use."""
    total = int(psutil.virtual_memory().total)
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """A worker's settings.

    Attributes:
        address: the queue's server.
        data_dir: for unfinished work, caches and the history.
        output_dir: where videos go when a job names no folder, or when ``own_output_only``.
        name_pattern, fps, quality: for jobs that do not say.
        concurrency: renders at a time. threads: per render, 0 shares all processors among the renders.
        memory: bytes that all renders together may use, 0 for three quarters of this machine's memory.
        hang_seconds: a child that does not get on for so long is taken for hung.
        own_output_only: write only below ``output_dir`` whatever a job says (workers for other people's jobs).
        audio_roots: when given, only files below these folders are read, and of URLs only those below ``url_roots``.
        path_maps: what shared folders are called by those who submit, and here; applied before the two above.
        template_dirs: folders of templates, later ones win.
    """

    address: ServerAddress
    data_dir: Path
    output_dir: Path
    name_pattern: str
    template_dirs: tuple[Path, ...]
    fps: int = 30
    quality: Quality = Quality.STANDARD
    encoder: str = "auto"
    threads: int = 0
    concurrency: int = 1
    memory: int = 0
    hang_seconds: float = 600.0
    own_output_only: bool = False
    audio_roots: tuple[Path, ...] | None = None
    url_roots: tuple[str, ...] = ()
    path_maps: tuple[PathMap, ...] = ()
    queue_name: str = "render-queue"
    name: str = field(default_factory=worker_name)

    @property
    def threads_per_render(self) -> int:
        """Threads that one render gets."""
        return self.threads or max(1, usable_cores() // self.concurrency)

    @property
    def memory_per_render(self) -> int:
        """Bytes that one render may use. The largest format needs 3.6 GB on two processors, more on many."""
        return max(LEAST_MEMORY, (self.memory or usable_memory() * 3 // 4) // self.concurrency)

    @property
    def history_path(self) -> Path:
        """The SQLite file of the history."""
        return self.data_dir / "history.sqlite3"

    @property
    def work_root(self) -> Path:
        """Folder of all jobs' unfinished work."""
        return self.data_dir / "work"

    @property
    def cache_dir(self) -> Path:
        """Folder of analyses and compiled kernels."""
        return self.data_dir / "cache"
