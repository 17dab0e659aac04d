"""``ethereal worker``: render jobs of the queue until stopped."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ethereal_gui.commands.batches import whole_place
from ethereal_gui.domain.locations import parse_path_map
from ethereal_gui.render.video.workspace import clean_stale
from ethereal_gui.service.configuration import worker_config
from ethereal_gui.service.render_service import STALE_AFTER_SECONDS, RenderService
from ethereal_gui.settings import load_settings
from ethereal_gui.worker.render_worker import RenderWorker
from ethereal_gui.worker.shutdown import install_signal_handlers


async def worker_command(options: argparse.Namespace) -> int:
    """Work until a signal, or with ``--drain`` until nothing waits: then 1 when a job failed."""
    settings = load_settings()
    if options.output:
        settings = settings.with_changes({"output_dir": options.output.expanduser().absolute()})
    roots: list[Path | str] = options.audio_root or []
    service = RenderService(settings)
    # A shared server may be away at the start: the worker waits for it, so only the embedded one is started here.
    address = await service.find_address()
    try:
        config = worker_config(
            settings,
            address,
            concurrency=options.concurrency,
            own_output_only=bool(options.output),
            audio_roots=_folders(roots) if roots else None,
            url_roots=tuple(whole_place(root) for root in roots if isinstance(root, str)),
            path_maps=tuple(parse_path_map(text) for text in options.path_map or ()),
        )
        worker = RenderWorker(config, drain=options.drain, on_event=_say)
        await asyncio.to_thread(clean_stale, config.work_root, STALE_AFTER_SECONDS)
        install_signal_handlers(worker, finish_within=settings.shutdown_timeout, say=_say)
        if service.recovery:
            _say(service.recovery)
        _say(f"Worker {config.name} on {address.public}, {config.concurrency} at a time.")
        await worker.run()
    finally:
        await service.close()
    return 1 if options.drain and worker.failed_jobs else 0


def _folders(roots: Sequence[Path | str]) -> tuple[Path, ...]:
    return tuple(root.expanduser().absolute() for root in roots if isinstance(root, Path))


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # whoever listened is gone; the work goes on
        print(f"{datetime.now().astimezone():%H:%M:%S}  {text}", file=sys.stderr, flush=True)
