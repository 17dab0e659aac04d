"""``ethereal render``: make videos now, without the queue, each in a child process as the worker does it."""

import argparse
import asyncio
import sys

from ethereal_gui.commands.batches import Choices, read_choices
from ethereal_gui.commands.progress import ProgressView, describe
from ethereal_gui.domain.batch import BatchJobData, utc_now
from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.job import Progress, RenderJobData
from ethereal_gui.domain.private import private_folder
from ethereal_gui.queue.connection import address_from_url
from ethereal_gui.service.configuration import worker_config
from ethereal_gui.settings import Settings, load_settings
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.delivery import DeliveredRender
from ethereal_gui.worker.probing import Prober
from ethereal_gui.worker.requests import errands_of, make_request, work_dir_of
from ethereal_gui.worker.workspace import make_output_dir, remove_work_dir


async def render_command(options: argparse.Namespace, prober: Prober) -> int:
    """Render one after the other; prints each finished file. 1 when a file was refused or a render failed."""
    settings = load_settings()
    choices = await read_choices(options, settings, prober)
    private_folder(settings.data_dir)
    make_output_dir(str(choices.options.output_dir))
    failed = choices.skipped
    with ProgressView() as view:
        for job_id, data in _jobs(choices):
            try:
                path = await _render(_config(settings), job_id, data, view)
                print(path, flush=True)
            except EtherealError as error:
                failed += 1
                print(f"ethereal: {_label(data)}: {error}", file=sys.stderr)
    return 1 if failed else 0


def _jobs(choices: Choices) -> list[tuple[str, RenderJobData]]:
    batch = BatchJobData(
        batch_id="direct",
        audio_files=choices.audio_files,
        template=choices.template,
        output_formats=choices.formats,
        created_at=utc_now(),
        **choices.options.model_dump(),
    )
    return batch.jobs()


def _config(settings: Settings) -> WorkerConfig:
    # The address belongs to the worker's settings; nothing here ever connects to it.
    return worker_config(settings, address_from_url("redis://localhost:6379"), queue_name="direct", concurrency=1)


def _label(data: RenderJobData) -> str:
    return f"{data.audio_file.original_name} {data.output_format}"


async def _render(config: WorkerConfig, job_id: str, data: RenderJobData, view: ProgressView) -> str:
    label = _label(data)

    def on_progress(progress: Progress) -> None:
        view.show(job_id, label, progress.fraction, describe(progress))

    process = DeliveredRender(
        make_request(config, job_id, data),
        errands_of(config, job_id, data),
        on_progress=on_progress,
        on_log=lambda _text: None,
        hang_seconds=config.hang_seconds,
    )
    try:
        done = await process.run()
    except asyncio.CancelledError:
        print("ethereal: stopped; the same command goes on from the last finished segment.", file=sys.stderr)
        raise
    view.show(job_id, label, 1.0, "done", always=True)
    await asyncio.to_thread(remove_work_dir, work_dir_of(config, job_id))
    return done.output_path
