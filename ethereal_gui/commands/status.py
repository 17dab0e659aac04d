"""``ethereal status``: batches and jobs, once or until everything is done."""

import argparse
import json
import sys
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ethereal_gui.commands.progress import describe
from ethereal_gui.domain.batch import BatchStatus
from ethereal_gui.domain.job import JobSnapshot, JobStatus
from ethereal_gui.domain.locations import file_name, folder_of
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import load_settings

_COLOURS = {"completed": "green", "failed": "red", "processing": "yellow", "cancelled": "bright_black"}


async def status_command(options: argparse.Namespace) -> int:
    """Show the queue. 1 when a job failed, 2 when there is no such batch."""
    service = RenderService(load_settings())
    await service.start(worker=False)
    try:
        if options.watch and not options.json:
            return await _watch(service, options.batch)
        found = await _read(service, options.batch)
        if found is None:
            print(f"ethereal: there is no batch “{options.batch}”.", file=sys.stderr)
            return 2
        if options.watch:
            await _until_finished(service, options.batch)
            found = await _read(service, options.batch) or []
        if options.json:
            print(json.dumps({"batches": [_batch_json(status, jobs) for status, jobs in found]}, ensure_ascii=False))
        else:
            Console().print(render_table(found))
        return _exit_code(found)
    finally:
        await service.close()


Found = list[tuple[BatchStatus, list[JobSnapshot]]]


async def _read(service: RenderService, batch_id: str | None) -> Found | None:
    ids = [batch_id] if batch_id else [batch.batch_id for batch in await service.batches()]
    found: Found = []
    for one in ids:
        status = await service.batch_status(one)
        if status is None:
            if batch_id:
                return None
            continue
        found.append((status, await service.batch_jobs(one)))
    return found


async def _until_finished(service: RenderService, batch_id: str | None) -> None:
    async for _ in service.watch():
        found = await _read(service, batch_id) or []
        if all(status.is_finished for status, _ in found):
            return


async def _watch(service: RenderService, batch_id: str | None) -> int:
    found: Found | None = await _read(service, batch_id)
    if found is None:
        print(f"ethereal: there is no batch “{batch_id}”.", file=sys.stderr)
        return 2
    with Live(render_table(found), console=Console(), refresh_per_second=4) as live:
        async for update in service.watch():
            if not update.server.available:
                live.update(Group(render_table(found), Text(update.server.message, style="red")))
                continue
            found = await _read(service, batch_id) or []
            live.update(render_table(found))
            if all(status.is_finished for status, _ in found):
                break
    return _exit_code(found)


def _exit_code(found: Found) -> int:
    return 1 if any(status.failed for status, _ in found) else 0


def _batch_json(status: BatchStatus, jobs: list[JobSnapshot]) -> dict[str, Any]:
    return {
        "batchId": status.batch_id,
        "total": status.total,
        "completed": status.completed,
        "failed": status.failed,
        "pending": status.pending,
        "processing": status.processing,
        "jobs": [
            {
                "id": job.id,
                "state": job.status.value,
                "progress": percent(job),
                "outputPath": job.outcome.output_path if job.outcome else None,
                "failedReason": job.failed_reason,
            }
            for job in jobs
        ],
    }


def percent(job: JobSnapshot) -> float:
    """Progress of a job from 0 to 100."""
    if job.status is JobStatus.COMPLETED:
        return 100.0
    return round(job.progress.fraction * 100, 1) if job.progress else 0.0


def render_table(found: Found) -> Group | Text:
    """The batches as tables for a terminal."""
    if not found:
        return Text("The queue is empty.")
    return Group(*(_batch_table(status, jobs) for status, jobs in found))


def _batch_table(status: BatchStatus, jobs: list[JobSnapshot]) -> Table:
    title = (
        f"{status.batch_id}: {status.completed} of {status.total} done"
        + (f", {status.failed} failed" if status.failed else "")
        + (f", {status.processing} running" if status.processing else "")
        + (f", {status.pending} waiting" if status.pending else "")
    )
    folders = sorted({folder_of(job.outcome.output_path) for job in jobs if job.outcome})
    table = Table(title=title, title_justify="left", caption="\n".join(folders), caption_justify="left", expand=False)
    for heading in ("Song", "Format", "State", "Progress"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "Song")
    table.add_column("Result", overflow="fold")
    for job in jobs:
        state = "cancelled" if job.is_cancelled else job.status.value
        song = Text(job.data.audio_file.original_name if job.data else job.id)
        table.add_row(
            song,
            job.data.output_format if job.data else "",
            Text(state, style=_COLOURS.get(state, "")),
            _progress_text(job),
            Text(_result(job)),
        )
    return table


def _result(job: JobSnapshot) -> str:
    if job.outcome:
        return file_name(job.outcome.output_path)
    return job.failed_reason or (job.left_by.note if job.left_by else "")


def _progress_text(job: JobSnapshot) -> str:
    if job.status is not JobStatus.PROCESSING or job.progress is None:
        return f"{percent(job):.0f} %"
    return f"{percent(job):.0f} %, {describe(job.progress)}"
