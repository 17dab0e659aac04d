"""``ethereal demo``: the bundled song through the real queue to real videos."""

import argparse
import sys
from pathlib import Path

from ethereal_gui.commands.batches import take_files
from ethereal_gui.commands.progress import ProgressView, describe
from ethereal_gui.domain.job import JobSnapshot, JobStatus, RenderOptions
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import load_settings
from ethereal_gui.worker.probing import Prober

DEMO_FORMATS = ("1080p", "1080p_vertical")


async def demo_command(options: argparse.Namespace, prober: Prober) -> int:
    """Submit the sample song, render it with the local worker, print the files. 1 when one failed."""
    settings = load_settings()
    folder = (options.output or Path("videos")).expanduser().absolute()
    songs, refused = await take_files([resource_path("audio")], prober)
    if refused or not songs:
        print("ethereal: the bundled song is missing; install the program again.", file=sys.stderr)
        return 1
    service = RenderService(settings)
    await service.start(worker=True)
    try:
        batch = await service.submit(songs, settings.template, DEMO_FORMATS, RenderOptions(output_dir=str(folder)))
        print(f"Batch {batch.batch_id}: {len(batch.job_ids)} videos of “{songs[0].display_title}” into {folder}")
        if await service.is_paused():
            print("The queue is paused; resuming it.")
            await service.resume()
        jobs = await _follow(service, batch.job_ids)
    finally:
        await service.close()
    for job in jobs:
        print(job.outcome.output_path if job.outcome else f"{job.id} failed: {job.failed_reason}")
    return 0 if all(job.status is JobStatus.COMPLETED for job in jobs) else 1


async def _follow(service: RenderService, job_ids: tuple[str, ...]) -> list[JobSnapshot]:
    mine: dict[str, JobSnapshot] = {}
    with ProgressView() as view:
        async for update in service.watch():
            if update.worker_error:
                print(update.worker_error, file=sys.stderr)
                break
            for job in update.jobs:
                if job.id in job_ids:
                    mine[job.id] = job
                    _show(view, job)
            if len(mine) == len(job_ids) and all(job.is_terminal for job in mine.values()):
                break
    return [mine[job_id] for job_id in job_ids if job_id in mine]


def _show(view: ProgressView, job: JobSnapshot) -> None:
    label = job.data.output_format if job.data else job.id
    if job.is_terminal:
        view.show(job.id, label, 1.0, job.status.value, always=True)
    elif job.status is JobStatus.PENDING and job.failed_reason:
        view.show(job.id, label, 0.0, f"will be tried again: {job.failed_reason}", always=True)
    elif job.progress and job.status is JobStatus.PROCESSING:
        view.show(job.id, label, job.progress.fraction, describe(job.progress))
